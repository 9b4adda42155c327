"""eval expressions on a row, as functions compiled once.

Logic has three values: AND is FALSE if one side is, OR is TRUE if one side is, NOT of null is null; where keeps only what is
TRUE, and if() takes its last argument unless its first is TRUE (SR where, "Description"; SR "Comparison and Conditional
functions", if). That AND and OR of null and the other value are null follows from it and cannot be told apart by where.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import TypeAlias

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl.expressions import COMPARISONS, Call, Field, Literal, Logic, Node, Operation
from insigma_prove.workers.spl.functions import FUNCTIONS, Runtime, apply
from insigma_prove.workers.spl.kinds import checked, fields_of
from insigma_prove.workers.spl.values import Fields, FieldText, Value, compare, finite, multivalue, number, singles, text

Evaluator: TypeAlias = Callable[[Fields], Value]


def compiled(node: Node, runtime: Runtime) -> Evaluator:
    """The expression as a function of a row's fields. Raises `QueryFault` for what SPL would refuse before it runs."""
    checked(node)
    return _compiled(node, runtime)


def condition(node: Node, runtime: Runtime) -> Callable[[Fields], bool]:
    """Whether the expression is TRUE. Raises `QueryFault` for one that is no condition (SR where: "must be Boolean")."""
    if checked(node) not in ("boolean", "any"):
        raise QueryFault("type", "the expression is no condition")
    evaluate = _compiled(node, runtime)

    def holds(fields: Fields) -> bool:
        return _truth(evaluate(fields)) is True

    return holds


def _truth(value: Value) -> bool | None:
    if value is None or isinstance(value, bool):
        return value
    raise QueryFault("type", "a condition is neither true nor false")


def _compiled(node: Node, runtime: Runtime) -> Evaluator:
    match node:
        case Literal(value):
            return lambda _: value
        case Field(name):
            return lambda fields: fields.get(name)
        case Logic("NOT", (operand,)):
            inner = _compiled(operand, runtime)
            return lambda fields: None if (value := _truth(inner(fields))) is None else not value
        case Logic(sign, operands):
            return _logic(sign, [_compiled(operand, runtime) for operand in operands])
        case Operation(sign, left, right):
            return _operation(sign, _compiled(left, runtime), _compiled(right, runtime), runtime)
        case Call(name, arguments):
            return _call(name, arguments, runtime)


def _logic(sign: str, operands: Sequence[Evaluator]) -> Evaluator:
    if sign == "XOR":
        return lambda fields: _exclusive([_truth(operand(fields)) for operand in operands])
    decisive = sign == "OR"

    def decided(fields: Fields) -> Value:
        known = True
        for operand in operands:
            truth = _truth(operand(fields))
            if truth is decisive:
                return decisive
            known = known and truth is not None
        return not decisive if known else None

    return decided


def _exclusive(truths: Sequence[bool | None]) -> bool | None:
    return None if any(truth is None for truth in truths) else sum(truth is True for truth in truths) % 2 == 1


def _operation(sign: str, left: Evaluator, right: Evaluator, runtime: Runtime) -> Evaluator:
    if sign in COMPARISONS:
        return lambda fields: compare(sign, left(fields), right(fields))
    if sign == "LIKE":
        return lambda fields: apply("like", FUNCTIONS["like"], runtime, (left(fields), right(fields)))
    operate = _joined if sign == "." else lambda first, second: _arithmetic(sign, first, second)
    return lambda fields: operate(left(fields), right(fields))


def _joined(left: Value, right: Value) -> Value:
    """`.` reads both sides as text; null with anything is null (SR eval, "Operators"; measured)."""
    if left is None or right is None:
        return None
    if isinstance(left, tuple) or isinstance(right, tuple):
        raise QueryFault("unsupported", "what the operator '.' does with a multivalue field is not documented")
    return text(left) + text(right)


def _arithmetic(sign: str, left: Value, right: Value) -> Value:
    """Arithmetic in doubles; null for text that is no number and for a division by zero (SR eval, "Numeric calculations").

    `+` joins where a side is text, not a field's value (measured: 1 in a field plus "2" is "12").
    """
    if isinstance(left, tuple) or isinstance(right, tuple):
        raise QueryFault("unsupported", f"what the operator '{sign}' does with a multivalue field is not documented")
    if left is None or right is None:
        return None
    if sign == "+" and any(isinstance(value, str) and not isinstance(value, FieldText) for value in (left, right)):
        return _joined(left, right)
    first, second = number(left), number(right)
    if first is None or second is None or (sign in "/%" and not second):
        return None
    match sign:
        case "+":
            return finite(first + second)
        case "-":
            return finite(first - second)
        case "*":
            return finite(first * second)
        case "/":
            return finite(first / second)
    return math.fmod(first, second)


def _call(name: str, arguments: tuple[Node, ...], runtime: Runtime) -> Evaluator:
    match name:
        case "mvmap":
            return _mvmap(arguments, runtime)
        case "mvfilter":
            return _mvfilter(arguments, runtime)
    given = [_compiled(argument, runtime) for argument in arguments]
    if name in ("match", "mvfind", "replace") and isinstance(arguments[1], Literal):
        runtime.regexes.check(text(arguments[1].value))
    match name:
        case "if":
            test, then, otherwise = given
            return lambda fields: then(fields) if _truth(test(fields)) is True else otherwise(fields)
        case "case":
            return lambda fields: _case(given, fields)
        case "validate":
            return lambda fields: _validate(given, fields)
        case "coalesce":
            return lambda fields: next((value for one in given if (value := one(fields)) is not None), None)
        case "nullif":
            first, second = given
            return lambda fields: None if compare("=", first(fields), second(fields)) is True else first(fields)
    function = FUNCTIONS[name]
    return lambda fields: apply(name, function, runtime, [one(fields) for one in given])


def _case(given: Sequence[Evaluator], fields: Fields) -> Value:
    """SR "Comparison and Conditional functions", case: the value behind the first condition that is TRUE, else null."""
    for test, value in zip(given[::2], given[1::2], strict=True):
        if _truth(test(fields)) is True:
            return value(fields)
    return None


def _validate(given: Sequence[Evaluator], fields: Fields) -> Value:
    """SR "Comparison and Conditional functions", validate: the value behind the first condition that is FALSE, else null."""
    for test, value in zip(given[::2], given[1::2], strict=True):
        if _truth(test(fields)) is False:
            return value(fields)
    return None


def _mvmap(arguments: tuple[Node, ...], runtime: Runtime) -> Evaluator:
    """SR "Multivalue eval functions", mvmap: the expression for each value of the field, which it names."""
    field, inner = arguments[0], _compiled(arguments[1], runtime)
    if not isinstance(field, Field):
        raise QueryFault("unsupported", "mvmap() over anything but a field is not run here")
    name = field.name

    def mapped(fields: Fields) -> Value:
        found: list[str | float] = []
        for value in singles(fields.get(name)):
            result = inner({**fields, name: value})
            if isinstance(result, bool):
                raise QueryFault("type", "mvmap() gives booleans, which a field cannot hold")
            found += [one for one in singles(result) if not isinstance(one, bool)]
        return multivalue(found)

    return mapped


def _mvfilter(arguments: tuple[Node, ...], runtime: Runtime) -> Evaluator:
    """SR "Multivalue eval functions", mvfilter: the values for which the condition on one field is TRUE, or null."""
    names = fields_of(arguments[0])
    if len(names) != 1:
        raise QueryFault("type", "the arguments of mvfilter() are invalid: it takes a condition on one field")
    (name,) = names
    test = _compiled(arguments[0], runtime)

    def kept(fields: Fields) -> Value:
        values = singles(fields.get(name))
        return multivalue(value for value in values if not isinstance(value, bool) and _truth(test({**fields, name: value})) is not False)

    return kept
