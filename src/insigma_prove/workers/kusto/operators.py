"""Tabular operators that `duckdb-kql` lacks, put into its lowering and rendering.

Sources: the pages *serialize-operator*, *window-functions*, *project-keep-operator*, *project-reorder-operator*,
*take-any-aggregation-function*, *column-ifexists-function*, *join-operator* and *union-operator* of Microsoft's KQL reference.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable
from typing import Any

from duckdb_kql import ir, lower, schema, translate
from duckdb_kql.errors import KqlUnsupportedError

from insigma_prove.workers.kusto import ingestion, windows
from insigma_prove.workers.kusto.store import POSITION
from insigma_prove.workers.serve import QueryFault

_QUOTE: Callable[[str], str] = translate.quote_ident

_OUTER = {"leftouter", "rightouter", "fullouter"}
_ONE_SIDE = ("leftsemi", "leftanti", "rightsemi", "rightanti")
_OF_LEFT = ("leftouter", "inner")
"""Joins whose rows are events if those on the left are and those on the right are not."""
_POSITIONS = re.compile(rf"{POSITION}\d*")

# Made so, since to a type checker without `duckdb-kql` its classes are no base classes.
Serialize: Any = dataclasses.make_dataclass("Serialize", [], bases=(ir.Extend,), frozen=True)
"""`serialize name = expression, ...` (the grammar that `duckdb-kql` uses does not know it bare)."""

Columns: Any = dataclasses.make_dataclass("Columns", [("names", tuple), ("rest", bool)], bases=(ir.Operator,), frozen=True)
"""`project-keep` and, with `rest`, `project-reorder`."""


_KEEPS_ORDER = (ir.Where, ir.Project, ir.Extend, ir.ProjectAway, ir.ProjectRename, ir.Take, ir.Parse, Columns)
"""Operators whose answer is serialized if what they read is. (Of `mv-expand` *window-functions* says yes and *serialize-operator* no.)"""


def supply() -> None:
    """Put the operators into `duckdb-kql`."""
    lower._lower_operator = _lowering(lower._lower_operator)
    translate.render_operator = _rendering(translate.render_operator)
    schema.join_output_columns = _without_positions(schema.join_output_columns)
    schema.lookup_output_columns = _without_positions(schema.lookup_output_columns)
    translate.render_join = _filling(translate.render_join, lambda op: op.kind in _OUTER)
    translate.render_lookup = _filling(translate.render_lookup, lambda op: op.kind != "inner")
    translate.render_union = _filling_union(translate.render_union)
    schema._operator_columns = _naming(schema._operator_columns)
    translate._render_query = _checking(translate._render_query)


def _lowering(original: Any) -> Any:
    def lowered(node: Any) -> Any:
        inner = node
        while lower._cls(inner) in ("PipedOperator", "AfterPipeOperator"):
            inner = lower._rule_children(inner)[0]
        inner = lower._collapse(inner)
        own = _LOWERED.get(lower._cls(inner))
        return original(node) if own is None else own(inner)

    return lowered


def _lower_serialize(node: Any) -> ir.Operator:
    return Serialize(tuple(lower._lower_named(each) for each in lower._rule_children(node)))


def _lower_columns(rest: bool) -> Callable[[Any], ir.Operator]:
    def lowered(node: Any) -> ir.Operator:
        names = lower._find_names(node)
        # Patterns and `asc`/`desc` leave something beside the names, commas and the keyword.
        text = node.getText().removeprefix("project-reorder").removeprefix("project-keep")
        if "*" in text or not names:
            raise KqlUnsupportedError("project-reorder" if rest else "project-keep", hint="only plain column names")
        return Columns(tuple(names), rest)

    return lowered


_LOWERED: dict[str, Callable[[Any], ir.Operator]] = {
    "SerializeOperator": _lower_serialize,
    "ProjectKeepOperator": _lower_columns(rest=False),
    "ProjectReorderOperator": _lower_columns(rest=True),
}


def _rendering(original: Any) -> Any:
    def rendered(op: ir.Operator, prev: str, cols: list[str] | None = None) -> str:
        if cols is None:
            raise KqlUnsupportedError(type(op).__name__.lower(), hint="the columns of its input are not known")
        op = _expanded(op, cols)
        return windows.rendered(op, prev, cols, original)

    return rendered


def _naming(original: Any) -> Any:
    def named(op: ir.Operator, cols: list[str], known: Any) -> list[str]:
        names: list[str] = original(_expanded(schema.resolve_let_refs(op, cols), cols), cols, known)
        return names

    return named


def _expanded(op: ir.Operator, cols: list[str]) -> ir.Operator:
    """The operator without what only its input's columns can resolve."""
    if isinstance(op, Columns):
        kept = [*op.names, *(name for name in cols if name not in op.names)] if op.rest else [name for name in cols if name in op.names]
        op = ir.Project(tuple(ir.NamedExpr(ir.ColumnRef(name), name) for name in kept))
    if isinstance(op, ir.Project) and POSITION in cols and POSITION not in [each.name for each in op.expressions]:
        # What a query shows of an event does not change which event it is.
        op = dataclasses.replace(op, expressions=(*op.expressions, ir.NamedExpr(ir.ColumnRef(POSITION), POSITION)))
    if isinstance(op, ir.Parse) and op.kind == "regex":
        raise KqlUnsupportedError("parse kind=regex")
    if isinstance(op, ir.Summarize):
        op = dataclasses.replace(op, aggregates=tuple(each for named in op.aggregates for each in _one_row(named, op, cols)))
    return windows.rebuilt(op, lambda node: _if_exists(node, cols))


def _one_row(named: ir.NamedExpr, op: ir.Summarize, cols: list[str]) -> list[ir.NamedExpr]:
    """`take_any(*)` as the columns of one row; any other aggregate as it is."""
    call = named.expr
    if not (isinstance(call, ir.FunctionCall) and call.name == "take_any" and any(isinstance(each, ir.Wildcard) for each in call.args)):
        return [named]
    if len(call.args) > 1:
        raise KqlUnsupportedError("take_any", hint="`*` beside other columns")
    keys = set(translate.summarize_names(dataclasses.replace(op, aggregates=()), cols)[0])
    return [ir.NamedExpr(ir.FunctionCall("kql_first", (ir.ColumnRef(name),)), name) for name in cols if name not in keys]


def _if_exists(node: Any, cols: list[str]) -> Any:
    if not (isinstance(node, ir.FunctionCall) and node.name in ("column_ifexists", "columnifexists")):
        return node
    if len(node.args) != 2 or not isinstance(node.args[0], ir.Literal):
        raise KqlUnsupportedError("function:column_ifexists", hint="takes a literal name and a default")
    name, default = node.args
    return ir.ColumnRef(str(name.value)) if name.value in cols and name.value != POSITION else default


def _without_positions(original: Any) -> Any:
    """A row of two events is no event; a row of one event still is, as semi, anti and left outer joins and look-ups give it."""

    def named(left: list[str], right: list[str], how: Any) -> list[str]:
        own = (left, right) if how in _ONE_SIDE else _joined(left, right, how)
        names: list[str] = original(*own, how)
        return names

    return named


def _joined(left: list[str], right: list[str], how: Any) -> tuple[list[str], list[str]]:
    """The columns of both sides of a join, without positions but for the events of the left side beside rows that are none.

    `how` is the kind of a join, or the keys on the right side of a look-up, which gives all rows of the left or those that match.
    """
    kept = POSITION in left and POSITION not in right and (how in _OF_LEFT or not isinstance(how, str))
    return [name for name in left if kept or not _POSITIONS.fullmatch(name)], [name for name in right if not _POSITIONS.fullmatch(name)]


def _filling(original: Any, outer: Callable[[Any], bool]) -> Any:
    """A join or lookup of both sides; if outer, the strings of the side without a match are empty, not null."""

    def rendered(op: Any, prev: str, left: list[str], right_sql: str, right: list[str]) -> str:
        if op.kind in _ONE_SIDE:
            return str(original(op, prev, left, right_sql, right))
        how = [key.right for key in op.keys] if isinstance(op, ir.Lookup) else op.kind
        left_own, right_own = _joined(left, right, how)
        sql: str = original(op, prev, left_own, right_sql, right_own)
        if not outer(op):
            return sql
        names = schema.lookup_output_columns if isinstance(op, ir.Lookup) else schema.join_output_columns
        return _text_filled(sql, names(left_own, right_own, how))

    return rendered


def _filling_union(original: Any) -> Any:
    def rendered(op: Any, prev: str, left: list[str], query: Any, known: Any, leading: bool) -> str:
        sql: str = original(op, prev, left, query, known, leading)
        return _text_filled(sql, schema.union_output_columns(op, left, known))

    return rendered


def _text_filled(sql: str, columns: list[str]) -> str:
    filled = (f"kql_text({_QUOTE(name)}) AS {_QUOTE(name)}" for name in columns)
    return f"SELECT {', '.join(filled)} FROM ({sql})"


def _checking(original: Any) -> Any:
    """Refuses a window function over rows that are not serialized, as Kusto does, and `ingestion_time()` away from its table."""

    def checked(query: ir.Query, known: Any = None) -> Any:
        ingestion.check(query)
        serialized = isinstance(query.source, ir.RangeSource)
        for op in query.operators:
            if not isinstance(op, Serialize) and not serialized and windows.calls(op):
                name = windows.calls(op)[0].name
                raise QueryFault("type", f"{name}() needs a serialized row set; sort or serialize first")
            serialized = isinstance(op, Serialize | ir.Sort | ir.Top) or (serialized and isinstance(op, _KEEPS_ORDER))
        return original(query, known)

    return checked
