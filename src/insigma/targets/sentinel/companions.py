"""What stands beside a query that an analytics rule cannot hold: a saved function, or a daily roll-up of matching events.

A rule looks back 14 days at most, whatever table it reads. A longer correlation therefore reads a snapshot: a KQL job in
Sentinel's data lake (which keeps events for years) writes every day, for all events of the last timespan that match one of
the members, a row each into a table of its own, and the query joins the last complete snapshot with the events since. Both
parts meet at `InsCut`, a time before which no accepted event can still be missing from the lake, so no event is lost or
counted twice between them. What is looked up, is looked up by the query, as a job knows no watchlists. A summary rule would not
do: what it writes has the time of its bin, and is out of the rule's reach 14 days later.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence

from insigma.bind.model import BoundCorrelation
from insigma.content.durations import duration_text
from insigma.content.model import Header, TargetMapping
from insigma.targets.base import Companion
from insigma.targets.sentinel import quoting
from insigma.targets.sentinel.gathered import columns, gathered, judged, operand

DAY_MS = 86_400_000
LAKE_LATENCY_MS = 15 * 60_000
"""How long new rows may take to be seen in the data lake (KQL jobs in the Microsoft Sentinel data lake, "Data lake ingestion latency")."""
PROMOTION = "1h"
"""How old a snapshot has to be to be read: rows of a job may take half an hour to arrive (Troubleshoot KQL queries for the data lake)."""

_LONGEST_NAME = 24


def function(header: Header, prefix: str, lines: Sequence[str]) -> Companion:
    """A saved function: rules may call one to stay below 10,000 characters (Scheduled analytics rules, "Rule query")."""
    return Companion("function", f"{prefix}_{_name(header)}", "\n".join(lines))


def notes(beside: Sequence[Companion]) -> tuple[str, ...]:
    """What the ledger says of what a detection needs beside it."""
    wanted = {"function": "needs the saved function {}", "rollup": "needs a daily job of the data lake that fills {}"}
    return tuple(wanted[companion.kind].format(companion.name) for companion in beside)


def rollup(bound: BoundCorrelation, mapping: TargetMapping, settled_ms: int) -> Companion:
    """The daily job: the matching events of a timespan up to the last midnight that is `settled_ms` ago. Raises `Refused`."""
    timespan = duration_text(bound.correlation.timespan_ms)
    span = [f"TimeGenerated >= InsUpTo - {timespan}", "TimeGenerated < InsUpTo"]
    lines = [
        f"let InsUpTo = startofday(now() - {duration_text(settled_ms + LAKE_LATENCY_MS)});",
        *gathered(bound, mapping, span),
        "| extend InsRun = now(), InsCut = InsUpTo",
    ]
    name = f"InsMatches_{_name(bound.correlation.header)}_KQL_CL"
    types = {"InsRun": "datetime", "InsCut": "datetime", **columns(bound, mapping)}
    return Companion("rollup", name, "\n".join(lines), DAY_MS, types)


def rolled_up(bound: BoundCorrelation, mapping: TargetMapping, snapshot: Companion) -> list[str]:
    """The lines that give the rows of the last complete snapshot and of the events since. Raises `Refused`."""
    table = quoting.table(snapshot.name)
    names = ", ".join(quoting.column(name) for name in columns(bound, mapping))
    tail = gathered(bound, mapping, ["TimeGenerated >= InsUpTo"])
    return [
        f"let InsNewest = toscalar({table} | where InsRun <= ago({PROMOTION}) | summarize max(InsRun));",
        f"let InsUpTo = coalesce(toscalar({table} | where InsRun == InsNewest | summarize max(InsCut)), datetime(1970-01-01));",
        "union",
        f"    ({table} | where InsRun == InsNewest | project {names}),",
        *(tail[1:] if tail[0] == "union" else [operand(tail)]),
        *judged(bound, mapping),
    ]


def _name(header: Header) -> str:
    """The rule's label in letters, digits and underscores; a long one cut and told apart by a hash."""
    label = re.sub(r"[^A-Za-z0-9]+", "_", header.label).strip("_")
    if label and len(label) <= _LONGEST_NAME:
        return label
    digest = hashlib.sha256(header.label.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{label[:_LONGEST_NAME]}_{digest}".lstrip("_")
