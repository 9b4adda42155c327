"""A detection's search over events that the search brings along itself, so that nothing is written into anybody's Splunk.

`makeresults format=csv data="..."` (Search Reference, makeresults; Splunk 9.0) makes rows of text in the search. Every cell is
percent-encoded, so nothing in it could be taken for CSV, a quotation mark, a macro or an escape; `urldecode()` gives it back.
CSV rather than JSON, as rows of JSON data carry fields of their own. `spath` then takes the JSON text apart, and the search's
own terms follow as a filter:

    | makeresults format=csv data="..." | eval _raw=urldecode(...), _time=... | spath | search <its terms> | <the rest as it is>

What this leaves unproved: everything that happens when events are indexed (line breaking, time stamps, source types, which
index they go to), automatic JSON extraction (`KV_MODE = json`; spath stands for it), the look-up of the leading terms in the
index, and the order in which an index returns events. Proved is the search language: terms as a filter, and every command after.

The data of one makeresults has at most 30,000 characters (Search Reference, makeresults, "data"), so events come in several,
joined by `append`, whose subsearches are far below their limits then.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl.pipeline import Command, commands

POSITION = "insigma_position"
"""The column that says which event a row is."""

TRANSFORMING = frozenset({"stats", "chart", "timechart", "top", "rare", "transaction"})
"""Commands whose rows are no events any more (Search Reference, "Command types"), of those that detections use."""

CHUNK = 25_000
_CELLS = ("_time", "index", "sourcetype", "source", "host", "_raw")
_HEADER = ",".join((POSITION, *(f"insigma_in_{name.strip('_')}" for name in _CELLS)))


def inline_search(query: str, events: Sequence[Mapping[str, Any]], earliest: float | None, latest: float | None) -> tuple[str, bool]:
    """The search over `events` (as `stores.splunk` makes them), and whether its rows are events, told by `insigma_position` alone.

    `earliest` and `latest` are seconds since 1970. Raises `QueryFault` for a search that does not start with terms or looks
    tables up, and for events that are too long for makeresults.
    """
    first, *rest = commands(query)
    if first.name != "search":
        raise QueryFault("unsupported", f"a search that starts with '{first.name}' cannot be given its events inline")
    if any(command.name == "lookup" for command in rest):
        raise QueryFault("unsupported", "a lookup would read the tables of the Splunk itself: their rows cannot come with the search")
    of_events = not any(command.name in TRANSFORMING for command in rest)
    lines = [
        *_rows(events),
        *_decoded(),
        *_ranged(earliest, latest),
        f"| search {first.argument}",
        *(_written(command, of_events) for command in rest),
    ]
    if of_events:
        lines.append(f"| table {POSITION}")
    return "\n".join(lines), of_events


def _rows(events: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """The commands that make the rows, the newest event first as an index gives them."""
    order = sorted(range(len(events)), key=lambda position: -float(events[position].get("_time", 0)))
    chunks = list(_chunks([_line(position, events[position]) for position in order]))
    yield f'| makeresults format=csv data="{chunks[0]}"' if chunks else "| makeresults count=0"
    for chunk in chunks[1:]:
        yield f'| append [| makeresults format=csv data="{chunk}"]'


def _line(position: int, event: Mapping[str, Any]) -> str:
    line = ",".join((str(position), *(quote(str(event.get(name, "")), safe="") for name in _CELLS)))
    if len(line) + len(_HEADER) + 1 > CHUNK:
        raise QueryFault("unsupported", f"event {position} is too long to be written into a search")
    return line


def _chunks(lines: Iterable[str]) -> Iterator[str]:
    held, size = [_HEADER], len(_HEADER)
    for line in lines:
        if size + 1 + len(line) > CHUNK:
            yield "\n".join(held)
            held, size = [_HEADER], len(_HEADER)
        held.append(line)
        size += 1 + len(line)
    if len(held) > 1:
        yield "\n".join(held)


def _decoded() -> tuple[str, ...]:
    texts = ", ".join(f"{name}=urldecode(insigma_in_{name.strip('_')})" for name in _CELLS if name != "_time")
    return (f"| eval _time=tonumber(insigma_in_time), {texts}", "| fields - insigma_in_*", "| spath")


def _ranged(earliest: float | None, latest: float | None) -> Iterator[str]:
    """The time range, which an index would keep to: from `earliest` to before `latest`."""
    clauses = [f"_time>={earliest:.3f}"] if earliest is not None else []
    clauses += [f"_time<{latest:.3f}"] if latest is not None else []
    if clauses:
        yield f"| where isnull(_time) OR ({' AND '.join(clauses)})"


def _written(command: Command, of_events: bool) -> str:
    """A command as it is; one that chooses columns keeps the position too."""
    keeps = of_events and (command.name == "table" or (command.name == "fields" and not command.argument.startswith("-")))
    return f"| {command.name} {command.argument}{f' {POSITION}' if keeps else ''}".rstrip()
