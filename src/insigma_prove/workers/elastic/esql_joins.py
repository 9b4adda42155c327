"""LOOKUP JOIN: the rows of the query beside those of an index in lookup mode that have the same value of one field.

It is a left join: a row of the query that none matches stays, with nulls; one that several match comes once for each. Null and
several values match nothing, on either side. Columns of the lookup index take the place of others of their name and move to
the end, but for the join field, which stays. The lookup index is asked a term query, which a keyword field's normalizer changes.
Sources: "LOOKUP JOIN" and "Correlate data with LOOKUP JOIN" of the Elasticsearch 8.18 reference; lookup-join.csv-spec and
QueryList of elastic/elasticsearch, x-pack/plugin/esql.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from insigma_prove.workers.elastic.esql_values import COLUMN_TYPES, Row, Typed, packed, several, type_fault
from insigma_prove.workers.elastic.index import Store
from insigma_prove.workers.elastic.jvm import Jvm
from insigma_prove.workers.elastic.mapping import Fields, FieldType, declared_fields
from insigma_prove.workers.serve import QueryFault

Joiner = Callable[[list[Row]], list[Row]]


class LookupIndex:
    """An index in lookup mode."""

    def __init__(self, jvm: Jvm, name: str, body: Mapping[str, Any]) -> None:
        """`body` holds the index's mappings and settings, and its documents. Raises ValueError for what Elasticsearch would reject."""
        settings = body.get("settings", {})
        if settings.get("index", settings).get("mode") != "lookup":
            raise ValueError(f"index {name} is not in lookup mode")
        store = Store(jvm, declared_fields(body, jvm.lower_code_point), body.get("documents", ()))
        self.fields: Fields = store.fields
        self._rows = store.rows

    def types(self) -> dict[str, str]:
        """The columns that a join brings, each with its type."""
        return {name: field.type for name, field in self.fields.by_name.items()}

    def join(self, name: str, column: Typed, warnings: list[str]) -> Joiner:
        """What joins rows to the documents by the field `name`, which is `column` in the query."""
        field = self.fields.by_name[name]
        brought = [each for each in self.fields.by_name if each != name]
        by_value: dict[Any, list[Row]] = {}
        for document in self._rows:
            if len(document.get(name, ())) == 1:
                by_value.setdefault(document[name][0], []).append({each: packed(document.get(each, ())) for each in brought})
        nothing: Row = dict.fromkeys(brought)

        def run(rows: list[Row]) -> list[Row]:
            return [{**row, **match} for row in rows for match in self._matches(field, column.run(row), by_value, warnings) or [nothing]]

        return run

    def _matches(self, field: FieldType, value: Any, by_value: Mapping[Any, list[Row]], warnings: list[str]) -> Sequence[Row]:
        values = several(value)
        if len(values) > 1:
            warnings.append("LOOKUP JOIN encountered multi-value")
        if len(values) != 1:
            return ()
        asked = values[0]
        if field.type == "keyword" and field.normalize(asked) != asked:
            warnings.append(f"[{field.name}] has a normalizer that changes {asked!r}: only a term query joins it")
            asked = field.normalize(asked)
        return by_value.get(asked, ())


def lookup_join(command: Any, indices: Mapping[str, LookupIndex], columns: dict[str, Typed], warnings: list[str]) -> Joiner:
    """The compiled command; `columns` become those after it. Raises `QueryFault`."""
    if command.kind != "lookup" or len(command.on_fields) != 1 or command.on_fields != command.on_lookup_fields:
        raise QueryFault("unsupported", "a join other than LOOKUP JOIN on one field of the same name is not modelled")
    index, name = indices.get(str(command.target)), command.on_fields[0]
    if index is None:
        raise type_fault(f"Unknown index [{command.target}]")
    if name not in columns:
        raise type_fault(f"Unknown column [{name}] in left side of join")
    field = index.fields.by_name.get(name)
    if field is None:
        raise type_fault(f"Unknown column [{name}] in right side of join")
    kind = COLUMN_TYPES.get(field.type, field.type)
    if columns[name].type not in (kind, "null") or field.type == "text":
        raise type_fault(
            f"JOIN left field [{name}] of type [{columns[name].type}] is incompatible with right field [{name}] of type [{kind}]"
        )
    joiner = index.join(name, columns[name], warnings)
    for each, brought in index.fields.by_name.items():
        if each != name:
            columns.pop(each, None)
            columns[each] = _column(each, brought)
    return joiner


def _column(name: str, field: FieldType) -> Typed:
    return Typed(COLUMN_TYPES.get(field.type, field.type), lambda row: row.get(name), field=field)
