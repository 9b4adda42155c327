"""Placeholders filled from a tenant's lists."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from math import prod

from insigma.content.lookups import YES, Found, Lookup
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
from insigma.content.tenants import TenantList
from insigma.diagnostics.model import Diagnostic
from insigma.specialise.simplify import replaced

Lists = Mapping[str, Sequence[str]]

MAX_FILLED = 100_000

LIST_COLUMN = "value"
"""The key column of a list that is a table."""


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
        if filled is None:
            place = rule.header.document.place("correlation", "rules")
            message = "a rule that this correlation builds on has a placeholder that is not filled"
            found.append(Diagnostic(place, "INS110", message, "mend that rule or its list first", rule=rule.header.label))
    else:
        unfilled = _unfilled(rule, lists)
        filled = None if unfilled else replace(rule, predicate=_fill(rule.predicate, lists))
        for message, hint in unfilled:
            found.append(Diagnostic(rule.header.document.place("detection"), "INS110", message, hint, rule=rule.header.label))
    done[id(rule)] = filled
    return filled


def _unfilled(rule: Rule, lists: Lists) -> list[tuple[str, str]]:
    """Why the placeholders of the rule cannot be filled, each reason with what to do."""
    missing = sorted({name for name in placeholder_names(rule) if name not in lists})
    if missing:
        return [(f"placeholder '%{name}%' has no list to fill it", f"give list '{name}' in the tenant's profile") for name in missing]
    for template in _templates(rule):
        if prod(len(lists[part.name]) for part in template if isinstance(part, Name)) > MAX_FILLED:
            return [(f"a value with several placeholders stands for more than {MAX_FILLED:,} values", "use shorter lists")]
    return []


def _templates(rule: Rule) -> Iterator[tuple[Part | Name, ...]]:
    for leaf in leaves(rule.predicate):
        if not isinstance(leaf, Constant) and isinstance(leaf.value, Placeholder):
            yield leaf.value.template


def placeholder_names(rule: Rule) -> Iterator[str]:
    """The lists that the rule's placeholders name."""
    for template in _templates(rule):
        yield from (part.name for part in template if isinstance(part, Name))


def filled_predicate(
    predicate: Predicate, lists: Mapping[str, TenantList], joinable: Callable[[Match], bool]
) -> tuple[Predicate, tuple[Lookup, ...]]:
    """The predicate with a customer's lists, and those that its queries look up: a list by lookup, wherever a table can be asked.

    A list that is not given, or only by lookup where no table can be asked, stays a placeholder: `Facts.list_needs` tells of it.
    """
    lookups: dict[str, Lookup] = {}
    inline = {name: entry.values for name, entry in lists.items() if entry.values is not None}

    def leaf(node: Match | Keyword) -> Predicate:
        if not isinstance(node.value, Placeholder):
            return node
        names = [part.name for part in node.value.template if isinstance(part, Name)]
        if isinstance(node, Match) and joinable(node) and (entry := lists.get(names[0])) is not None and entry.lookup:
            lookup = list_lookup(entry, node.field)
            lookups[lookup.field] = lookup
            return Match(lookup.field, Text((YES,)))
        return _fill(node, inline) if all(name in inline for name in names) else node

    return replaced(predicate, leaf), tuple(lookups.values())


def list_lookup(entry: TenantList, field: str) -> Lookup:
    """A list as a table of one column: whether it holds the field's value."""
    return Lookup(f"insigma.list.{entry.name}.{field}", entry.name, ((LIST_COLUMN, field),), Found(), entry.values, entry.refresh)


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
