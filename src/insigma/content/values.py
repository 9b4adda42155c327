"""Sigma values and modifiers as predicate values.

pySigma 1.5.1 works out most modifiers; what it gets wrong is done here instead (facts in docs/decisions): regular
expressions (checked by RE2, not by Python's `re`), the encodings under base64 (non-ASCII text, escaped wildcards),
integers above 2^53, and `cased` field references.
"""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Iterable
from dataclasses import replace
from ipaddress import ip_network
from typing import Any

import re2
from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
)
from sigma.types import Placeholder as SigmaPlaceholder

from insigma.content.predicate import (
    Affix,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Exists,
    FieldRef,
    IsNull,
    Name,
    Number,
    Placeholder,
    Regex,
    Text,
    TimePart,
    TimeUnit,
    Value,
    Wildcard,
    pattern,
)
from insigma.content.regexes import DEEPEST, LARGEST, LONGEST, depth, re2_pattern

ENCODINGS = {"wide": "utf-16-le", "utf16le": "utf-16-le", "utf16": "utf-16", "utf16be": "utf-16-be"}
REGEX_FLAGS = {"i": "i", "ignorecase": "i", "m": "m", "multiline": "m", "s": "s", "dotall": "s"}
_INLINE_FLAGS = re.compile(r"\(\?([ims]+)\)")
_WILDCARDS = {SpecialChars.WILDCARD_MULTI: Wildcard.MANY, SpecialChars.WILDCARD_SINGLE: Wildcard.ONE}
_COMPARISONS = {
    CompareOperators.LT: Comparison.LT,
    CompareOperators.LTE: Comparison.LTE,
    CompareOperators.GT: Comparison.GT,
    CompareOperators.GTE: Comparison.GTE,
}
_TIME_PARTS = {
    TimeUnit.MINUTE: (0, 59),
    TimeUnit.HOUR: (0, 23),
    TimeUnit.DAY: (1, 31),
    TimeUnit.WEEK: (1, 53),
    TimeUnit.MONTH: (1, 12),
    TimeUnit.YEAR: (1, 9999),
}
_NUMERIC = frozenset({"gt", "gte", "lt", "lte", *(unit.value for unit in TimeUnit)})
_AFFIXES = frozenset({"contains", "startswith", "endswith"})
_TEXTUAL = _AFFIXES | {"cased", "windash", "expand", "fieldref"}
_TOLD = 200
"""Characters of what RE2 says: it quotes the expression."""
_PART = "write several expressions"


class ValueFault(Exception):
    """A value that means nothing: the code of the finding, what is wrong, what to do."""

    def __init__(self, code: str, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint


def said(value: Any) -> str:
    """A written value in a message."""
    if value is None or isinstance(value, bool):
        return str(value).lower() if value is not None else "null"
    return f"'{value}'" if isinstance(value, str) else str(value)


def misfit(modifiers: tuple[str, ...], plain: Any) -> ValueFault:
    """The fault of a value that pySigma refuses under the modifiers, in the words of who writes rules."""
    for name in modifiers:
        if name in _NUMERIC and (isinstance(plain, (str, bool)) or plain is None):
            return ValueFault("INS103", f"'{name}' compares numbers, and {said(plain)} is none", "write a number, without quotes")
        if name == "exists" and not isinstance(plain, bool):
            return ValueFault(
                "INS103", f"'exists' takes true or false, and {said(plain)} is neither", "write true or false, without quotes"
            )
        if name == "cidr" and not _is_network(plain):
            return ValueFault(
                "INS103", f"'cidr' takes a network, and {said(plain)} is none", "such as 10.0.0.0/8, all bits behind the prefix 0"
            )
        if name in _TEXTUAL and not isinstance(plain, str):
            return ValueFault("INS103", f"'{name}' takes a text, and {said(plain)} is none", "quote the value, or remove the modifier")
    if "fieldref" in modifiers and isinstance(plain, str) and text_of(SigmaString(plain)).literal is None:
        return ValueFault("INS103", "'fieldref' names one field: it holds no wildcards", "name the field in full")
    before = [name for name in modifiers[: modifiers.index("fieldref")] if name in _AFFIXES] if "fieldref" in modifiers else []
    if before:
        hint = f"write 'fieldref|{'|'.join(before)}'"
        return ValueFault("INS103", f"'{before[0]}' stands before 'fieldref'", hint)
    named = [f"'{name}'" for name in modifiers if name not in ("all", "neq")]
    if not named:
        return ValueFault("INS103", "the number is larger than any that can be computed with", "quote it, if it is a text")
    together = len(named) > 1
    message = f"modifiers {' and '.join(named)} do not go together" if together else f"modifier {named[0]} does not fit {said(plain)}"
    return ValueFault("INS103", message, "see the Sigma specification, appendix modifiers")


def _is_network(plain: Any) -> bool:
    try:
        ip_network(plain if isinstance(plain, str) else "")
    except ValueError:
        return False
    return True


def regex_value(written: Any, modifiers: tuple[str, ...]) -> Regex:
    """The value of an item with `re`. Raises `ValueFault` for what RE2 refuses.

    As `re` searches for a substring, `contains` adds nothing, and `startswith`/`endswith` anchor the expression.
    Flags at its start, as in `(?i)`, are taken as the modifiers they stand for.
    """
    if not isinstance(written, str):
        raise ValueFault("INS103", f"modifier 're' needs a string, not {said(written)}", "quote the expression")
    flags = {REGEX_FLAGS[name] for name in modifiers if name in REGEX_FLAGS}
    inline = _INLINE_FLAGS.match(written)
    if inline is not None:
        flags |= set(inline[1])
        written = written[inline.end() :]
    regex = Regex(written, "i" in flags, "m" in flags, "s" in flags)
    if len(written) > LONGEST:
        raise ValueFault("INS107", f"the expression has more than {LONGEST:,} characters", _PART)
    try:
        re2_pattern(regex, LARGEST)  # alone first: 'a)|(b' would be two expressions inside the parentheses
        if depth(written) > DEEPEST:
            raise ValueFault("INS107", f"more than {DEEPEST} groups stand inside each other", _PART)
        if "startswith" in modifiers:
            regex = replace(regex, pattern=rf"\A(?:{written})")
        if "endswith" in modifiers:
            regex = replace(regex, pattern=rf"(?:{written})\z")
        re2_pattern(regex)
    except re2.error as error:
        detail = error.args[0].decode("utf-8", "replace") if isinstance(error.args[0], bytes) else str(error.args[0])
        hint = _PART if "too large" in detail else "RE2 has no look-around and no back-references"
        shown = detail if len(detail) <= _TOLD else f"{detail[:_TOLD]}…"
        raise ValueFault("INS107", f"RE2 refuses the expression: {shown}", hint) from error
    return regex


def encoded_texts(value: Any, modifiers: tuple[str, ...]) -> tuple[Text, ...]:
    """The alternatives of an item with `wide`, `utf16*`, `base64` or `base64offset`, before `contains` and its like."""
    if not isinstance(value, str):
        raise ValueFault("INS103", f"an encoding modifier needs a string, not {said(value)}", "quote the value")
    literal = text_of(SigmaString(value)).literal
    if literal is None:
        raise ValueFault("INS103", "an encoded value cannot hold wildcards", r"escape them: \* and \?")
    encoding = next((ENCODINGS[name] for name in modifiers if name in ENCODINGS), "utf-8")
    raw = b"\xff\xfe" + literal.encode("utf-16-le") if encoding == "utf-16" else literal.encode(encoding)
    if "base64offset" in modifiers:
        if len(raw) < 2:
            raise ValueFault("INS103", "base64offset of less than two bytes shows nothing of the value", "write more of the value")
        return tuple(Text((text,)) for text in _offsets(raw))
    if "base64" in modifiers:
        return (Text((b64encode(raw).decode(),)),)
    try:
        return (Text((raw.decode("utf-8"),)),)
    except UnicodeDecodeError as error:
        raise ValueFault("INS103", "UTF-16 text outside ASCII has no form as a string", "follow it by base64 or base64offset") from error


def _offsets(raw: bytes) -> Iterable[str]:
    """The three forms that base64 text of a longer whole can show of `raw`: only characters that `raw` alone decides."""
    for offset in range(3):
        encoded = b64encode(b" " * offset + raw).decode().rstrip("=")
        undecided_end = (len(raw) + offset) % 3 != 0
        yield encoded[(0, 2, 3)[offset] : len(encoded) - 1 if undecided_end else None]


def affixed(text: Text, modifiers: tuple[str, ...]) -> Text:
    """`text` with the wildcards of `contains`, `startswith` or `endswith` put around it, and `cased` noted."""
    before = (Wildcard.MANY,) if {"contains", "endswith"} & set(modifiers) else ()
    after = (Wildcard.MANY,) if {"contains", "startswith"} & set(modifiers) else ()
    return pattern((*before, *text.parts, *after), "cased" in modifiers)


def text_of(value: SigmaString) -> Text:
    """A pySigma string without placeholders as `Text`."""
    parts = (part if isinstance(part, str) else _WILDCARDS[part] for part in value.s if not isinstance(part, SigmaPlaceholder))
    return pattern(parts, isinstance(value, SigmaCasedString))


def alternatives(value: SigmaType, plain: Any, modifiers: tuple[str, ...]) -> tuple[Value, ...]:
    """The predicate values of one pySigma value: several, to be OR-ed, where a modifier expanded it.

    `plain` is the value as written, for numbers that pySigma rounds.
    """
    if isinstance(value, SigmaExpansion):
        found = [inner for part in value.values for inner in alternatives(part, plain, modifiers)]
        return tuple(dict.fromkeys(found))
    return (_single(value, plain, modifiers),)


def _single(value: SigmaType, plain: Any, modifiers: tuple[str, ...]) -> Value:
    number = plain if isinstance(plain, (int, float)) and not isinstance(plain, bool) else None
    match value:
        case SigmaTimestampPart():
            return _time_part(TimeUnit(value.timestamp_part.name.lower()), plain)
        case SigmaString():
            return _string(value)
        case SigmaNumber():
            return Number(value.number if number is None else number)
        case SigmaBool():
            return Boolean(value.boolean)
        case SigmaNull():
            return IsNull()
        case SigmaExists():
            return Exists(value.exists)
        case SigmaCIDRExpression():
            return Cidr(str(value.network))
        case SigmaCompareExpression() if value.op in _COMPARISONS:
            return Compare(_COMPARISONS[value.op], value.number.number if number is None else number)
        case SigmaFieldReference():
            return FieldRef(value.field, _affix(value), "cased" in modifiers)
        case _:
            raise misfit(modifiers, plain)


def _time_part(unit: TimeUnit, plain: Any) -> TimePart:
    """Raises `ValueFault` for a number that the clock never shows: the rule would be blind."""
    first, last = _TIME_PARTS[unit]
    if plain != int(plain) or not first <= plain <= last:
        raise ValueFault("INS103", f"no {unit.value} is {plain}", f"a whole number from {first} to {last}")
    return TimePart(unit, int(plain))


def _affix(reference: SigmaFieldReference) -> Affix:
    if reference.starts_with and reference.ends_with:
        return Affix.CONTAINS
    if reference.starts_with:
        return Affix.STARTSWITH
    return Affix.ENDSWITH if reference.ends_with else Affix.EQUALS


def _string(value: SigmaString) -> Text | Placeholder:
    if not value.contains_placeholder():
        return text_of(value)
    template = tuple(
        Name(part.name) if isinstance(part, SigmaPlaceholder) else part if isinstance(part, str) else _WILDCARDS[part] for part in value.s
    )
    return Placeholder(template, isinstance(value, SigmaCasedString))


def dash_count(value: str) -> int:
    """How many dashes or slashes of a value `windash` would vary."""
    return len(re.findall(r"\B[-/]\b", value))
