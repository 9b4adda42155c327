"""Correlation documents, with their members resolved, into `Correlation`s.

Source: Sigma correlation rules specification 2.1; ranges in conditions and `and`/`or`/`not` over rules follow its text,
where pySigma 1.5.1 rejects the first. What is refused and why: docs/semantics.md, "Correlations".
"""

from __future__ import annotations

import difflib
import math
import re
from collections.abc import Iterator, Mapping
from fractions import Fraction
from itertools import pairwise
from typing import Any

from insigma.content.condition import ConditionError, Expression, parse_condition
from insigma.content.durations import duration_ms
from insigma.content.model import AnyRule, Bound, Correlation, CorrelationCondition, CorrelationType, CountOperator
from insigma.content.rules import read_header
from insigma.content.sigma_bridge import Faults

_TIMESPAN = re.compile(r"([0-9]{1,9})([smhdwMy])", re.ASCII)
_VALUE_TYPES = frozenset(CorrelationType) - {CorrelationType.EVENT_COUNT, CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED}
_TEMPORAL = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})
_EMPTY_IS_ZERO = frozenset({CorrelationType.EVENT_COUNT, CorrelationType.VALUE_COUNT, CorrelationType.VALUE_SUM, CorrelationType.TEMPORAL})
_KEYS = frozenset({"type", "rules", "group-by", "timespan", "condition", "aliases", "generate"})


def referenced(data: Mapping[str, Any]) -> tuple[tuple[str, tuple[str | int, ...]], ...]:
    """The references of a correlation document as written, each with its key; those of an extended condition if there is no list."""
    body = data.get("correlation")
    rules = body.get("rules") if isinstance(body, dict) else None
    if isinstance(rules, str):
        return ((rules, ("correlation", "rules")),)
    if isinstance(rules, list):
        return tuple((rule, ("correlation", "rules", index)) for index, rule in enumerate(rules) if isinstance(rule, str))
    condition = body.get("condition") if isinstance(body, dict) else None
    if isinstance(condition, str):
        try:
            return tuple((name, ("correlation", "condition")) for name in names_in(parse_condition(condition)))
        except ConditionError:
            return ()
    return ()


def names_in(expression: Expression) -> tuple[str, ...]:
    """The rule references of an extended condition, each once, in order."""
    found = dict.fromkeys(name for operand in expression.operands for name in names_in(operand))
    return (expression.name,) if expression.operator == "name" else tuple(found)


def read_correlation(faults: Faults, members: tuple[AnyRule, ...]) -> Correlation | None:
    """The correlation, or None with the faults told. `members` are the resolved references, in order."""
    document = faults.document
    body = document.data.get("correlation")
    if not isinstance(body, dict):
        faults.add(
            "INS101", document.key_place("correlation"), "'correlation' is not a mapping", "it holds type, rules, timespan and condition"
        )
        return None
    before = len(faults.found)
    _unknown_keys(body, faults)
    kind = _type(body, faults)
    rules = tuple(name for name, _ in referenced(document.data))
    if not rules:
        faults.add("INS112", document.place("correlation", "rules"), "the correlation names no rules", "list ids or names of rules")
    if len(set(rules)) < len(rules) and kind is not CorrelationType.TEMPORAL_ORDERED:
        faults.add("INS112", document.place("correlation", "rules"), "the correlation names a rule twice", "name each rule once")
    _only_texts(body.get("rules"), faults)
    timespan = _timespan(body.get("timespan"), faults)
    group_by = _names(body, "group-by", faults)
    aliases = _aliases(body.get("aliases"), rules, faults)
    generate = body.get("generate", False)
    if not isinstance(generate, bool):
        faults.add("INS112", document.place("correlation", "generate"), "'generate' is not true or false")
    condition = _condition(body, kind, rules, faults) if kind is not None else None
    if len(faults.found) > before or kind is None or timespan is None or condition is None:
        return None
    return Correlation(read_header(document), kind, rules, members, group_by, timespan, condition, aliases, generate)


def _only_texts(rules: Any, faults: Faults) -> None:
    for index, rule in enumerate(rules if isinstance(rules, list) else []):
        if not isinstance(rule, str):
            faults.add("INS112", faults.document.place("correlation", "rules", index), f"'{rule}' is no reference", "write an id or name")


def _unknown_keys(body: Mapping[str, Any], faults: Faults) -> None:
    for key in body:
        if key not in _KEYS:
            near = difflib.get_close_matches(str(key), sorted(_KEYS), 1)
            hint = f"did you mean '{near[0]}'?" if near else f"a correlation has {', '.join(sorted(_KEYS))}"
            faults.add("INS112", faults.document.key_place("correlation", key), f"unknown key '{key}'", hint)


def _type(body: Mapping[str, Any], faults: Faults) -> CorrelationType | None:
    written = body.get("type")
    names = [kind.value for kind in CorrelationType]
    if isinstance(written, str) and written in names:
        return CorrelationType(written)
    near = difflib.get_close_matches(str(written), names, 1)
    hint = f"did you mean '{near[0]}'?" if near else f"one of {', '.join(names)}"
    faults.add("INS112", faults.document.place("correlation", "type"), f"'{written}' is no correlation type", hint)
    return None


def _timespan(written: Any, faults: Faults) -> int | None:
    place = faults.document.place("correlation", "timespan")
    match = _TIMESPAN.fullmatch(written) if isinstance(written, str) else None
    if match is None or int(match[1]) == 0:
        faults.add("INS112", place, f"'{written}' is no timespan", "a number and a unit: 30s, 15m, 1h, 7d, 2w")
        return None
    if match[2] in "My":
        unit = "months" if match[2] == "M" else "years"
        faults.add("INS112", place, f"a timespan in {unit} has no fixed length", "write days: 30d; minutes are a small 'm'")
        return None
    return duration_ms(written)


def _names(body: Mapping[str, Any], key: str, faults: Faults) -> tuple[str, ...]:
    written = body.get(key, [])
    names = [written] if isinstance(written, str) else written
    if not isinstance(names, list) or not all(isinstance(name, str) and name for name in names):
        faults.add("INS112", faults.document.place("correlation", key), f"'{key}' is not a field or a list of fields")
        return ()
    if len(set(names)) < len(names):
        faults.add("INS112", faults.document.place("correlation", key), f"'{key}' names a field twice", "keep one")
    return tuple(names)


def _aliases(written: Any, rules: tuple[str, ...], faults: Faults) -> dict[str, dict[str, str]]:
    if written is None:
        return {}
    at = ("correlation", "aliases")
    found: dict[str, dict[str, str]] = {}
    if not isinstance(written, dict):
        faults.add("INS112", faults.document.place(*at), "'aliases' is not a mapping", "alias: {rule: field}")
        return found
    for alias, fields in written.items():
        if not isinstance(fields, dict) or not all(isinstance(name, str) for name in fields.values()):
            faults.add("INS112", faults.document.place(*at, alias), f"alias '{alias}' does not map rules to fields", "alias: {rule: field}")
            continue
        for rule in fields:
            if rule not in rules:
                faults.add(
                    "INS112", faults.document.key_place(*at, alias, rule), f"alias '{alias}' names '{rule}', which is not among the rules"
                )
        for rule in rules:
            if rule not in fields:
                message = f"alias '{alias}' does not say which field of '{rule}' it means"
                faults.add("INS112", faults.document.key_place(*at, alias), message, "an alias names a field of every rule")
        found[alias] = dict(fields)
    return found


def _condition(body: Mapping[str, Any], kind: CorrelationType, rules: tuple[str, ...], faults: Faults) -> CorrelationCondition | None:
    written = body.get("condition")
    place = faults.document.place("correlation", "condition")
    if written is None and kind in _TEMPORAL:
        return CorrelationCondition((Bound(CountOperator.GTE, len(rules)),))
    if isinstance(written, str):
        return _extended(written, kind, rules, faults)
    if not isinstance(written, dict):
        faults.add("INS112", place, f"{kind.value} needs a condition", "such as 'condition: {gte: 10}'")
        return None
    if kind is CorrelationType.TEMPORAL_ORDERED:
        faults.add("INS112", place, "temporal_ordered needs all its rules in order", "leave the condition out")
        return None
    return _counted(written, kind, len(rules), faults)


def _extended(text: str, kind: CorrelationType, rules: tuple[str, ...], faults: Faults) -> CorrelationCondition | None:
    """An expression over rule references; for temporal_ordered only the plain `a and b` in the order of the rules."""
    key = ("correlation", "condition")
    place = faults.document.place(*key)
    if kind not in _TEMPORAL:
        faults.add("INS112", place, f"an expression over rules does not go with {kind.value}", "use temporal")
        return None
    try:
        expression = parse_condition(text)
    except ConditionError as error:
        faults.add("INS104", faults.document.column_in(key, error.offset), error.message, error.hint)
        return None
    before = len(faults.found)
    for node in _leaves(expression):
        at = faults.document.column_in(key, node.offset)
        if node.operator == "select":
            faults.add("INS112", at, f"'of {node.name}' does not go with rules", "write the rules out, joined by 'and' or 'or'")
        elif node.name not in rules:
            faults.add("INS105", at, f"'{node.name}' is not among the rules of the correlation", f"the rules are: {', '.join(rules)}")
    if len(faults.found) > before:
        return None
    names = names_in(expression)
    if kind is CorrelationType.TEMPORAL_ORDERED:
        plain = expression.operator == "and" and names == rules and all(operand.operator == "name" for operand in expression.operands)
        if not plain:
            faults.add("INS112", place, "temporal_ordered needs all its rules in order", "leave the condition out, or use temporal")
            return None
        return CorrelationCondition((Bound(CountOperator.GTE, len(rules)),))
    if holds(expression, frozenset()):
        faults.add("INS114", place, "the condition holds where nothing happened", "absence needs a clock: alert on a heartbeat instead")
        return None
    return CorrelationCondition(expression=expression)


def _leaves(expression: Expression) -> Iterator[Expression]:
    if not expression.operands:
        yield expression
    for operand in expression.operands:
        yield from _leaves(operand)


def holds(expression: Expression, seen: frozenset[str]) -> bool:
    """Whether an extended condition holds when exactly the rules in `seen` have matched."""
    if expression.operator == "name":
        return expression.name in seen
    results = (holds(operand, seen) for operand in expression.operands)
    if expression.operator == "not":
        return not next(results)
    return all(results) if expression.operator == "and" else any(results)


def _counted(written: Mapping[str, Any], kind: CorrelationType, members: int, faults: Faults) -> CorrelationCondition | None:
    before = len(faults.found)
    at = ("correlation", "condition")
    operators = {operator.value for operator in CountOperator}
    for key in written:
        if key not in operators | {"field", "percentile"}:
            hint = f"a condition has {', '.join(sorted(operators))}, field and percentile"
            faults.add("INS112", faults.document.key_place(*at, key), f"unknown key '{key}'", hint)
    bounds = tuple(bound for key in written if key in operators and (bound := _bound(key, written[key], faults)) is not None)
    if not any(key in operators for key in written):
        faults.add("INS112", faults.document.place(*at), "the condition compares with nothing", "add a bound such as 'gte: 10'")
    fields = _counted_fields(written.get("field"), kind, faults)
    percentile = _percentile(written.get("percentile"), kind, faults)
    if len(faults.found) == before:
        _satisfiable(bounds, kind, members, faults)
    return CorrelationCondition(bounds, fields, percentile) if len(faults.found) == before else None


def _bound(key: str, number: Any, faults: Faults) -> Bound | None:
    if isinstance(number, (int, float)) and not isinstance(number, bool):
        return Bound(CountOperator(key), number)
    faults.add("INS112", faults.document.place("correlation", "condition", key), f"'{number}' is not a number", "write a plain number")
    return None


def _counted_fields(written: Any, kind: CorrelationType, faults: Faults) -> tuple[str, ...]:
    place = faults.document.place("correlation", "condition", "field")
    fields = [written] if isinstance(written, str) else written or []
    if not isinstance(fields, list) or not all(isinstance(name, str) and name for name in fields):
        faults.add("INS112", place, "'field' is not a field or a list of fields")
        return ()
    if kind in _VALUE_TYPES and not fields:
        faults.add("INS112", place, f"{kind.value} needs a field", "say which field is counted, summed or averaged")
    if kind not in _VALUE_TYPES and fields:
        faults.add("INS112", place, f"{kind.value} has no field", "use value_count to count distinct values")
    if kind is not CorrelationType.VALUE_COUNT and len(fields) > 1:
        faults.add("INS112", place, f"{kind.value} takes one field")
    return tuple(fields)


def _percentile(written: Any, kind: CorrelationType, faults: Faults) -> int | None:
    place = faults.document.place("correlation", "condition", "percentile")
    if kind is not CorrelationType.VALUE_PERCENTILE:
        if written is not None:
            faults.add("INS112", place, f"{kind.value} has no percentile", "use value_percentile")
        return None
    if isinstance(written, bool) or not isinstance(written, int) or not 0 <= written <= 100:
        faults.add("INS112", place, f"'{written}' is no percentile", "a whole number from 0 to 100")
        return None
    return written


def _satisfiable(bounds: tuple[Bound, ...], kind: CorrelationType, members: int, faults: Faults) -> None:
    place = faults.document.place("correlation", "condition")
    if kind in _EMPTY_IS_ZERO and all(bound.holds(0) for bound in bounds):
        faults.add("INS114", place, "the condition holds for zero events", "absence needs a clock: alert on a heartbeat instead")
    elif kind is CorrelationType.TEMPORAL and not any(all(bound.holds(count) for bound in bounds) for count in range(members + 1)):
        faults.add("INS112", place, f"no number of the {members} rules satisfies the condition", "check the bounds")
    elif not _some_number(bounds, whole=kind in _EMPTY_IS_ZERO - {CorrelationType.VALUE_SUM}):
        faults.add("INS112", place, "no number satisfies the condition", "check the bounds of the range")


def _some_number(bounds: tuple[Bound, ...], *, whole: bool) -> bool:
    """Whether a number (a whole one from 0, for counts) satisfies all bounds: tried beside and between the bounds."""
    numbers = sorted({Fraction(bound.number) for bound in bounds})
    steps = (-1, 0, 1)
    candidates = [number + step for number in numbers for step in steps]
    candidates += [Fraction(rounded(number)) for number in numbers for rounded in (math.floor, math.ceil)]
    candidates += [(left + right) / 2 for left, right in pairwise(numbers)]
    usable = [number for number in candidates if not whole or (number >= 0 and number == int(number))]
    return any(all(bound.holds(number) for bound in bounds) for number in usable)
