"""What a leaf says of a field whose value is known beforehand: one that never comes, or one that is always the same word."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from insigma.content.folding import fold
from insigma.content.predicate import (
    Constant,
    Exists,
    FieldRef,
    IsNull,
    Keyword,
    Match,
    Part,
    Predicate,
    Text,
    Wildcard,
)
from insigma.specialise.simplify import replaced


def without_fields(predicate: Predicate, lacking: Collection[str]) -> Predicate:
    """The predicate where events never have these fields: only `null` and `exists: false` are true of them."""

    def leaf(node: Match | Keyword) -> Predicate:
        if not isinstance(node, Match):
            return node
        if isinstance(node.value, FieldRef) and node.value.field in lacking:
            return Constant(False)
        if node.field not in lacking:
            return node
        return Constant(isinstance(node.value, IsNull) or node.value == Exists(False))

    return replaced(predicate, leaf) if lacking else predicate


def with_words(predicate: Predicate, words: Mapping[str, str]) -> Predicate:
    """The predicate where each of these fields always holds the given word."""

    def leaf(node: Match | Keyword) -> Predicate:
        if not isinstance(node, Match) or node.field not in words:
            return node
        match node.value:
            case Text() as text:
                return Constant(_matches(text, words[node.field]))
            case IsNull():
                return Constant(False)
            case Exists(wanted):
                return Constant(wanted)
            case _:
                return node

    return replaced(predicate, leaf) if words else predicate


def _matches(text: Text, word: str) -> bool:
    parts = text.parts if text.cased else tuple(fold(part) if isinstance(part, str) else part for part in text.parts)
    return _fits(parts, word if text.cased else fold(word))


def _fits(parts: tuple[Part, ...], word: str) -> bool:
    """Whether the pattern covers the word. Patterns here are a few letters long."""
    if not parts:
        return word == ""
    head, rest = parts[0], parts[1:]
    if head is Wildcard.MANY:
        return any(_fits(rest, word[start:]) for start in range(len(word) + 1))
    if isinstance(head, str):
        return word.startswith(head) and _fits(rest, word[len(head) :])
    return bool(word) and _fits(rest, word[1:])
