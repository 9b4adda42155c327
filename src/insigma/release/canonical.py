"""The canonical form of what a rule means and of what it says, and digests of both: what `insigma.lock` compares.

Two ways to write one rule (keys in another order, other quotes, renamed selections, reordered files) have one form; a rule that
decides otherwise has another. Forms are lists that begin with a word, strings, booleans and null; numbers are their canonical
decimal text. Nothing in them depends on a Python version, a hash seed or an address in memory.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import MISSING, Field, fields, is_dataclass, replace
from enum import Enum
from typing import Any, TypeAlias

from insigma.content.condition import Expression
from insigma.content.model import AnyRule, Correlation, CorrelationType, Filter, Rule
from insigma.content.numbers import canonical_number
from insigma.content.predicate import And, Named, Not, Or, Predicate
from insigma.targets.base import Detection

Canon: TypeAlias = "bool | str | list[Canon] | None"

DECIDING = ("context", "role", "thresholds", "timespan")
"""What of the insurance block decides whether somebody is alerted: with unknown context, at all, from which number on, how soon."""

_LOGSOURCE = ("category", "product", "service")
_ELSEWHERE = ("correlation", "detection", "filter", "insurance", "level", "logsource", "taxonomy")


def digest(form: Canon) -> str:
    """SHA-256 of a canonical form, in hexadecimal."""
    return hashlib.sha256(_text(form).encode("ascii")).hexdigest()


def _text(form: Canon) -> str:
    return json.dumps(form, ensure_ascii=True, separators=(",", ":"))


def canonical(value: Any) -> Canon:
    """The form of plain data, enums and dataclasses. A field that holds its default is left out, so that a new one changes nothing.

    Raises TypeError for anything else: it might have no form that lasts.
    """
    match value:
        case None | bool() | str():
            return value
        case Enum():
            return ["enum", type(value).__name__, value.name]
        case int() | float():
            return ["number", canonical_number(value)]
        case Mapping():
            return ["map", *_sorted([str(key), canonical(entry)] for key, entry in value.items())]
        case list() | tuple():
            return ["list", *(canonical(entry) for entry in value)]
    if is_dataclass(value) and not isinstance(value, type):
        held = ((field.name, getattr(value, field.name)) for field in fields(value) if getattr(value, field.name) != _default(field))
        return [type(value).__name__, *([name, canonical(entry)] for name, entry in held)]
    raise TypeError(f"{type(value).__name__} has no canonical form")


def _default(field: Field[Any]) -> Any:
    return field.default if field.default_factory is MISSING else field.default_factory()


def _sorted(forms: Iterable[Canon]) -> list[Canon]:
    return sorted(forms, key=_text)


def logic_of(rule: AnyRule) -> Canon:
    """What decides whether the rule alerts: what it matches, and the part of its insurance block that says what comes of that."""
    deciding = {key: rule.header.insurance[key] for key in DECIDING if key in rule.header.insurance}
    return ["logic", _matching(rule), canonical(deciding)]


def logic_of_filter(found: Filter, labels: Mapping[str, str]) -> Canon:
    """What a filter takes away, and from which rules; `labels` gives the label of a rule for each way to refer to it."""
    rules = None if found.rules is None else canonical(sorted({labels.get(name, name) for name in found.rules}))
    return ["filter", canonical(found.logsource), rules, meaning(found.predicate)]


def _matching(rule: AnyRule) -> Canon:
    if isinstance(rule, Rule):
        return ["event", rule.header.taxonomy, canonical(rule.logsource), meaning(rule.predicate)]
    keys = [_member(rule, position) for position in range(len(rule.members))]
    condition = rule.condition
    return [
        rule.type.value,
        ["rules", *(keys if rule.type is CorrelationType.TEMPORAL_ORDERED else _sorted(keys))],
        canonical(rule.group_by),
        canonical(rule.timespan_ms),
        ["bounds", *_sorted(canonical(bound) for bound in condition.bounds)],
        canonical(condition.fields),
        canonical(condition.percentile),
        None if condition.expression is None else _expression(condition.expression, dict(zip(rule.rules, keys, strict=True))),
        rule.generate,
    ]


def _member(rule: Correlation, position: int) -> Canon:
    """A member by what it matches, not by what it is called, with the fields that aliases mean in its events."""
    aliases = {alias: by_reference.get(rule.rules[position]) for alias, by_reference in rule.aliases.items()}
    return [digest(_matching(rule.members[position])), canonical(aliases)]


def _expression(expression: Expression, keys: Mapping[str, Canon]) -> Canon:
    if expression.operator == "name":
        return keys[expression.name]
    operands = [_expression(operand, keys) for operand in expression.operands]
    return ["not", *operands] if expression.operator == "not" else _joined(expression.operator, operands)


def meaning(predicate: Predicate) -> Canon:
    """The form of a predicate: names of selections left out, operands of `and` and `or` flattened, each once, in a fixed order."""
    match predicate:
        case Named(_, operand):
            return meaning(operand)
        case And(operands):
            return _joined("and", [meaning(operand) for operand in operands])
        case Or(operands):
            return _joined("or", [meaning(operand) for operand in operands])
        case Not(operand):
            return ["not", meaning(operand)]
        case _:
            return canonical(predicate)


def _joined(operator: str, operands: Iterable[Canon]) -> Canon:
    parts: dict[str, Canon] = {}
    for operand in operands:
        inner = operand[1:] if isinstance(operand, list) and operand[0] == operator else [operand]
        parts.update((_text(part), part) for part in inner)
    return next(iter(parts.values())) if len(parts) == 1 else [operator, *(parts[key] for key in sorted(parts))]


def metadata_of(data: Mapping[str, Any]) -> Canon:
    """All that a rule's document says beside its logic and its level, as data: comments and the order of keys are none."""
    told = {key: value for key, value in data.items() if key not in _ELSEWHERE}
    insurance, logsource = data.get("insurance"), data.get("logsource")
    if isinstance(insurance, Mapping):
        told["insurance"] = {key: value for key, value in insurance.items() if key not in DECIDING}
    if isinstance(logsource, Mapping):
        told["logsource"] = {key: value for key, value in logsource.items() if key not in _LOGSOURCE}
    return canonical(told)


def query_of(detection: Detection) -> Canon:
    """All of a detection that a SIEM is given (query, language, window, schedule, scope, companions): not its notes for people."""
    return canonical(replace(detection, notes=()))
