"""What a rule means, without where it is written: equal for two rules that say the same."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from insigma.content.condition import Expression
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Correlation, Fixture, Pack, Rule
from insigma.content.predicate import And, Named, Not, Or, Predicate, fields_of
from insigma.specialise.lists import fill_lists, placeholder_names

ALWAYS_READ = ("@timestamp", "organization.id", "insurance.logsource", "event.dataset", "event.id")
"""Fields that every compiled query may read: the time, and what tells an event from its repeat."""


@dataclass(frozen=True, slots=True)
class Ready:
    """The rules of a pack as the default profile has them, by the identity of their documents; the reason for one that is not there."""

    rules: Mapping[int, AnyRule]
    reasons: Mapping[int, str]

    def of(self, rule: AnyRule) -> AnyRule | None:
        """The rule, ready to be compiled and evaluated; None if a list is missing."""
        return self.rules.get(id(rule.header.document))

    def reason(self, rule: AnyRule) -> str:
        """Why it is not."""
        return self.reasons.get(id(rule.header.document), "")


def ready(pack: Pack) -> Ready:
    """The rules with the lists of the default profile filled in."""
    filled = fill_lists(pack.rules, default_lists(pack))
    places = {rule.header.document.path: id(rule.header.document) for rule in pack.rules}
    reasons = {places[found.place.path]: found.message for found in filled.diagnostics if found.place.path in places}
    return Ready({id(rule.header.document): rule for rule in filled.rules}, reasons)


def meaning(rule: AnyRule) -> Any:
    """A value that is the same for rules that say the same: everything but headers, places and the names of selections."""
    if isinstance(rule, Rule):
        return rule.logsource, bare(rule.predicate)
    condition = rule.condition
    return (
        rule.type,
        rule.rules,
        tuple(meaning(member) for member in rule.members),
        rule.group_by,
        rule.timespan_ms,
        (condition.bounds, condition.fields, condition.percentile, _shape(condition.expression)),
        {alias: dict(fields) for alias, fields in rule.aliases.items()},
        rule.generate,
    )


def bare(predicate: Predicate) -> Predicate:
    """The predicate without the names of selections, and without brackets that change nothing."""
    match predicate:
        case Named(_, operand):
            return bare(operand)
        case Not(operand):
            return Not(bare(operand))
        case And(operands) | Or(operands):
            kind = type(predicate)
            inner = [bare(operand) for operand in operands]
            return kind(tuple(part for operand in inner for part in (operand.operands if isinstance(operand, kind) else (operand,))))
        case _:
            return predicate


def _shape(expression: Expression | None) -> Any:
    """An extended condition without its offsets."""
    if expression is None:
        return None
    return expression.operator, expression.name, expression.quantifier, tuple(_shape(operand) for operand in expression.operands)


def event_rules(rule: AnyRule) -> tuple[Rule, ...]:
    """The event rules of it: itself, or those underneath."""
    return (rule,) if isinstance(rule, Rule) else rule.base_rules


def built_on(rule: AnyRule) -> Iterator[AnyRule]:
    """All rules underneath a correlation, nearest first, each once."""
    met: dict[int, AnyRule] = {}
    waiting: list[AnyRule] = list(rule.members) if isinstance(rule, Correlation) else []
    while waiting:
        member = waiting.pop(0)
        if id(member.header.document) not in met:
            met[id(member.header.document)] = member
            waiting += member.members if isinstance(member, Correlation) else ()
            yield member


def lists_of(rule: AnyRule) -> tuple[str, ...]:
    """The lists that the rule, as read, and those underneath ask for."""
    return tuple(dict.fromkeys(name for base in event_rules(rule) for name in placeholder_names(base)))


def fields_read(rule: AnyRule) -> frozenset[str]:
    """Every canonical field that the rule, its query or its alert names."""
    found = {*ALWAYS_READ}
    for base in event_rules(rule):
        found.update(fields_of(base.predicate))
    correlations = [part for part in (rule, *built_on(rule)) if isinstance(part, Correlation)]
    for part in correlations:
        found.update(part.group_by, part.condition.fields, *(fields.values() for fields in part.aliases.values()))
    shown = rule.header.document.data.get("fields")
    found.update(name for name in shown if isinstance(name, str)) if isinstance(shown, list) else None
    return frozenset(found)


def logsources_read(rule: AnyRule, pack: Pack) -> frozenset[str]:
    """The canonical log sources of the rule."""
    found = (pack.taxonomy.find(base.logsource) for base in event_rules(rule))
    return frozenset(source.name for source in found if source is not None)


def names_of(rule: AnyRule) -> frozenset[str]:
    """What people and files may call the rule."""
    header = rule.header
    return frozenset(name for name in (header.id, header.name, header.slug, header.label) if name)


def fixtures_by_rule(pack: Pack) -> Mapping[str, tuple[Fixture, ...]]:
    """The fixtures by the name under which they refer to their rule."""
    found: dict[str, tuple[Fixture, ...]] = {}
    for fixture in pack.fixtures:
        found[fixture.rule] = (*found.get(fixture.rule, ()), fixture)
    return found
