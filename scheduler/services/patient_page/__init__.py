"""The patient's own page: who may open it, what it shows, and what the patient decides there."""
