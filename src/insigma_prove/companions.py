"""What a detection needs beside its own query, put in place: saved functions, and tables that a scheduled roll-up fills.

A roll-up runs once before the query is asked, a little longer ago than its rows may take to arrive, over all events of its
time; its rows are then a table like any other.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insigma.evaluate.events import iso, milliseconds
from insigma.targets.base import Companion, Detection
from insigma_prove.process import Client, Reply

SETTLED_MS = 2 * 3_600_000
"""How long before the query the roll-up ran."""
LONG_AGO = "1971-01-01T00:00:00.000Z"


def with_functions(detection: Detection, query: str) -> str:
    """The query with the text of its saved functions in place of their calls: one without parameters is no more than that."""
    for companion in detection.companions:
        if companion.kind == "function":
            call = f"{companion.name}()"
            query = companion.query if query == call else query.replace(call, f"({companion.query})")
    return query


def rollups(detection: Detection) -> tuple[Companion, ...]:
    return tuple(companion for companion in detection.companions if companion.kind == "rollup")


def with_tables(detection: Detection, store: Mapping[str, Any]) -> dict[str, Any]:
    """The store with the tables of the roll-ups. Every table of Sentinel has a `TimeGenerated`: for these rows when they were written."""
    tables = {companion.name: {"TimeGenerated": "datetime", **companion.columns} for companion in rollups(detection)}
    return {**store, "tables": {**store["tables"], **tables}} if tables else dict(store)


def run_rollup(detection: Detection, companion: Companion, client: Client, moment: int) -> Reply:
    """Run a roll-up at a moment (ms since 1970) over the events that the engine holds: its rows, as its table stores them."""
    ran = iso(moment)
    query = with_functions(detection, companion.query)
    reply = client.run(detection.language, query, {"earliest": LONG_AGO, "latest": ran, "now": ran, "answer": "rows"})
    if "error" in reply:
        return reply
    return {"rows": [{"_table": companion.name, "TimeGenerated": ran, **_held(row, companion)} for row in reply["rows"]]}


def run_rolled_up(detection: Detection, client: Client, store: Mapping[str, Any], events: Sequence[Mapping[str, Any]], now: str) -> Reply:
    """Run the roll-ups over the events, then the query over their tables and the events of its look-back; what it finds."""
    end = milliseconds(now) or 0
    snapshot: list[dict[str, Any]] = []
    client.open(with_tables(detection, store), events)
    for companion in rollups(detection):
        reply = run_rollup(detection, companion, client, end - SETTLED_MS)
        if "error" in reply:
            return reply
        snapshot += reply["rows"]
    client.open(with_tables(detection, store), [*events, *snapshot])
    times = {"earliest": iso(end - detection.schedule.lookback_ms), "latest": now, "now": now}
    reply = client.run(detection.language, with_functions(detection, detection.query), times)
    client.open(store, events)
    return reply


def _held(row: Mapping[str, Any], companion: Companion) -> dict[str, Any]:
    return {name: row[name] for name in companion.columns if row.get(name) is not None}
