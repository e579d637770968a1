"""Signing in to the staff pages: accounts, passwords, one-time codes, sessions."""
