"""Strategies for correlations, and for events on both sides of every boundary in time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st
from hypothesis.strategies import DrawFn

from insigma_prove.generate.drafts import AWAY, HOME, Draft, Event, correlation_document, event_document
from insigma_prove.generate.draws import pick, rarely

MOST_EVENTS = 14
ACTIONS = ("claim-view", "claim-export", "claim-search")
TIMESPANS = {"1m": 60, "12s": 12, "5m": 300, "1h": 3_600, "1d": 86_400, "36h": 129_600}
"""In seconds."""
ANCHORS = (
    datetime(2026, 2, 14, 10, tzinfo=UTC),  # a full hour
    datetime(2026, 2, 15, tzinfo=UTC),  # a full day
    datetime(2026, 3, 29, 1, tzinfo=UTC),  # summer time begins in Europe
    datetime(2026, 11, 1, 6, tzinfo=UTC),  # and ends in New York
    datetime(2028, 2, 29, 0, tzinfo=UTC),
    datetime(2026, 1, 1, tzinfo=UTC),
    datetime(2026, 2, 14, 10, 7, 13, 125_000, tzinfo=UTC),
)
ZONES = (None, None, None, 120, -300, 345)
"""Offsets in minutes in which a source may write its times; None is Z."""
_NUDGES = (0, 0, 1, -1, 0.001, -0.001)
_VALUES: Mapping[str, tuple[Any, ...]] = {
    "user.name": ("anna", "Anna", "bob", "Ünal", "ÜNAL", 'q"q\\'),
    "host.name": ("h1", "H1", "h2"),
    "insurance.claim.id": ("c1", "C1", "c2", "c3", "c4", "10"),
    "event.outcome": ("success", "failure", "SUCCESS"),
    "user.roles": (["ra"], ["rb"], ["RA", "rb"], ["rc", "ra", "Ra"], []),
    "insurance.record_count": (1, 2, 5, 10, -3, 0),
    "insurance.claim.amount": (1, 2.5, 0.1, 0.2, 10, -3, 20.25),
    "insurance.fraud.score": (0.5, 1, 10, 2.25),
    "source.ip": ("10.0.0.1", "10.0.0.2", "2001:db8::1"),
    "event.dataset": ("d1", "d2"),
    "organization.id": ("o1",),
}


@st.composite
def correlations(draw: DrawFn) -> Draft:
    """One to three base rules, a correlation over them, and events."""
    number = pick(draw, (1, 1, 2, 2, 3))
    names = [f"b{position}" for position in range(number)]
    bases = [
        event_document(_base(draw, position), name, position + 1, AWAY if rarely(draw, 6) else HOME) for position, name in enumerate(names)
    ]
    body = _body(draw, names)
    return Draft((*bases, correlation_document(body)), _timeline(draw, body))


def _base(draw: DrawFn, position: int) -> dict[str, Any]:
    """A base rule; some overlap with the next one, some have a filter or hold for what is absent."""
    action, other = ACTIONS[position], ACTIONS[(position + 1) % len(ACTIONS)]
    return pick(
        draw,
        (
            {"s": {"event.action": action}, "condition": "s"},
            {"s": {"event.action": action}, "condition": "s"},
            {"s": {"event.action": action}, "condition": "s"},
            {"s": {"event.action": [action, other]}, "condition": "s"},
            {"s": {"event.action": action}, "f": {"event.outcome": "failure"}, "condition": "s and not f"},
            {"s": {"event.outcome": "failure"}, "t": {"event.action": action}, "condition": "s or t"},
        ),
    )


_KINDS = (
    *("event_count", "value_count", "temporal", "temporal_ordered") * 2,
    "event_count",
    "temporal_ordered",
    "value_sum",
    "value_avg",
    "value_median",
    "value_percentile",
)


_GROUPS: tuple[tuple[str, ...], ...] = (
    ("user.name",),
    (),
    ("user.name",),
    (),
    ("user.name", "host.name"),
    ("insurance.claim.id",),
    ("user.roles",),
    ("insurance.record_count",),
    ("source.ip",),
    ("who",),
    ("user.name", "host.name", "event.outcome"),
    ("user.name", "user.roles"),
    ("insurance.claim.amount",),
)


def _body(draw: DrawFn, names: Sequence[str]) -> dict[str, Any]:
    kind = pick(draw, _KINDS)
    if kind.startswith("temporal") and len(names) == 1:
        kind = "event_count"
    body: dict[str, Any] = {"type": kind, "rules": list(names), "timespan": pick(draw, tuple(TIMESPANS))}
    groups = pick(draw, _GROUPS)
    if groups == ("who",):
        body["aliases"] = {"who": {name: pick(draw, ("user.name", "host.name")) for name in names}}
    if groups:
        body["group-by"] = list(groups)
    condition = _condition(draw, kind, names)
    return body if condition is None else {**body, "condition": condition}


_MEASURED = ("insurance.claim.amount", "insurance.record_count", "insurance.fraud.score")
_COUNTED = ("insurance.claim.id", "insurance.claim.id", "user.roles", ["insurance.claim.id", "event.outcome"], "insurance.record_count")


def _condition(draw: DrawFn, kind: str, names: Sequence[str]) -> Any:
    if kind == "event_count":
        return _bounds(draw, 4)
    if kind == "value_count":
        return {**_bounds(draw, 3), "field": pick(draw, _COUNTED)}
    if kind == "temporal_ordered":
        return None
    if kind == "temporal":
        return _extended(draw, names)
    bounds: dict[str, Any] = {**_bounds(draw, 25), "field": pick(draw, _MEASURED)}
    return {**bounds, "percentile": pick(draw, (50, 1, 25, 90, 100))} if kind == "value_percentile" else bounds


def _bounds(draw: DrawFn, most: int) -> dict[str, Any]:
    """One bound, or a range. `lt`, `lte` and `eq` need a floor where nothing would satisfy them alone."""
    least = draw(st.integers(1, most))
    form = pick(draw, (*("gte", "gte", "gt") * 6, "eq", "range", "neq", "floor"))
    if form == "range":
        return {"gte": least, "lte": least + draw(st.integers(0, 3))}
    if form == "neq":
        return {"neq": least, "gte": 1}
    return {"gt": least - 1, "lt": least + 2} if form == "floor" else {form: least}


def _extended(draw: DrawFn, names: Sequence[str]) -> Any:
    """All rules, a number of them, or an expression over them."""
    first, second, last = names[0], names[1], names[-1]
    expressions = (
        f"{first} and not {second}",
        f"{first} or {last}",
        f"({first} and {second}) or {last}",
        f"{last} and ({first} or {second})",
    )
    return pick(draw, (None, None, {"gte": draw(st.integers(1, len(names)))}, {"eq": 1}, *expressions))


def _timeline(draw: DrawFn, body: Mapping[str, Any]) -> tuple[Event, ...]:
    """Events around an anchor, a whole or part of a timespan apart, on the edge or one second or millisecond off it; shuffled."""
    span = TIMESPANS[body["timespan"]]
    anchor, zone = pick(draw, ANCHORS), pick(draw, ZONES)
    steps = pick(draw, (_CLOSE, _APART, _CLOSE, _APART, (*_CLOSE, 0), (*_APART, 0)))
    offset = 0.0
    found: list[Event] = []
    for position in range(draw(st.integers(1, MOST_EVENTS))):
        if position:
            offset += _step(draw, span, steps)
        moment = anchor + timedelta(milliseconds=round(offset * 1000))
        found.append(_event(draw, moment, zone, position, body))
    found += [dict(event) for event in found if "event.id" in event and rarely(draw, 10)]
    if draw(st.booleans()):
        return tuple(found)
    return tuple(draw(st.permutations(found)))


_CLOSE = (1 / 12, 1 / 24, 1 / 4, 1 / 100, 1)
_APART = (1, 1, 1 / 2, 11 / 12)
"""Parts of a timespan between one event and the next; with a 0 among them there are simultaneous events."""


def _step(draw: DrawFn, span: int, parts: Sequence[float]) -> float:
    """Seconds to the next event: a part of the timespan, nudged by a second or millisecond one way or the other."""
    step = span * pick(draw, parts)
    return max(0.001, step + (pick(draw, _NUDGES) if draw(st.booleans()) else 0)) if step else 0.0


def _event(draw: DrawFn, moment: datetime, zone: int | None, position: int, body: Mapping[str, Any]) -> Event:
    event: Event = {
        "@timestamp": _written(moment, zone),
        "insurance.logsource": AWAY if rarely(draw, 6) else HOME,
        "event.action": pick(draw, (*ACTIONS, ACTIONS[0])),
    }
    for name in _named(body):
        if not rarely(draw, 8):
            event[name] = pick(draw, _VALUES[name])
    if draw(st.booleans()):
        event["event.id"] = f"e{position}"
        event["event.dataset"] = pick(draw, _VALUES["event.dataset"])
    return event


def _named(body: Mapping[str, Any]) -> list[str]:
    """The fields that the correlation and its base rules read, besides the action."""
    condition = body.get("condition")
    counted = condition.get("field", []) if isinstance(condition, Mapping) else []
    aliased = [field for fields in body.get("aliases", {}).values() for field in fields.values()]
    names = [*body.get("group-by", []), *aliased, *([counted] if isinstance(counted, str) else counted), "event.outcome"]
    return [name for name in dict.fromkeys(names) if name in _VALUES]


def _written(moment: datetime, zone: int | None) -> str:
    if zone is None:
        return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return moment.astimezone(timezone(timedelta(minutes=zone))).isoformat(timespec="milliseconds")
