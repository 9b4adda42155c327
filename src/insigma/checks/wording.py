"""How checks talk of values: shown safely in a message, or named by their kind. Not a check."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

_LONGEST = 60


def shown(value: Any) -> str:
    """A value for a message: quoted, on one line, with control characters made visible, cut where it is long."""
    text = value if isinstance(value, str) else "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    safe = "".join(char if char.isprintable() else char.encode("unicode_escape").decode("ascii") for char in text[: _LONGEST + 1])
    if len(text) > _LONGEST:
        safe = safe[: _LONGEST - 1] + "…"
    return f"'{safe}'"


def kind_of_value(value: Any) -> str:
    """What a YAML value is, in words: "text", "a list", "the number 5"."""
    if value is None:
        return "empty"
    if isinstance(value, bool):
        return f"the boolean {str(value).lower()}"
    if isinstance(value, (int, float)):
        return f"the number {value}"
    return "text" if isinstance(value, str) else "a list" if isinstance(value, list) else "a mapping"


def one_of(words: Iterable[str]) -> str:
    """ "one of a, b, c", for a hint."""
    return "one of " + ", ".join(words)
