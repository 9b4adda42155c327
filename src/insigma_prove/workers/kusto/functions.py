"""Scalar and aggregate functions and operators that `duckdb-kql` lacks, or that mean something else to Kusto.

Each row cites the page of Microsoft's KQL reference by its name; the texts are SQL templates in the form of `duckdb-kql`'s registry.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from duckdb_kql import ir, lower, translate
from duckdb_kql.errors import KqlUnsupportedError
from duckdb_kql.translate import functions as registry

from insigma_prove.workers.kusto import ingestion, literals
from insigma_prove.workers.serve import QueryFault

SCALARS: tuple[tuple[str, str, tuple[int, ...]], ...] = (
    # isnull-function, isnotnull-function: never true of a string.
    ("isnull", "kql_isnull({0})", (1,)),
    ("isnotnull", "(NOT kql_isnull({0}))", (1,)),
    ("notnull", "(NOT kql_isnull({0}))", (1,)),
    # extract-function, with the regex of Rust.
    ("extract", "kql_extract({0}, CAST({1} AS BIGINT), {2})", (3,)),
    # ipv4-is-in-range-function and the rest of the family.
    ("ipv4_is_in_range", "kql_ipv4_in_range({0}, {1})", (2,)),
    ("ipv6_is_in_range", "kql_ipv6_in_range({0}, {1})", (2,)),
    ("ipv4_is_private", "kql_ipv4_private({0})", (1,)),
    # unixtime-milliseconds-todatetime-function and kin.
    ("unixtime_seconds_todatetime", "make_timestamp(CAST({0} * 1000000 AS BIGINT))", (1,)),
    ("unixtime_milliseconds_todatetime", "make_timestamp(CAST({0} * 1000 AS BIGINT))", (1,)),
    ("unixtime_microseconds_todatetime", "make_timestamp(CAST({0} AS BIGINT))", (1,)),
    # datetime-utc-to-local-function, datetime-local-to-utc-function: IANA time zones.
    ("datetime_utc_to_local", "(({0} AT TIME ZONE 'UTC') AT TIME ZONE {1})", (2,)),
    ("datetime_local_to_utc", "(({0} AT TIME ZONE {1}) AT TIME ZONE 'UTC')", (2,)),
    # range-function: both ends included; of whole numbers only.
    ("range", "to_json(generate_series(CAST({0} AS BIGINT), CAST({1} AS BIGINT), CAST({2} AS BIGINT)))", (3,)),
    # set-union-function and kin: distinct elements of arrays, in no stated order.
    ("set_union", "to_json(list_distinct(list_concat(kql_items({0}), kql_items({1}))))", (2,)),
    ("set_intersect", "to_json(list_filter(list_distinct(kql_items({0})), lambda e: list_contains(kql_items({1}), e)))", (2,)),
    ("set_difference", "to_json(list_filter(list_distinct(kql_items({0})), lambda e: NOT list_contains(kql_items({1}), e)))", (2,)),
    # set-has-element-function: true or false.
    ("set_has_element", "coalesce(list_contains(kql_items({0}), to_json({1})), false)", (2,)),
    # bag-keys-function, bag-has-key-function.
    ("bag_keys", "to_json(json_keys({0}))", (1,)),
    ("bag_has_key", "coalesce(list_contains(json_keys({0}), {1}), false)", (2,)),
)

NOT_RUST = ("extract_all", "replace_regex", "trim", "trim_start", "trim_end")
"""They take a regular expression, which `duckdb-kql` would hand to RE2."""

FOLDED: Mapping[str, tuple[str, bool]] = {
    # equals-operator, contains-operator, startswith-operator, endswith-operator and their negations.
    "=~": ("(kql_fold({0}) = kql_fold({1}))", False),
    "!~": ("(kql_fold({0}) <> kql_fold({1}))", True),
    "contains": ("contains(kql_fold({0}), kql_fold({1}))", False),
    "!contains": ("(NOT contains(kql_fold({0}), kql_fold({1})))", True),
    "contains_cs": ("contains({0}, {1})", False),
    "!contains_cs": ("(NOT contains({0}, {1}))", True),
    "startswith": ("starts_with(kql_fold({0}), kql_fold({1}))", False),
    "!startswith": ("(NOT starts_with(kql_fold({0}), kql_fold({1})))", True),
    "endswith": ("ends_with(kql_fold({0}), kql_fold({1}))", False),
    "!endswith": ("(NOT ends_with(kql_fold({0}), kql_fold({1})))", True),
    "matches regex": ("kql_regex({0}, {1})", False),
}

_COLLECTED = "list({0}) FILTER (WHERE ({0}) IS NOT NULL AND ({1}))"


class _Limited(str):
    """The template of `make_list(x, n)` and `make_set(x, n)`: no more than n elements."""

    def format(self, *arguments: object, **names: object) -> str:
        sql = super().format(*arguments[:1], **names)
        return sql if len(arguments) < 2 else f"to_json(list_slice(kql_items({sql}), 1, {arguments[1]}))"


def supply() -> None:
    """Put the functions into `duckdb-kql`'s registries."""
    for name, template, arities in SCALARS:
        registry.SCALAR_FUNCTIONS[name] = registry.FunctionSpec(name, "template", template, arities)
        translate._SPECIAL_FORMS.pop(name, None)
    translate._SPECIAL_FORMS["countof"] = _without_regex(translate._SPECIAL_FORMS["countof"])
    for name in NOT_RUST:
        registry.SCALAR_FUNCTIONS.pop(name, None)
        translate._SPECIAL_FORMS.pop(name, None)
    for name, form in _FORMS.items():
        translate._SPECIAL_FORMS[name] = form
        registry.SCALAR_FUNCTIONS[name] = registry.FunctionSpec(name, "template", "", ())
    for spec in _aggregates():
        registry.AGGREGATE_FUNCTIONS[spec.name] = spec
    _supply_operators()


def _aggregates() -> list[Any]:
    spec, known = registry.AggregateSpec, registry.AGGREGATE_FUNCTIONS
    lists, sets = known["make_list"].template.format("{0}"), known["make_set"].template
    return [
        # count-distinct-aggregation-function
        spec("count_distinct", "count(DISTINCT {0})", (1,)),
        spec("count_distinctif", "count(DISTINCT {0}) FILTER (WHERE {1})", (2,)),
        # make-list-aggregation-function, make-set-aggregation-function
        spec("make_list", _Limited(lists), (1, 2), name_prefix="list"),
        # The order of a set is not defined; sorted, it does not depend on the order of the rows.
        spec("make_set", _Limited(f"to_json(list_sort(CAST({sets} AS JSON[])))"), (1, 2), name_prefix="set"),
        spec("make_list_if", f"coalesce({_COLLECTED}, [])", (2,), name_prefix="list"),
        spec("make_set_if", f"to_json(coalesce(list_sort(list_distinct({_COLLECTED})), []))", (2,), name_prefix="set"),
        # One whole row: what `take_any(*)` becomes.
        spec("kql_first", "first({0})", (1,)),
    ]


def _without_regex(render: Any) -> Any:
    def rendered(node: ir.FunctionCall) -> str:
        if len(node.args) != 2:
            raise KqlUnsupportedError(f"function:{node.name}", hint="of a regular expression")
        return str(render(node))

    return rendered


def _constant_regex(render: Any) -> Any:
    def rendered(node: ir.Expr) -> str:
        if translate.constant_string(node) is None:
            raise QueryFault("type", "a regular expression has to be a constant text")
        return str(render(node))

    return rendered


_TICK = re.compile(r"\.\d{6}[1-9]")


def _whole_microseconds(render: Any) -> Any:
    """DuckDB would drop the last digit of a datetime without a word."""

    def rendered(literal: ir.Literal) -> str:
        if literal.kind == "datetime" and _TICK.search(str(literal.value)):
            raise KqlUnsupportedError("literal:datetime", hint=f"{literal.value} is finer than a microsecond")
        return str(render(literal))

    return rendered


def _supply_operators() -> None:
    translate.render_regex = _constant_regex(translate.render_regex)
    lower._string_value = literals.decoded
    translate.render_literal = _whole_microseconds(translate.render_literal)
    fold_term = _folding(registry.term_match_sql)
    translate.term_match_sql = fold_term
    for operator, (template, null_result) in FOLDED.items():
        registry.BINARY_OPERATORS[operator] = registry.BinarySpec(operator, template, null_result=str(null_result).upper())
    for operator, options in (("has", {}), ("hasprefix", {"trail": False}), ("hassuffix", {"lead": False})):
        term = fold_term("{0}", "{1}", **options)
        registry.BINARY_OPERATORS[operator] = registry.BinarySpec(operator, term, null_result="FALSE")
        registry.BINARY_OPERATORS[f"!{operator}"] = registry.BinarySpec(f"!{operator}", f"(NOT {term})", null_result="TRUE")
    translate.render_in_list = _folding_list(translate.render_in_list)


def _folding(term_match: Any) -> Any:
    """`has` and kin: the case of ASCII only."""

    def folded(haystack: str, needle: str, *, case_sensitive: bool = False, needle_text: str | None = None, **boundaries: bool) -> str:
        if not case_sensitive:
            haystack, needle = f"kql_fold({haystack})", f"kql_fold({needle})"
        found: str = term_match(haystack, needle, case_sensitive=True, needle_text=needle_text, **boundaries)
        return found

    return folded


def _folding_list(render: Any) -> Any:
    """`in~` and `!in~`: both sides folded, then compared as they are."""

    def rendered(node: ir.InList) -> str:
        if not node.case_insensitive:
            return str(render(node))
        subquery = node.subquery and _folded_query(node.subquery)
        items = tuple(_folded_item(item) for item in node.items)
        plain = dataclasses.replace(node, value=_fold(node.value), items=items, subquery=subquery, case_insensitive=False)
        return str(render(plain))

    return rendered


def _fold(value: ir.Expr) -> ir.Expr:
    return ir.FunctionCall("kql_fold", (value,))


def _folded_item(item: ir.Expr) -> ir.Expr:
    if isinstance(item, ir.Literal) and item.kind == "dynamic" and item.value is not None:
        # Folding the JSON text folds its strings, and `\\uXXXX` means the same in either case.
        return dataclasses.replace(item, value=ascii_lower(str(item.value)))
    if isinstance(item, ir.ToScalar) or (isinstance(item, ir.ColumnRef | ir.FunctionCall) and translate._is_dynamic(item)):
        raise KqlUnsupportedError("operator:in~", hint="a list that is known only when the query runs")
    return _fold(item)


def _folded_query(query: ir.Query) -> ir.Query:
    from duckdb_kql.schema import output_columns

    first = output_columns(query, translate._nested_schema())[0]
    project = ir.Project((ir.NamedExpr(_fold(ir.ColumnRef(first)), "folded"),))
    return dataclasses.replace(query, operators=[*query.operators, project])


def ascii_lower(text: str) -> str:
    """The text with A to Z in lower case."""
    return "".join(character.lower() if character.isascii() else character for character in text)


def _render_fold(node: ir.FunctionCall) -> str:
    (value,) = node.args
    text = f"CAST({translate.render_expr(value)} AS VARCHAR)"
    # A dynamic is compared as the text that it holds.
    return f"kql_fold({translate.render_kql_tostring(value) if translate._is_dynamic_expr(value) else text})"


def _render_any_range(node: ir.FunctionCall) -> str:
    """`ipv4_is_in_any_range(address, range, ...)`, the ranges as arguments or as one literal array."""
    address, *ranges = node.args
    test = "kql_ipv6_in_range" if node.name.lower().startswith("ipv6") else "kql_ipv4_in_range"
    subject = translate.render_expr(address)
    if len(ranges) == 1 and translate._is_dynamic(ranges[0]):
        texts = translate._literal_needles(ranges[0])
        if texts is None or None in texts:
            raise KqlUnsupportedError(f"function:{node.name}", hint="ranges that are not a literal array of strings")
        ranges = [ir.Literal(text, "string") for text in texts if text is not None]
    if not ranges:
        raise KqlUnsupportedError(f"function:{node.name}", hint="no range")
    return "(" + " OR ".join(f"{test}({subject}, {translate.render_expr(each)})" for each in ranges) + ")"


def _render_compare(node: ir.FunctionCall) -> str:
    """`ipv4_compare(a, b[, prefix])` and `ipv4_is_match(a, b[, prefix])`, also for IPv6."""
    name = node.name.lower()
    if len(node.args) not in (2, 3):
        raise KqlUnsupportedError(f"function:{name}", hint="takes two addresses and perhaps a prefix")
    arguments = [translate.render_expr(each) for each in node.args] + ["NULL"] * (3 - len(node.args))
    sql = f"kql_{name[:4]}_compare({', '.join(arguments)})"
    return f"({sql} = 0)" if name.endswith("_is_match") else sql


_FORMS = {
    ingestion.NAME: ingestion.rendered,
    "kql_fold": _render_fold,
    "ipv4_is_in_any_range": _render_any_range,
    "ipv6_is_in_any_range": _render_any_range,
    "ipv4_compare": _render_compare,
    "ipv6_compare": _render_compare,
    "ipv4_is_match": _render_compare,
    "ipv6_is_match": _render_compare,
}
