"""A rule's logic in plain words, for people who read no YAML.

Input: a rule as read (lists not filled in). Output: `Line`s, each with the lines beneath it. What the words say is what
docs/semantics.md says: no case, wildcards, absence.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from insigma.content.durations import duration_text
from insigma.content.model import AnyRule, Bound, Correlation, CorrelationType, CountOperator, Rule
from insigma.content.numbers import canonical_number
from insigma.content.predicate import (
    Affix,
    And,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Constant,
    Exists,
    FieldRef,
    IsNull,
    Keyword,
    Match,
    Name,
    Named,
    Not,
    Number,
    Or,
    Placeholder,
    Predicate,
    Regex,
    Text,
    TimePart,
    Value,
    Wildcard,
    affix_shape,
    spelt,
)


@dataclass(frozen=True, slots=True)
class Line:
    """One statement, and those that belong under it."""

    text: str
    inner: tuple[Line, ...] = ()


_AFFIXES = {Affix.EQUALS: "is", Affix.STARTSWITH: "begins with", Affix.ENDSWITH: "ends with", Affix.CONTAINS: "contains"}
_COMPARED = {Comparison.LT: "less than", Comparison.LTE: "at most", Comparison.GT: "more than", Comparison.GTE: "at least"}
_COUNTED = {
    CountOperator.LT: "less than",
    CountOperator.LTE: "at most",
    CountOperator.GT: "more than",
    CountOperator.GTE: "at least",
    CountOperator.EQ: "exactly",
    CountOperator.NEQ: "other than",
}


def in_words(rule: AnyRule) -> tuple[Line, ...]:
    """What must hold for the rule to match (an event rule) or to alert (a correlation)."""
    return _correlation(rule) if isinstance(rule, Correlation) else _event_rule(rule)


def _event_rule(rule: Rule) -> tuple[Line, ...]:
    wanted = [part for part in _conjuncts(rule.predicate) if not isinstance(part, Not)]
    unwanted = [part.operand for part in _conjuncts(rule.predicate) if isinstance(part, Not)]
    lines = [Line(f"An event of the log source {rule.logsource}, in which", tuple(_line(part) for part in wanted))] if wanted else []
    if unwanted:
        parts = [part for operand in unwanted for part in _disjuncts(operand)]
        opening = "but not if" if wanted else f"An event of the log source {rule.logsource}, but not if"
        opening += " one of these holds" if len(parts) > 1 else ""
        lines.append(Line(opening, tuple(_line(part) for part in parts)))
    return tuple(lines)


def _conjuncts(predicate: Predicate) -> Iterator[Predicate]:
    """The operands of nested `And`s, whatever selection they stand in."""
    match predicate:
        case And(operands):
            for operand in operands:
                yield from _conjuncts(operand)
        case Named(_, operand):
            yield from _conjuncts(operand)
        case _:
            yield predicate


def _disjuncts(predicate: Predicate) -> Iterator[Predicate]:
    match predicate:
        case Or(operands) if _alternatives(operands) is None:
            for operand in operands:
                yield from _disjuncts(operand)
        case Named(_, operand):
            yield from _disjuncts(operand)
        case _:
            yield predicate


def _line(predicate: Predicate) -> Line:
    match predicate:
        case Named(_, operand):
            return _line(operand)
        case And():
            parts = tuple(_line(part) for part in _conjuncts(predicate))
            return parts[0] if len(parts) == 1 else Line(_short(parts, "and") or "all of", () if _short(parts, "and") else parts)
        case Or(operands):
            return _alternatives(operands) or Line("at least one of", tuple(_line(part) for part in _disjuncts(predicate)))
        case Not(operand):
            inner = _line(operand)
            return Line(f"not: {inner.text}", inner.inner)
        case Match(field, value):
            return Line(f"`{field}` {_said(value)}")
        case Keyword(value):
            return Line(f"any value of the event {_said(value)}")
        case Constant(value):
            return Line("always" if value else "never: the list is empty")


def _short(parts: Sequence[Line], joint: str) -> str:
    """Two or three short statements in one line; empty where that would be too much."""
    text = f", {joint} ".join(part.text for part in parts)
    return text if len(parts) < 4 and len(text) < 140 and not any(part.inner for part in parts) else ""


def _alternatives(operands: Sequence[Predicate]) -> Line | None:
    """Several values of one field in one line; None where the operands are of other kinds."""
    values = [(operand.field, *_split(operand.value)) for operand in operands if isinstance(operand, Match)]
    if len(values) < len(operands) or len({(field, verb) for field, verb, _ in values}) != 1:
        return None
    field, verb, _ = values[0]
    shown = [value for _, _, value in values]
    return Line(f"`{field}` {verb} {', '.join(shown[:-1])} or {shown[-1]}")


def _said(value: Value) -> str:
    verb, shown = _split(value)
    return f"{verb} {shown}".rstrip()


def _split(value: Value) -> tuple[str, str]:
    """A value as verb and object: ("is", "`claim-view`")."""
    match value:
        case Text(parts, cased):
            shape = affix_shape(value)
            exactly = " in exactly this case" if cased else ""
            if shape is None:
                return "matches", f"`{spelt(parts)}`{exactly}" if parts != (Wildcard.MANY,) else "anything"
            return _AFFIXES[shape[0]], (f"`{shape[1]}`" if shape[1] else "empty") + exactly
        case Number(number):
            return "is", canonical_number(number)
        case Boolean(truth):
            return "is", str(truth).lower()
        case Compare(operator, number):
            return "is", f"{_COMPARED[operator]} {canonical_number(number)}"
        case Regex(expression, ignore_case):
            return "matches", f"the regular expression `{expression}`" + (" in any case" if ignore_case else "")
        case Cidr(network):
            return "is in", f"the network {network}"
        case FieldRef(field, affix):
            return _AFFIXES[affix], f"the value of `{field}`"
        case IsNull():
            return "is absent", ""
        case Exists(wanted):
            return "is present" if wanted else "is absent", ""
        case TimePart(unit, number):
            return f"has as {unit.value} (UTC)", str(number)
        case Placeholder(template):
            names = [part.name for part in template if isinstance(part, Name)]
            if len(template) == 1:
                return "is", f"on the list *{names[0]}*"
            return "matches", f"`{spelt(template)}`, filled in from a list"


def _correlation(rule: Correlation) -> tuple[Line, ...]:
    by = _and_list([f"`{name}`" for name in rule.group_by])
    within = f"within {duration_text(rule.timespan_ms)}" + (f", for one value of {by}" if by else "")
    members = tuple(Line(f"{member.header.label}: {member.header.title}") for member in rule.members)
    measured = _measure(rule)
    return (Line(f"{measured[0].upper()}{measured[1:]} {within}, among the events of", members),)


def _measure(rule: Correlation) -> str:
    bounds = _and_list([_bound(bound) for bound in rule.condition.bounds])
    fields = _and_list([f"`{name}`" for name in rule.condition.fields])
    match rule.type:
        case CorrelationType.EVENT_COUNT:
            return f"{bounds} events"
        case CorrelationType.VALUE_COUNT:
            return f"{bounds} different values of {fields}"
        case CorrelationType.VALUE_SUM:
            return f"A sum of {fields} of {bounds}"
        case CorrelationType.VALUE_AVG:
            return f"An average of {fields} of {bounds}"
        case CorrelationType.VALUE_MEDIAN:
            return f"A median of {fields} of {bounds}"
        case CorrelationType.VALUE_PERCENTILE:
            return f"A percentile {rule.condition.percentile} of {fields} of {bounds}"
        case CorrelationType.TEMPORAL_ORDERED:
            return "One event each, in this order,"
        case CorrelationType.TEMPORAL:
            return "The extended condition holds" if rule.condition.expression is not None else "One event each, in any order,"


def _bound(bound: Bound) -> str:
    return f"{_COUNTED[bound.operator]} {canonical_number(bound.number)}"


def _and_list(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}" if texts else ""


def markdown(lines: Sequence[Line], depth: int = 0) -> Iterator[str]:
    """The lines as a nested Markdown list."""
    for line in lines:
        yield f"{'  ' * depth}- {line.text}"
        yield from markdown(line.inner, depth + 1)
