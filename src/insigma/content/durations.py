"""Durations as YAML writes them: 250ms, 30s, 5m, 1h, 2d."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]{1,9})(ms|s|m|h|d|w)", re.ASCII)
_UNIT_MS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000}


def duration_ms(text: object) -> int | None:
    """The milliseconds that `text` spells, or None."""
    match = _DURATION.fullmatch(text) if isinstance(text, str) else None
    return int(match[1]) * _UNIT_MS[match[2]] if match else None


def duration_text(milliseconds: int) -> str:
    """The shortest exact spelling of a positive duration: 5400000 -> "90m". Raises ValueError for none or less."""
    if milliseconds <= 0:
        raise ValueError(f"{milliseconds} ms is no duration")
    unit = next(unit for unit in ("d", "h", "m", "s", "ms") if milliseconds % _UNIT_MS[unit] == 0)
    return f"{milliseconds // _UNIT_MS[unit]}{unit}"
