"""What makes the service tick, and what serves it."""

BEAT_EVERY = 1.0  # seconds between two heartbeat rows of a process that works, at least
