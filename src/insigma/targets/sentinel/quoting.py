"""KQL literals and identifiers. Every value goes through `literal` or a number function, every name through `column` or `table`.

A string literal is the ordinary one, between double quotes, in which a backslash escapes (KQL reference, "The string data
type"). A bare identifier may be taken for a keyword unless it begins with a capital letter or an underscore (KQL reference,
"Identifiers", naming guarantees); any other stands as `['name']`, never between quotes alone, where it would be a string.
"""

from __future__ import annotations

import re
import unicodedata

from insigma.bind.model import Refused
from insigma.content.numbers import canonical_number

LARGEST_EXACT_REAL = 1 << 53
"""A real is a double-precision number: whole numbers beyond this one run together (KQL reference, "The real data type")."""

_ESCAPES = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_ESCAPED = frozenset({"Cc", "Cf", "Cn", "Co", "Zl", "Zp"})
_LONG = range(-(1 << 63), 1 << 63)
_BARE = re.compile(r"[A-Z_][A-Za-z0-9_]*", re.ASCII)
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_ .-]*", re.ASCII)
_TABLE = re.compile(r"[A-Z][A-Za-z0-9_]*", re.ASCII)
_ALIAS = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_FORBIDDEN = re.compile(r"((?:search|union)\s*)\*", re.IGNORECASE)


def literal(text: str) -> str:
    """The text as a string literal. Raises `Refused` for a lone surrogate.

    Sentinel turns away a query in which `search *` or `union *` stands, so a literal never holds them as they are.
    """
    return f'"{_FORBIDDEN.sub(_star, "".join(_char(char) for char in text))}"'


def _star(found: re.Match[str]) -> str:
    return f"{found[1]}\\u002a"


def _char(char: str) -> str:
    if char in _ESCAPES:
        return _ESCAPES[char]
    category = unicodedata.category(char)
    if category == "Cs":
        raise Refused(f"the character U+{ord(char):04X} cannot be written into a KQL query", ("detection",))
    if category not in _ESCAPED:
        return char
    units = char.encode("utf-16-be")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def long(value: int) -> str:
    """A whole number. Raises `Refused` beyond 64 bits."""
    if value not in _LONG:
        raise Refused(f"{value} is larger than the whole numbers of a long column (64 bits)", ("detection",))
    return str(value)


def real(value: int | float) -> str:
    """A number for a real column. Raises `Refused` for whole numbers that a double cannot tell apart."""
    if isinstance(value, int) and abs(value) > LARGEST_EXACT_REAL:
        raise Refused(f"{value} is larger than the whole numbers that a real column keeps apart (2^53)", ("detection",))
    return canonical_number(value)


def column(name: str) -> str:
    """A column. Raises `Refused` for a name outside the allow-list."""
    if _BARE.fullmatch(name):
        return name
    if not _NAME.fullmatch(name):
        raise Refused(f"the column name '{name}' has characters that are not allowed in a KQL identifier")
    return f"['{name}']"


def table(name: str) -> str:
    """A table of the mapping. Raises `Refused` for anything but a capital letter, then letters, digits and underscores."""
    if not _TABLE.fullmatch(name):
        raise Refused(f"the Sentinel mapping's table '{name}' has characters that are not allowed in it", ("logsource",))
    return name


def watchlist(alias: str) -> str:
    """A watchlist's alias as a literal. Raises `Refused` for anything but a small letter, then those, digits and underscores."""
    if not _ALIAS.fullmatch(alias):
        raise Refused(f"the table '{alias}' has characters that are not allowed in a watchlist's alias")
    return literal(alias)


def watchlist_column(name: str) -> str:
    """A watchlist's column as a literal. Raises `Refused` for a name outside the allow-list of columns."""
    if not _NAME.fullmatch(name):
        raise Refused(f"the column '{name}' of a table has characters that are not allowed in a KQL identifier")
    return literal(name)
