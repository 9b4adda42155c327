"""The tables of a store in DuckDB, as Kusto would hold them."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

import duckdb

POSITION = "_position"
"""The hidden column: which of the opened events a row is."""

WATCHLISTS = "_kql_watchlists"
ALIAS = "_kql_alias"
CHANGED = "LastUpdatedTimeUTC"
"""The column in which `_GetWatchlist` says when an item was changed: a row may say it, else all were at one time."""
_ONCE = "2020-01-01T00:00:00Z"

SQL_TYPES: Mapping[str, str] = {
    "string": "VARCHAR",
    "long": "BIGINT",
    "int": "INTEGER",
    "real": "DOUBLE",
    "bool": "BOOLEAN",
    "datetime": "TIMESTAMP",
    "dynamic": "JSON",
    "timespan": "INTERVAL",
    "guid": "UUID",
}

_TIMESPAN = re.compile(r"(-)?(?:(\d+)\.)?(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,7}))?")
_FRACTION = re.compile(r"\.(\d+)")

Tables = Mapping[str, Mapping[str, str]]
"""Table to columns to Kusto type."""

Row = tuple[int, Mapping[str, Any]]
"""An event's position and its columns."""


def quoted(name: str) -> str:
    """An SQL identifier."""
    return '"' + name.replace('"', '""') + '"'


def create(connection: duckdb.DuckDBPyConnection, tables: Tables, known: Tables) -> None:
    """Make the tables, with views of them in both directions that keep to the time range of a run.

    `known` are those that there are: one with the same columns in the same order stays as it is, with its rows.
    """
    for kind in {kind for columns in tables.values() for kind in columns.values()}:
        _sql_type(kind)
    same = {name for name, columns in known.items() if name in tables and list(tables[name].items()) == list(columns.items())}
    for schema in ("stored", "reversed"):
        connection.execute(f"CREATE SCHEMA IF NOT EXISTS {schema}")
    for name in known:
        if name not in same:
            _drop(connection, name)
    for name, columns in tables.items():
        if name not in same:
            _create(connection, name, columns)


def _drop(connection: duckdb.DuckDBPyConnection, name: str) -> None:
    for kind, schema in (("VIEW", "main"), ("VIEW", "reversed"), ("TABLE", "stored")):
        connection.execute(f"DROP {kind} IF EXISTS {schema}.{quoted(name)}")


def _create(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str]) -> None:
    declared = [f"{quoted(column)} {_sql_type(kind)}{_default(kind)}" for column, kind in columns.items()]
    connection.execute(f"CREATE OR REPLACE TABLE stored.{quoted(name)} ({', '.join([*declared, f'{POSITION} BIGINT'])})")
    selected = f"SELECT * FROM stored.{quoted(name)}{_in_range(columns)}"
    connection.execute(f"CREATE OR REPLACE VIEW main.{quoted(name)} AS {selected}")
    connection.execute(f"CREATE OR REPLACE VIEW reversed.{quoted(name)} AS {selected} ORDER BY {POSITION} DESC")


def fill(connection: duckdb.DuckDBPyConnection, tables: Tables, rows: Mapping[str, Sequence[Row]], filled: frozenset[str]) -> None:
    """Replace all rows; `filled` says which tables have any. Raises ValueError for an unknown column or a value of another type."""
    for name, columns in tables.items():
        if name in filled:
            connection.execute(f"TRUNCATE stored.{quoted(name)}")
        if rows.get(name):
            _insert(connection, name, columns, rows[name])


def keep_to(connection: duckdb.DuckDBPyConnection, earliest: str | None, latest: str | None) -> None:
    """What the tables show from now on: rows whose `TimeGenerated` lies in the range, whose ends may be open. Raises ValueError."""
    for name, text in (("earliest", earliest), ("latest", latest)):
        connection.execute(f"SET VARIABLE {name} = " + ("NULL" if text is None else f"TIMESTAMP '{timestamp(text)}'"))


def columns_known(tables: Tables) -> dict[str, list[str]]:
    """What `duckdb-kql` wants to know: each table's columns in order."""
    return {name: [*columns, POSITION] for name, columns in tables.items()}


def watchlist_tables(watchlists: Mapping[str, Sequence[Mapping[str, str]]]) -> tuple[dict[str, dict[str, str]], list[dict[str, str]]]:
    """All watchlists as one table, told apart by alias, and its rows. A column that a list lacks is ""."""
    names = dict.fromkeys(["SearchKey", *(name for items in watchlists.values() for item in items for name in item)])
    rows = [{ALIAS: alias, CHANGED: _ONCE, **item} for alias, items in watchlists.items() for item in items]
    return {WATCHLISTS: {CHANGED: "datetime"} | {name: "string" for name in (*names, ALIAS) if name != CHANGED}}, rows


def timestamp(text: str) -> datetime:
    """ISO 8601 text as UTC without zone, in microseconds. Raises ValueError if it is finer."""
    found = _FRACTION.search(text)
    if found and found[1][6:].strip("0"):
        raise ValueError(f"{text!r} is finer than a microsecond, which is all that DuckDB keeps")
    moment = datetime.fromisoformat(_FRACTION.sub(lambda match: "." + match[1][:6].ljust(6, "0"), text))
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _sql_type(kind: str) -> str:
    if kind not in SQL_TYPES:
        raise ValueError(f"unknown Kusto type {kind!r}")
    return SQL_TYPES[kind]


def _default(kind: str) -> str:
    return " DEFAULT ''" if kind == "string" else ""


def _in_range(columns: Mapping[str, str]) -> str:
    if columns.get("TimeGenerated") != "datetime":
        return ""
    # `coalesce` with TRUE: a row without time is outside any range, yet inside an unbounded run.
    bounds = (f"coalesce(TimeGenerated {sign} getvariable('{name}'), getvariable('{name}') IS NULL)" for name, sign in _BOUNDS)
    return " WHERE " + " AND ".join(bounds)


_BOUNDS = (("earliest", ">="), ("latest", "<="))
"""Both ends belong to the range."""


def _insert(connection: duckdb.DuckDBPyConnection, name: str, columns: Mapping[str, str], rows: Sequence[Row]) -> None:
    given = {column for _, row in rows for column in row}
    unknown = given - columns.keys()
    if unknown:
        raise ValueError(f"table {name} has no column {min(unknown)!r}")
    # Tables are wide and events are not: only the columns that occur are written.
    used = {column: kind for column, kind in columns.items() if column in given}
    cells = [
        [*(_cell(row.get(column), kind, f"{name}.{column}") for column, kind in used.items()), str(position)] for position, row in rows
    ]
    # One parameter carries all rows: text lists, which SQL casts to the declared types.
    casts = [f"CAST(r[{index}] AS {_sql_type(kind)})" for index, kind in enumerate([*used.values(), "long"], 1)]
    into = f"stored.{quoted(name)} ({', '.join(map(quoted, [*used, POSITION]))})"
    source = "(SELECT unnest(from_json($rows, '[[\"VARCHAR\"]]')) AS r)"
    connection.execute(f"INSERT INTO {into} SELECT {', '.join(casts)} FROM {source}", {"rows": json.dumps(cells, ensure_ascii=False)})


def _cell(value: Any, kind: str, where: str) -> str | None:
    if value is None:
        return "" if kind == "string" else None
    try:
        return _TEXTS[kind](value)
    except (TypeError, ValueError) as error:
        raise ValueError(f"{where} is a {kind}, not {value!r} ({error})") from None


def _must(holds: bool, otherwise: str) -> None:
    if not holds:
        raise ValueError(otherwise)


def _string(value: Any) -> str:
    _must(isinstance(value, str), "not text")
    text = str(value)
    text.encode()  # a lone surrogate is not Unicode text
    return text


def _whole(bits: int) -> Callable[[Any], str]:
    def convert(value: Any) -> str:
        _must(type(value) is int, "not a whole number")
        _must(-(2 ** (bits - 1)) <= value < 2 ** (bits - 1), f"does not fit {bits} bits")
        return str(value)

    return convert


def _real(value: Any) -> str:
    _must(type(value) in (int, float), "not a number")
    return repr(float(value))


def _bool(value: Any) -> str:
    _must(isinstance(value, bool), "not a boolean")
    return str(value).lower()


def _timespan(value: Any) -> str:
    found = _TIMESPAN.fullmatch(value)
    if not found:
        raise ValueError("not [-][d.]hh:mm:ss[.fffffff]")
    sign, days, hours, minutes, seconds, fraction = found.groups(default="")
    ticks = int(fraction.ljust(7, "0"))
    _must(ticks % 10 == 0, "finer than a microsecond")
    whole = ((int(days or 0) * 24 + int(hours)) * 60 + int(minutes)) * 60 + int(seconds)
    return f"{sign}{whole * 1_000_000 + ticks // 10} microseconds"


_TEXTS: Mapping[str, Callable[[Any], str]] = {
    "string": _string,
    "long": _whole(64),
    "int": _whole(32),
    "real": _real,
    "bool": _bool,
    "datetime": lambda value: timestamp(value).isoformat(sep=" "),
    "dynamic": lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")),
    "timespan": _timespan,
    "guid": lambda value: str(uuid.UUID(value)),
}
