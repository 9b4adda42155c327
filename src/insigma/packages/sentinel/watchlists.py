"""Lookup tables as watchlists.

A watchlist's items travel as CSV in the resource; a header without rows is turned away ("no watchlist items found in the provided
rawContent"), while a watchlist without content is made empty, and stays as it is when it is deployed again. So a table that the
customer fills is made empty, with its header as a file for the job that fills it; queries take an empty watchlist for a
table without rows. Deploying rows again adds what is new and takes nothing away (Manage watchlists in Microsoft Sentinel,
"Bulk update a watchlist").

Limits: name and alias of 3 to 64 characters (Watchlists in Microsoft Sentinel), 10,240 characters a line and 3.8 MB a file (Service
limits for Microsoft Sentinel). A larger table than fits into a template is a file to upload.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Sequence
from typing import Any

from insigma.packages.base import Table
from insigma.packages.sentinel.arm import LARGEST_TEMPLATE, Resource, in_sentinel, literal
from insigma.targets.base import Refused

API_VERSION = "2025-09-01"
LONGEST_LINE = 10_240
LARGEST_CONTENT = LARGEST_TEMPLATE // 2
"""Characters of CSV that go into a template, so that other resources find room beside them."""

_ALIAS = re.compile(r"[a-z][a-z0-9_]{1,61}[a-z0-9]", re.ASCII)
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f]")


def watchlist_id(table: Table) -> str:
    """The expression by which rules of the same template wait for the watchlist."""
    return in_sentinel("watchlists", table.name)[1]


def watchlist(table: Table) -> Resource:
    """The watchlist, with its rows if they are shipped and fit. Raises `Refused` for a name or value that Sentinel does not take."""
    if not _ALIAS.fullmatch(table.name):
        raise Refused(f"the table '{table.name}' cannot be a watchlist's alias: 3 to 64 letters, digits and underscores, none at an end")
    content = csv_text(table)
    name, identity = in_sentinel("watchlists", table.name)
    said = (table.description, _said("owner", table.owner), _said("refresh", table.refresh))
    properties: dict[str, Any] = {
        "displayName": table.name,
        "description": "; ".join(text for text in said if text),
        "provider": "Microsoft",
        "source": f"{table.name}.csv",
        "itemsSearchKey": table.keys[0],
    }
    if table.rows and not is_large(table):
        properties |= {"sourceType": "Local", "contentType": "text/csv", "numberOfLinesToSkip": 0, "rawContent": content}
    body = {
        "type": "Microsoft.OperationalInsights/workspaces/providers/watchlists",
        "apiVersion": API_VERSION,
        "name": name,
        "properties": literal(properties),
    }
    return Resource(identity, body)


def is_large(table: Table) -> bool:
    """Whether the rows are too many for a template."""
    return bool(table.rows) and len(csv_text(table)) > LARGEST_CONTENT


def csv_text(table: Table) -> str:
    """Header and rows as CSV (RFC 4180).

    Raises `Refused` for what no watchlist holds: control characters, an empty search key, long lines.
    """
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\r\n")
    writer.writerow([name for name, _ in table.columns])
    place = [name for name, _ in table.columns].index(table.keys[0])
    for row in table.rows or ():
        _check(table, row, place)
        writer.writerow(row)
    text = written.getvalue()
    if any(len(line) > LONGEST_LINE for line in text.split("\r\n")):
        raise Refused(f"a row of the table '{table.name}' has more than {LONGEST_LINE} characters, the most of a watchlist's line")
    return text


def _check(table: Table, row: Sequence[str], place: int) -> None:
    if not row[place]:
        raise Refused(f"a row of the table '{table.name}' has no {table.keys[0]}, by which a watchlist finds its rows")
    if any(_UNPRINTABLE.search(value) for value in row):
        raise Refused(f"a row of the table '{table.name}' has a line break or another control character, which no watchlist's line holds")


def _said(what: str, text: str) -> str:
    return f"{what}: {text}" if text else ""
