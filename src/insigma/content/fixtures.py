"""Fixture documents into cases with their events written out.

A step is one entry under `events`; with `repeat` it stands for several events, `every` apart, in which `{n}` counts
from 1. `defaults` are merged into every event; null removes one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from insigma.content.durations import duration_ms
from insigma.content.model import Fixture, FixtureCase
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic

MAX_EVENTS = 100_000
RESERVED = frozenset({"at", "every", "repeat"})


class _Fault(Exception):
    def __init__(self, key: Key, message: str, hint: str) -> None:
        super().__init__(message)
        self.key = key
        self.message = message
        self.hint = hint


def read_fixture(document: Document) -> tuple[Fixture | None, tuple[Diagnostic, ...]]:
    """The fixture, or None with what keeps it from being read."""
    data = document.data
    rule, cases = data.get("rule"), data.get("cases")
    diagnostics: list[Diagnostic] = []
    found: list[FixtureCase] = []
    left = MAX_EVENTS
    if not isinstance(rule, str) or not isinstance(cases, list):
        missing = "rule" if not isinstance(rule, str) else "cases"
        fault = Diagnostic(document.place(missing), "INS509", f"the fixture has no '{missing}'", "a fixture names its rule and lists cases")
        return None, (fault,)
    for index, case in enumerate(cases):
        try:
            found.append(_case(data, case, index, left))
            left -= len(found[-1].events)
        except _Fault as error:
            diagnostics.append(Diagnostic(document.place(*error.key), "INS509", error.message, error.hint))
    return Fixture(document, rule, tuple(found)), tuple(diagnostics)


def _case(data: Mapping[str, Any], case: Any, index: int, left: int) -> FixtureCase:
    at = ("cases", index)
    if not isinstance(case, dict):
        raise _Fault(at, "the case is not a mapping", "give it a name, a kind, an expectation and events")
    defaults = data.get("defaults") or {}
    steps = case.get("events")
    if not isinstance(defaults, dict) or not isinstance(steps, list):
        raise _Fault(at, "the case has no list of events", "events: [{at: ..., event.action: ...}]")
    events: list[Mapping[str, Any]] = []
    numbers: list[int] = []
    for number, step in enumerate(steps):
        for event in _expanded(step, defaults, (*at, "events", number)):
            events.append(event)
            numbers.append(number)
            if len(events) > left:
                raise _Fault((*at, "events", number), f"more than {MAX_EVENTS:,} events in one fixture", "use fewer repeats")
    name, kind, because = (str(case.get(key) or "") for key in ("name", "kind", "because"))
    return FixtureCase(name, kind, case.get("expect"), because, tuple(events), tuple(numbers))


def _expanded(step: Any, defaults: Mapping[str, Any], at: Key) -> Iterator[Mapping[str, Any]]:
    if not isinstance(step, dict):
        raise _Fault(at, "the event is not a mapping", "write {at: ..., field: value}")
    repeat, every = step.get("repeat", 1), duration_ms(step.get("every", "0s"))
    if isinstance(repeat, bool) or not isinstance(repeat, int) or repeat < 1:
        raise _Fault((*at, "repeat"), f"'{repeat}' is no count", "a whole number from 1")
    if every is None:
        raise _Fault((*at, "every"), f"'{step['every']}' is no duration", "such as 30s, 5m or 250ms")
    start = _moment(step.get("at"), at)
    fields = {name: value for name, value in {**defaults, **step}.items() if name not in RESERVED and value is not None}
    counted = {name: value for name, value in fields.items() if _counted(value, 1) != value}
    for number in range(min(repeat, MAX_EVENTS + 1)):
        event = {**fields, **{name: _counted(value, number + 1) for name, value in counted.items()}}
        if start is not None:
            try:
                moment = start + timedelta(milliseconds=number * every)
            except OverflowError as error:
                raise _Fault((*at, "every"), "the repeats leave the calendar", "use fewer or closer repeats") from error
            event["@timestamp"] = moment.replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"
        yield event


def _moment(text: Any, at: Key) -> datetime | None:
    if text is None:
        return None
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
        if moment is not None:
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError):
        pass
    raise _Fault((*at, "at"), f"'{text}' is no time", 'write "2026-02-14T10:40:00Z", in quotes')


def _counted(value: Any, number: int) -> Any:
    if isinstance(value, str):
        return value.replace("{n}", str(number))
    return [_counted(element, number) for element in value] if isinstance(value, list) else value
