"""The patient's own page, `/p/{token}`."""
