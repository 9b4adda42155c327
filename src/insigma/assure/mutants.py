"""What can go wrong in a rule, one thing at a time.

Input: an event rule or a correlation as written. Output: its mutants, each a whole rule that differs in one place, with the
place and the difference in words. A *dropped* mutant lacks a part (a selection, a condition on a field, a filter, a value of a
list, a base rule, a group-by field); a *subtle* one has it slightly otherwise (modifier, number by one, timespan by a
second, negation, `and` for `or`). What the reader would refuse, or what is the same rule in other words, is no mutant.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from insigma.assure.condition_changes import ConditionChange, condition_changes, selections_named
from insigma.content.condition import parse_condition
from insigma.content.durations import duration_text
from insigma.content.model import AnyRule, Bound, Correlation, CorrelationType, CountOperator, Rule
from insigma.content.predicate import And, Named, Predicate
from insigma.content.sigma_bridge import Faults, read_detection
from insigma.content.yaml_reader import Key
from insigma.diagnostics.model import Place

_SWAPPED = {
    "contains": "startswith",
    "startswith": "contains",
    "endswith": "contains",
    "gt": "gte",
    "gte": "gt",
    "lt": "lte",
    "lte": "lt",
}
_KEPT = frozenset({"expand"})
"""Modifiers that nobody drops by a slip: the value would be the name of the list."""

_COMPARISONS = frozenset({"gt", "gte", "lt", "lte"})
_SECOND = 1000
_UNMEASURED = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
"""Types whose number, the count of their rules, nobody writes."""

_TWIN_OPERATORS = {
    CountOperator.GT: CountOperator.GTE,
    CountOperator.GTE: CountOperator.GT,
    CountOperator.LT: CountOperator.LTE,
    CountOperator.LTE: CountOperator.LT,
}


class Severity(Enum):
    """How rough the change is."""

    DROPPED = "dropped"
    SUBTLE = "subtle"


@dataclass(frozen=True, slots=True)
class Mutant:
    """A rule with one thing changed; `what` says which, and names the mutant within its rule."""

    rule: AnyRule
    severity: Severity
    place: Place
    what: str


@dataclass(frozen=True, slots=True)
class _Change:
    """A detection with one thing changed, and where it stood before."""

    severity: Severity
    at: Key
    what: str
    detection: dict[str, Any]


def mutants_of(rule: AnyRule) -> Iterator[Mutant]:
    """Every mutant of the rule; of several that mean the same, the first."""
    seen: list[object] = [_meaning(rule)]
    for mutant in _of_correlation(rule) if isinstance(rule, Correlation) else _of_event_rule(rule):
        meaning = _meaning(mutant.rule)
        if meaning not in seen:
            seen.append(meaning)
            yield mutant


def _meaning(rule: AnyRule) -> object:
    return rule if isinstance(rule, Correlation) else _unnamed(rule.predicate)


def _unnamed(predicate: Predicate) -> object:
    """The predicate without the names of its selections, and an `And` of one kind in another flattened."""
    if isinstance(predicate, Named):
        return _unnamed(predicate.operand)
    operands = getattr(predicate, "operands", None)
    if operands is None:
        operand = getattr(predicate, "operand", None)
        return predicate if operand is None else (type(predicate), _unnamed(operand))
    return (type(predicate), frozenset(_unnamed(operand) for operand in operands))


def _of_event_rule(rule: Rule) -> Iterator[Mutant]:
    document = rule.header.document
    for number, label in enumerate(rule.filtered_by):
        yield Mutant(
            replace(rule, predicate=_without_filter(rule, number)), Severity.DROPPED, document.place("detection"), f"no filter {label}"
        )
    for change in _detection_changes(document.data["detection"]):
        predicate = read_detection(change.detection, ("detection",), Faults(document, rule.header.label))
        if predicate is not None:
            place = document.place(*change.at)
            yield Mutant(replace(rule, predicate=_filtered(rule, predicate)), change.severity, place, change.what)


def _filters(rule: Rule) -> tuple[list[Predicate], Predicate]:
    """What Sigma filters added to the rule, outermost last, and the rule's own predicate."""
    added: list[Predicate] = []
    predicate = rule.predicate
    for _ in rule.filtered_by:
        assert isinstance(predicate, And)
        predicate, outer = predicate.operands
        added.insert(0, outer)
    return added, predicate


def _filtered(rule: Rule, predicate: Predicate) -> Predicate:
    for outer in _filters(rule)[0]:
        predicate = And((predicate, outer))
    return predicate


def _without_filter(rule: Rule, number: int) -> Predicate:
    added, predicate = _filters(rule)
    for outer in (*added[:number], *added[number + 1 :]):
        predicate = And((predicate, outer))
    return predicate


def _detection_changes(detection: dict[str, Any]) -> Iterator[_Change]:
    selections = {name: definition for name, definition in detection.items() if name != "condition"}
    written = detection["condition"]
    for index, text in enumerate(written if isinstance(written, list) else [written]):
        at: Key = ("condition", index) if isinstance(written, list) else ("condition",)
        expression = parse_condition(text)
        yield from (_of_condition(change, at, detection) for change in condition_changes(expression, tuple(selections)))
        for name in selections_named(expression, tuple(selections)):
            yield _Change(Severity.DROPPED, ("detection", name), f"no {name}", _without(detection, (name,)))
    for name, definition in selections.items():
        yield from _of_definition(definition, (name,), detection)


def _of_condition(change: ConditionChange, at: Key, detection: dict[str, Any]) -> _Change:
    severity = Severity.DROPPED if change.dropped else Severity.SUBTLE
    return _Change(severity, ("detection", *at), change.what, _with(detection, at, change.text))


def _of_definition(definition: Any, at: Key, detection: dict[str, Any]) -> Iterator[_Change]:
    """Changes within a selection: entries of its list, its conditions on fields, their values and modifiers."""
    if isinstance(definition, list):
        for index, entry in enumerate(definition):
            if len(definition) > 1:
                yield _Change(
                    Severity.DROPPED, ("detection", *at, index), f"{_shown(at)} without {_brief(entry)}", _without(detection, (*at, index))
                )
            yield from _of_definition(entry, (*at, index), detection)
    elif isinstance(definition, dict):
        for key, value in definition.items():
            if len(definition) > 1:
                yield _Change(Severity.DROPPED, ("detection", *at, key), f"{_shown(at)} without {key}", _without(detection, (*at, key)))
            yield from _of_item(key, value, at, detection)


def _of_item(key: str, value: Any, at: Key, detection: dict[str, Any]) -> Iterator[_Change]:
    here = (*at, key)
    if isinstance(value, list) and len(value) > 1:
        for index, one in enumerate(value):
            what = f"{_shown(here)} without {one}"
            yield _Change(Severity.DROPPED, ("detection", *here, index), what, _without(detection, (*here, index)))
    field, *modifiers = key.split("|")
    for changed in _other_modifiers(modifiers):
        new = "|".join((field, *changed))
        yield _Change(Severity.SUBTLE, ("detection", *here), f"{_shown(here)} becomes {new}", _renamed(detection, here, new))
    if isinstance(value, bool):
        yield _Change(Severity.SUBTLE, ("detection", *here), f"{_shown(here)} is {not value}", _with(detection, here, not value))
    elif isinstance(value, (int, float)) and _COMPARISONS & set(modifiers):
        for other in (value - 1, value + 1):
            yield _Change(Severity.SUBTLE, ("detection", *here), f"{_shown(here)} is {other}", _with(detection, here, other))


def _other_modifiers(modifiers: Sequence[str]) -> Iterator[list[str]]:
    for index, modifier in enumerate(modifiers):
        if modifier not in _KEPT:
            yield [*modifiers[:index], *modifiers[index + 1 :]]
        if modifier in _SWAPPED:
            yield [*modifiers[:index], _SWAPPED[modifier], *modifiers[index + 1 :]]


def _of_correlation(rule: Correlation) -> Iterator[Mutant]:
    def mutant(severity: Severity, at: Key, what: str, changed: Correlation) -> Mutant:
        return Mutant(changed, severity, rule.header.document.place("correlation", *at), what)

    for index, name in enumerate(rule.rules if len(rule.rules) > 1 else ()):
        yield mutant(Severity.DROPPED, ("rules", index), f"no {name}", _without_member(rule, index))
    for index, name in enumerate(rule.group_by):
        changed = replace(rule, group_by=(*rule.group_by[:index], *rule.group_by[index + 1 :]))
        yield mutant(Severity.DROPPED, ("group-by", index), f"not by {name}", changed)
    for change in (-_SECOND, _SECOND):
        other = rule.timespan_ms + change
        yield mutant(Severity.SUBTLE, ("timespan",), f"timespan {duration_text(other)}", replace(rule, timespan_ms=other))
    for index, bound in enumerate(() if rule.type in _UNMEASURED else rule.condition.bounds):
        for changed_bound in _other_bounds(bound):
            bounds = (*rule.condition.bounds[:index], changed_bound, *rule.condition.bounds[index + 1 :])
            what = f"{changed_bound.operator.value} {changed_bound.number}"
            yield mutant(Severity.SUBTLE, ("condition",), what, replace(rule, condition=replace(rule.condition, bounds=bounds)))
    for what, at, changed in _other_types(rule):
        yield mutant(Severity.SUBTLE, at, what, changed)


def _without_member(rule: Correlation, index: int) -> Correlation:
    return replace(rule, rules=(*rule.rules[:index], *rule.rules[index + 1 :]), members=(*rule.members[:index], *rule.members[index + 1 :]))


def _other_bounds(bound: Bound) -> Iterator[Bound]:
    yield replace(bound, number=bound.number - 1)
    yield replace(bound, number=bound.number + 1)
    if bound.operator in _TWIN_OPERATORS:
        yield replace(bound, operator=_TWIN_OPERATORS[bound.operator])


def _other_types(rule: Correlation) -> Iterator[tuple[str, Key, Correlation]]:
    match rule.type:
        case CorrelationType.TEMPORAL_ORDERED:
            yield "in any order", ("type",), replace(rule, type=CorrelationType.TEMPORAL)
        case CorrelationType.TEMPORAL if rule.condition.expression is None:
            yield "in this order", ("type",), replace(rule, type=CorrelationType.TEMPORAL_ORDERED)
        case CorrelationType.VALUE_COUNT | CorrelationType.VALUE_SUM:
            counted = replace(rule, type=CorrelationType.EVENT_COUNT, condition=replace(rule.condition, fields=()))
            yield "counting events", ("type",), counted
        case CorrelationType.VALUE_AVG | CorrelationType.VALUE_MEDIAN:
            yield "a sum", ("type",), replace(rule, type=CorrelationType.VALUE_SUM)
        case _:
            pass


def _with(tree: Any, at: Key, value: Any) -> Any:
    """A copy of the tree with another value at a path; what is not on the path is shared."""
    if not at:
        return value
    step, rest = at[0], at[1:]
    if isinstance(tree, list):
        return [_with(one, rest, value) if index == step else one for index, one in enumerate(tree)]
    return {key: _with(one, rest, value) if key == step else one for key, one in tree.items()}


def _without(tree: Any, at: Key) -> Any:
    *way, last = at
    inner = _at(tree, tuple(way))
    if isinstance(inner, list):
        return _with(tree, tuple(way), [one for index, one in enumerate(inner) if index != last])
    return _with(tree, tuple(way), {key: one for key, one in inner.items() if key != last})


def _renamed(tree: Any, at: Key, new: str) -> Any:
    *way, last = at
    inner = _at(tree, tuple(way))
    return _with(tree, tuple(way), {new if key == last else key: one for key, one in inner.items()})


def _at(tree: Any, at: Key) -> Any:
    for step in at:
        tree = tree[step]
    return tree


def _shown(at: Key) -> str:
    return ".".join(str(step) for step in at)


def _brief(entry: Any) -> str:
    return ", ".join(f"{key}: {value}" for key, value in entry.items()) if isinstance(entry, dict) else str(entry)
