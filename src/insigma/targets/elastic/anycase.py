"""Strings that ignore case, on columns that keep values as they came.

Lucene ignores case by regular expressions that spell each letter in all its cases, which is exact. EQL has operators that
ignore the case of ASCII letters ("EQL syntax reference"; AutomatonQueries, elastic/elasticsearch); for other letters it
gets the same regular expressions.
"""

from __future__ import annotations

from functools import lru_cache

from insigma.bind.model import (
    Anywhere,
    OneOf,
    Refused,
    Test,
)
from insigma.content.predicate import Regex, Text, Wildcard
from insigma.targets.elastic import codepoints as points
from insigma.targets.elastic.effort import check_pattern
from insigma.targets.elastic.quoting import eql_string, is_control
from insigma.targets.elastic.regexp import lucene_regexp, pattern_regexp
from insigma.targets.elastic.scope import folded

ASCII_CASE_NOTE = "Elastic ignores the case of ASCII letters only: U+017F and U+212A, which also fold to s and k, may not be found"


@lru_cache(maxsize=4096)
def _has_case(char: str) -> bool:
    """Whether the character has another case."""
    return char.isalpha() if char.isascii() else points.size(points.caseless(((ord(char), ord(char)),))) > 1


def has_case(text: str) -> bool:
    """Whether the text can be written in several cases."""
    return any(map(_has_case, text))


def ignores_case(leaf: Test | OneOf) -> bool:
    """Whether comparing as stored would be wrong: case does not matter, the column keeps it, and the values have one."""
    if folded(leaf):
        return False
    if isinstance(leaf, OneOf):
        return any(isinstance(value, str) and has_case(value) for value in leaf.values)
    return isinstance(leaf.value, Text) and any(isinstance(part, str) and has_case(part) for part in leaf.value.parts)


def text_regexp(text: Text) -> str:
    """The expression of all values that the text covers, in any case. Raises `Refused` for one that is too long."""
    return pattern_regexp(text, any_case=True)


def anywhere_regexp(keyword: Anywhere) -> str:
    """The expression of all values in which the keyword is found. Raises `Refused`."""
    match keyword.value:
        case Text(cased=cased) as text:
            return pattern_regexp(text, any_case=not cased)
        case Regex() as regex:
            return lucene_regexp(regex, folded=False)


def eql_text(field: str, text: Text) -> str:
    """A string pattern in any case as EQL."""
    literals = "".join(part for part in text.parts if isinstance(part, str))
    if any(char in "*?" or is_control(char) or (not char.isascii() and _has_case(char)) for char in literals):
        return f"{field} regex {eql_string(text_regexp(text))}"
    check_pattern(text, any_case=True)
    if text.literal is not None:
        return f"{field} : {eql_string(text.literal)}"
    return f"{field} like~ {eql_string(''.join(part.value if isinstance(part, Wildcard) else part for part in text.parts))}"


def eql_one_of(field: str, values: tuple[str, ...]) -> list[str]:
    """Alternatives in any case: those that `in~` takes as they are in one list, each other by itself."""
    for value in values:
        check_pattern(Text((value,) if value else ()), any_case=True)
    plain = [value for value in values if not any(char in "*?" or is_control(char) or not char.isascii() for char in value)]
    written = [f"{field} in~ ({', '.join(map(eql_string, plain))})"] if plain else []
    return written + [eql_text(field, Text((value,) if value else ())) for value in values if value not in set(plain)]


def refuse_anywhere(language: str) -> Refused:
    """The refusal of a keyword by a language that looks into named fields only."""
    return Refused(f"{language} cannot look into every field of an event", ("detection",))
