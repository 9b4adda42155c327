"""The adapter: opens a store in DuckDB, and answers KQL over it."""

from __future__ import annotations

import json
import re
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

import duckdb
import duckdb_kql
from duckdb_kql.errors import KqlError, KqlSyntaxError
from duckdb_kql.translate import CLOCK_SLOT

from insigma_prove.workers.kusto import answers, functions, ingestion, natives, operators, store
from insigma_prove.workers.kusto.service import Bound, LanguageService
from insigma_prove.workers.serve import QueryFault, Reply

_CACHED = 512
_BOTH_WAYS = 2
"""How many stores a query is asked of in both orders of the rows; of later ones it is asked in one order, by turns."""
_ABOUT = ("_table", ingestion.COLUMN)
_WATCHLIST_FUNCTION = (
    "function _GetWatchlist(watchlistAlias:string) "
    f"{{ {store.WATCHLISTS} | where {store.ALIAS} == watchlistAlias | project-away {store.ALIAS}, {store.POSITION} }}"
)
_ORDER_MATTERS = re.compile(r"\b(prev|next|row_\w+|take|limit|top|make_list\w*|make_set\w*|arg_max|arg_min|take_any\w*|any|join)\b")
_LANGUAGE = "kql"
_DEPTH = 20_000
_TRANSLATION_FAILS = (KqlError, AssertionError, AttributeError, LookupError, RuntimeError, TypeError, ValueError)
"""How `duckdb-kql` gives up: mostly in its own words, sometimes not."""


@dataclass(frozen=True, slots=True)
class _Answer:
    names: list[str]
    rows: list[tuple[Any, ...]]


Execute = Callable[[Any, Mapping[str, Any]], _Answer]


class KustoAdapter:
    """Executes KQL. One DuckDB connection serves all stores."""

    def __init__(self) -> None:
        self._connection = duckdb.connect(":memory:")
        # Long lists of alternatives are deep trees to the parser, the translator and DuckDB.
        sys.setrecursionlimit(max(sys.getrecursionlimit(), _DEPTH))
        for setting in ("TimeZone = 'UTC'", "threads = 1", "enable_external_access = false", "max_expression_depth = 5000"):
            self._connection.execute(f"SET {setting}")
        natives.supply(self._connection)
        ingestion.create(self._connection)
        functions.supply()
        operators.supply()
        self._service = LanguageService()
        self._tables: store.Tables = {}
        self._stored: store.Tables = {}
        self._watchlists: dict[str, str] | None = None
        self._filled: frozenset[str] = frozenset()
        self._translated: dict[tuple[str, str], tuple[Bound, Any]] = {}
        self._turns: Counter[str] = Counter()
        self._declared = ""

    def hello(self) -> Reply:
        """The engine, and what binds the queries."""
        return {
            "engine": "duckdb-kql",
            "version": version("duckdb-kql"),
            "languages": {_LANGUAGE: "executed"},
            "versions": {"@kusto/language-service-next": self._service.version(), "duckdb": version("duckdb"), "flpc": version("flpc")},
        }

    def open(self, store_: Mapping[str, Any], events: Sequence[Mapping[str, Any]]) -> None:
        """`store_` is {"tables": {table: {column: type}}, "watchlists": {alias: [{column: text}]}}; "lookups" are watchlists too.

        Each event names its `_table`, and may say in `_ingested` when it came in (else at its `TimeGenerated`).
        """
        watchlists = _watchlists(store_)
        extra, items = store.watchlist_tables(watchlists) if watchlists else ({}, [])
        self._declare(store_["tables"], extra)
        rows: dict[str, list[tuple[int, Mapping[str, Any]]]] = {store.WATCHLISTS: [(-1, item) for item in items]}
        for position, event in enumerate(events):
            table = event["_table"]
            if table not in self._tables:
                raise ValueError(f"unknown table {table!r}")
            rows.setdefault(table, []).append((position, {name: value for name, value in event.items() if name not in _ABOUT}))
        store.fill(self._connection, self._stored, rows, self._filled)
        ingestion.fill(self._connection, events)
        self._filled = frozenset(name for name, own in rows.items() if own)

    def run(self, language: str, query: str, times: Mapping[str, str]) -> Reply:
        """Bind, translate and execute. Positions if the rows are still events (unless "answer" in `times` asks for "rows"), else rows.

        Unless "order" in `times` is "stored", the rows of the first stores are taken in the opposite order too, and a difference is a
        warning; later the order changes with every run, so that whoever knows the answer sees one that depends on it.
        """
        _only_kql(language)
        bound, sql = self._translation(query)
        store.keep_to(self._connection, times.get("earliest"), times.get("latest"))
        parameters = _clock(sql, times)
        as_rows = times.get("answer") == "rows"
        orders = (self._execute,) if times.get("order") == "stored" else self._orders(query)
        reply, *others = (_reply(execute(sql, parameters), bound, as_rows) for execute in orders)
        warnings = list(bound.warnings)
        if any(_unordered(other) != _unordered(reply) for other in others):
            warnings.append("the answer depends on an order of rows that Kusto leaves undefined")
        return reply | ({"warnings": warnings} if warnings else {})

    def check(self, language: str, query: str, store_: Mapping[str, Any]) -> None:
        """Parse and bind only."""
        _only_kql(language)
        watchlists = _watchlists(store_)
        extra = store.watchlist_tables(watchlists)[0] if watchlists else {}
        self._service.bind(query, store_["tables"], _watchlist_columns(extra))

    def _declare(self, tables: store.Tables, extra: store.Tables) -> None:
        stored = {**tables, **extra}
        declared = repr(stored)  # the order of columns counts, so the texts are compared
        if declared != self._declared:
            store.create(self._connection, stored, self._stored)
            self._declared = declared
        self._tables, self._stored = tables, stored
        self._watchlists = _watchlist_columns(extra)

    def _translation(self, query: str) -> tuple[Bound, Any]:
        key = (self._declared, query)
        if key not in self._translated:
            if len(self._translated) >= _CACHED:
                self._translated.clear()
                self._turns.clear()
            bound = self._service.bind(query, self._tables, self._watchlists)
            self._translated[key] = (bound, self._translate(query))
        return self._translated[key]

    def _translate(self, query: str) -> Any:
        known = store.columns_known(self._stored)
        stored_functions = [_WATCHLIST_FUNCTION] if self._watchlists else []
        try:
            # The moment is only a stand-in: it makes `now()` a parameter.
            return duckdb_kql.to_sql(query, schema=known, allow_write=False, query_now="2000-01-01", functions=stored_functions)
        except KqlSyntaxError as error:
            raise QueryFault("unsupported", f"Microsoft's parser takes it, duckdb-kql does not: {error}") from None
        except _TRANSLATION_FAILS as error:
            raise QueryFault("unsupported", f"{type(error).__name__}: {error}") from None

    def _orders(self, query: str) -> tuple[Execute, ...]:
        """How the rows lie when the query is asked this time."""
        if not _ORDER_MATTERS.search(query):
            return (self._execute,)
        turn = self._turns[query]
        self._turns[query] += 1
        if turn < _BOTH_WAYS:
            return self._execute, self._reversed
        return (self._reversed,) if turn % 2 else (self._execute,)

    def _execute(self, sql: Any, parameters: Mapping[str, Any]) -> _Answer:
        try:
            cursor = self._connection.execute(str(sql), parameters) if parameters else self._connection.execute(str(sql))
            rows = cursor.fetchall()
        except duckdb.BinderException as error:
            # Microsoft's binder took it: the translation, not the query, is at fault.
            raise QueryFault("unsupported", str(error)) from None
        except (duckdb.Error, OverflowError) as error:
            raise QueryFault("run", str(error)) from None
        return _Answer([column[0] for column in cursor.description or ()], rows)

    def _reversed(self, sql: Any, parameters: Mapping[str, Any]) -> _Answer:
        self._connection.execute("SET schema = 'reversed'")
        try:
            return self._execute(sql, parameters)
        finally:
            self._connection.execute("SET schema = 'main'")


def _clock(sql: Any, times: Mapping[str, str]) -> dict[str, Any]:
    """The values of the statement's parameters: its own defaults, and the moment of `now()` if it asks for one."""
    if CLOCK_SLOT not in sql.parameters:
        return dict(sql.parameters)
    if "now" not in times:
        raise QueryFault("run", "the query asks for now(), and the request says no time")
    return {**sql.parameters, CLOCK_SLOT: store.timestamp(times["now"])}


def _reply(answer: _Answer, bound: Bound, as_rows: bool) -> Reply:
    hidden = [name for name in answer.names if re.fullmatch(rf"{store.POSITION}\d*", name)]
    visible = [index for index, name in enumerate(answer.names) if name not in hidden]
    if bound.columns is None or [name for name, _ in bound.columns] != [answer.names[index] for index in visible]:
        raise QueryFault("unsupported", f"duckdb-kql gives the columns {answer.names}, Microsoft's binder {bound.columns}")
    if hidden == [store.POSITION] and not as_rows:
        positions = {row[answer.names.index(store.POSITION)] for row in answer.rows}
        if None not in positions:
            return {"hits": sorted(positions)}
    kinds = [kind for _, kind in bound.columns]
    names = [name for name, _ in bound.columns]
    return {"rows": [answers.row(names, kinds, [row[index] for index in visible]) for row in answer.rows]}


def _unordered(reply: Reply) -> list[str]:
    return sorted(json.dumps(item, sort_keys=True) for item in reply.get("rows") or reply.get("hits") or [])


def _watchlists(store_: Mapping[str, Any]) -> dict[str, Sequence[Mapping[str, str]]]:
    return {**(store_.get("watchlists") or {}), **(store_.get("lookups") or {})}


def _watchlist_columns(extra: store.Tables) -> dict[str, str] | None:
    """The columns of the table of all watchlists, without what tells them apart, and their types. None without any."""
    return {name: kind for name, kind in extra[store.WATCHLISTS].items() if name != store.ALIAS} if extra else None


def _only_kql(language: str) -> None:
    if language != _LANGUAGE:
        raise QueryFault("unsupported", f"this engine speaks {_LANGUAGE}, not {language}")
