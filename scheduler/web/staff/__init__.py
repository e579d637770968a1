"""The pages of a clinic's staff, behind a login."""
