"""A day of events made from a rule's fixture: its cases at random moments and beside runs, arriving late and out of order."""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from typing import Any

from insigma.evaluate.events import flatten, iso, time_of
from insigma_prove.replay import Arrival

DAY_MS = 86_400_000
MIDNIGHT = 1_774_742_400_000
"""2026-03-29T00:00:00Z, the day on which Europe changes to summer time."""

_BESIDE = (0, -1_000, 1_000, -1, 1)
"""How far from the moment of a run the last event of a case is put, in ms."""

TIMESTAMP, ID = "@timestamp", "event.id"


def day(cases: Sequence[Sequence[Mapping[str, Any]]], interval_ms: int, delay_ms: int, seed: int, late: bool) -> list[Arrival]:
    """Every case twice, at a random moment and so that its last event is at or beside a run; in order of arrival.

    With `late`, events arrive up to `delay_ms` after their time, and a few of them later than that. The two are events of
    their own: what repeats an id within a case does so in each. A case with an event that has no time is left out.
    Same seed, same day.
    """
    chance = random.Random(seed)
    arrivals: list[Arrival] = []
    for number, case in enumerate(cases):
        times = [time_of(flatten(event)) for event in case]
        known = [time for time in times if time is not None]
        if len(known) < len(times) or not known:
            continue
        span = max(known) - min(known)
        room = max(1, DAY_MS - span)
        moment, run = (MIDNIGHT + span + chance.randrange(room) for _ in range(2))
        run -= run % interval_ms
        for place, last in enumerate((moment, run + _BESIDE[number % len(_BESIDE)])):
            arrivals += _placed(case, known, last - max(known), delay_ms if late else 0, chance, f"{number}.{place}")
    return sorted(arrivals, key=lambda arrival: arrival.at)


def _placed(
    case: Sequence[Mapping[str, Any]], times: Sequence[int], shift: int, delay_ms: int, chance: random.Random, place: str
) -> list[Arrival]:
    placed = []
    for event, time in zip(case, times, strict=True):
        moved = time + shift
        own = {ID: f"{event[ID]}@{place}"} if event.get(ID) else {}
        placed.append(Arrival({**event, **own, TIMESTAMP: iso(moved)}, moved + _lateness(delay_ms, chance)))
    return placed


def _lateness(delay_ms: int, chance: random.Random) -> int:
    """Mostly some seconds, at times all that is accepted, seldom more."""
    if not delay_ms:
        return 0
    draw = chance.random()
    if draw < 0.7:
        return chance.randrange(min(30_000, delay_ms) + 1)
    if draw < 0.95:
        return chance.choice([delay_ms, chance.randrange(delay_ms + 1)])
    return delay_ms + chance.randrange(1, 4 * delay_ms)
