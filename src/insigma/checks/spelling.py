"""Slips of the finger: whether a word is almost another one. Stricter than a likeness of sounds. Not a check."""

from __future__ import annotations

from collections.abc import Iterable

_LONG = 9
"""From this length on, two slips are still a slip."""


def misspelt(word: str, words: Iterable[str]) -> str | None:
    """The first of `words` that `word` is a slip away from, or None.

    None too if it is one of them, or adds to one (`modified_by`), which is a name of its own.
    """
    known = tuple(words)
    if word in known or word.startswith(tuple(f"{other}{mark}" for other in known for mark in "_-")):
        return None
    plain = _plain(word)
    return next((candidate for candidate in known if _distance(plain, _plain(candidate)) <= _allowed(candidate)), None)


def _plain(word: str) -> str:
    return word.lower().replace("_", "").replace("-", "").replace(" ", "")


def _allowed(word: str) -> int:
    return 2 if len(word) >= _LONG else 1


def _distance(left: str, right: str) -> int:
    """Edits from one word to the other: insert, delete, replace, swap neighbours; 9 where lengths alone say it is far."""
    if abs(len(left) - len(right)) > 2:
        return 9
    above: list[int] = []
    row = list(range(len(right) + 1))
    for i, char in enumerate(left, 1):
        before, above, row = above, row, [i]
        for j, other in enumerate(right, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (char != other))
            if i > 1 and j > 1 and char == right[j - 2] and left[i - 2] == other:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]
