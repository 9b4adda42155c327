"""ES|QL expressions: from Elastic's tree to something that computes.

Logic has three values. A comparison of several values is null (and a warning in Elasticsearch). String literals stand for dates,
addresses and booleans where the other side is one. Two rewritings of the optimizer change results and are followed:
`TO_LOWER(x) == "text"` compares without regard to the case of ASCII letters only (ReplaceStringCasingWithInsensitiveEquals,
InsensitiveEquals; up to 8.x), and is false for a literal that is not in lower case.

Where a filter is pushed down to Lucene and where it is computed, Elasticsearch may differ: on a keyword with a normalizer and a
literal that it changes, and on a `float` and a literal that no float holds. A warning tells of such a query; it is computed here.
"""

from __future__ import annotations

import operator
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from esql import ast

from insigma_prove.workers.elastic import esql_dates
from insigma_prove.workers.elastic.esql_functions import Maker, functions
from insigma_prove.workers.elastic.esql_parser import EsqlText
from insigma_prove.workers.elastic.esql_values import (
    NUMBERS,
    Row,
    Typed,
    Value,
    arithmetic,
    common_number,
    constant,
    order,
    several,
    single,
    type_fault,
)
from insigma_prove.workers.elastic.field_queries import WORK_LIMIT
from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.values import Malformed, address, boolean, milliseconds
from insigma_prove.workers.elastic.values import single as nearest_float
from insigma_prove.workers.serve import QueryFault

_COMPARISONS: dict[str, Callable[[Any, Any], bool]] = {
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}
_ARRAYS = {"numeric_array", "boolean_array", "string_array"}


class Expressions:
    """Compiles the expressions of one query."""

    def __init__(self, jvm: Jvm, text: EsqlText, warnings: list[str]) -> None:
        self._jvm = jvm
        self._text = text
        self._warnings = warnings
        self._functions: Mapping[str, Maker] = functions(jvm)

    def compiled(self, node: Any, columns: Mapping[str, Typed]) -> Typed:
        """The expression over those columns. Raises `QueryFault`."""
        match node:
            case ast.ColumnRef(name=name):
                if name not in columns:
                    raise type_fault(f"Unknown column [{name}]")
                return columns[name]
            case ast.Literal():
                return self._literal(node)
            case ast.InlineCast(expr=inner, target_type=kind):
                return self._function(f"to_{kind.lower()}", [self.compiled(inner, columns)])
            case ast.BinaryExpr(op=op, right=ast.FunctionCall(name="__values__", args=listed)) if op in ("in", "not_in"):
                found = self._in(self.compiled(node.left, columns), [self.compiled(each, columns) for each in listed])
                return _negated(found) if op == "not_in" else found
            case ast.BinaryExpr(op=op, left=left, right=right):
                return self._binary(op, self.compiled(left, columns), self.compiled(right, columns))
            case ast.FunctionCall(name=name, args=arguments):
                return self._function(name.lower(), [self.compiled(each, columns) for each in arguments])
            case _:
                raise QueryFault("unsupported", f"{type(node).__name__} is not modelled")

    def condition(self, node: Any, columns: Mapping[str, Typed]) -> Typed:
        """An expression that has to be a boolean."""
        found = self.compiled(node, columns)
        if found.type not in ("boolean", "null"):
            raise type_fault(f"Condition expression needs to be boolean, found [{found.type}]")
        return found

    def _literal(self, node: Any) -> Typed:
        value, kind = node.value, node.kind
        if kind in _ARRAYS:
            if any(isinstance(each, str) and "\\" in each for each in value):
                raise QueryFault("unsupported", "escapes in an array of strings are not modelled")
            kinds = [_literal_type(each) for each in value]
            widest = max(kinds, key=NUMBERS.index) if set(kinds) <= set(NUMBERS) else kinds[0]
            items = tuple(float(each) if widest == "double" else each for each in value)
            return constant(widest, items[0] if len(items) == 1 else items)
        if kind in ("time_duration", "date_period"):
            return constant("span", esql_dates.time_span(str(value)))
        if isinstance(value, str):
            return constant("keyword", self._text.string(node))
        return constant(_literal_type(value), value)

    def _binary(self, op: str, left: Typed, right: Typed) -> Typed:
        if op in ("and", "or"):
            return _logical(op, left, right)
        if op in _COMPARISONS:
            return self._compared(op, left, right)
        if op in ("+", "-", "*", "/", "%"):
            return _computed(op, left, right)
        raise QueryFault("unsupported", f"the operator {op} is not modelled")

    def _compared(self, op: str, left: Typed, right: Typed) -> Typed:
        left, right = _cast(left, right), _cast(right, left)
        if op in ("==", "!=") and (rewritten := self._ignoring_case(left, right)) is not None:
            return rewritten if op == "==" else _negated(rewritten)
        kind = _comparable(left, right, op)
        self._warn_of_pushdown(left, right)
        self._warn_of_pushdown(right, left)
        compare, numeric = _COMPARISONS[op], kind == "double"

        def run(row: Row) -> Value:
            one, other = single(left.run(row)), single(right.run(row))
            if one is None or other is None:
                return None
            if numeric:
                return compare(float(one), float(other))
            return compare(order(one), order(other))

        return Typed("boolean", run, constant=left.constant and right.constant)

    def _ignoring_case(self, left: Typed, right: Typed) -> Typed | None:
        if not right.constant or right.type != "keyword" or left.constant or not isinstance(right.value(), str):
            return None
        inner, literal = left.lowered or left.raised, right.value()
        if inner is None:
            return None
        category = "Lu" if left.lowered else "Ll"
        if any(unicodedata.category(char) == category for char in literal):
            return _singled(inner, lambda _value: False)
        folded = _ascii_folded(literal)
        return _singled(inner, lambda value: _ascii_folded(value) == folded)

    def _in(self, left: Typed, listed: Sequence[Typed]) -> Typed:
        """Whether any is equal; null where none is, but one is null (In)."""
        equal = [self._compared_in(left, each) for each in listed]

        def run(row: Row) -> Value:
            found: Value = False
            for each in equal:
                found = _or(found, each.run(row))
            return found

        return Typed("boolean", run)

    def _compared_in(self, left: Typed, right: Typed) -> Typed:
        plain = Typed(left.type, left.run, left.constant, left.field)  # IN is not rewritten to ignore case
        return self._compared("==", plain, right)

    def _warn_of_pushdown(self, column: Typed, literal: Typed) -> None:
        if column.field is None or not literal.constant or literal.value() is None:
            return
        field, value = column.field, literal.value()
        if field.type == "keyword" and isinstance(value, str) and field.normalize(value) != value:
            self._warnings.append(f"[{field.name}] has a normalizer that changes {value!r}: pushed down to Lucene the result may differ")
        if field.type == "float" and isinstance(value, (int, float)) and nearest_float(float(value)) != value:
            self._warnings.append(f"[{field.name}] is a float, and {value} is none: pushed down to Lucene the result may differ")

    def _function(self, name: str, arguments: Sequence[Typed]) -> Typed:
        match name:
            case "not":
                return _negated(arguments[0])
            case "-":
                return _computed("-", constant(arguments[0].type, 0), arguments[0])
            case "is_null":
                return Typed("boolean", lambda row: arguments[0].run(row) is None)
            case "is_not_null":
                return Typed("boolean", lambda row: arguments[0].run(row) is not None)
            case "like" | "rlike" | "not_like" | "not_rlike":
                found = self._pattern(name.removeprefix("not_"), arguments)
                return _negated(found) if name.startswith("not_") else found
        if name not in self._functions:
            raise QueryFault("unsupported", f"the function {name.upper()} is not modelled")
        return self._functions[name](arguments)

    def _pattern(self, name: str, arguments: Sequence[Typed]) -> Typed:
        """LIKE and RLIKE with Lucene's own automata, on the whole value (WildcardPattern, RLikePattern)."""
        subject, *patterns = arguments
        if subject.type not in ("keyword", "null"):
            raise type_fault(f"argument of [{name.upper()}] must be [string], found type [{subject.type}]")
        automata = [self._automaton(name, pattern.value()) for pattern in patterns]
        for pattern in patterns:
            self._warn_of_pushdown(subject, pattern)
        return _singled(subject, lambda value: any(bool(automaton.run(value)) for automaton in automata))

    def _automaton(self, name: str, pattern: str) -> Any:
        lucene = self._jvm.lucene
        operations = lucene("util.automaton.Operations")
        try:
            if name == "like":
                made = lucene("search.WildcardQuery").toAutomaton(lucene("index.Term")("f", pattern), WORK_LIMIT)
            else:
                regexp = lucene("util.automaton.RegExp")
                flags = int(regexp.ALL) | int(regexp.DEPRECATED_COMPLEMENT)
                made = operations.determinize(regexp(pattern, flags).toAutomaton(), WORK_LIMIT)
            return lucene("util.automaton.CharacterRunAutomaton")(made)
        except self._jvm.error as error:
            raise QueryFault("run", f"Invalid pattern for {name.upper()} [{pattern}]: {error}") from error


def _literal_type(value: Any) -> str:
    match value:
        case None:
            return "null"
        case bool():
            return "boolean"
        case int():
            if -(2**31) <= value < 2**31:
                return "integer"
            return "long" if -(2**63) <= value < 2**63 else "unsigned_long"
        case float():
            return "double"
        case _:
            return "keyword"


def _cast(literal: Typed, other: Typed) -> Typed:
    """A string literal as a value of the other side's type (Analyzer.ImplicitCasting). Raises `QueryFault`."""
    readers: dict[str, Callable[[Any], Any]] = {"date": milliseconds, "ip": address, "boolean": boolean}
    if not literal.constant or literal.type != "keyword" or other.type not in readers:
        return literal
    try:
        return constant(other.type, readers[other.type](literal.value()))
    except Malformed as error:
        raise type_fault(f"Cannot convert string [{literal.value()}] to [{other.type.upper()}]: {error}") from error


def _comparable(left: Typed, right: Typed, op: str) -> str:
    kinds = {left.type, right.type} - {"null"}
    if kinds <= set(NUMBERS):
        return common_number(left.type, right.type) if len(kinds) == 2 else next(iter(kinds), "null")
    if len(kinds) > 1 or kinds & {"span", "unsigned_long"} or (kinds == {"boolean"} and op not in ("==", "!=")):
        raise type_fault(f"types [{left.type}] and [{right.type}] are not compared with [{op}]")
    return next(iter(kinds), "null")


def _computed(op: str, left: Typed, right: Typed) -> Typed:
    kinds = {left.type, right.type}
    if kinds <= {*NUMBERS, "null"}:
        kind = "null" if "null" in kinds else common_number(left.type, right.type)
        return Typed(kind, lambda row: _applied(kind, op, left.run(row), right.run(row)), constant=left.constant and right.constant)
    if op in "+-" and kinds == {"date", "span"} and (op == "+" or left.type == "date"):
        date, span = (left, right) if left.type == "date" else (right, left)
        count, unit = span.value()
        steps = count if op == "+" else -count
        return _singled(date, lambda value: esql_dates.shifted(value, steps, unit), "date")
    raise type_fault(f"[{op}] has arguments with incompatible types [{left.type}] and [{right.type}]")


def _applied(kind: str, op: str, left: Value, right: Value) -> Value:
    left, right = single(left), single(right)
    if left is None or right is None or kind == "null":
        return None
    return arithmetic(kind, op, float(left), float(right)) if kind == "double" else arithmetic(kind, op, left, right)


def _logical(op: str, left: Typed, right: Typed) -> Typed:
    if not {left.type, right.type} <= {"boolean", "null"}:
        raise type_fault(f"arguments of [{op.upper()}] must be [boolean], found [{left.type}] and [{right.type}]")
    join = _and if op == "and" else _or
    return Typed("boolean", lambda row: join(single(left.run(row)), single(right.run(row))))


def _and(left: Value, right: Value) -> Value:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _or(left: Value, right: Value) -> Value:
    if left is True or right is True:
        return True
    return None if left is None or right is None else False


def _negated(inner: Typed) -> Typed:
    if inner.type not in ("boolean", "null"):
        raise type_fault(f"argument of [NOT] must be [boolean], found type [{inner.type}]")
    return _singled(inner, lambda value: not value)


def _singled(inner: Typed, body: Callable[[Any], Any], kind: str = "boolean") -> Typed:
    """A function of one single value."""

    def run(row: Row) -> Value:
        values = several(inner.run(row))
        return body(values[0]) if len(values) == 1 else None

    return Typed(kind, run, constant=inner.constant)


def _ascii_folded(text: str) -> str:
    return "".join(char.lower() if char < "\x80" else char for char in text)
