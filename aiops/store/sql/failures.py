"""What a database's own error means to whoever runs the service."""

import sqlite3

_SQLITE = {
    "SQLITE_BUSY": "another process has kept it locked; stop that one or try again",
    "SQLITE_LOCKED": "another process has kept it locked; stop that one or try again",
    "SQLITE_FULL": "the disk is full; make room, then repeat",
    "SQLITE_IOERR": "the disk failed to read or write; check it and the room left on it",
    "SQLITE_CANTOPEN": "the file cannot be opened; check its path and permissions",
    "SQLITE_READONLY": "the file cannot be written; check its permissions",
    "SQLITE_PERM": "the file cannot be opened; check its permissions",
    "SQLITE_NOTADB": "the file is no SQLite database; check setting 'database_url'",
    "SQLITE_CORRUPT": "the file is damaged; restore a backup with 'aiops db restore'",
}
_POSTGRESQL = {  # SQLSTATE, or the class it begins with
    "28": "the server refused the login; check user and password in setting 'database_url'",
    "3D": "the server has no such database; create it, or check setting 'database_url'",
    "53100": "the server's disk is full; make room, then repeat",
    "53300": "the server has no connection left; raise its max_connections or run fewer processes",
    "53": "the server is out of a resource; look into its log",
    "25P03": "this process stood still inside a transaction, which the server ended; repeat",
    "25006": "the server is read-only; is it a standby?",
    "40": "another transaction was in the way; repeat",
    "55P03": "somebody else holds a lock; repeat",
    "57014": "the query took too long and was cancelled; repeat or raise statement_timeout",
    "57P": "the server is restarting or shutting down; repeat when it is back",
    "42P01": "its tables are missing or old; run 'aiops db upgrade'",
    "42703": "its tables are missing or old; run 'aiops db upgrade'",
    "42501": "the user may not do that; grant it the schema, or check setting 'database_url'",
}


def why_unavailable(error: BaseException) -> str | None:
    """What is wrong and what to do, in one clause; None where the fault is not the database's."""
    if isinstance(error, sqlite3.Error):
        return _sqlite(error)
    import psycopg

    if isinstance(error, psycopg.Error):
        return _postgresql(error, isinstance(error, psycopg.OperationalError))
    return None


def _sqlite(error: sqlite3.Error) -> str | None:
    name = getattr(error, "sqlite_errorname", "")
    for known, reason in _SQLITE.items():
        if name.startswith(known):
            return reason
    if "no such table" in str(error) or "no such column" in str(error):
        return "its tables are missing or old; run 'aiops db upgrade'"
    return None


def _postgresql(error: BaseException, operational: bool) -> str | None:
    state = getattr(error, "sqlstate", None) or ""
    for length in (5, 3, 2):
        if state[:length] in _POSTGRESQL:
            return _POSTGRESQL[state[:length]]
    if not operational:
        return None
    first = str(error).strip().splitlines()[:1]
    said = f" ({first[0]})" if first else ""
    return f"the connection failed; is the server up and its address right?{said}"
