"""Rows that a search makes itself: makeresults, with data written in the search; and JSON text taken apart, as spath does."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl.arguments import items, options, whole
from insigma_prove.workers.spl.events import Row
from insigma_prove.workers.spl.functions import Runtime
from insigma_prove.workers.spl.limits import EXTRACTION_CUTOFF, INLINE_DATA
from insigma_prove.workers.spl.values import Fields, FieldText


def made(argument: str, runtime: Runtime) -> list[Row]:
    """SR makeresults: rows with the time of the run; or rows of CSV, which have only their own fields and none for an empty cell.

    (The latter measured.) JSON data and `annotate` are not run here.
    """
    found, rest = options(items(argument), frozenset({"count", "format", "data"}))
    if rest:
        raise QueryFault("parse", f"makeresults does not take {rest[0].text!r}")
    if ("format" in found) is not ("data" in found):
        raise QueryFault("parse", "makeresults wants format and data together")
    if "data" not in found:
        fields: Fields = {} if runtime.now is None else {"_time": runtime.now}
        return [Row(dict(fields), None) for _ in range(whole(found, "count", 1))]
    if found["format"] != "csv" or "count" in found:
        raise QueryFault("unsupported", "makeresults runs here with format=csv alone")
    if len(found["data"]) > INLINE_DATA:
        raise QueryFault("run", f"makeresults data is longer than {INLINE_DATA} characters")
    lines = csv.reader(io.StringIO(found["data"].replace('\\"', '"').replace("\\n", "\n")))
    header, *cells = list(lines) or [[]]
    return [Row({name: FieldText(cell) for name, cell in zip(header, line, strict=False) if cell}, None) for line in cells if line]


def extracted(raw: str) -> dict[str, list[str]]:
    """The fields of a JSON text: nested names joined by dots, `{}` behind the name of an array (SR spath, "Location path").

    Nothing is said of text that is cut off, so text longer than the limit is a fault; null and empty containers give nothing
    here (what they give is an open question).
    """
    if len(raw) > EXTRACTION_CUTOFF:
        raise QueryFault("unsupported", f"what spath takes from JSON longer than {EXTRACTION_CUTOFF} characters is not modelled")
    try:
        document = json.loads(raw, parse_float=_Written, parse_int=_Written)
    except ValueError:
        return {}
    found: dict[str, list[str]] = {}
    _walk("", document, found)
    return found


class _Written(str):
    """A number as it is written."""

    __slots__ = ()


def _walk(name: str, value: Any, found: dict[str, list[str]]) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            _walk(f"{name}.{key}" if name else key, inner, found)
    elif isinstance(value, list):
        for inner in value:
            _walk(f"{name}{{}}", inner, found)
    elif value is not None and name:
        found.setdefault(name, []).append(("true" if value else "false") if isinstance(value, bool) else str(value))
