"""Sets of code points as sorted, disjoint ranges: what a character class of a regular expression stands for."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeAlias

from insigma.content.folding import fold

LAST = 0x10FFFF
Ranges: TypeAlias = "tuple[tuple[int, int], ...]"

EVERYTHING: Ranges = ((0, LAST),)
NEWLINE: Ranges = ((10, 10),)
DIGITS: Ranges = ((48, 57),)
WORD: Ranges = ((48, 57), (65, 90), (95, 95), (97, 122))
SPACES: Ranges = ((9, 10), (12, 13), (32, 32))

OTHER_FORMS = {
    "k": "\u212a",
    "s": "\u017f",
    "\u00df": "\u1e9e",
    "\u00e5": "\u212b",
    "\u03b2": "\u03d0",
    "\u03b5": "\u03f5",
    "\u03b8": "\u03d1\u03f4",
    "\u03b9": "\u0345\u1fbe",
    "\u03ba": "\u03f0",
    "\u03bc": "\u00b5",
    "\u03c0": "\u03d6",
    "\u03c1": "\u03f1",
    "\u03c3": "\u03c2",
    "\u03c6": "\u03d5",
    "\u03c9": "\u2126",
    "\u0432": "\u1c80",
    "\u0434": "\u1c81",
    "\u043e": "\u1c82",
    "\u0441": "\u1c83",
    "\u0442": "\u1c84\u1c85",
    "\u044a": "\u1c86",
    "\u0463": "\u1c87",
    "\u1e61": "\u1e9b",
    "\ua64b": "\u1c88",
}
"""Folded letters to the forms that fold to them without being their upper or title case (Unicode CaseFolding.txt, C and S)."""


def merged(ranges: Iterable[tuple[int, int]]) -> Ranges:
    """The ranges sorted, those that touch made one."""
    found: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if found and low <= found[-1][1] + 1:
            found[-1] = (found[-1][0], max(found[-1][1], high))
        else:
            found.append((low, high))
    return tuple(found)


def complement(ranges: Ranges) -> Ranges:
    """All other code points."""
    found: list[tuple[int, int]] = []
    start = 0
    for low, high in ranges:
        if start < low:
            found.append((start, low - 1))
        start = high + 1
    if start <= LAST:
        found.append((start, LAST))
    return tuple(found)


def size(ranges: Ranges) -> int:
    """How many code points there are."""
    return sum(high - low + 1 for low, high in ranges)


def caseless(ranges: Ranges) -> Ranges:
    """The ranges with every code point that differs from one of them only in case."""
    found: set[int] = set()
    for low, high in ranges:
        for point in range(low, high + 1):
            found.update(_forms(chr(point)))
    return merged((point, point) for point in found)


def _forms(char: str) -> set[int]:
    folded = fold(char)
    forms = {char, folded, folded.upper(), folded.lower(), folded.title(), *OTHER_FORMS.get(folded, "")}
    return {ord(form) for form in forms if len(form) == 1 and fold(form) == folded}  # I is the upper case of a dotless i, but no form of it


def folded_only(ranges: Ranges) -> Ranges:
    """The ranges without the code points that a column of folded values never holds."""
    found: list[tuple[int, int]] = []
    for low, high in ranges:
        found.extend((point, point) for point in range(low, high + 1) if fold(chr(point)) == chr(point))
    return merged(found)
