"""Kusto's window functions as SQL windows over the order of the rows.

Sources: the pages *prev-function*, *next-function*, *row-number-function*, *row-cumsum-function* and *window-functions* of
Microsoft's KQL reference.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from duckdb_kql import ir, translate
from duckdb_kql.errors import KqlUnsupportedError

ORDER = "_kql_order"
FUNCTIONS = ("prev", "next", "row_number", "row_cumsum")
UNKNOWN = ("row_rank_dense", "row_rank_min", "row_window_session")

_OVER = f'OVER (ORDER BY "{ORDER}")'
_RUNNING = f'OVER (ORDER BY "{ORDER}" ROWS UNBOUNDED PRECEDING)'

Rendering = Callable[[ir.Operator, str, list[str]], str]


def calls(op: Any, names: Sequence[str] = (*FUNCTIONS, *UNKNOWN)) -> list[ir.FunctionCall]:
    """The functions of these names, else all window functions, that an operator calls outside nested queries."""
    return [node for node in _nodes(op) if isinstance(node, ir.FunctionCall) and node.name in names]


def rendered(op: ir.Operator, prev: str, cols: list[str], render: Rendering) -> str:
    """The operator as SQL; its window functions are computed, innermost first, in sub-queries that keep the rows in order."""
    if not calls(op):
        return render(op, prev, cols)
    if not isinstance(op, ir.Where | ir.Extend | ir.Project):
        raise KqlUnsupportedError(f"{type(op).__name__.lower()} with a window function", hint="extend a column with it first")
    stages = _Stages(f'(SELECT *, row_number() OVER () AS "{ORDER}" FROM {prev})')
    op = rebuilt(op, stages.placed)
    names = [*cols, ORDER, *stages.names]
    sql = render(op, f'(SELECT * FROM {stages.source} ORDER BY "{ORDER}")', names)
    if isinstance(op, ir.Project):
        return sql
    return f'SELECT * EXCLUDE ({", ".join(translate.quote_ident(name) for name in names[len(cols) :])}) FROM ({sql} ORDER BY "{ORDER}")'


class _Stages:
    """Sub-queries, each adding one column."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.names: list[str] = []

    def placed(self, node: Any) -> Any:
        """A window function as a reference to the column that holds it."""
        if not isinstance(node, ir.FunctionCall) or node.name not in (*FUNCTIONS, *UNKNOWN):
            return node
        if node.name in UNKNOWN:
            raise KqlUnsupportedError(f"function:{node.name}")
        if node.name in ("prev", "next"):
            column = self._column(_neighbour(node))
            # Beyond the rows a string is "", which SQL cannot say inside a window.
            return column if len(node.args) > 2 else self._column(f"kql_text({translate.quote_ident(column.name)})")
        return self._column(self._counted(node))

    def _counted(self, node: ir.FunctionCall) -> str:
        count = node.name == "row_number"
        if len(node.args) > 2 or (not node.args and not count):
            raise KqlUnsupportedError(f"function:{node.name}", hint="takes a term and perhaps when to restart")
        start = translate.render_expr(node.args[0]) if node.args else "CAST(1 AS BIGINT)"
        part = ""
        if len(node.args) == 2:
            restart = translate.render_expr(node.args[1])
            group = self._column(f"count(*) FILTER (WHERE {restart}) {_RUNNING}")
            part = f"PARTITION BY {translate.quote_ident(group.name)} "
        if count:
            return f'(row_number() OVER ({part}ORDER BY "{ORDER}") - 1 + {start})'
        # A null term adds nothing.
        return f'coalesce(sum({start}) OVER ({part}ORDER BY "{ORDER}" ROWS UNBOUNDED PRECEDING), 0)'

    def _column(self, sql: str) -> ir.ColumnRef:
        name = f"_kql_window{len(self.names)}"
        self.names.append(name)
        self.source = f"(SELECT *, {sql} AS {translate.quote_ident(name)} FROM {self.source})"
        return ir.ColumnRef(name)


def _neighbour(node: ir.FunctionCall) -> str:
    value, offset, default = [*node.args, None, None][:3]
    if len(node.args) > 3 or value is None:
        raise KqlUnsupportedError(f"function:{node.name}", hint="takes a column, an offset and a default")
    if offset is not None and not (isinstance(offset, ir.Literal) and isinstance(offset.value, int) and offset.value >= 0):
        raise KqlUnsupportedError(f"function:{node.name}", hint="an offset that is no constant")
    sql = f"{'lag' if node.name == 'prev' else 'lead'}({translate.render_expr(value)}, {1 if offset is None else offset.value}"
    return f"{sql}{'' if default is None else ', ' + translate.render_expr(default)}) {_OVER}"


def rebuilt(node: Any, change: Callable[[Any], Any]) -> Any:
    """A copy of the tree with `change` applied to each node, children first; nested queries are left as they are."""
    if isinstance(node, ir.Query):
        return node
    if isinstance(node, tuple):
        items = tuple(rebuilt(item, change) for item in node)
        return node if all(new is old for new, old in zip(items, node, strict=True)) else items
    if not dataclasses.is_dataclass(node) or isinstance(node, type):
        return node
    changes = {}
    for field in dataclasses.fields(node):
        value = getattr(node, field.name)
        new = rebuilt(value, change)
        if new is not value:
            changes[field.name] = new
    return change(dataclasses.replace(node, **changes) if changes else node)


def _nodes(node: Any) -> Iterator[Any]:
    if isinstance(node, tuple):
        for item in node:
            yield from _nodes(item)
    elif dataclasses.is_dataclass(node) and not isinstance(node, type | ir.Query):
        yield node
        for field in dataclasses.fields(node):
            yield from _nodes(getattr(node, field.name))
