"""The database of an installation: SQLite inside the folder, or PostgreSQL by ``DATABASE_URL``.

SQLite from 3.7.0 to 3.51.2 can lose pages in write-ahead mode (the WAL-reset fault, fixed in 3.51.3), and
Python's own library is often in that range. `swap_sqlite` puts pysqlite3's newer library in its place before
Django loads; where there is none, `sqlite_settings` falls back to the rollback journal, which is safe.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

SAFE_WITH_WAL = (3, 51, 3)


def swap_sqlite() -> None:
    """Everything that imports `sqlite3` from here on gets pysqlite3's library, where it is installed."""
    try:
        import pysqlite3
        import pysqlite3.dbapi2
    except ImportError:
        return
    sys.modules["sqlite3"] = pysqlite3
    sys.modules["sqlite3.dbapi2"] = pysqlite3.dbapi2


def sqlite_settings(path: Path | str) -> dict[str, Any]:
    """Django's settings for a SQLite file that keeps what it acknowledged, through a power cut."""
    import sqlite3

    journal = (
        "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
        if sqlite3.sqlite_version_info >= SAFE_WITH_WAL
        else "PRAGMA journal_mode=DELETE; PRAGMA synchronous=EXTRA;"
    )
    return {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": path,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 20,
            "init_command": f"{journal} PRAGMA foreign_keys=ON; PRAGMA trusted_schema=OFF; "
            "PRAGMA secure_delete=ON; PRAGMA temp_store=MEMORY;",
        },
    }


def postgresql_settings(address: str) -> dict[str, Any]:
    """Django's settings for the PostgreSQL database that a libpq address or key=value line names."""
    from psycopg.conninfo import conninfo_to_dict

    parts = dict(conninfo_to_dict(address))
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": parts.pop("dbname", "resguardo"),
        "USER": parts.pop("user", ""),
        "PASSWORD": parts.pop("password", ""),
        "HOST": parts.pop("host", ""),
        "PORT": parts.pop("port", ""),
        "CONN_MAX_AGE": 60,
        "OPTIONS": parts,
    }
