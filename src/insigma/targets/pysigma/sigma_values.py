"""Predicate values as pySigma's, for its processing pipelines, and back.

A value that a pipeline leaves alone comes back as the object that went in, so that what we have read of the rule is kept;
only what a pipeline made itself is read anew.
"""

from __future__ import annotations

from sigma.types import (
    CompareOperators,
    SigmaBool,
    SigmaCasedString,
    SigmaCIDRExpression,
    SigmaCompareExpression,
    SigmaExists,
    SigmaExpansion,
    SigmaFieldReference,
    SigmaNull,
    SigmaNumber,
    SigmaRegularExpression,
    SigmaRegularExpressionFlag,
    SigmaString,
    SigmaTimestampPart,
    SigmaType,
    SpecialChars,
    TimestampPart,
)

from insigma.bind.model import Refused
from insigma.content.predicate import (
    Affix,
    Boolean,
    Cidr,
    Compare,
    Comparison,
    Exists,
    FieldRef,
    IsNull,
    Number,
    Placeholder,
    Regex,
    Text,
    TimePart,
    TimeUnit,
    Value,
    Wildcard,
)
from insigma.content.values import ValueFault, alternatives, regex_value

_SPECIAL = {Wildcard.MANY: SpecialChars.WILDCARD_MULTI, Wildcard.ONE: SpecialChars.WILDCARD_SINGLE}
_FLAGS = {
    "i": SigmaRegularExpressionFlag.IGNORECASE,
    "m": SigmaRegularExpressionFlag.MULTILINE,
    "s": SigmaRegularExpressionFlag.DOTALL,
}
_PLAIN = (SigmaString, SigmaNumber, SigmaBool, SigmaNull, SigmaExists, SigmaCIDRExpression, SigmaCompareExpression, SigmaFieldReference)
_WHERE = ("detection",)


def sigma_value(value: Value) -> SigmaType:
    """The value as pySigma has it. Raises `Refused` for a placeholder, and pySigma's own errors for an expression it cannot compile."""
    match value:
        case Text():
            return _string(value)
        case Number(number):
            return SigmaNumber(number)
        case Boolean(truth):
            return SigmaBool(truth)
        case Compare(operator, number):
            return SigmaCompareExpression(SigmaNumber(number), CompareOperators[operator.name])
        case Regex():
            flags = {"i": value.ignore_case, "m": value.multiline, "s": value.dotall}
            return SigmaRegularExpression(value.pattern, {_FLAGS[letter] for letter, wanted in flags.items() if wanted})
        case Cidr(network):
            return SigmaCIDRExpression(network)
        case FieldRef(field, affix):
            both = affix is Affix.CONTAINS
            return SigmaFieldReference(field, both or affix is Affix.STARTSWITH, both or affix is Affix.ENDSWITH)
        case IsNull():
            return SigmaNull()
        case Exists(wanted):
            return SigmaExists(wanted)
        case TimePart(unit, number):
            return SigmaTimestampPart(TimestampPart[unit.name], number)
        case Placeholder():
            raise Refused("a placeholder whose list is not filled in cannot go through a pipeline", _WHERE)


def _string(text: Text) -> SigmaString:
    string = SigmaCasedString("") if text.cased else SigmaString("")
    string.s = [_SPECIAL[part] if isinstance(part, Wildcard) else part for part in text.parts]
    return string


def predicate_values(value: SigmaType, original: Value | None) -> tuple[Value, ...]:
    """What a value that a pipeline made means; several are alternatives. `original` is what stood in its place, if that is known.

    Raises `Refused` for a value that has no meaning outside of the product that the pipeline is for.
    """
    match value:
        case SigmaExpansion(values):
            return tuple(dict.fromkeys(meant for inner in values for meant in predicate_values(inner, original)))
        case SigmaTimestampPart():
            return (TimePart(TimeUnit[value.timestamp_part.name], int(value.number)),)
        case SigmaRegularExpression():
            return (_regex(value),)
        case SigmaCompareExpression() if value.op.name not in Comparison.__members__:
            raise Refused(f"a pipeline compares by '{value.op.name.lower()}', which has no meaning here", _WHERE)
        case _ if isinstance(value, _PLAIN):
            return alternatives(value, None, ("cased",) if isinstance(original, FieldRef) and original.cased else ())
        case _:
            raise Refused(f"a pipeline makes a value that has no meaning here: {type(value).__name__}", _WHERE)


def _regex(value: SigmaRegularExpression) -> Regex:
    letters = tuple(letter for letter, flag in _FLAGS.items() if flag in value.flags)
    try:
        return regex_value(str(value.regexp), letters)
    except ValueFault as fault:
        raise Refused(f"a pipeline makes a regular expression that cannot be used: {fault.message}", _WHERE) from fault
