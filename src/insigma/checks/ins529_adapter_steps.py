"""Adapter: steps

## What it does

Checks that the steps of a field fit each other and its type: exactly one of `from`, `constant` and `setting`; `time` and zones only for
times, `multiply` only for numbers, `split` and `[*]` only where the field may hold several values, `hash` only for text; `otherwise`
only with `values`, `unmapped` only with `values` or `table`, and not both.

## Why it is bad

A step that cannot be done is left out at run time or makes every value unusable, and the field stays empty.

## Example

```yaml
# bad: an event has one user
user.name: {from: 'agent[*].name', otherwise: nobody}

# good
user.name: {from: 'agent[requestor=true].name'}
```

## Fix

Do what the hint says.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from insigma.checks.adapters import bindings, carried
from insigma.checks.base import Context, finding
from insigma.checks.scope import dig
from insigma.content.model import Field, FieldType
from insigma.content.products import FieldBinding
from insigma.diagnostics.model import Diagnostic

CODE = "INS529"
_ORIGINS = ("from", "constant", "setting")
Fault = tuple[str, str]


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each step that does not fit."""
    for found in bindings(context):
        for bound in carried(found, context.pack.taxonomy):
            written = dig(found.document, *found.key, "fields", bound.name)
            field = context.pack.taxonomy.fields[bound.name]
            for fault in (*_of_origin(written), *_of_type(bound, field), *_of_values(written)):
                yield finding(CODE, found.key_place("fields", bound.name), f"{bound.name}: {fault[0]}", fault[1])


def _of_origin(written: Any) -> Iterator[Fault]:
    given = [key for key in _ORIGINS if isinstance(written, dict) and key in written]
    if isinstance(written, dict) and len(given) != 1:
        said = f"comes from {' and '.join(given)}" if given else "comes from nowhere"
        yield said, "write one of from, constant and setting"
    if isinstance(written, dict) and "join" in written and not isinstance(written.get("from"), list):
        yield "joins a single value", "write 'from' as a list"


def _of_type(bound: FieldBinding, field: Field) -> Iterator[Fault]:
    if bound.time is not None and field.type is not FieldType.DATE:
        yield "is no time", "leave 'time' out"
    if field.type is FieldType.DATE and (bound.values or bound.table or bound.hash or bound.multiply):
        yield "is a time, which only 'extract' and 'time' can change", "leave the other steps out"
    if bound.multiply is not None and not field.type.numeric:
        yield "is no number", "leave 'multiply' out"
    if (bound.split is not None or any(path.several for path in bound.sources)) and not field.array:
        yield "holds one value, not several", "take one: [0], [key=value], or 'extract'"
    if bound.hash is not None and field.type is not FieldType.KEYWORD:
        yield "is no text", "leave 'hash' out"


def _of_values(written: Any) -> Iterator[Fault]:
    if not isinstance(written, dict):
        return
    if "otherwise" in written and "values" not in written:
        yield "has 'otherwise' without 'values'", "add a value map, or leave it out"
    if "unmapped" in written and not {"values", "table"} & written.keys():
        yield "has 'unmapped' without 'values' or 'table'", "add a value map or a table, or leave it out"
    if "otherwise" in written and "unmapped" in written:
        yield "says twice what becomes of other codes", "write 'otherwise' or 'unmapped'"
