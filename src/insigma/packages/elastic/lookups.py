"""Lookup tables as Elasticsearch keeps them: one index in lookup mode a table, and the rows that we ship.

How index, columns and join key are called stands in `targets.elastic.lookups`, for the queries too. `LOOKUP JOIN` asks the
lookup index a term query for each value (QueryList, x-pack/plugin/esql, elastic/elasticsearch), and a term query on a keyword
field puts the value through the field's normalizer (KeywordFieldMapper), so keys meet whatever their case. What the join adds
is read from doc values, which hold the normalised, lower-case value. Of several documents for one key the join makes several
rows of the event: `_id` is the key, so that a row exists once.

Sources: "Correlate data with LOOKUP JOIN" (technical preview in 8.18), "Index modules" (`index.mode`, `index.final_pipeline`),
"Keyword type family", "Numeric field types" (`coerce`), "`_id` field" (512 bytes), "Script processor", "Bulk API" and "Delete by
query" of the Elasticsearch 8.18 reference.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from insigma.packages.base import Table
from insigma.packages.elastic.rules import json_line
from insigma.packages.elastic.template import LONGEST, NORMALIZER, folding_analysis, place
from insigma.targets.base import Refused
from insigma.targets.elastic import lookups

LONGEST_ID = 512
"""Bytes of an `_id`."""

_WHOLE = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_DECIMAL = re.compile(r"-?[0-9]{1,18}(?:\.[0-9]{1,15})?", re.ASCII)
_MAKE_KEY = """\
Map row = new HashMap();
for (String name : params.columns) {
  def value = ctx.remove(name);
  if (value != null && value != '') { row.put(name, value); }
}
StringBuilder key = new StringBuilder();
for (int i = 0; i < params.keys.size(); i++) {
  def value = row.get(params.keys[i]);
  if (value == null) { throw new IllegalArgumentException('a row without ' + params.keys[i]); }
  String text = value.toString().toLowerCase(Locale.ROOT);
  boolean last = i == params.keys.size() - 1;
  key.append(last ? text : text.replace('\\\\', '\\\\\\\\').replace('|', '\\\\|') + '|');
}
ctx[params.table] = row;
ctx[params.key] = key.toString();
ctx._id = key.toString();
"""
"""Painless: the columns of a plain row put where the queries read them, and the key made as `lookup_key` does."""


def index_name(table: Table) -> str:
    """The table's lookup index. Raises `Refused` for a name that no index can carry."""
    return lookups.lookup_index(table.name)


def lookup_index(table: Table) -> dict[str, Any]:
    """The body of `PUT /insigma-<table>`. Raises `Refused` for columns that are none."""
    about = {"description": table.description, "owner": table.owner, "source": table.source, "refresh": table.refresh}
    properties: dict[str, Any] = {lookups.KEY: _stored("keyword")}
    for path, kind in zip(_paths(table).values(), lookups.lookup_columns(table.name, table.columns), strict=True):
        place(properties, path, _stored(kind[1]))
    return {
        "mappings": {
            "_meta": {"managed_by": "insigma", **{name: text for name, text in about.items() if text}},
            "dynamic": "strict",
            "properties": properties,
        },
        "settings": {"index": {"analysis": folding_analysis(), "final_pipeline": pipeline_name(table), "mode": "lookup"}},
    }


def pipeline_name(table: Table) -> str:
    """The ingest pipeline through which every row of the table goes."""
    return f"insigma-lookup-{table.name}"


def row_pipeline(table: Table) -> dict[str, Any]:
    """That pipeline: a row whose fields are the plain columns becomes one that the queries can join, under its key as `_id`.

    A row without one of its keys, or with a column that the table does not have, is an error of that row.
    """
    holder = _paths(table)[table.keys[0]][0]
    params = {"columns": [name for name, _ in table.columns], "key": lookups.KEY, "keys": list(table.keys), "table": holder}
    script = {"if": f"ctx.{lookups.KEY} == null", "lang": "painless", "params": params, "source": _MAKE_KEY, "tag": lookups.KEY}
    return {"description": f"Makes rows of {index_name(table)} of plain columns", "processors": [{"script": script}]}


def bulk_rows(table: Table) -> str:
    """The shipped rows for `POST /insigma-<table>/_bulk`, by their keys. Raises `Refused` for a row that the table cannot hold."""
    return "".join(json_line({"index": {"_id": key}}) + json_line(row) for key, row in _by_key(table).items())


def prune_query(table: Table) -> dict[str, Any]:
    """The body of `POST /insigma-<table>/_delete_by_query` that takes out what is no longer shipped."""
    return {"query": {"bool": {"must_not": [{"ids": {"values": list(_by_key(table))}}]}}}


def _paths(table: Table) -> Mapping[str, list[str]]:
    """Where each column lies in a row's document. Raises `Refused` for columns that are none."""
    names = [name for name, _ in table.columns]
    if not table.keys or not set(table.keys) <= set(names) or len(set(names)) < len(names):
        raise Refused(f"lookup table '{table.name}' has no keys, a key that is no column, or a column twice")
    return {name: lookups.lookup_column(table.name, name).split(".") for name in names}


def _stored(kind: str) -> dict[str, Any]:
    """How a column is stored. Whole numbers stay whole: a fraction is an error of the row, not cut off."""
    if kind == "keyword":
        return {"type": "keyword", "ignore_above": LONGEST, "normalizer": NORMALIZER}
    return {"type": kind, "coerce": False} if kind == "long" else {"type": kind}


def _by_key(table: Table) -> Mapping[str, dict[str, Any]]:
    """The rows by `_id`, in the order of their keys. Raises `Refused`."""
    paths = _paths(table)
    found: dict[str, dict[str, Any]] = {}
    for row in table.rows or ():
        if len(row) != len(paths):
            raise Refused(f"lookup table '{table.name}' has a row of {len(row)} values, not of {len(paths)}")
        given = dict(zip(paths, row, strict=True))
        key = _key(table, given)
        if key in found:
            raise Refused(f"lookup table '{table.name}' has two rows for {key}")
        found[key] = _document(table, key, given)
    return {key: found[key] for key in sorted(found)}


def _key(table: Table, given: Mapping[str, str]) -> str:
    keys = [given[name] for name in table.keys]
    if not all(keys):
        raise Refused(f"lookup table '{table.name}' has a row without {', '.join(table.keys)}")
    key = lookups.lookup_key(keys)
    if len(key.encode()) > LONGEST_ID:
        raise Refused(f"lookup table '{table.name}' has a key longer than {LONGEST_ID} bytes: {key[:60]}...")
    return key


def _document(table: Table, key: str, given: Mapping[str, str]) -> dict[str, Any]:
    """The row as a document; empty values are left out."""
    document: dict[str, Any] = {lookups.KEY: key}
    paths = _paths(table)
    for name, kind in table.columns:
        if given[name]:
            holder, column = paths[name]
            document.setdefault(holder, {})[column] = given[name] if kind == "string" else _number(table, kind, given[name])
    return document


def _number(table: Table, kind: str, text: str) -> int | float:
    if not (_WHOLE if kind == "time" else _DECIMAL).fullmatch(text):
        raise Refused(f"lookup table '{table.name}' has '{text}' where a {kind} belongs")
    return float(text) if "." in text else int(text)
