"""The store on SQL: one schema on two engines, SQLite by default, PostgreSQL by URL."""
