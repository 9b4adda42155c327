"""EQL conditions as Lucene queries, as Elasticsearch's EQL translates them to its Query DSL.

Logic is two-valued: `not` is a bool query's `must_not`, so an absent field makes `not x == 1` and `x != 1` true. An optional
field that no index maps is the literal null, and conditions on it are folded before anything is searched: `null or x` is x,
`null and x` is null, `not null` is null, and null selects nothing (OptimizerRules: BooleanSimplification, PruneFilters).
Sources: elastic/elasticsearch, x-pack/plugin/ql/.../planner/ExpressionTranslators, x-pack/plugin/eql: planner/QueryTranslator,
optimizer/Optimizer, expression/function/scalar/string, util/StringUtils; "EQL syntax reference" of the 8.18 reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from eql import ast

from insigma_prove.workers.elastic.eql_parser import OptionalField, field_name
from insigma_prove.workers.elastic.field_queries import MOST_REGEXP, FieldQueries, Unsuitable
from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.mapping import Fields, FieldType
from insigma_prove.workers.serve import QueryFault

CATEGORY = "event.category"
_FLIPPED = {"<": ">", "<=": ">=", ">": "<", ">=": "<=", "==": "==", "!=": "!="}
_ESCAPE = "\x01"
"""What Elasticsearch takes for an escape character in `like`, on the assumption that no string holds it."""


class EventQueries:
    """Makes the Lucene queries of EQL's event queries."""

    def __init__(self, jvm: Jvm, fields: Fields) -> None:
        self.make = FieldQueries(jvm)
        self._jvm = jvm
        self._fields = fields

    def event_query(self, query: Any, present: Sequence[str] = ()) -> Any:
        """The Lucene query of `category where condition`, with the fields that have to be present. Raises `QueryFault`."""
        try:
            parts = [self._condition(query.query), *self._category(query.event_type)]
            parts += [self.make.exists(self._fields, name) for name in present]
        except Unsuitable as error:
            raise QueryFault("run", str(error)) from error
        except self._jvm.error as error:
            raise QueryFault("run", f"failed to create query: {error}") from error
        folded = self._conjunction(parts)
        if isinstance(folded, bool) or folded is None:
            return self.make.everything() if folded else self.make.nothing()
        return folded

    def _category(self, category: str) -> list[Any]:
        if category == "any":
            return []
        field = self._fields.find(CATEGORY)
        if field is None:
            raise QueryFault("type", f"Unknown column [{CATEGORY}]")
        return [self.make.term(field, category)]

    def _condition(self, node: Any) -> Any:
        """A Lucene query, or True, False or None (null) where the condition is a constant."""
        match node:
            case ast.And(terms=terms):
                return self._conjunction([self._condition(term) for term in terms])
            case ast.Or(terms=terms):
                return self._disjunction([self._condition(term) for term in terms])
            case ast.Not(term=term):
                return self._negation(self._condition(term))
            case ast.Boolean(value=value):
                return bool(value)
            case ast.Null():
                return None
            case ast.IsNull(expr=operand):
                return self._negation(self._present(operand))
            case ast.IsNotNull(expr=operand):
                return self._present(operand)
            case ast.Comparison():
                return self._comparison(node)
            case ast.InSet(expression=operand, container=container):
                return self._in(operand, container)
            case ast.FunctionCall():
                return self._call(node)
            case _:
                raise QueryFault("unsupported", f"the condition {node} is not modelled")

    def _conjunction(self, parts: list[Any]) -> Any:
        if any(part is False for part in parts):
            return False
        if any(part is None for part in parts):
            return None
        queries = [part for part in parts if part is not True]
        return self.make.all_of(queries) if queries else True

    def _disjunction(self, parts: list[Any]) -> Any:
        if any(part is True for part in parts):
            return True
        queries = [part for part in parts if part is not None and part is not False]
        if queries:
            return self.make.any_of(queries)
        return None if all(part is None for part in parts) else False

    def _negation(self, part: Any) -> Any:
        if part is None:
            return None
        return not part if isinstance(part, bool) else self.make.none_of(part)

    def _present(self, operand: Any) -> Any:
        if isinstance(operand, ast.Literal):
            return not isinstance(operand, ast.Null)
        field = self._field(operand)
        return False if field is None else self.make.exists(self._fields, field.name)

    def _field(self, operand: Any) -> FieldType | None:
        """The field, None where an optional one is not mapped. Raises `QueryFault` for anything else."""
        if not isinstance(operand, ast.Field):
            raise QueryFault("unsupported", f"[{operand}] is computed by a script in Elasticsearch, which is not modelled")
        found = self._fields.find(field_name(operand))
        if found is None and not isinstance(operand, OptionalField):
            raise QueryFault("type", f"Unknown column [{field_name(operand)}]")
        return found

    def _exact(self, field: FieldType) -> FieldType:
        """The field itself, or the keyword below a text field, on which exact comparison works (`exactAttribute`)."""
        if field.type != "text":
            return field
        for each in self._fields.by_name.values():
            if each.parent == field.name and each.type == "keyword" and each.normalizer is None:
                return each
        raise QueryFault("type", f"[{field.name}] of data type [text]: No keyword/multi-field defined exact matches for [{field.name}]")

    def _string(self, field: FieldType, what: str) -> FieldType:
        exact = self._exact(field)
        if exact.type != "keyword":
            raise QueryFault("type", f"argument of [{what}] must be [string], found value [{field.name}] type [{field.type}]")
        return exact

    def _comparison(self, node: Any) -> Any:
        left, operator, right = node.left, node.comparator, node.right
        if isinstance(left, (ast.Literal, ast.MathOperation)):
            left, operator, right = right, _FLIPPED[operator], left
        field = self._field(left)
        value = _literal(right)
        if field is None or value is None:
            return None
        field = self._exact(field)
        match operator:
            case "==":
                return self.make.term(field, value)
            case "!=":
                return self.make.none_of(self.make.term(field, value))
            case ">" | ">=":
                return self.make.range(field, value, None, with_low=operator == ">=", with_high=False)
            case _:
                return self.make.range(field, None, value, with_low=False, with_high=operator == "<=")

    def _in(self, operand: Any, container: Sequence[Any]) -> Any:
        field = self._field(operand)
        if field is None:
            return None
        exact = self._exact(field)
        values = [value for value in map(_literal, container) if value is not None]
        return self.make.any_of([self.make.term(exact, value) for value in values]) if values else None

    def _call(self, node: Any) -> Any:
        name, ignore_case = node.name.rstrip("~"), node.name.endswith("~")
        field = self._field(node.arguments[0])
        values = [_literal(argument) for argument in node.arguments[1:]]
        if field is None or any(value is None for value in values):
            return None
        match name:
            case "cidrMatch":
                return self._cidr(field, values)
            case ":":
                return self._each(self._string(field, ":"), values, self._colon)
            case "in":
                return self._each(self._string(field, "in~"), values, self.make.term_ignoring_case)
            case "like" | "wildcard":
                exact = self._string(field, name)
                return self.make.any_of([self.make.wildcard(exact, _like(value), ignore_case=ignore_case) for value in values])
            case "regex" | "match":
                return self._regex(self._string(field, name), values, ignore_case)
            case "startsWith":
                return self.make.prefix(self._string(field, name), values[0], ignore_case=ignore_case)
            case "endsWith":
                return self.make.wildcard(self._string(field, name), f"*{values[0]}", ignore_case=ignore_case)
            case "stringContains":
                return self.make.wildcard(self._string(field, name), f"*{values[0]}*", ignore_case=ignore_case)
            case _:
                raise QueryFault("unsupported", f"the function {node.name} runs as a script in Elasticsearch, which is not modelled")

    def _each(self, field: FieldType, values: Sequence[Any], make: Any) -> Any:
        return self.make.any_of([make(field, value) for value in values])

    def _colon(self, field: FieldType, value: str) -> Any:
        """`:` is `like~` where the string has a wildcard, else equality without regard to case (Optimizer.ReplaceWildcards)."""
        if "*" in value or "?" in value:
            return self.make.wildcard(field, _like(value), ignore_case=True)
        return self.make.term_ignoring_case(field, value)

    def _regex(self, field: FieldType, values: Sequence[str], ignore_case: bool) -> Any:
        """Several expressions are joined by | (Match.makeSubstitute)."""
        pattern = "|".join(values)
        if (length := len(pattern.encode("utf-16-le")) // 2) > MOST_REGEXP:
            raise QueryFault(
                "run", f"The length of regex [{length}] used in the Regexp Query request has exceeded the allowed maximum of [1000]"
            )
        return self.make.regexp(field, pattern, ignore_case=ignore_case)

    def _cidr(self, field: FieldType, values: Sequence[Any]) -> Any:
        if field.type != "ip":
            raise QueryFault("type", f"first argument of [cidrMatch] must be [ip], found value [{field.name}] type [{field.type}]")
        return self.make.any_of([self.make.term(field, value) for value in values])


def _literal(node: Any) -> Any:
    """The value of a constant. Raises `QueryFault` for anything else."""
    match node:
        case ast.Literal(value=value):
            return value
        case ast.MathOperation(left=ast.Number(value=0), operator="-", right=ast.Number(value=value)):
            return -value
        case _:
            raise QueryFault("unsupported", f"[{node}] is no constant: comparisons against it are not modelled")


def _like(pattern: str) -> str:
    """The pattern of `like` and `:` as a Lucene wildcard: * and ? have no escape, a backslash is a backslash (toLikePattern)."""
    if _ESCAPE in pattern:
        raise QueryFault("unsupported", "Elasticsearch takes U+0001 in a `like` pattern for its own escape character")
    return pattern.replace("\\", "\\\\")
