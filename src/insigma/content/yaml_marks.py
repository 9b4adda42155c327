"""Lines and columns in YAML text, in characters, as YAML 1.1 and libyaml count lines."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
_CHARACTER = {'"': re.compile(r"\\x..|\\u.{4}|\\U.{8}|\\.|.", re.DOTALL), "'": re.compile(r"''|.", re.DOTALL)}


@dataclass(frozen=True, slots=True)
class Mark:
    """Line and column, both from 1."""

    line: int
    column: int


def mark_after(before: bytes) -> Mark:
    """Where the text goes on that begins with `before`."""
    return _end(before.decode("utf-8", "replace"))


def mark_at(mark: Any, text: str) -> Mark:
    """A parser's mark as ours. At the end of a text without a last line break libyaml is one line too far."""
    if mark is None:
        return Mark(1, 1)
    return Mark(mark.line + 1, mark.column + 1) if mark.index < len(text) else _end(text)


def line_of(text: str, mark: Mark) -> str:
    """The line of the text that the mark stands in."""
    return _BREAK.split(text)[mark.line - 1]


def columns_in(written: str, quote: str) -> tuple[int, ...]:
    """Where each character of a quoted scalar stands in it, escapes being one character: `written` goes up to the closing quote."""
    return tuple(found.start() for found in _CHARACTER[quote].finditer(written))


def _end(text: str) -> Mark:
    lines = _BREAK.split(text)
    return Mark(len(lines), len(lines[-1]) + 1)
