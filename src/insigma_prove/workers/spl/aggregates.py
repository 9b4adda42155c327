"""The statistical functions of stats, eventstats and streamstats (SR "Statistical and charting functions").

A function that finds nothing to compute writes no field (measured). Values of a multivalue field count one by one.
Percentiles and median are not run: Splunk estimates them for many values, and for few the manual (nearest rank) and what was
measured (between the neighbours) differ. So is estdc(), an estimate.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl import expressions
from insigma_prove.workers.spl.arguments import Item, unescaped
from insigma_prove.workers.spl.evaluation import Evaluator, compiled
from insigma_prove.workers.spl.functions import Runtime
from insigma_prove.workers.spl.limits import LIST_SIZE
from insigma_prove.workers.spl.values import Fields, FieldText, Single, Value, multivalue, number, singles, text

_INNER_EVAL = re.compile(r"\s*eval\s*\((.*)\)\s*", re.DOTALL | re.IGNORECASE)


class Running(Protocol):
    """A statistic on its way."""

    def add(self, value: Single) -> None: ...

    def result(self) -> Value: ...


class _Count:
    def __init__(self) -> None:
        self.count = 0

    def add(self, value: Single) -> None:
        self.count += value is not False

    def result(self) -> Value:
        return float(self.count)


class _Sum:
    """What is no number is left out (SR "Aggregate functions", sum)."""

    def __init__(self) -> None:
        self.sum: float | None = None
        self.count = 0

    def add(self, value: Single) -> None:
        found = number(value)
        if found is not None:
            self.sum = (self.sum or 0.0) + found
            self.count += 1

    def result(self) -> Value:
        return self.sum


class _Average(_Sum):
    def result(self) -> Value:
        return None if self.sum is None else self.sum / self.count


class _Extreme:
    """SR "Aggregate functions", max and min: of numbers, or the first or last text if no value is a number."""

    def __init__(self, *, lowest: bool) -> None:
        self.lowest = lowest
        self.number: float | None = None
        self.text: str | None = None

    def add(self, value: Single) -> None:
        found = number(value)
        if found is not None:
            if self.number is None or (found < self.number if self.lowest else found > self.number):
                self.number = found
        else:
            written = text(value)
            if self.text is None or (written < self.text if self.lowest else written > self.text):
                self.text = written

    def result(self) -> Value:
        if self.number is not None and self.text is not None:
            raise QueryFault("unsupported", "the largest or smallest of numbers and text together is not documented")
        return self.number if self.number is not None else self.text


class _Values:
    """SR "Multivalue stats and chart functions", values: each value once, in lexicographical order. Counted, it is dc()."""

    def __init__(self, *, counted: bool) -> None:
        self.counted = counted
        self.found: set[str] = set()

    def add(self, value: Single) -> None:
        self.found.add(text(value))

    def result(self) -> Value:
        return float(len(self.found)) if self.counted else multivalue(FieldText(value) for value in sorted(self.found))


class _List:
    """SR "Multivalue stats and chart functions", list: in the order of the rows, the first 100."""

    def __init__(self) -> None:
        self.found: list[str] = []

    def add(self, value: Single) -> None:
        if len(self.found) < LIST_SIZE:
            self.found.append(FieldText(text(value)))

    def result(self) -> Value:
        return multivalue(self.found)


class _Seen:
    """SR "Event order functions": the first or last value in the order of the rows."""

    def __init__(self, *, last: bool) -> None:
        self.last = last
        self.value: Value = None

    def add(self, value: Single) -> None:
        if self.last or self.value is None:
            self.value = value

    def result(self) -> Value:
        return self.value


_MAKERS: Mapping[str, Callable[[], Running]] = {
    "count": _Count,
    "c": _Count,
    "sum": _Sum,
    "avg": _Average,
    "mean": _Average,
    "max": lambda: _Extreme(lowest=False),
    "min": lambda: _Extreme(lowest=True),
    "dc": lambda: _Values(counted=True),
    "distinct_count": lambda: _Values(counted=True),
    "values": lambda: _Values(counted=False),
    "list": _List,
    "first": lambda: _Seen(last=False),
    "last": lambda: _Seen(last=True),
}


@dataclass(frozen=True, slots=True)
class Aggregate:
    """One statistic: how it starts, what of a row it takes (None: the row itself), and the field it writes."""

    start: Callable[[], Running]
    of: Evaluator | None
    name: str

    def add(self, running: Running, fields: Fields) -> None:
        """Take a row into account. A condition inside eval() counts where it is TRUE (SR stats, example 2)."""
        for value in (True,) if self.of is None else singles(self.of(fields)):
            running.add(value)


def write(fields: Fields, name: str, value: Value) -> None:
    """Set a field, or take it away for null."""
    if value is None:
        fields.pop(name, None)
    else:
        fields[name] = value


def aggregated(aggregates: Iterable[Aggregate], rows: Iterable[Fields], into: Fields) -> None:
    """Write the statistics of some rows into a row."""
    held = list(rows)
    for aggregate in aggregates:
        running = aggregate.start()
        for fields in held:
            aggregate.add(running, fields)
        write(into, aggregate.name, running.result())


def parse(pieces: list[Item], runtime: Runtime) -> tuple[list[Aggregate], list[str]]:
    """The statistics and the names behind `by`, of an argument without its options. Raises `QueryFault`."""
    found: list[Aggregate] = []
    at = 0
    while at < len(pieces):
        item = pieces[at]
        if item.kind == "comma":
            at += 1
        elif item.kind == "word" and item.text.lower() == "by":
            return _some(found), _by(pieces[at + 1 :])
        else:
            aggregate, at = _aggregate(pieces, at, runtime)
            found.append(aggregate)
    return _some(found), []


def _some(found: list[Aggregate]) -> list[Aggregate]:
    if not found:
        raise QueryFault("parse", "a statistical function is expected")
    return found


def _by(pieces: list[Item]) -> list[str]:
    found = [unescaped(item.text) if item.kind == "string" else item.text for item in pieces if item.kind != "comma"]
    if not found or any(item.kind == "group" for item in pieces):
        raise QueryFault("parse", "field names are expected behind 'by'")
    return found


def _aggregate(pieces: list[Item], at: int, runtime: Runtime) -> tuple[Aggregate, int]:
    item = pieces[at]
    if item.kind != "word":
        raise QueryFault("parse", f"a statistical function is expected, not {item.text!r}")
    inner = pieces[at + 1] if at + 1 < len(pieces) and pieces[at + 1].kind == "group" else None
    name, function = item.text if inner is None else f"{item.text}({inner.text.strip()})", item.text.lower()
    if function not in _MAKERS:
        raise QueryFault("unsupported", f"the statistical function '{name}' is not run here")
    if inner is None and function not in ("count", "c"):
        raise QueryFault("parse", f"{function}() wants a field")
    at += 1 if inner is None else 2
    if at + 1 < len(pieces) and pieces[at].kind == "word" and pieces[at].text.lower() == "as":
        target = pieces[at + 1]
        if target.kind not in ("word", "string"):
            raise QueryFault("parse", "a field name is expected behind 'as'")
        name, at = unescaped(target.text) if target.kind == "string" else target.text, at + 2
    return Aggregate(_MAKERS[function], None if inner is None else _argument(inner.text, runtime), name), at


def _argument(written: str, runtime: Runtime) -> Evaluator:
    """What a function is computed of: eval(expression), or a field."""
    if found := _INNER_EVAL.fullmatch(written):
        return compiled(expressions.parse(found[1]), runtime)
    name = written.strip()
    if name.startswith('"') and name.endswith('"') and len(name) > 1:
        name = unescaped(name[1:-1])
    if not name or "*" in name or any(char in name for char in ',"('):
        raise QueryFault("unsupported", f"statistics of {written.strip()!r} are not run here")
    return lambda fields: fields.get(name)
