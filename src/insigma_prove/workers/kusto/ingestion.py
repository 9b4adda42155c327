"""`ingestion_time()`: when a row came in, kept beside the tables.

Sources: the pages *ingestion-time-function* and *management/ingestion-time-policy* of Microsoft's KQL reference. The function is
for "the context of a table": what it says of rows that are no longer the table's own is not documented, and is refused here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

import duckdb
from duckdb_kql import ir
from duckdb_kql.errors import KqlUnsupportedError

from insigma_prove.workers.kusto import windows
from insigma_prove.workers.kusto.store import POSITION, timestamp
from insigma_prove.workers.serve import QueryFault

NAME = "ingestion_time"
COLUMN = "_ingested"
"""How an event says when it came in; by default at its `TimeGenerated`."""

_TABLE = "main._kql_ingestion"


def create(connection: duckdb.DuckDBPyConnection) -> None:
    """The table that holds, for each event, when it came in."""
    connection.execute(f"CREATE TABLE {_TABLE} (place BIGINT, came TIMESTAMP)")


def fill(connection: duckdb.DuckDBPyConnection, events: Sequence[Mapping[str, Any]]) -> None:
    """Replace what it holds. Raises ValueError for what is no time."""
    came = [[str(place), _text(event.get(COLUMN, event.get("TimeGenerated")))] for place, event in enumerate(events)]
    connection.execute(f"TRUNCATE {_TABLE}")
    cells = "SELECT CAST(r[1] AS BIGINT), CAST(r[2] AS TIMESTAMP) FROM (SELECT unnest(from_json($rows, '[[\"VARCHAR\"]]')) AS r)"
    connection.execute(f"INSERT INTO {_TABLE} {cells}", {"rows": json.dumps(came)})


def _text(said: str | None) -> str | None:
    return None if said is None else timestamp(said).isoformat(sep=" ")


def rendered(node: ir.FunctionCall) -> str:
    """The function as SQL: a look-up by the row's hidden position."""
    if node.args:
        raise KqlUnsupportedError(f"function:{NAME}", hint="takes no argument")
    return f'(SELECT came FROM {_TABLE} WHERE place = "{POSITION}")'


def check(query: ir.Query) -> None:
    """Raises `QueryFault` where the function is asked of rows that are not a table's own any more."""
    own = isinstance(query.source, ir.TableRef)
    for op in query.operators:
        if windows.calls(op, (NAME,)) and not (own and isinstance(op, ir.Where | ir.Extend | ir.Project)):
            raise QueryFault("unsupported", f"{NAME}() away from its table")
        own = own and isinstance(op, ir.Where | ir.Extend)
