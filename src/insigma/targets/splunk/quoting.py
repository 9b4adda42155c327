"""SPL literals, numbers and identifiers. Every literal goes through `literal` or `regex`, every name through one of the others.

What may stand between double quotes is an allow-list rather than a set of escapes: the manual says that a backslash
escapes quotes and itself, but how often a backslash is taken away differs between commands and functions (Search Manual,
"SPL and regular expressions"), and a backtick starts a macro. Text outside the list is written as a regular expression
with hexadecimal escapes instead (`patterns`), which reads the same under each of those rules.
"""

from __future__ import annotations

import re
import unicodedata

from insigma.bind.model import Refused
from insigma.content.numbers import canonical_number

LARGEST_EXACT = 1 << 53
"""Splunk computes with double-precision numbers: whole numbers beyond this one run together."""

_UNQUOTABLE = frozenset('"\\`$')
_ESCAPE = re.compile(r"\\[A-Za-z0-9.^|?*+()\[\]{}-]", re.ASCII)
_FIELD = re.compile(r"[A-Za-z_@][A-Za-z0-9_@.:{} -]*", re.ASCII)
_BARE = re.compile(r"[A-Za-z_][A-Za-z0-9_.]*", re.ASCII)
_SEARCHABLE = re.compile(r"[A-Za-z0-9_.:@-]+(?: [A-Za-z0-9_.:@-]+)*", re.ASCII)
_SETTING = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_:.-]*", re.ASCII)
_REFUSED_CATEGORIES = frozenset({"Cs", "Zl", "Zp"})


def is_plain(text: str) -> bool:
    """Whether the text can stand between double quotes as it is, in any command or function."""
    return not any(char in _UNQUOTABLE or unicodedata.category(char) in {"Cc", *_REFUSED_CATEGORIES} for char in text)


def literal(text: str) -> str:
    """The text between double quotes. Raises ValueError for text that is not plain: callers choose another form first."""
    if not is_plain(text):
        raise ValueError("not a plain SPL string")
    return f'"{text}"'


def regex(expression: str) -> str:
    """A regular expression between double quotes. Every backslash in it escapes a character other than a backslash or a quote.

    Raises ValueError for any other: `patterns` and `regex` write none.
    """
    if not is_plain(_ESCAPE.sub("", expression)):
        raise ValueError("not a regular expression that can stand between quotes")
    return f'"{expression}"'


def writable(text: str) -> str:
    """The text itself, if a query can carry it in some form. Raises `Refused` for lone surrogates, C1 controls and line separators."""
    for char in text:
        category = unicodedata.category(char)
        if category in _REFUSED_CATEGORIES or (category == "Cc" and ord(char) > 0x7F):
            raise Refused(f"the character U+{ord(char):04X} cannot be written into an SPL search", ("detection",))
    return text


def is_searchable(text: str) -> bool:
    """Whether `field="text"` in the search command finds every event whose field has this value.

    Only letters, digits and a few marks: no wildcard, nothing that JSON may spell with an escape in the raw event,
    where the index looks for it.
    """
    return _SEARCHABLE.fullmatch(text) is not None


def number(value: int | float) -> str:
    """A number in decimal digits. Raises `Refused` beyond what Splunk's numbers can tell apart."""
    if abs(value) > LARGEST_EXACT:
        raise Refused(f"{canonical_number(value)} is larger than the whole numbers that Splunk keeps apart (2^53)", ("detection",))
    return canonical_number(value)


def field(name: str) -> str:
    """A field in an eval expression: always between single quotes. Raises `Refused` for a name outside the allow-list."""
    return f"'{_checked(name)}'"


def column(name: str) -> str:
    """A field as an argument of a command (`table`, `by`, `rename`): bare where it can be, else between double quotes."""
    return name if _BARE.fullmatch(name) else f'"{_checked(name)}"'


def is_bare(name: str) -> bool:
    """Whether the name can stand without quotes everywhere, the search command included."""
    return _BARE.fullmatch(name) is not None


def setting(value: str, what: str) -> str:
    """An index or source type from the mapping. Raises `Refused` for anything but letters, digits and `_ : . -`."""
    if not _SETTING.fullmatch(value):
        raise Refused(f"the Splunk mapping's {what} '{value}' has characters that are not allowed in it", ("logsource",))
    return value


def _checked(name: str) -> str:
    if not _FIELD.fullmatch(name):
        raise Refused(f"the field name '{name}' has characters that are not allowed in an SPL field name")
    return name
