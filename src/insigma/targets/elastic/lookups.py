"""Lookup indices: how a table that events are looked up in lies in Elasticsearch, for the query and for whoever fills it.

`LOOKUP JOIN` takes one field of the same name on both sides (several came with 9.2), so every lookup index has the field
`insigma_key`, made of all key columns of the row, and the query makes the same of the event. What a joined index brings takes
the place of event columns of the same name, so its own columns begin with `insigma_<table>.`, as no event field does.
Source: "Correlate data with LOOKUP JOIN" of the Elasticsearch 8.18 reference (parameters, limitations).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from insigma.bind.model import Refused
from insigma.targets.elastic.codepoints import OTHER_FORMS

KEY = "insigma_key"
"""The join field: `keyword` under the normalizer `insigma_fold`, like every other text of a lookup index."""

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,62}", re.ASCII)
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_TYPES = {"string": "keyword", "number": "double", "time": "long"}


def lookup_index(table: str) -> str:
    """The name of the table's lookup index (`index.mode: lookup`). Raises `Refused` for what is no table name."""
    return f"insigma-{_checked(table)}"


def lookup_columns(table: str, columns: Sequence[tuple[str, str]]) -> tuple[tuple[str, str], ...]:
    """Name and Elasticsearch type of each column of the table, in their order; the index has `insigma_key` besides.

    `columns` are names with "string" (`keyword`, normalizer `insigma_fold`), "number" (`double`) or "time" (milliseconds since
    1970, a `long`). An empty value is left out of the document. Raises `Refused` for names that a query cannot hold.
    """
    return tuple((lookup_column(table, name), _TYPES[kind]) for name, kind in columns)


def lookup_column(table: str, column: str) -> str:
    """The column of the table as its lookup index names it. Raises `Refused`."""
    if not _NAME.fullmatch(column):
        raise Refused(f"column {column!r} of table {table} cannot be named in an Elasticsearch query", ())
    return f"insigma_{_checked(table)}.{column}"


def lookup_key(values: Sequence[str]) -> str:
    """`insigma_key` of the row with these keys, in the order of the table's key columns; it is the document's `_id` too.

    The keys in lower case, as `insigma_fold` makes it, joined by `|`. In all but the last a backslash stands before each
    backslash and each `|`, so no two rows have one key; a single key is just its lower-case text. Rows with an
    empty key are never found and have none. Raises ValueError for no values or an empty one.
    """
    if not values or not all(values):
        raise ValueError("a row without a key is never found")
    *others, last = map(as_stored, values)
    return "|".join((*map(escaped, others), last))


def escaped(text: str) -> str:
    """A part of a key other than the last."""
    return text.replace("\\", "\\\\").replace("|", "\\|")


def as_stored(text: str) -> str:
    """The text as a `keyword` under the normalizer `insigma_fold` holds it: its own letters first, then the filter `lowercase`."""
    if text.isascii():
        return text.lower()
    return "".join(_lower(char) for char in text)


@lru_cache(maxsize=4096)
def _lower(char: str) -> str:
    folded = next((letter for letter, forms in OTHER_FORMS.items() if char in forms), char).lower()
    return folded if len(folded) == 1 else "i"  # U+0130 is the only letter whose lower case is longer; Java's is an i


def _checked(table: str) -> str:
    if not _TABLE.fullmatch(table):
        raise Refused(f"{table!r} cannot be the name of a lookup index in Elasticsearch", ())
    return table
