"""Numbers and their canonical decimal text (docs/semantics.md, "string and number")."""

from __future__ import annotations

import math
import re
from decimal import Decimal

_NUMERIC = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?", re.ASCII)


def canonical_number(value: int | float) -> str:
    """The canonical decimal text: no exponent, no leading plus or zeros, no trailing zeros: 4300.0 -> "4300"."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, int):
        return str(value)
    return format(Decimal(repr(value)), "f")


def number_of(text: str) -> int | float | None:
    """The finite number that `text` spells, or None. Integers keep every digit."""
    if not _NUMERIC.fullmatch(text) or len(text) > 400:
        return None
    if text.lstrip("+-").isdigit():
        return int(text)
    value = float(text)
    return value if math.isfinite(value) else None
