"""JSON from anywhere, one value at a time: what cannot be read is `BROKEN`, what can is safe to search and to write again."""

from __future__ import annotations

import json
import re
from typing import Any

import orjson

BROKEN = object()
"""What `loads` gives for text that is not JSON."""

_AS_NINES = bytes.maketrans(b"0123456789", b"9" * 10)
_LONG_NUMBER = b"9" * 19
"""19 digits in a row, each made a nine: no shorter number is beyond 64 bits. Ten times as fast as a pattern."""

_SURROGATE = re.compile("[\ud800-\udfff]")


def loads(text: bytes) -> Any:
    """The JSON value, or `BROKEN`. What orjson refuses (lone surrogates) or rounds (integers beyond 64 bits) is read all the same."""
    if _LONG_NUMBER not in text.translate(_AS_NINES):
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError:
            pass
    try:
        return _scrubbed(json.loads(text.decode("utf-8"), parse_constant=_no_constant))
    except (ValueError, RecursionError):
        return BROKEN


def _scrubbed(value: Any) -> Any:
    """The value with lone surrogates, which no engine can search, turned into U+FFFD."""
    if isinstance(value, str):
        return _SURROGATE.sub("\ufffd", value)
    if isinstance(value, list):
        return [_scrubbed(element) for element in value]
    if isinstance(value, dict):
        return {_scrubbed(name): _scrubbed(element) for name, element in value.items()}
    return value


def _no_constant(name: str) -> Any:
    raise ValueError(name)
