"""Numbers of a rule that a customer may tune: thresholds by their names, and the timespan of a correlation."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from insigma.content.durations import duration_ms
from insigma.content.model import AnyRule, Bound, Correlation, Rule
from insigma.content.predicate import And, Compare, Keyword, Match, Named, Not, Number, Or, Predicate
from insigma.content.tenants import Surge, Tenant
from insigma.specialise.simplify import replaced

CORRELATION = "correlation.condition."
DETECTION = "detection."


@dataclass(frozen=True, slots=True)
class Threshold:
    """A number of a rule, with the bounds within which it still sees something. `at` says where it stands."""

    name: str
    default: int | float
    least: int | float
    most: int | float
    at: str
    relaxable: bool


def thresholds_of(rule: AnyRule) -> tuple[Threshold, ...]:
    """The thresholds that the rule declares, as far as they are whole."""
    written = rule.header.insurance.get("thresholds")
    found = []
    for name, entry in written.items() if isinstance(written, Mapping) else ():
        match entry:
            case {
                "default": int() | float() as default,
                "min": int() | float() as least,
                "max": int() | float() as most,
                "at": str() as at,
            }:
                found.append(Threshold(str(name), default, least, most, at, entry.get("surge_relaxable") is True))
    return tuple(found)


def timespan_bounds(rule: AnyRule) -> tuple[int, int] | None:
    """The shortest and longest timespan (ms) that the rule says a customer may set; None where it may not be changed."""
    written = rule.header.insurance.get("timespan")
    if not isinstance(rule, Correlation) or not isinstance(written, Mapping):
        return None
    least, most = duration_ms(written.get("min")), duration_ms(written.get("max"))
    return (least, most) if least is not None and most is not None else None


def surges_at(tenant: Tenant, day: str | None) -> tuple[Surge, ...]:
    """The surges of that day; none without a day."""
    return tuple(surge for surge in tenant.surges if day is not None and surge.first <= day <= surge.last)


def effective(rule: AnyRule, tenant: Tenant, surges: tuple[Surge, ...]) -> dict[str, tuple[int | float, str]]:
    """For each threshold that is not at its default: its number, and the surge that made it so (empty where none did)."""
    found: dict[str, tuple[int | float, str]] = {}
    for threshold in thresholds_of(rule):
        number: int | float = tenant.thresholds.get(threshold.name, threshold.default)
        because = ""
        if threshold.relaxable and not never_relaxed(rule, tenant):
            for surge in surges:
                factor = surge.multipliers.get(threshold.name, 1.0)
                if factor != 1.0 and concerns(surge, rule):
                    number, because = _times(number, factor, threshold), surge.id
        if number != threshold.default:
            found[threshold.name] = (number, because)
    return found


def never_relaxed(rule: AnyRule, tenant: Tenant) -> bool:
    """Whether the profile keeps the rule from surges; its entries may end with `*`."""
    return any(covers(entry, rule.header.label) for entry in tenant.never_relax)


def covers(entry: str, label: str) -> bool:
    """Whether an entry of `never_relax` means the rule: its label, or the beginning of labels and `*`."""
    return label.startswith(entry[:-1]) if entry.endswith("*") else label == entry


def concerns(surge: Surge, rule: AnyRule) -> bool:
    """Whether the surge and the rule have a line of business in common; either may be about any."""
    written = rule.header.insurance.get("lob")
    lobs = {str(lob) for lob in written} if isinstance(written, list) else {"any"}
    return not surge.lobs or "any" in surge.lobs or "any" in lobs or bool(lobs & set(surge.lobs))


def _times(number: int | float, factor: float, threshold: Threshold) -> int | float:
    """The number relaxed, but never beyond the rule's bounds; a whole one stays whole."""
    product = min(max(number * factor, threshold.least), threshold.most)
    return min(math.ceil(product), threshold.most) if isinstance(threshold.default, int) else product


def retuned(rule: AnyRule, numbers: Mapping[str, int | float], timespan_ms: int | None) -> AnyRule:
    """The rule with these thresholds, by name, and this timespan.

    Raises ValueError for a threshold that does not lead to one number of the rule.
    """
    if isinstance(rule, Correlation) and timespan_ms is not None:
        rule = replace(rule, timespan_ms=timespan_ms)
    for threshold in thresholds_of(rule):
        if numbers.get(threshold.name, threshold.default) != threshold.default:
            rule = _set(rule, threshold, numbers[threshold.name])
    return rule


def _set(rule: AnyRule, threshold: Threshold, number: int | float) -> AnyRule:
    if isinstance(rule, Correlation):
        operator = threshold.at.removeprefix(CORRELATION)
        bounds = tuple(Bound(each.operator, number) if each.operator.value == operator else each for each in rule.condition.bounds)
        if bounds == rule.condition.bounds:
            raise ValueError(f"{threshold.name} of {rule.header.label} leads nowhere")
        return replace(rule, condition=replace(rule.condition, bounds=bounds))
    predicate = _in_selections(rule.predicate, threshold, number, rule)
    if predicate == rule.predicate:
        raise ValueError(f"{threshold.name} of {rule.header.label} leads nowhere")
    return replace(rule, predicate=predicate)


def _in_selections(predicate: Predicate, threshold: Threshold, number: int | float, rule: Rule) -> Predicate:
    """The predicate with the number in the selection that the threshold leads to, wherever the condition names it."""
    path = threshold.at.removeprefix(DETECTION)
    selection = max((name for name in _selections(rule) if path.startswith(f"{name}.")), key=len, default="")
    field, *modifiers = path.removeprefix(f"{selection}.").split("|")

    def leaf(node: Match | Keyword) -> Predicate:
        if not isinstance(node, Match) or node.field != field:
            return node
        match node.value:
            case Compare(operator, old) if operator.value in modifiers and old == threshold.default:
                return Match(field, Compare(operator, number))
            case Number(old) if not modifiers and old == threshold.default:
                return Match(field, Number(number))
            case _:
                return node

    return _below(predicate, selection, lambda found: replaced(found, leaf))


def _selections(rule: Rule) -> tuple[str, ...]:
    written = rule.header.document.data.get("detection")
    return tuple(map(str, written)) if isinstance(written, Mapping) else ()


def _below(predicate: Predicate, selection: str, change: Callable[[Predicate], Predicate]) -> Predicate:
    """The predicate with the named selection changed, wherever it stands."""
    match predicate:
        case Named(name, operand):
            return change(predicate) if name == selection else Named(name, _below(operand, selection, change))
        case And(operands):
            return And(tuple(_below(operand, selection, change) for operand in operands))
        case Or(operands):
            return Or(tuple(_below(operand, selection, change) for operand in operands))
        case Not(operand):
            return Not(_below(operand, selection, change))
        case _:
            return predicate
