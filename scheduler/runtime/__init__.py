"""What makes the service tick, and what serves it."""
