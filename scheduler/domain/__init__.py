"""The rules: when, whether and what. No clock, no database, no network; standard library only."""
