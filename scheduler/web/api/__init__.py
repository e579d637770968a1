"""REST for other programs, by a key of the clinic's."""
