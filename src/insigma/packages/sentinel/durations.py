"""Durations as Sentinel writes them, within the limits of scheduled rules (Scheduled analytics rules, "Query scheduling")."""

from __future__ import annotations

from insigma.targets.base import Refused

LONGEST_LOOKBACK_MS = 14 * 86_400_000
SHORTEST_MS = 5 * 60_000

_MINUTE_MS = 60_000


def duration(milliseconds: int) -> str:
    """Whole minutes as an ISO 8601 duration, rounded up: 5400000 -> "PT1H30M". Raises `Refused` outside 5 minutes to 14 days."""
    minutes = -(-milliseconds // _MINUTE_MS)
    if not SHORTEST_MS <= minutes * _MINUTE_MS <= LONGEST_LOOKBACK_MS:
        raise Refused(f"a scheduled rule runs and looks back from 5 minutes to 14 days, not {milliseconds} ms")
    days, rest = divmod(minutes, 1440)
    hours, rest = divmod(rest, 60)
    time = (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}"
