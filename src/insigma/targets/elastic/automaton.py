"""Expressions as automata without epsilon moves (Glushkov's): the places where a character is read, and what follows each.

A set of places is an integer with a bit for each of them. Lucene's own automata have the same states, reached from the same ones
(org.apache.lucene.util.automaton.Operations, concatenate and repeat), so subsets of the one are as large as of the other.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TypeAlias

from insigma.targets.elastic.codepoints import Ranges
from insigma.targets.elastic.re2 import Chain, Chars, Edge, Either, Node, Repeat

MOST_POSITIONS = 10_000
NARROW = 8
"""Classes of characters up to which a position is looked up by class; wider ones are kept as runs of classes."""

_Part: TypeAlias = "tuple[int, int, bool]"
"""First positions, last positions, and whether the part may be empty."""


class TooMuch(Exception):
    """The automaton, or counting it, passes a limit."""


@dataclass(slots=True)
class Steps:
    """How much work is left."""

    left: int

    def take(self, count: int = 1) -> None:
        """Raises `TooMuch` once nothing is left."""
        self.left -= count
        if self.left < 0:
            raise TooMuch


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


@dataclass(slots=True)
class Positions:
    """What is read at each position, and the positions that may follow it. The empty set stands for the beginning."""

    steps: Steps
    sets: list[Ranges] = field(default_factory=list)
    follow: list[int] = field(default_factory=list)
    first: int = 0

    @classmethod
    def of(cls, node: Node, steps: Steps) -> Positions:
        """The positions of the expression. Raises `TooMuch`."""
        found = cls(steps)
        found.first = found._part(node)[0]
        return found

    def after(self, subset: int, steps: Steps) -> int:
        """The positions that may follow any of the subset. Raises `TooMuch`."""
        if not subset:
            return self.first
        steps.take(subset.bit_count())
        reach = 0
        for position in _bits(subset):
            reach |= self.follow[position]
        return reach

    def _link(self, before: int, after: int) -> None:
        self.steps.take(before.bit_count())
        for position in _bits(before):
            self.follow[position] |= after

    def _part(self, node: Node) -> _Part:
        match node:
            case Chars(ranges):
                return self._position(ranges)
            case Chain(items):
                return self._chain(items)
            case Either(branches):
                first = last = 0
                empty = False
                for branch in branches:
                    begins, ends, may_be_empty = self._part(branch)
                    first, last, empty = first | begins, last | ends, empty or may_be_empty
                return first, last, empty
            case Repeat(item, low, None):
                return self._unbounded(item, low)
            case Repeat(item, low, int() as high):
                return self._bounded(item, low, high)
            case Edge():
                return 0, 0, True
        raise AssertionError(f"{type(node).__name__} is no part of an expression")

    def _position(self, ranges: Ranges) -> _Part:
        if len(self.sets) == MOST_POSITIONS:
            raise TooMuch
        self.sets.append(ranges)
        self.follow.append(0)
        bit = 1 << (len(self.sets) - 1)
        return bit, bit, False

    def _chain(self, items: tuple[Node, ...]) -> _Part:
        first, last, empty = 0, 0, True
        for item in items:
            begins, ends, may_be_empty = self._part(item)
            self._link(last, begins)
            first |= begins if empty else 0
            last = ends | (last if may_be_empty else 0)
            empty = empty and may_be_empty
        return first, last, empty

    def _unbounded(self, item: Node, low: int) -> _Part:
        """`low` copies, and one more that may be taken again and again."""
        first, last, empty = self._chain((item,) * low)
        begins, ends, _ = self._part(item)
        self._link(ends | last, begins)
        return first | (begins if empty else 0), last | ends, empty

    def _bounded(self, item: Node, low: int, high: int) -> _Part:
        """Copies one after another; from the `low`th on each of them may be the last."""
        first = last = before = 0
        empty = True
        for count in range(1, high + 1):
            begins, ends, may_be_empty = self._part(item)
            self._link(before, begins)
            first |= begins if empty else 0
            empty = empty and may_be_empty
            before = ends | (before if may_be_empty else 0)
            last |= before if count >= low else 0
        return first, last, empty or low == 0


@dataclass(frozen=True, slots=True)
class Alphabet:
    """The code points cut into classes that no position tells apart; class n begins at `cuts[n]`.

    `narrow` has the classes of each narrow position and `exact` the narrow positions of each class. The wide ones stand in `runs`:
    the first class, the one behind the last, and the positions.
    """

    cuts: tuple[int, ...]
    narrow_positions: int
    narrow: dict[int, tuple[int, ...]]
    exact: dict[int, int]
    runs: tuple[tuple[int, int, int], ...]

    @classmethod
    def of(cls, sets: list[Ranges]) -> Alphabet:
        """The alphabet of what the positions read."""
        places: dict[Ranges, int] = {}
        for position, ranges in enumerate(sets):
            places[ranges] = places.get(ranges, 0) | 1 << position
        cuts = tuple(sorted({cut for ranges in places for low, high in ranges for cut in (low, high + 1)}))
        narrow, exact, flips = dict[int, tuple[int, ...]](), dict[int, int](), {0: 0, max(len(cuts) - 1, 0): 0}
        narrow_positions = 0
        for ranges, mask in places.items():
            spans = [(bisect_left(cuts, low), bisect_left(cuts, high + 1)) for low, high in ranges]
            if sum(end - start for start, end in spans) > NARROW:
                for place in (place for span in spans for place in span):
                    flips[place] = flips.get(place, 0) ^ mask
                continue
            narrow_positions |= mask
            classes = tuple(number for start, end in spans for number in range(start, end))
            narrow.update(dict.fromkeys(_bits(mask), classes))
            for number in classes:
                exact[number] = exact.get(number, 0) | mask
        return cls(cuts, narrow_positions, narrow, exact, _runs(flips))

    def edges(self, reach: int, steps: Steps) -> Iterator[tuple[int, int, int]]:
        """First and last code point and target of each edge to a part of `reach`, in order. Raises `TooMuch`."""
        near = reach & self.narrow_positions
        steps.take(near.bit_count() + len(self.runs))
        touched = sorted({number for position in _bits(near) for number in self.narrow[position]})
        held: tuple[int, int, int] | None = None
        for start, end, target in self._pieces(reach, touched):
            steps.take()
            if held is not None and held[1] == start and held[2] == target:
                held = (held[0], end, target)
                continue
            if held is not None:
                yield self._edge(held)
            held = (start, end, target) if target else None
        if held is not None:
            yield self._edge(held)

    def _edge(self, piece: tuple[int, int, int]) -> tuple[int, int, int]:
        return self.cuts[piece[0]], self.cuts[piece[1]] - 1, piece[2]

    def _pieces(self, reach: int, touched: list[int]) -> Iterator[tuple[int, int, int]]:
        """The runs, cut at the classes that are told apart."""
        at = 0
        for start, end, wide in self.runs:
            begin = start
            while at < len(touched) and touched[at] < end:
                number = touched[at]
                at += 1
                if begin < number:
                    yield begin, number, reach & wide
                yield number, number + 1, reach & (wide | self.exact[number])
                begin = number + 1
            if begin < end:
                yield begin, end, reach & wide


def _runs(flips: dict[int, int]) -> tuple[tuple[int, int, int], ...]:
    """Runs of classes from the classes at which wide positions begin or end."""
    found: list[tuple[int, int, int]] = []
    mask = 0
    places = sorted(flips)
    for start, end in pairwise(places):
        mask ^= flips[start]
        found.append((start, end, mask))
    return tuple(found)
