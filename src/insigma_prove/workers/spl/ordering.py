"""sort (SR sort)."""

from __future__ import annotations

import ipaddress
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl.arguments import Item, items, unescaped
from insigma_prove.workers.spl.events import Row
from insigma_prove.workers.spl.limits import SORT_COUNT
from insigma_prove.workers.spl.readings import Readings
from insigma_prove.workers.spl.values import Single, Value, number, text

_KINDS = frozenset({"auto", "num", "str", "ip"})


@dataclass(frozen=True, slots=True)
class _By:
    """One field to sort by: as numbers, text or addresses, or as its values look (auto)."""

    name: str
    kind: str
    descending: bool


def sort(argument: str, readings: Readings) -> Callable[[list[Row]], list[Row]]:
    """The rows in order, the first 10,000 unless a number says otherwise (0: all); `-` or a last `desc` turns the order round.

    Nothing is promised of rows that sort alike: they keep their order, or the reading `ties` shuffles them. Rows without the
    field come last (assumed).
    """
    count, by = _parsed(argument)

    def apply(rows: list[Row]) -> list[Row]:
        found = list(rows)
        if readings.ties is not None:
            random.Random(readings.ties).shuffle(found)
        for one in reversed(by):
            key = _key(one, [row.fields.get(one.name) for row in rows])
            present = [row for row in found if row.fields.get(one.name) is not None]
            absent = [row for row in found if row.fields.get(one.name) is None]
            present.sort(key=lambda row: key(row.fields[one.name]), reverse=one.descending)
            found = present + absent
        return found[:count] if count else found

    return apply


def _parsed(argument: str) -> tuple[int, list[_By]]:
    pieces = [item for item in items(argument) if item.kind != "comma"]
    turned = bool(pieces) and pieces[-1].kind == "word" and pieces[-1].text in ("d", "desc") and len(pieces) > 1
    pieces = pieces[:-1] if turned else pieces
    count = SORT_COUNT
    if pieces and pieces[0].kind == "word" and (found := re.fullmatch(r"(?:limit=)?([0-9]+)", pieces[0].text, re.ASCII)):
        count = int(found[1])
        pieces = pieces[1:]
    by: list[_By] = []
    at = 0
    while at < len(pieces):
        one, at = _field(pieces, at)
        by.append(_By(one.name, one.kind, one.descending is not turned))
    if not by:
        raise QueryFault("parse", "sort wants a field")
    return count, by


def _field(pieces: Sequence[Item], at: int) -> tuple[_By, int]:
    item, descending = pieces[at], False
    if item.kind == "word" and item.text[0] in "+-":
        descending, name = item.text[0] == "-", item.text[1:]
        if not name:
            if at + 1 >= len(pieces):
                raise QueryFault("parse", "sort wants a field")
            at += 1
            item, name = pieces[at], pieces[at].text
    else:
        name = item.text
    if at + 1 < len(pieces) and pieces[at + 1].kind == "group" and pieces[at + 1].glued:
        if name not in _KINDS:
            raise QueryFault("parse", f"sort does not know {name}()")
        return _By(pieces[at + 1].text.strip().strip('"'), name, descending), at + 2
    if item.kind == "group":
        raise QueryFault("parse", "sort wants a field")
    return _By(unescaped(name) if item.kind == "string" else name, "auto", descending), at + 1


def _key(by: _By, values: Sequence[Value]) -> Callable[[Value], Any]:
    """How the values of a field are ordered (SR sort, "sort field options")."""
    held: list[Single] = []
    for value in values:
        if isinstance(value, tuple):
            raise QueryFault("unsupported", "how sort orders multivalue fields is not documented")
        held += [] if value is None else [value]
    kind = by.kind if by.kind != "auto" else _kind(held)
    if kind == "num":
        if any(number(value) is None for value in held):
            raise QueryFault("unsupported", "where num() puts what is no number is not documented")
        return number
    if kind == "ip":
        return lambda value: _address(text(value)) if not isinstance(value, tuple) and value is not None else (0, 0)
    return lambda value: text(value) if not isinstance(value, tuple) and value is not None else ""


def _kind(values: Sequence[Single]) -> str:
    """How `auto` sorts: as numbers or addresses if all are, as text if none starts with a digit; a mixture is not run here."""
    if all(number(value) is not None for value in values):
        return "num"
    if all(_address(text(value)) is not None for value in values):
        return "ip"
    if any(re.match(r"[-+]?[0-9]", text(value)) for value in values):
        raise QueryFault("unsupported", "how sort orders numbers and text in one field is not modelled")
    return "str"


def _address(written: str) -> tuple[int, int] | None:
    try:
        address = ipaddress.ip_address(written)
    except ValueError:
        return None
    return address.version, int(address)
