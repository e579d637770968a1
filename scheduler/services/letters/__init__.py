"""Mail as it comes in: reading it with bounded work, whether a person wrote it, and what they wrote."""
