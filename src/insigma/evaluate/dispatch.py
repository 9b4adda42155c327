"""Which rules are worth running on an event: decided by what each rule needs of a few fields, remembered by value.

Most values of most fields repeat (images, users, actions), and most rules need something of one such field, or of two
or three of them together. For every guarded group of fields the set of rules whose need is met is worked out once for
its values, as a bit mask; an event's candidates are the intersection. A guard is a necessary condition only:
candidates still run in full.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TypeAlias

from insigma.content.predicate import And, Keyword, Named, Or, Predicate, conjunction, disjunction, fields_of, leaves
from insigma.evaluate.closures import compile_predicate
from insigma.evaluate.events import Flat, Preparer
from insigma.evaluate.leaves import Needs, Test

MAX_GUARDS = 16
MAX_FIELDS = 3
MEMORY = 1_024
TRIAL = 128
LONGEST_REMEMBERED = 512

Fields: TypeAlias = "tuple[str, ...]"


def guards(predicate: Predicate) -> dict[Fields, Predicate]:
    """For small groups of fields, what the predicate needs of them to hold at all."""
    match predicate:
        case Named(_, operand):
            return guards(operand)
        case And(operands):
            needed: dict[Fields, list[Predicate]] = {}
            for operand in operands:
                for fields, need in guards(operand).items():
                    needed.setdefault(fields, []).append(need)
            return {fields: conjunction(tuple(needs)) for fields, needs in needed.items()}
        case Or(operands):
            each = [guards(operand) for operand in operands]
            shared = {fields: disjunction(tuple(one[fields] for one in each)) for fields in each[0] if all(fields in one for one in each)}
            return shared or _whole(predicate)
        case _:
            return _whole(predicate)


def _whole(predicate: Predicate) -> dict[Fields, Predicate]:
    fields = tuple(sorted(fields_of(predicate)))
    plain = 0 < len(fields) <= MAX_FIELDS and not any(isinstance(leaf, Keyword) for leaf in leaves(predicate))
    return {fields: predicate} if plain else {}


class _Guard:
    """The rules that the values of some fields let through. Gives up where the values hardly repeat."""

    def __init__(self, fields: Fields, needed: Sequence[tuple[int, Predicate]], everyone: int) -> None:
        self._fields = fields
        self._single = fields[0] if len(fields) == 1 else None
        needs: Needs = []
        self._tests: list[tuple[int, Test]] = [(1 << position, compile_predicate(need, needs)) for position, need in needed]
        self._preparer = Preparer(needs)
        self._everyone = everyone
        self._unguarded = everyone & ~sum(bit for bit, _ in self._tests)
        self._known: dict[object, int] = {}
        self._asked = 0
        self.given_up = False

    def mask(self, flat: Flat) -> int:
        """The rules that may hold, as bits. Values that are no plain short strings let everyone through."""
        key: object = flat.get(self._single) if self._single is not None else tuple(map(flat.get, self._fields))
        self._asked += 1
        known = self._known.get(key)
        return self._work_out(key, flat) if known is None else known

    def _work_out(self, key: object, flat: Flat) -> int:
        values = {field: flat[field] for field in self._fields if field in flat}
        if not all(value.__class__ is str and len(value) <= LONGEST_REMEMBERED for value in values.values()):
            return self._everyone
        self._forget()
        view = self._preparer.view(values)
        mask = self._unguarded
        for bit, test in self._tests:
            if test(view):
                mask |= bit
        self._known[key] = mask
        return mask

    def _forget(self) -> None:
        """Make room where there is none; give up if nearly all values so far were new."""
        known = len(self._known)
        if known in (TRIAL, MEMORY):
            self.given_up = self._asked < known + known // 8
        if known >= MEMORY:
            self._known.clear()
            self._asked = 0


class Dispatcher:
    """Candidates among a fixed sequence of predicates, by position."""

    def __init__(self, predicates: Sequence[Predicate]) -> None:
        self._everyone = (1 << len(predicates)) - 1
        self._positions: dict[int, tuple[int, ...]] = {}
        needed: dict[Fields, list[tuple[int, Predicate]]] = {}
        for position, predicate in enumerate(predicates):
            for fields, need in guards(predicate).items():
                needed.setdefault(fields, []).append((position, need))
        busiest = sorted(needed, key=lambda fields: (-len(needed[fields]), fields))[:MAX_GUARDS]
        self._guards = [_Guard(fields, needed[fields], self._everyone) for fields in busiest]

    def candidates(self, flat: Flat) -> Sequence[int]:
        """The positions of the predicates that the event may satisfy, ascending."""
        mask = self._everyone
        for guard in self._guards:
            mask &= guard.mask(flat)
            if guard.given_up:
                self._guards = [other for other in self._guards if not other.given_up]
            if not mask:
                return ()
        known = self._positions.get(mask)
        return self._spelt_out(mask) if known is None else known

    def _spelt_out(self, mask: int) -> Sequence[int]:
        """The positions of the bits, remembered: values repeat, so masks do."""
        if len(self._positions) >= MEMORY:
            self._positions.clear()
        found = self._positions[mask] = tuple(position for position in range(mask.bit_length()) if mask >> position & 1)
        return found
