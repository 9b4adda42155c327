"""Literals and identifiers of Lucene's query string, EQL and ES|QL: the only place where text becomes query syntax.

Sources: "Query string query", "EQL syntax reference" and "ES|QL syntax reference" of the Elasticsearch 8.18 reference; the
grammars of Lucene's classic query parser (QueryParser.jj), of EQL (EqlBase.g4) and of ES|QL (EsqlBaseLexer.g4).
"""

from __future__ import annotations

import re
import struct

from insigma.bind.model import Refused
from insigma.content.numbers import canonical_number

LONGEST = 2**63

_FIELD = re.compile(r"[A-Za-z_@][A-Za-z0-9_@-]*(?:\.[A-Za-z0-9_@-]+)*", re.ASCII)
_INDEX = re.compile(r"(?:[a-z0-9][a-z0-9_-]*:)?[a-z0-9.][a-z0-9._*-]*", re.ASCII)
_PLAIN_EQL = re.compile(r"[A-Za-z_@][A-Za-z0-9_]*", re.ASCII)
_PLAIN_ESQL = re.compile(r"[A-Za-z][A-Za-z0-9_]*|[_@][A-Za-z0-9_]+", re.ASCII)
_LUCENE_WORDS = frozenset({"AND", "OR", "NOT", "TO"})
_EQL_WORDS = re.compile(
    "and|any|by|false|head|in|join|like|maxspan|not|null|of|or|regex|sample|sequence|tail|true|until|where|with", re.IGNORECASE
)
_ESQL_WORDS = re.compile("and|as|asc|by|desc|false|first|in|is|last|like|not|null|nulls|on|or|rlike|true|where|with", re.IGNORECASE)
_LUCENE_SPECIAL = frozenset('+-=&|><!(){}[]^"~*?:\\/ \t\r\n\u3000')
_SHORT = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}
_SHORT_EQL = {**_SHORT, "\f": "\\f"}


def is_control(char: str) -> bool:
    """Whether the character is one that a query should never hold as it is."""
    return char < " " or char == "\x7f"


def _text(text: str) -> str:
    """`text`, unless it cannot be encoded. Raises `Refused`."""
    if any("\ud800" <= char <= "\udfff" for char in text):
        raise Refused("a value holds half a surrogate pair, which is no text", ("detection",))
    return text


def _field(name: str) -> str:
    if not _FIELD.fullmatch(name):
        raise Refused(f"field name {name!r} holds characters that no Elasticsearch query may name", ())
    return name


def index_patterns(setting: str) -> tuple[str, ...]:
    """The index patterns in a log source's `index` setting, checked. Raises `Refused`."""
    patterns = tuple(part.strip() for part in setting.split(","))
    for pattern in patterns:
        if not _INDEX.fullmatch(pattern):
            raise Refused(f"index pattern {pattern!r} of the elastic mapping is not one", ("logsource",))
    return patterns


def lucene_field(name: str) -> str:
    if name in _LUCENE_WORDS:
        raise Refused(f"field name {name!r} is a word of the Lucene query language", ())
    return _field(name)


def eql_field(name: str) -> str:
    """The field, in backticks where a part of it is no plain EQL identifier."""
    plain = all(_PLAIN_EQL.fullmatch(part) and not _EQL_WORDS.fullmatch(part) for part in _field(name).split("."))
    return name if plain else f"`{name}`"


def esql_column(name: str) -> str:
    """The column, in backticks where a part of it is no plain ES|QL identifier."""
    plain = all(_PLAIN_ESQL.fullmatch(part) and not _ESQL_WORDS.fullmatch(part) for part in _field(name).split("."))
    return name if plain else f"`{name}`"


def lucene_phrase(text: str) -> str:
    """The text as a quoted phrase, in which nothing is an operator or a wildcard; control characters as \\uXXXX."""
    return '"' + "".join(_lucene_phrase_char(char) for char in _text(text)) + '"'


def _lucene_phrase_char(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    return f"\\u{ord(char):04x}" if is_control(char) else char


def lucene_literal(text: str) -> str:
    """The text as a piece of an unquoted term with wildcards: a backslash before every special and control character.

    A wildcard term reaches Lucene's WildcardQuery as it is written, so \\uXXXX would not be understood here.
    """
    return "".join("\\" + char if char in _LUCENE_SPECIAL or is_control(char) else char for char in _text(text))


def eql_string(text: str) -> str:
    """An EQL string literal."""
    return '"' + "".join(_eql_char(char) for char in _text(text)) + '"'


def _eql_char(char: str) -> str:
    if char in '"\\':
        return "\\" + char
    if char in _SHORT_EQL:
        return _SHORT_EQL[char]
    return f"\\u{{{ord(char):02x}}}" if is_control(char) else char


def esql_string(text: str) -> str:
    """An ES|QL string literal: triple-quoted, and so without escapes, where it holds backslashes and that is possible.

    ES|QL has escapes for tab, newline and carriage return only; other control characters stand as they are, as its grammar has it.
    """
    if "\\" in _text(text) and not any(char == '"' or is_control(char) for char in text):
        return f'"""{text}"""'
    return '"' + "".join("\\" + char if char in '"\\' else _SHORT.get(char, char) for char in text) + '"'


def number(value: int | float) -> str:
    """The number in decimal digits. Raises `Refused` beyond what a `long` holds, where the languages disagree."""
    if abs(value) >= LONGEST:
        raise Refused(f"the number {value} is beyond 64 bits", ("detection",))
    return canonical_number(value)


def esql_number(value: int | float, stored: str) -> str:
    """The number as ES|QL must see it: it reads a `float` field as a double, so the literal is rounded to a float first.

    Source: "ES|QL limitations", field types: float is represented as double.
    """
    if stored == "float" and abs(value) < LONGEST:
        rounded: float = struct.unpack("f", struct.pack("f", value))[0]
        return number(value if rounded == value else rounded)
    return number(value)
