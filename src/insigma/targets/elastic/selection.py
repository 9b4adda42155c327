"""The ES|QL commands from the index to the events of some rules: what is stored is asked first, so that joins see few events."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from insigma.bind.binder import logsource_scope
from insigma.bind.model import AllOf, Bound, BoundRule, Refused
from insigma.content.model import TargetField, TargetMapping
from insigma.content.predicate import Constant
from insigma.targets.elastic.esql import esql_condition
from insigma.targets.elastic.inlining import looked_up
from insigma.targets.elastic.joins import join_commands
from insigma.targets.elastic.layout import Leaf, joined, lines
from insigma.targets.elastic.scope import any_of, disjunction, indices


def selection(
    members: tuple[BoundRule, ...], fields: Sequence[TargetField], mapping: TargetMapping, present: tuple[Leaf, ...] = ()
) -> list[str]:
    """The commands that leave the events of any member, with a column for each of `fields`, which are looked up.

    `present` are further conditions on stored fields. Raises `Refused`.
    """
    if not fields:
        return [_where(any_of(members, mapping), present)]
    if any(":" in index for index in indices(members)):
        raise Refused("events of a remote cluster cannot be joined: LOOKUP JOIN takes local indices only", ("logsource",))
    stored, rest = _in_two(members, mapping)
    return [_where(stored, present), *join_commands(fields, mapping), *(() if rest == Constant(True) else (_where(rest),))]


def _where(condition: Bound, present: tuple[Leaf, ...] = ()) -> str:
    return "WHERE " + "\n    ".join(lines(joined("AND", (esql_condition(condition), *present))))


def _in_two(members: tuple[BoundRule, ...], mapping: TargetMapping) -> tuple[Bound, Bound]:
    """What can be asked before anything is looked up, and what is left after that; both together mean "any member".

    A single member is cut in two; of several the first part lets some events of none pass, and the second asks for all again.
    """
    halves = [_cut(member.predicate) for member in members]
    stored = _once(tuple(replace(member, predicate=half) for member, (half, _) in zip(members, halves, strict=True)))
    if len(members) == 1:
        return any_of(stored, mapping), halves[0][1]
    if all(rest == Constant(True) for _, rest in halves):
        return any_of(stored, mapping), Constant(True)
    several = len(logsource_scope(members)) > 1
    return any_of(stored, mapping), any_of(members, mapping) if several else disjunction(tuple(member.predicate for member in members))


def _once(members: tuple[BoundRule, ...]) -> tuple[BoundRule, ...]:
    """The members without those that another one covers: equal ones, and all of a log source of which everything is let through."""
    everything = {member.logsource.name for member in members if member.predicate == Constant(True)}
    kept = {
        (member.logsource.name, member.predicate): member
        for member in reversed(members)
        if member.predicate == Constant(True) or member.logsource.name not in everything
    }
    return tuple(reversed(kept.values()))


def _cut(predicate: Bound) -> tuple[Bound, Bound]:
    """The predicate as what tests stored fields alone, and the rest; both together mean the predicate."""
    operands = predicate.operands if isinstance(predicate, AllOf) else (predicate,)
    return (
        _all(tuple(operand for operand in operands if not looked_up((operand,)))),
        _all(tuple(operand for operand in operands if looked_up((operand,)))),
    )


def _all(operands: tuple[Bound, ...]) -> Bound:
    return AllOf(operands) if len(operands) > 1 else operands[0] if operands else Constant(True)
