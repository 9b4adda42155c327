"""Placeholders filled from a tenant's lists."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

from insigma.content.model import AnyRule, Correlation, Rule
from insigma.content.predicate import (
    And,
    Constant,
    Keyword,
    Match,
    Name,
    Named,
    Not,
    Or,
    Part,
    Placeholder,
    Predicate,
    Text,
    anywhere,
    disjunction,
    leaves,
    pattern,
)
from insigma.diagnostics.model import Diagnostic

Lists = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class Specialised:
    """The rules with their lists filled in, in order, and INS110 for each rule left out because a list is missing."""

    rules: tuple[AnyRule, ...]
    diagnostics: tuple[Diagnostic, ...]


def fill_lists(rules: Sequence[AnyRule], lists: Lists) -> Specialised:
    """Fill every placeholder of the rules. A rule that is a member of several correlations stays one object."""
    done: dict[int, AnyRule | None] = {}
    found: list[Diagnostic] = []
    for rule in rules:
        _fill_rule(rule, lists, done, found)
    return Specialised(tuple(filled for rule in rules if (filled := done[id(rule)]) is not None), tuple(found))


def _fill_rule(rule: AnyRule, lists: Lists, done: dict[int, AnyRule | None], found: list[Diagnostic]) -> AnyRule | None:
    if id(rule) in done:
        return done[id(rule)]
    filled: AnyRule | None
    if isinstance(rule, Correlation):
        members = tuple(_fill_rule(member, lists, done, found) for member in rule.members)
        present = tuple(member for member in members if member is not None)
        filled = replace(rule, members=present) if len(present) == len(members) else None
    else:
        missing = sorted({name for name in placeholder_names(rule) if name not in lists})
        filled = None if missing else replace(rule, predicate=_fill(rule.predicate, lists))
        for name in missing:
            place = rule.header.document.place("detection")
            message = f"placeholder '%{name}%' has no list to fill it"
            found.append(Diagnostic(place, "INS110", message, f"give list '{name}' in the tenant's profile", rule=rule.header.label))
    done[id(rule)] = filled
    return filled


def placeholder_names(rule: Rule) -> Iterator[str]:
    """The lists that the rule's placeholders name."""
    for leaf in leaves(rule.predicate):
        if not isinstance(leaf, Constant) and isinstance(leaf.value, Placeholder):
            yield from (part.name for part in leaf.value.template if isinstance(part, Name))


def _fill(predicate: Predicate, lists: Lists) -> Predicate:
    match predicate:
        case And(operands):
            return And(tuple(_fill(operand, lists) for operand in operands))
        case Or(operands):
            return Or(tuple(_fill(operand, lists) for operand in operands))
        case Not(operand):
            return Not(_fill(operand, lists))
        case Named(name, operand):
            return Named(name, _fill(operand, lists))
        case Match(field, Placeholder() as placeholder):
            return _alternatives(tuple(Match(field, text) for text in _texts(placeholder, lists)))
        case Keyword(Placeholder() as placeholder):
            return _alternatives(tuple(Keyword(anywhere(text)) for text in _texts(placeholder, lists)))
        case _:
            return predicate


def _alternatives(leaves_: tuple[Predicate, ...]) -> Predicate:
    return disjunction(leaves_) if leaves_ else Constant(False)


def _texts(placeholder: Placeholder, lists: Lists) -> tuple[Text, ...]:
    """One pattern for each choice of list entries. Entries are literal: `*` and `?` in them are no wildcards."""
    choices: list[tuple[Part, ...]] = [tuple(lists[part.name]) if isinstance(part, Name) else (part,) for part in placeholder.template]
    return tuple(dict.fromkeys(pattern(parts, placeholder.cased) for parts in product(*choices)))
