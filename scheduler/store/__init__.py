"""Where everything is kept: tables, encryption, engine, migrations and queries."""
