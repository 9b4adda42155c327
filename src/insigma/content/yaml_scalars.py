"""Plain YAML scalars into values: YAML 1.1 as PyYAML reads it, where that is what an author means."""

from __future__ import annotations

import re
from typing import Any

_INT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)", re.ASCII)
_FLOAT = re.compile(r"[-+]?(?:0|[1-9][0-9]*)\.[0-9]+(?:[eE][-+][0-9]+)?", re.ASCII)
_NULL = frozenset({"", "~", "null", "Null", "NULL"})
_BOOL = {"true": True, "True": True, "TRUE": True, "false": False, "False": False, "FALSE": False}
_AMBIGUOUS = (
    (re.compile(r"y|Y|n|N|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"), "a boolean"),
    (re.compile(r"[0-9]{4}-[0-9]{1,2}-[0-9]{1,2}(?:[Tt \t].*)?", re.ASCII), "a date"),
    (re.compile(r"[-+]?0[0-7_]+|[-+]?0b[01_]+|[-+]?0o[0-7]+", re.ASCII), "an octal or binary number"),
    (re.compile(r"[-+]?0x[0-9a-fA-F_]+", re.ASCII), "a hexadecimal number"),
    (re.compile(r"[-+]?[1-9][0-9_]*(?::[0-5]?[0-9])+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*", re.ASCII), "a sexagesimal number"),
    (re.compile(r"[-+]?[1-9][0-9_]*|(?:[-+]?[0-9][0-9_]*\.[0-9_]*|[-+]?\.[0-9][0-9_]*)(?:[eE][-+][0-9]+)?", re.ASCII), "a number"),
    (re.compile(r"[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"), "a number"),
)
_MAX_DIGITS = 400


def resolve(text: str) -> tuple[Any, str]:
    """The value of a plain scalar. Where YAML 1.1 would make something else of it than its text, the text and what that is."""
    if text in _NULL:
        return None, ""
    first = text[0]
    if first.isalpha() and first not in "tTfFyYnNoO":
        return text, ""
    if text in _BOOL:
        return _BOOL[text], ""
    if _INT.fullmatch(text) and len(text) <= _MAX_DIGITS:
        return int(text), ""
    if _FLOAT.fullmatch(text) and abs(float(text)) != float("inf"):
        return float(text), ""
    return text, next((kind for pattern, kind in _AMBIGUOUS if pattern.fullmatch(text)), "")
