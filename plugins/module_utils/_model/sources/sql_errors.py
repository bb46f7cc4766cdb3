# SPDX-FileCopyrightText: the mxrelay.postfix authors
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong where a database refuses, and what to do.

What a database says itself may hold what is in its rows, so of that only what is about names of its tables is told.
"""

from __future__ import annotations

from collections.abc import Mapping

_NOT_LET_IN = "it does not take user and password; correct them"
_SYNTAX = "it does not understand the query; correct it"
_UNNAMED = "it does not have what the query names"
_MAY_NOT = "the user may not read what the query names; have SELECT granted"
_READS_ONLY = "the query would write; give one that only reads"
_TOO_SLOW = "the query took too long; raise timeout, or give one that is faster"
_BUSY = "it takes no more connections, or is starting or stopping; try again later"
# By SQLSTATE: appendix A of PostgreSQL's manual.
_POSTGRESQL: Mapping[str, str] = {
    "28P01": _NOT_LET_IN,
    "28000": _NOT_LET_IN,
    "3D000": "it is not there; correct database",
    "42601": _SYNTAX,
    "42501": _MAY_NOT,
    "42P01": _UNNAMED,
    "42703": _UNNAMED,
    "42883": _UNNAMED,
    "25006": _READS_ONLY,
    # As of a cursor for WITH … DELETE.
    "0A000": "the query can't be read row by row; give a SELECT that only reads",
    "57014": _TOO_SLOW,
    "53300": _BUSY,
    "57P03": _BUSY,
    "57P01": _BUSY,
}
# libpq has no SQLSTATE for what happens before there is a connection.
_LIBPQ = (
    (
        "peer authentication failed",
        "it wants the system's user of the same name; give server: localhost and a password",
    ),
    ("authentication failed", _NOT_LET_IN),
    ("no password supplied", _NOT_LET_IN),
    ("no pg_hba.conf entry", "no line of its pg_hba.conf lets this host and user in; add one of type hostssl"),
    ("does not exist", "it is not there, or has no such user; correct database and user"),
    ("does not support ssl", "it offers no TLS; set ssl = on in its postgresql.conf"),
    ("too many", _BUSY),
    ("starting up", _BUSY),
    ("shutting down", _BUSY),
)
# By error number: those of MySQL's and MariaDB's manuals.
_MYSQL: Mapping[int, str] = {
    1044: "it is not there, or not for this user; correct database, or have SELECT granted",
    1045: _NOT_LET_IN,
    1698: _NOT_LET_IN,
    1049: "it is not there; correct database",
    1040: _BUSY,
    1053: _BUSY,
    1064: _SYNTAX,
    1149: _SYNTAX,
    1054: _UNNAMED,
    1146: _UNNAMED,
    1142: _MAY_NOT,
    1143: _MAY_NOT,
    1227: _MAY_NOT,
    1130: "it lets no user in from this host; grant it to user@host",
    1792: _READS_ONLY,
    1290: _READS_ONLY,
    1969: _TOO_SLOW,
    3024: _TOO_SLOW,
}
_SQLITE = (
    ("syntax error", _SYNTAX),
    ("incomplete input", _SYNTAX),
    ("no such", _UNNAMED),
    ("readonly", _READS_ONLY),
    ("one statement", "the query is more than one statement; give one"),
    ("locked", "another program has it locked; try again later, or raise timeout"),
    ("not a database", "it is no database of SQLite; correct database"),
    ("malformed", "it is damaged; have it repaired"),
    ("decode to utf-8", "it has text that is not UTF-8; correct it"),
)


def _with_names(meaning: str, said: str) -> str:
    return f"{meaning} ({said}); correct the query" if meaning is _UNNAMED else meaning


def why_postgresql(sqlstate: str, said: str) -> str:
    """By the SQLSTATE of an error and the message that comes with it; empty if it is not about what was asked."""
    if sqlstate:
        meaning = _POSTGRESQL.get(sqlstate, f"the query failed with SQLSTATE {sqlstate}; look at its log")
        return _with_names(meaning, said)
    text = said.lower()
    return next((meaning for words, meaning in _LIBPQ if words in text), "")


def why_mysql(number: int, said: str) -> str:
    """By the number of an error of the server and its message; empty if it is one of the connection."""
    if 2000 <= number < 3000 or not number:
        return ""
    return _with_names(_MYSQL.get(number, f"the query failed with error {number}; look at its log"), said)


def why_sqlite(said: str) -> str:
    """By the message of an error."""
    text = said.lower()
    known = (meaning for words, meaning in _SQLITE if words in text)
    return _with_names(next(known, "the query failed; try it with sqlite3"), said)
