"""stats, eventstats and streamstats."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl import expressions
from insigma_prove.workers.spl.aggregates import Aggregate, Running, aggregated, parse, write
from insigma_prove.workers.spl.arguments import boolean, items, options, whole
from insigma_prove.workers.spl.clock import span_seconds
from insigma_prove.workers.spl.evaluation import condition
from insigma_prove.workers.spl.events import Row
from insigma_prove.workers.spl.functions import Runtime
from insigma_prove.workers.spl.values import Fields, FieldText, number, singles, text

Rows = list[Row]
Key = tuple[str, ...]
Stage = Callable[[Rows], Rows]


def stats(argument: str, runtime: Runtime) -> Stage:
    """One row a group; a row without one of the `by` fields is in no group (SR stats, "by-clause"; measured).

    A multivalue `by` field puts the row into the group of each value. The groups come out sorted by their fields (measured).
    """
    aggregates, by = parse(items(argument), runtime)

    def run(rows: Rows) -> Rows:
        groups: dict[Key, list[Fields]] = {}
        for row in rows:
            for key in _keys(row.fields, by):
                groups.setdefault(key, []).append(row.fields)
        if not by and not groups:
            groups[()] = []
        found = []
        for key in sorted(groups):
            fields: Fields = {name: FieldText(value) for name, value in zip(by, key, strict=True)}
            aggregated(aggregates, groups[key], fields)
            if fields:
                found.append(Row(fields, None))
        return found

    return run


def _keys(fields: Fields, by: Sequence[str]) -> list[Key]:
    """The groups of a row."""
    held = []
    for name in by:
        values = [text(value) for value in singles(fields.get(name))]
        if len(set(values)) < len(values):
            raise QueryFault("unsupported", f"whether stats counts a row twice whose field '{name}' has a value twice is not documented")
        held.append(values)
    return list(product(*held))


def eventstats(argument: str, runtime: Runtime) -> Stage:
    """stats, with the results written to the rows they were computed of (SR eventstats)."""
    pieces, rest = options(items(argument), frozenset({"allnum"}))
    if boolean(pieces, "allnum", False):
        raise QueryFault("unsupported", "eventstats allnum=true is not run here")
    aggregates, by = parse(rest, runtime)

    def run(rows: Rows) -> Rows:
        groups: dict[Key, list[Fields]] = {}
        for row in rows:
            if (key := _one_key(row.fields, by)) is not None:
                groups.setdefault(key, []).append(row.fields)
        results: dict[Key, Fields] = {}
        for key, held in groups.items():
            aggregated(aggregates, held, results.setdefault(key, {}))
        for row in rows:
            if (key := _one_key(row.fields, by)) is not None:
                row.fields.update(results[key])
        return rows

    return run


def _one_key(fields: Fields, by: Sequence[str]) -> Key | None:
    """The group of a row, None if it has none."""
    found = []
    for name in by:
        value = fields.get(name)
        if value is None:
            return None
        if isinstance(value, tuple):
            raise QueryFault("unsupported", f"which group a row belongs to whose 'by' field '{name}' has several values is not documented")
        found.append(text(value))
    return tuple(found)


_OPTIONS = frozenset({"window", "time_window", "current", "global", "reset_on_change", "reset_before", "reset_after", "allnum"})


@dataclass(frozen=True, slots=True)
class _Asked:
    """What a streamstats command asks for. `window` 0 is all rows so far; `span` is the time window in seconds."""

    aggregates: Sequence[Aggregate]
    by: Sequence[str]
    window: int
    span: int | None
    current: bool
    shared: bool
    on_change: bool
    before: Callable[[Fields], bool] | None
    after: Callable[[Fields], bool] | None


def streamstats(argument: str, runtime: Runtime) -> Stage:
    """Statistics of the rows so far, written to each row as it passes (SR streamstats).

    - `window=N`: of the last N rows, at most 10,000; one window for all groups, of which the row's own count, unless
      `global=false` (SR streamstats, "global"). `current=false`: without the row itself.
    - `time_window`: of the rows closer in time than the span (the far edge is open: measured); rows have to come in the
      order of time; never more than 10,000.
    - `reset_before`, `reset_after`, `reset_on_change`: start anew; `reset_after` may name the fields just written.
    - A row without one of the `by` fields stays as it is (measured).
    """
    asked = _asked(argument, runtime)
    return lambda rows: _streamed(rows, asked)


def _asked(argument: str, runtime: Runtime) -> _Asked:
    found, rest = options(items(argument), _OPTIONS)
    if boolean(found, "allnum", False):
        raise QueryFault("unsupported", "streamstats allnum=true is not run here")
    aggregates, by = parse(rest, runtime)
    window = whole(found, "window", 0)
    span = span_seconds(found["time_window"]) if "time_window" in found else None
    if (span is not None or (not window and runtime.readings.streamstats == "windowed")) and not window:
        window = runtime.readings.max_stream_window
    shared = boolean(found, "global", True)
    if span is not None and by and shared:
        # The page says of `global` that it is for `window` alone; with a time window both ways give the same but for the limit.
        shared = False
    return _Asked(
        aggregates,
        by,
        min(window, runtime.readings.max_stream_window),
        span,
        boolean(found, "current", True),
        shared,
        boolean(found, "reset_on_change", False),
        _reset(found, "reset_before", runtime),
        _reset(found, "reset_after", runtime),
    )


def _reset(found: dict[str, str], name: str, runtime: Runtime) -> Callable[[Fields], bool] | None:
    return condition(expressions.parse(found[name]), runtime) if name in found else None


def _streamed(rows: Rows, asked: _Asked) -> Rows:
    if asked.span is not None:
        _in_time_order(rows)
    held = _Windows(asked) if asked.window else _Totals(asked)
    last: Key | None = None
    for row in rows:
        key = _one_key(row.fields, asked.by)
        if key is None:
            continue
        if (asked.before is not None and asked.before(row.fields)) or (asked.on_change and last is not None and key != last):
            held.reset()
        last = key
        held.pass_by(row, key)
        if asked.after is not None and asked.after(row.fields):
            held.reset()
    return rows


def _in_time_order(rows: Rows) -> None:
    times = [number(row.fields.get("_time")) for row in rows]
    known = [time for time in times if time is not None]
    if len(known) < len(times) or known not in (sorted(known), sorted(known, reverse=True)):
        raise QueryFault("run", "time_window can only be used on input that is sorted in time order")


class _Totals:
    """All rows so far, by group."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._groups: dict[Key, list[Running]] = {}

    def reset(self) -> None:
        self._groups.clear()

    def pass_by(self, row: Row, key: Key) -> None:
        running = self._groups.get(key)
        if running is None:
            running = self._groups[key] = [aggregate.start() for aggregate in self._asked.aggregates]
        pairs = list(zip(self._asked.aggregates, running, strict=True))
        seen = [(aggregate.name, one.result()) for aggregate, one in pairs] if not self._asked.current else []
        for aggregate, one in pairs:
            aggregate.add(one, row.fields)
        for name, value in seen or [(aggregate.name, one.result()) for aggregate, one in pairs]:
            write(row.fields, name, value)


class _Windows:
    """The last rows, together or by group."""

    def __init__(self, asked: _Asked) -> None:
        self._asked = asked
        self._held: dict[Key, deque[tuple[Key, Fields]]] = {}

    def reset(self) -> None:
        self._held.clear()

    def pass_by(self, row: Row, key: Key) -> None:
        asked = self._asked
        place = () if asked.shared else key
        held = self._held.setdefault(place, deque(maxlen=asked.window))
        before = dict(row.fields)
        if asked.current:
            held.append((key, before))
        if asked.span is not None:
            self._forget(held, before, asked.span)
        aggregated(asked.aggregates, [fields for other, fields in held if other == key], row.fields)
        if not asked.current:
            held.append((key, before))

    @staticmethod
    def _forget(held: deque[tuple[Key, Fields]], fields: Fields, span: int) -> None:
        now = number(fields.get("_time")) or 0.0
        while held and abs(now - (number(held[0][1].get("_time")) or 0.0)) >= span:
            held.popleft()
