"""Stock SQL on SQLite: one table of events, its columns made as Zircolite makes them (`COLLATE NOCASE`).

A query that selects events keeps the position column and gives hits; one that makes a table of its own, as the backend's
correlations do, gives rows. `<TABLE_NAME>`, which the backend leaves to its users, stands for that table. SQLite has no
`REGEXP` of its own: it is Python's `re.search`, as in Zircolite.

Source: SQLite documentation, "Datatypes In SQLite" and "The LIKE, GLOB, REGEXP, MATCH, and extract operators"; the sqlite3
module of Python.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma_prove.workers.serve import QueryFault, Reply

LANGUAGE = "sqlite"
TABLE = "logs"
POSITION = "insigma position"
_PLACEHOLDER = "FROM <TABLE_NAME>"
_TYPES = frozenset({"", "TEXT", "INTEGER", "REAL"})
_READING = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_RECURSIVE})
_SYNTAX = re.compile(r"syntax error|unrecognized token|incomplete input|one statement at a time", re.IGNORECASE)
_NAMES = re.compile(r"no such (?:column|function|table)|wrong number of arguments|ambiguous column", re.IGNORECASE)

Value = str | int | float | None


@dataclass(slots=True)
class SqliteAdapter:
    """One database at a time; None until events have been opened."""

    database: sqlite3.Connection | None = None

    def hello(self) -> Reply:
        """The engine's name and version."""
        notes = ["Columns are COLLATE NOCASE, which folds ASCII only.", "REGEXP is Python's re.search."]
        return {"engine": "SQLite", "version": sqlite3.sqlite_version, "languages": {LANGUAGE: "executed"}, "notes": notes}

    def open(self, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """Store the events anew, each a row: a flat object of texts, numbers, booleans and nulls.

        `store` may say `{"columns": {name: "" | "TEXT" | "INTEGER" | "REAL"}}`: columns that a query reads though no event
        has them, and their types. Raises `QueryFault` for a value that a cell cannot hold.
        """
        if self.database is not None:
            self.database.close()
            self.database = None
        self.database = _database(store, events)

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """Hits or rows. Raises `QueryFault`; SQL holds its own times, so `earliest` and `latest` are not supported."""
        _known(language)
        if "earliest" in times or "latest" in times:
            raise QueryFault("unsupported", "a query in SQL says itself which times it is about")
        if self.database is None:
            raise ValueError("no events have been opened")
        return _result(self.database, _addressed(query))

    def check(self, language: str, query: str, store: Mapping[str, Any]) -> None:
        """Prepare the query on an empty table of `store`'s columns. Raises `QueryFault`."""
        _known(language)
        database = _database(store, ())
        try:
            _result(database, f"EXPLAIN {_addressed(query)}")
        finally:
            database.close()


def _known(language: str) -> None:
    if language != LANGUAGE:
        raise QueryFault("unsupported", f"SQLite runs {LANGUAGE}, not {language}")


def _addressed(query: str) -> str:
    """The query with the name of the table put in. A value may hold the placeholder too; it comes later and stays."""
    return query.replace(_PLACEHOLDER, f"FROM {TABLE}", 1)


def _database(store: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> sqlite3.Connection:
    columns: dict[str, str] = dict(store.get("columns") or {})
    if unknown := set(columns.values()) - _TYPES:
        raise ValueError(f"no type of a column: {', '.join(sorted(unknown))}")
    for event in events:
        columns.update(dict.fromkeys(event.keys() - columns.keys(), ""))
    names = sorted(columns)
    rows = [(at, *(_cell(event.get(name), at, name) for name in names)) for at, event in enumerate(events)]
    described = [f"{_quoted(POSITION)} INTEGER PRIMARY KEY", *(f"{_quoted(name)} {columns[name]} COLLATE NOCASE" for name in names)]
    database = sqlite3.connect(":memory:", isolation_level=None)
    try:
        database.execute(f"CREATE TABLE {TABLE} ({', '.join(described)})")
        database.executemany(f"INSERT INTO {TABLE} VALUES ({', '.join('?' * len(described))})", rows)
    except (sqlite3.Error, OverflowError) as error:
        database.close()
        raise QueryFault("unsupported", f"SQLite does not store these events: {error}") from error
    database.create_function("regexp", 2, _regexp, deterministic=True)
    database.execute("SELECT 1 FROM json_each('[]')")  # correlations use it; its first use declares a table, which is denied below
    database.set_authorizer(_read_only)
    return database


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


def _cell(value: Any, position: int, name: str) -> Value:
    """What the cell holds: booleans are their text, as the queries expect them."""
    if isinstance(value, bool):
        return str(value).lower()
    if value is None or isinstance(value, str | int | float):
        return value
    raise QueryFault("unsupported", f"event {position}: '{name}' holds a {type(value).__name__}; a cell of SQLite holds one value")


def _regexp(pattern: str, value: Value) -> bool:
    return value is not None and re.search(pattern, str(value)) is not None


def _read_only(action: int, *_: str | None) -> int:
    """A query reads; whatever else it asks for is denied."""
    return sqlite3.SQLITE_OK if action in _READING else sqlite3.SQLITE_DENY


def _result(database: sqlite3.Connection, query: str) -> Reply:
    try:
        cursor = database.execute(query)
        names = [column[0] for column in cursor.description or ()]
        found = cursor.fetchall()
    except sqlite3.Error as error:
        raise _fault(error) from error
    if POSITION in names:
        at = names.index(POSITION)
        return {"hits": sorted(row[at] for row in found)}
    return {"rows": [dict(zip(names, row, strict=True)) for row in found]}


def _fault(error: sqlite3.Error) -> QueryFault:
    told = str(error)
    return QueryFault("parse" if _SYNTAX.search(told) else "type" if _NAMES.search(told) else "run", told)
