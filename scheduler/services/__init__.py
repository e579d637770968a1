"""The use cases: one file each. They see the world only through ports."""
