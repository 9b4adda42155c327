"""Why a predicate does or does not hold for an event, in the rule's own words."""

from __future__ import annotations

from collections.abc import Iterator

from insigma.content.numbers import canonical_number
from insigma.content.predicate import (
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
    spelt,
)
from insigma.evaluate.closures import compile_predicate
from insigma.evaluate.events import Flat, Preparer, text_of, values_of
from insigma.evaluate.leaves import Needs

_SIGNS = {Comparison.LT: "<", Comparison.LTE: "<=", Comparison.GT: ">", Comparison.GTE: ">="}


def truth(predicate: Predicate, flat: Flat) -> bool:
    """Whether the predicate holds for the flat event."""
    needs: Needs = []
    test = compile_predicate(predicate, needs)
    return test(Preparer(needs).view(flat))


def reasons(predicate: Predicate, flat: Flat) -> tuple[str, ...]:
    """What makes the predicate true or false for the event: the parts that decide, each with the field's value."""
    return tuple(dict.fromkeys(_reasons(predicate, flat, truth(predicate, flat), "")))


def _reasons(predicate: Predicate, flat: Flat, holds: bool, where: str) -> Iterator[str]:
    match predicate:
        case Named(name, operand):
            yield from _reasons(operand, flat, holds, f"{name}: ")
        case Not(operand):
            yield from _reasons(operand, flat, not holds, where)
        case And(operands) | Or(operands):
            decisive = [operand for operand in operands if truth(operand, flat) == holds]
            one_is_enough = holds is isinstance(predicate, Or)
            same_field = _same_field(predicate)
            if not one_is_enough and same_field is not None and len(operands) > 1:
                yield f"{where}{_stands(same_field, flat)}, {'and' if holds else 'not'} {_alternatives(operands)}"
                return
            for operand in decisive[:1] if one_is_enough else decisive:
                yield from _reasons(operand, flat, holds, where)
        case Match(field, value):
            other = f"; {_stands(value.field, flat)}" if isinstance(value, FieldRef) else ""
            yield f"{where}{_stands(field, flat)}, {'as' if holds else 'not'} {describe(value)}{other}"
        case Keyword(value):
            yield f"{where}{'a' if holds else 'no'} value is {describe(value)}"
        case Constant():
            yield f"{where}the list is empty"


def _same_field(predicate: And | Or) -> str | None:
    fields = {operand.field if isinstance(operand, Match) else None for operand in predicate.operands}
    return next(iter(fields)) if len(fields) == 1 else None


def _alternatives(operands: tuple[Predicate, ...]) -> str:
    shown = [describe(operand.value) for operand in operands if isinstance(operand, Match)]
    return ", ".join(shown[:8]) + (f" or {len(shown) - 8} more" if len(shown) > 8 else "")


def _stands(field: str, flat: Flat) -> str:
    values = values_of(flat, field)
    if not values:
        return f"{field} is absent"
    return f"{field} is {', '.join(repr(text_of(value)) for value in values)}"


def describe(value: Value) -> str:
    """A value of a rule in words."""
    match value:
        case Text(parts, cased):
            return f"'{spelt(parts)}'" + (" in this case" if cased else "")
        case Number(number):
            return canonical_number(number)
        case Boolean(truth_value):
            return str(truth_value).lower()
        case Compare(operator, number):
            return f"{_SIGNS[operator]} {canonical_number(number)}"
        case Regex(expression, ignore_case, multiline, dotall):
            flags = (("i", ignore_case), ("m", multiline), ("s", dotall))
            return f"/{expression}/" + "".join(flag for flag, wanted in flags if wanted)
        case Cidr(network):
            return f"in {network}"
        case FieldRef(field, affix):
            return f"{affix.value} {field}"
        case IsNull():
            return "absent"
        case Exists(wanted):
            return "present" if wanted else "absent"
        case TimePart(unit, number):
            return f"{unit.value} {number}"
        case Placeholder(template):
            return spelt(template)
