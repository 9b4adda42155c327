"""Regular expressions: RE2 syntax, linear time."""

from __future__ import annotations

from typing import Any

import re2

from insigma.content.predicate import Regex


def re2_pattern(regex: Regex) -> Any:
    """The compiled RE2 object. Raises `re2.error` for what RE2 refuses."""
    options = re2.Options()
    options.log_errors = False
    flags = ("i" if regex.ignore_case else "") + ("m" if regex.multiline else "") + ("s" if regex.dotall else "")
    return re2.compile(f"(?{flags}){regex.pattern}" if flags else regex.pattern, options)
