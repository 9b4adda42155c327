"""SQLite: SQL of the stock backend on an in-memory database."""
