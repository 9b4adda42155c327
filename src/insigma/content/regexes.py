"""Regular expressions: RE2 syntax, linear time."""

from __future__ import annotations

import re
from typing import Any

import re2

from insigma.content.predicate import Regex

_MARK = re.compile(r"\\Q.*?(?:\\E|\Z)|\\.|\[\^?\]?(?:\\.|\[:\^?[a-z]{1,9}:\]|[^\]\\])*\]|[()]", re.DOTALL)
"""A bracket of a group, after what may hold one that is none: quoted text, an escape, a class (RE2 syntax)."""

LONGEST = 10_000
"""Characters of an expression. RE2 takes time by their square for some that it refuses."""
LARGEST = 1 << 20
"""Bytes of a compiled expression that a rule or an exception may have: a megabyte is some 40,000 steps."""
DEEPEST = 50
"""Groups inside each other. Compilers take an expression apart group by group."""


def re2_pattern(regex: Regex, memory: int | None = None) -> Any:
    """The compiled RE2 object; `memory` is the most that it may take, in bytes. Raises `re2.error` for what RE2 refuses."""
    options = re2.Options()
    options.log_errors = False
    if memory is not None:
        options.max_mem = memory
    flags = ("i" if regex.ignore_case else "") + ("m" if regex.multiline else "") + ("s" if regex.dotall else "")
    return re2.compile(f"(?{flags}){regex.pattern}" if flags else regex.pattern, options)


def depth(pattern: str) -> int:
    """How many groups of an expression that RE2 takes stand inside each other, at most. Of any other it may take long to tell."""
    deepest = level = 0
    for mark in _MARK.findall(pattern):
        level += (mark == "(") - (mark == ")")
        deepest = max(deepest, level)
    return deepest
