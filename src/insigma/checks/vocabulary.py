"""Closed vocabularies, and whether a written value can mean one of their words. Not a check."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import re2

from insigma.checks.walk import Item
from insigma.content.folding import fold
from insigma.content.model import Field, TaxonomyLogSource
from insigma.content.predicate import Regex
from insigma.content.regexes import re2_pattern
from insigma.content.taxonomy import ACTION_FIELD

ENCODINGS = frozenset({"base64", "base64offset", "wide", "utf16", "utf16le", "utf16be"})
COMPARISONS = frozenset({"gt", "gte", "lt", "lte"})
TIME_PARTS = frozenset({"minute", "hour", "day", "week", "month", "year"})
AFFIXES = frozenset({"contains", "startswith", "endswith"})
_NOT_WORDS = ENCODINGS | COMPARISONS | TIME_PARTS | {"expand", "fieldref", "exists", "cidr"}
_PIECE = re.compile(r"\\([*?\\])|(\*+|\?)|([^*?\\]+|\\)", re.DOTALL)
_MANY, _ONE = "*", "?"


def words_of(field: Field, source: TaxonomyLogSource | None) -> tuple[str, ...] | None:
    """The closed values of a field in a log source, or None where it is open."""
    if field.name == ACTION_FIELD and source is not None:
        return source.actions
    return field.values


def means_a_word(item: Item, words: tuple[str, ...]) -> bool:
    """Whether the item's value could match one of the words. True where this cannot be told, or is told elsewhere."""
    value = item.value
    if value is None or isinstance(value, bool) or _NOT_WORDS & set(item.modifiers):
        return True
    if "re" in item.modifiers:
        expression = _regex(str(value), item.modifiers)
        return expression is None or any(expression.search(word) for word in words)
    text = str(value)
    if len(text) - text.count("*") - text.count("\\") > max(map(len, words)):
        return False
    pattern = _pattern(text, item.modifiers)
    return any(_matches(pattern, word, cased="cased" in item.modifiers) for word in words)


@dataclass(frozen=True, slots=True)
class _Sign:
    """One place of a pattern: a character, or a wildcard."""

    char: str
    wildcard: bool


def _pattern(value: str, modifiers: tuple[str, ...]) -> tuple[_Sign, ...]:
    """The value's characters and wildcards, with those of its affixes."""
    signs: list[_Sign] = []
    for match in _PIECE.finditer(value):
        escaped, wildcard, literal = match.groups()
        signs += [_Sign(wildcard[0], wildcard=True)] if wildcard else [_Sign(char, wildcard=False) for char in escaped or literal]
    before = [_Sign(_MANY, wildcard=True)] if {"contains", "endswith"} & set(modifiers) else []
    after = [_Sign(_MANY, wildcard=True)] if {"contains", "startswith"} & set(modifiers) else []
    return (*before, *signs, *after)


def _matches(pattern: tuple[_Sign, ...], word: str, *, cased: bool) -> bool:
    """Whether the whole word fits the pattern, in time proportional to their product whatever the wildcards."""
    reached = _after_wildcards(pattern, {0})
    for char in word:
        onward = {at for at in reached if at < len(pattern) and pattern[at].wildcard and pattern[at].char == _MANY}
        onward |= {at + 1 for at in reached if at < len(pattern) and _fits(pattern[at], char, cased=cased)}
        reached = _after_wildcards(pattern, onward)
    return len(pattern) in reached


def _fits(sign: _Sign, char: str, *, cased: bool) -> bool:
    if sign.wildcard:
        return sign.char == _ONE
    return sign.char == char or (not cased and fold(sign.char) == fold(char))


def _after_wildcards(pattern: tuple[_Sign, ...], places: set[int]) -> set[int]:
    """The places, and those behind any `*` that stands there: it may match nothing."""
    found = set(places)
    for at in sorted(places):
        while at < len(pattern) and pattern[at].wildcard and pattern[at].char == _MANY:
            at += 1
            found.add(at)
    return found


def _regex(pattern: str, modifiers: tuple[str, ...]) -> Any:
    """The compiled expression, or None if RE2 refuses it (INS107 says so)."""
    used = set(modifiers)
    flags = ({"i", "ignorecase"}, {"m", "multiline"}, {"s", "dotall"})
    try:
        return re2_pattern(Regex(pattern, *(bool(names & used) for names in flags)))
    except re2.error:
        return None


def in_vocabulary(value: str, words: tuple[str, ...]) -> bool:
    """Whether an event's value is one of the words, case aside."""
    return fold(value) in {fold(word) for word in words}
