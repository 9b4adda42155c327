"""Clauses of a query as a small tree, and their layout: one clause a line, parentheses around every mixed group.

Knows no dialect: an emitter gives the words and the text of each leaf.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

WIDTH = 110
INDENT = "  "


@dataclass(frozen=True, slots=True)
class Leaf:
    """A test, complete."""

    text: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Operands under one operator, which stands in front of all but the first."""

    word: str
    parts: tuple[Clause, ...]


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A clause between two pieces of text, such as `NOT (` and `)`. An opening without parenthesis wraps leaves only."""

    opening: str
    inner: Clause
    closing: str


Clause: TypeAlias = "Leaf | Joined | Wrapped"


def joined(word: str, parts: tuple[Clause, ...]) -> Clause:
    """The parts under `word`, those of nested clauses of the same word lifted into it; the only one as it is."""
    lifted: list[Clause] = []
    for part in parts:
        lifted.extend(part.parts if isinstance(part, Joined) and part.word == word else (part,))
    return lifted[0] if len(lifted) == 1 else Joined(word, tuple(lifted))


def inline(clause: Clause) -> str:
    """The clause on one line, without parentheses around it."""
    match clause:
        case Leaf(text):
            return text
        case Joined(word, parts):
            return f" {word} ".join(_operand(part) for part in parts)
        case Wrapped(opening, inner, closing):
            return opening + inline(inner) + closing


def _operand(clause: Clause) -> str:
    return f"({inline(clause)})" if isinstance(clause, Joined) else inline(clause)


def lines(clause: Clause) -> list[str]:
    """The clause as lines: each operand of a top-level operator on its own, deeper ones only where they are long."""
    if not isinstance(clause, Joined):
        return _operand_lines(clause)
    laid: list[str] = []
    for index, part in enumerate(clause.parts):
        first, *rest = _operand_lines(part)
        laid.append(f"{clause.word} {first}" if index else first)
        laid.extend(rest)
    return laid


def _operand_lines(clause: Clause) -> list[str]:
    text = _operand(clause)
    if len(text) <= WIDTH or isinstance(clause, Leaf):
        return [text]
    opening, inner, closing = (clause.opening, clause.inner, clause.closing) if isinstance(clause, Wrapped) else ("(", clause, ")")
    return [opening, *(INDENT + line for line in lines(inner)), closing]
