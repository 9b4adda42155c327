"""What can be told of an expression's type before it runs, and what Splunk refuses because of it.

A field's type is only known when a row arrives, so a kind is one of "text", "number", "boolean", "null" and "any". The
refusals were measured, for want of a page in the manual: two operands of different types, arithmetic on text, a comparison
with null(), and a boolean where a value is wanted (SR eval, "Usage", says that of assignments).
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import chain

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl.expressions import COMPARISONS, Call, Field, Literal, Logic, Node, Operation
from insigma_prove.workers.spl.functions import FUNCTIONS

_SPECIAL: Mapping[str, tuple[int, int | None]] = {
    "if": (3, 3),
    "case": (2, None),
    "validate": (2, None),
    "coalesce": (1, None),
    "nullif": (2, 2),
    "mvmap": (2, 2),
    "mvfilter": (1, 1),
}
"""How many arguments the functions take that do not evaluate all of them."""


def checked(node: Node) -> str:
    """The kind of an expression. Raises `QueryFault` for what is refused before it runs."""
    match node:
        case Literal(value):
            return "boolean" if isinstance(value, bool) else "text" if isinstance(value, str) else "number"
        case Field():
            return "any"
        case Logic(sign, operands):
            for operand in operands:
                _condition(operand, f"the operator {sign}")
            return "boolean"
        case Operation(sign, left, right):
            return _operation(sign, checked(left), checked(right))
        case Call(name, arguments):
            return _call(name, arguments)


def fields_of(node: Node) -> frozenset[str]:
    """The names of the fields in an expression."""
    match node:
        case Field(name):
            return frozenset({name})
        case Operation(_, left, right):
            return fields_of(left) | fields_of(right)
        case Logic(_, operands) | Call(_, operands):
            return frozenset(chain.from_iterable(fields_of(operand) for operand in operands))
        case Literal():
            return frozenset()


def _condition(node: Node, what: str) -> None:
    if checked(node) not in ("boolean", "any", "null"):
        raise QueryFault("type", f"{what} wants a condition")


def _operation(sign: str, left: str, right: str) -> str:
    if sign in COMPARISONS or sign == "LIKE":
        if "null" in (left, right) or ("boolean" in (left, right) and left != right and "any" not in (left, right)):
            raise QueryFault("type", f"the operator '{sign}' received different types")
        return "boolean"
    if "boolean" in (left, right) or "null" in (left, right):
        raise QueryFault("type", f"the operator '{sign}' only takes text and numbers")
    if sign == ".":
        return "text"
    if sign == "+":
        if {left, right} == {"text", "number"}:
            raise QueryFault("type", "the operator '+' only takes two strings or two numbers")
        return "text" if left == right == "text" else "any"
    if "text" in (left, right):
        raise QueryFault("type", f"the operator '{sign}' only takes numbers")
    return "number"


def _call(name: str, arguments: tuple[Node, ...]) -> str:
    if name not in FUNCTIONS and name not in _SPECIAL:
        raise QueryFault("unsupported", f"the function {name}() is not run here")
    least, most = _SPECIAL.get(name) or (FUNCTIONS[name].least, FUNCTIONS[name].most)
    odd = name in ("case", "validate") and len(arguments) % 2
    if len(arguments) < least or (most is not None and len(arguments) > most) or odd:
        raise QueryFault("type", f"the arguments of {name}() are invalid")
    kinds = [checked(argument) for argument in arguments]
    conditions = arguments[::2] if name in ("case", "validate") else arguments[:1] if name in ("if", "mvfilter") else ()
    for argument in conditions:
        _condition(argument, f"{name}()")
    if name in _SPECIAL:
        return _joint([kind for kind, argument in zip(kinds, arguments, strict=True) if argument not in conditions] or ["any"])
    if "boolean" in kinds and name not in ("tostring", "isnull", "isnotnull"):
        raise QueryFault("type", f"the arguments of {name}() are invalid: a condition where a value is wanted")
    return FUNCTIONS[name].kind


def _joint(kinds: list[str]) -> str:
    """The kind of one of several values."""
    known = set(kinds) - {"null"}
    return known.pop() if len(known) == 1 else "any"
