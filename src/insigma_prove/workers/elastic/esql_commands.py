"""ES|QL queries, command by command, over the rows of a store.

Sources: "ES|QL commands" and "ES|QL limitations" of the Elasticsearch 8.18 reference: a query without LIMIT gives 1,000 rows,
none gives more than 10,000; STATS puts a row with several values of a key into each of their groups, and null is a group.
The order of groups is not defined there; here they come as they are first met.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from esql import ast

from insigma_prove.workers.elastic.esql_aggregates import Aggregate
from insigma_prove.workers.elastic.esql_expressions import Expressions
from insigma_prove.workers.elastic.esql_joins import LookupIndex, lookup_join
from insigma_prove.workers.elastic.esql_parser import EsqlText
from insigma_prove.workers.elastic.esql_values import COLUMN_TYPES, Row, Typed, order, packed, reported, several, type_fault
from insigma_prove.workers.elastic.index import Store, matches_index
from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.mapping import Fields, FieldType
from insigma_prove.workers.serve import QueryFault

UNASKED_ROWS = 1000
MOST_ROWS = 10_000
_METADATA = {"_id": "keyword", "_index": "keyword", "_version": "long"}
_ROW_NUMBER = "\x00position"


class Pipeline:
    """A compiled query: what it does to rows, and the columns that it ends with."""

    def __init__(self, jvm: Jvm, fields: Fields, text: str, lookups: Mapping[str, LookupIndex] | None = None) -> None:
        """`lookups` are the indices in lookup mode by name. Raises `QueryFault`."""
        self.warnings: list[str] = []
        self._lookups = lookups or {}
        parsed = EsqlText(text, fields, {name: index.types() for name, index in self._lookups.items()})
        self._text = parsed
        self._expressions = Expressions(jvm, parsed, self.warnings)
        self._fields = fields
        self.columns: dict[str, Typed] = {}
        self.patterns: str | None = None
        self.keeps_events = True
        """Whether each row is still an event."""
        self._limited = False
        self._steps = [self._command(command) for command in parsed.tree.commands]

    def run(self, store: Store, visible: frozenset[int]) -> list[Row]:
        """The rows that the query gives. Raises `QueryFault`."""
        rows = [_source(store, position) for position in sorted(visible) if matches_index(store.indices[position], self.patterns)]
        for step in self._steps:
            rows = step(rows)
        limit = MOST_ROWS if self._limited else UNASKED_ROWS
        if len(rows) > limit:
            self.warnings.append(f"{len(rows)} rows are cut to {limit}")
        return rows[:limit]

    def positions(self, rows: Sequence[Row]) -> list[int]:
        """The events that the rows are."""
        return sorted({row[_ROW_NUMBER] for row in rows})

    def reported(self, rows: Sequence[Row]) -> list[dict[str, Any]]:
        """The rows as JSON."""
        return [{name: reported(column.run(row)) for name, column in self.columns.items()} for row in rows]

    def _command(self, command: Any) -> Callable[[list[Row]], list[Row]]:
        match command:
            case ast.FromCommand():
                return self._from(command)
            case ast.RowCommand(fields=assignments):
                self.keeps_events = False
                evaluated = self._eval(assignments)
                return lambda _rows: evaluated([{}])
            case ast.WhereCommand(predicate=predicate):
                condition = self._expressions.condition(predicate, self.columns)
                return lambda rows: [row for row in rows if condition.run(row) is True]
            case ast.EvalCommand(assignments=assignments):
                return self._eval(assignments)
            case ast.MvExpandCommand(field=name):
                return self._mv_expand(name)
            case ast.StatsCommand(inline=False):
                return self._stats(command)
            case ast.JoinCommand():
                return lookup_join(command, self._lookups, self.columns, self.warnings)
            case ast.SortCommand():
                return self._sort(command)
            case ast.LimitCommand(count=count, by=[]) if isinstance(count, int):
                self._limited = True
                return lambda rows: rows[: min(count, MOST_ROWS)]
            case ast.KeepCommand(columns=names, wildcards=wildcards):
                return self._keep([*names, *wildcards])
            case ast.DropCommand(columns=names, wildcards=wildcards):
                return self._keep([name for name in self.columns if not any(_named(name, each) for each in (*names, *wildcards))])
            case ast.RenameCommand(renames=renames):
                return self._rename(renames)
            case _:
                raise QueryFault("unsupported", f"the command {type(command).__name__.removesuffix('Command').upper()} is not modelled")

    def _from(self, command: Any) -> Callable[[list[Row]], list[Row]]:
        if any(not isinstance(source, str) for source in command.sources):
            raise QueryFault("unsupported", "FROM a subquery is not modelled")
        self.patterns = ",".join(source.strip('"') for source in command.sources)
        for name, field in self._fields.by_name.items():
            self.columns[name] = _column(name, COLUMN_TYPES.get(field.type, field.type), field)
        if self._fields.dynamic == "keyword":
            for name in _column_names(self._text.tree):
                if self._fields.find(name) is not None:
                    self.columns.setdefault(name, _column(name, "keyword", self._fields.find(name)))
        for name in command.metadata:
            if name not in _METADATA:
                raise QueryFault("unsupported", f"the metadata field {name} is not modelled")
            self.columns[name] = _column(name, _METADATA[name], None)
        return lambda rows: rows

    def _eval(self, assignments: Sequence[Any]) -> Callable[[list[Row]], list[Row]]:
        computed: list[tuple[str, Typed]] = []
        for each in assignments:
            if not isinstance(each, ast.Alias):
                raise QueryFault("unsupported", "a column without a name is not modelled")
            made = self._expressions.compiled(each.expr, self.columns)
            computed.append((each.name, made))
            self.columns.pop(each.name, None)  # an overwritten column moves to the end
            self.columns[each.name] = _column(each.name, made.type, None)

        def run(rows: list[Row]) -> list[Row]:
            return [_evaluated(row, computed) for row in rows]

        return run

    def _mv_expand(self, name: str) -> Callable[[list[Row]], list[Row]]:
        if name not in self.columns:
            raise type_fault(f"Unknown column [{name}]")
        old = self.columns[name]
        self.columns[name] = _column(name, old.type, old.field)
        return lambda rows: [{**row, name: value} for row in rows for value in (several(old.run(row)) or (None,))]

    def _stats(self, command: Any) -> Callable[[list[Row]], list[Row]]:
        if command.aggregate_filters:
            raise QueryFault("unsupported", "STATS ... WHERE is not modelled")
        keys = {name: self._grouping(command, name) for name in command.grouping}
        aggregates: dict[str, Aggregate] = {}
        for each in command.aggregates:
            aggregates[_alias(each)] = self._aggregate(each.expr)
        self.keeps_events = False
        self.columns = {name: _column(name, aggregate.type, None) for name, aggregate in aggregates.items() if name not in keys}
        self.columns |= {name: _column(name, key.type, None) for name, key in keys.items()}

        def run(rows: list[Row]) -> list[Row]:
            groups: dict[tuple[Any, ...], list[Row]] = {} if keys else {(): []}
            for row in rows:
                for key in itertools.product(*(several(typed.run(row)) or (None,) for typed in keys.values())):
                    members = groups.setdefault(tuple((type(value), value) for value in key), [])
                    members.append({**row, **dict(zip(keys, key, strict=True))})
            return [
                {name: aggregate.over(members) for name, aggregate in aggregates.items()}
                | {name: value for name, (_type, value) in zip(keys, key, strict=True)}
                for key, members in groups.items()
            ]

        return run

    def _grouping(self, command: Any, name: str) -> Typed:
        for each in command.grouping_aliases:
            if each.name == name:
                return self._expressions.compiled(each.expr, self.columns)
        if name not in self.columns:
            raise type_fault(f"Unknown column [{name}]")
        return self.columns[name]

    def _aggregate(self, node: Any) -> Aggregate:
        if not isinstance(node, ast.FunctionCall):
            raise QueryFault("unsupported", "an expression of aggregates is not modelled")
        arguments = [] if node.args and isinstance(node.args[0], ast.Wildcard) else node.args
        if len(arguments) > 1:
            raise QueryFault("unsupported", f"{node.name.upper()} with options is not modelled")
        return Aggregate(node.name.lower(), self._expressions.compiled(arguments[0], self.columns) if arguments else None)

    def _sort(self, command: Any) -> Callable[[list[Row]], list[Row]]:
        """Stable, by each key from the last to the first; several values sort by their least, or descending by their greatest."""
        keys = [self._expressions.compiled(each.expr, self.columns) for each in command.keys]
        ways = self._text.directions(command)

        def run(rows: list[Row]) -> list[Row]:
            for key, (down, nulls_first) in reversed(list(zip(keys, ways, strict=True))):
                valued = [row for row in rows if key.run(row) is not None]
                empty = [row for row in rows if key.run(row) is None]
                choose = max if down else min
                valued.sort(key=lambda row, key=key, choose=choose: choose(map(order, several(key.run(row)))), reverse=down)  # type: ignore[misc]
                rows = [*empty, *valued] if nulls_first else [*valued, *empty]
            return rows

        return run

    def _keep(self, wanted: Sequence[str]) -> Callable[[list[Row]], list[Row]]:
        kept: dict[str, Typed] = {}
        for pattern in wanted:
            found = [name for name in self.columns if _named(name, pattern)]
            if not found and "*" not in pattern:
                raise type_fault(f"Unknown column [{pattern}]")
            kept.update({name: self.columns[name] for name in found})
        self.columns = kept
        return lambda rows: rows

    def _rename(self, renames: Sequence[tuple[str, str]]) -> Callable[[list[Row]], list[Row]]:
        names = dict(renames)
        if missing := [name for name in names if name not in self.columns]:
            raise type_fault(f"Unknown column [{missing[0]}]")
        old = [(names.get(name, name), column) for name, column in self.columns.items() if name in names or name not in names.values()]
        self.columns = {name: _column(name, column.type, column.field) for name, column in old}
        return lambda rows: [{**row, **{name: column.run(row) for name, column in old}} for row in rows]


def _column(name: str, kind: str, field: FieldType | None) -> Typed:
    return Typed(kind, lambda row: row.get(name), field=field)


def _source(store: Store, position: int) -> Row:
    row: Row = {name: packed(values) for name, values in store.rows[position].items()}
    return row | {"_id": str(position), "_index": store.indices[position], "_version": 1, _ROW_NUMBER: position}


def _evaluated(row: Row, computed: Sequence[tuple[str, Typed]]) -> Row:
    made = dict(row)
    for name, typed in computed:
        made[name] = typed.run(made)
    return made


def _alias(node: Any) -> str:
    if not isinstance(node, ast.Alias):
        raise QueryFault("unsupported", "an aggregate without a name is not modelled")
    return str(node.name)


def _column_names(tree: Any) -> list[str]:
    """Every column that the query names, for stores that have them all."""
    names = [node.name for node in tree if isinstance(node, ast.ColumnRef)]
    for command in tree.commands:
        names += command.columns if isinstance(command, ast.KeepCommand) else []
        names += [command.field] if isinstance(command, ast.MvExpandCommand) else []
        names += command.grouping if isinstance(command, ast.StatsCommand) else []
    return list(dict.fromkeys(names))


def _named(name: str, pattern: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name, re.DOTALL) is not None
