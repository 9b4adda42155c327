"""Lookup tables of an app: lookups/<table>.csv, and their definitions in transforms.conf.

Sources: transforms.conf.spec ("Lookup tables"), and "Configure CSV lookups" in Splunk's Knowledge Manager Manual: UTF-8, two
columns at least, a header of 4,096 characters at most. A value is matched as it is written, so none is changed: what the file
cannot hold is refused. That goes for control characters; a value such as `=1+1` is a text to Splunk, if not to a spreadsheet.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

from insigma.content.folding import fold
from insigma.packages.base import Files, Table
from insigma.packages.splunk import conf
from insigma.targets.base import Refused

LISTED = "listed"
"""The second column of a table that has only one: Splunk wants two."""
_TABLE = re.compile(r"[a-z][a-z0-9_]{0,62}", re.ASCII)
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_PLAIN = re.compile(r"[A-Za-z0-9_.:@-]*", re.ASCII)
_NUMBER = re.compile(r"-?[0-9]+(\.[0-9]+)?", re.ASCII)
_HEADER_LIMIT = 4096


def lookup_files(tables: Sequence[Table]) -> Files:
    """The .csv files and transforms.conf by their paths in the app. Raises `Refused`."""
    names = [table.name for table in tables]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise Refused(f"two lookup tables share the name '{twice[0]}'")
    ordered = sorted(tables, key=lambda table: table.name)
    files = {file_of(table): csv_of(table) for table in ordered}
    return files | {"default/transforms.conf": conf.stanzas([definition(table) for table in ordered])}


def file_of(table: Table) -> str:
    """The table's path in the app. Raises `Refused` for a name that is none."""
    if not _TABLE.fullmatch(table.name):
        raise Refused(f"'{table.name}' cannot name a lookup table: lower-case letters, digits and _, 63 at most")
    return f"lookups/{table.name}.csv"


def definition(table: Table) -> str:
    """The stanza in transforms.conf: one row at most, whatever the case of the key, and nothing where there is none."""
    settings = {
        "filename": file_of(table).removeprefix("lookups/"),
        "case_sensitive_match": "false",
        "max_matches": "1",
        "min_matches": "0",
    }
    return conf.stanza(table.name, settings)


def columns_of(table: Table) -> tuple[tuple[str, str], ...]:
    """The columns as the file has them, with their types."""
    return table.columns if len(table.columns) > 1 else (*table.columns, (LISTED, "string"))


def csv_of(table: Table) -> str:
    """The table with its rows, or with its header alone where the customer's own job fills it. Raises `Refused`."""
    names = [name for name, _ in columns_of(table)]
    distinct = len({fold(name) for name in names}) == len(names)
    if not (distinct and table.keys and names[: len(table.keys)] == list(table.keys) and all(map(_COLUMN.fullmatch, names))):
        raise Refused(f"the columns of the lookup table '{table.name}' are no plain names, not distinct, or do not begin with its keys")
    header = ",".join(names)
    if len(header) > _HEADER_LIMIT:
        raise Refused(f"the columns of the lookup table '{table.name}' are longer than {_HEADER_LIMIT} characters")
    rows = [(*row, "yes") for row in table.rows or ()] if len(table.columns) == 1 else list(table.rows or ())
    return "".join(f"{line}\n" for line in (header, *(",".join(map(cell, row)) for row in _checked(table, rows))))


def cell(value: str) -> str:
    """The value as one field of a CSV line (RFC 4180): quoted unless it is empty or plain."""
    return value if _PLAIN.fullmatch(value) else '"' + value.replace('"', '""') + '"'


def _checked(table: Table, rows: Iterable[Sequence[str]]) -> Iterator[Sequence[str]]:
    """The rows, without those that say in another case what one before them says. Raises `Refused`."""
    seen: dict[tuple[str, ...], tuple[str, ...]] = {}
    types = [kind for _, kind in columns_of(table)]
    for number, row in enumerate(rows, 1):
        where = f"row {number} of the lookup table '{table.name}'"
        if len(row) != len(types):
            raise Refused(f"{where} has not as many values as the table has columns")
        if not all(map(conf.carried, row)):
            raise Refused(f"{where} holds characters that a .csv file cannot carry")
        if any(kind != "string" and value and not _NUMBER.fullmatch(value) for value, kind in zip(row, types, strict=True)):
            raise Refused(f"{where} has text where a number belongs")
        folded = tuple(map(fold, row))
        known = seen.setdefault(folded[: len(table.keys)], folded)
        if known is folded:
            yield row
        elif known != folded:
            raise Refused(f"{where} has the keys of a row before it: Splunk would never find it")


def by_rows(tables: Sequence[Table]) -> Mapping[bool, tuple[Table, ...]]:
    """The tables that are shipped (True) and those that the customer fills (False), by name."""
    ordered = sorted(tables, key=lambda table: table.name)
    return {shipped: tuple(table for table in ordered if (table.rows is not None) is shipped) for shipped in (True, False)}
