"""Type mismatch

## What it does

Checks that values and modifiers fit the type that the taxonomy gives a field:

- `gt`, `gte`, `lt`, `lte` only on numeric fields;
- numbers for numeric fields, whole ones for `long`;
- string modifiers (`contains`, `startswith`, `endswith`, `re`, `cased`, encodings, ...) and wildcards only on keywords;
- `cidr` only on `ip` fields, and only addresses as their values;
- `fieldref` between fields of one kind.

A keyword may be compared with a number: codes such as `837` are text that looks like one.

## Why it is bad

Targets store fields by type. Order on text is alphabetical (`"9" > "10"`), a substring of a number means something else on each
SIEM, and a word never equals a number.

## Example

```yaml
# bad
detection:
  selection:
    insurance.record_count: '1000*'
    source.ip|startswith: '10.'
  condition: selection

# good
detection:
  selection:
    insurance.record_count|gte: 1000
    source.ip|cidr: 10.0.0.0/8
  condition: selection
```

## Fix

Use a number for a number and `cidr` for addresses. If the type in the taxonomy is wrong, change it there and in every target
mapping.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Iterator, Mapping
from types import MappingProxyType

from insigma.checks.base import Context, finding
from insigma.checks.scope import speaks_taxonomy
from insigma.checks.vocabulary import AFFIXES, COMPARISONS, ENCODINGS, TIME_PARTS
from insigma.checks.walk import Item, detection_items
from insigma.checks.wording import shown
from insigma.content.model import Field, FieldType
from insigma.content.numbers import number_of
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS305"

_STRING_MODIFIERS = AFFIXES | ENCODINGS | {"re", "cased", "windash", "i", "ignorecase", "m", "multiline", "s", "dotall"}
_ANSWERED_ELSEWHERE = TIME_PARTS | {"exists"}

Fault = tuple[str, str]
"""A message and a hint."""


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each value whose modifier or kind does not fit the type of its field."""
    if not speaks_taxonomy(document, context):
        return
    fields = context.pack.taxonomy.fields
    told: set[object] = set()
    for item in detection_items(document):
        field = fields.get(item.field or "")
        if field is None or _ANSWERED_ELSEWHERE & set(item.modifiers):
            continue
        fault = _modifier_fault(field, item, fields)
        if fault is not None and item.path not in told:
            told.add(item.path)
            yield finding(CODE, document.key_place(*item.path), *fault)
        elif fault is None and (fault := _value_fault(field, item)) is not None:
            yield finding(CODE, document.place(*item.value_path), *fault)


def _modifier_fault(field: Field, item: Item, fields: Mapping[str, Field]) -> Fault | None:
    kind = field.type
    for modifier in item.modifiers:
        if modifier in COMPARISONS and not kind.numeric:
            return f"'{modifier}' on {field.name}, which is no number but {_article(kind)}", "order needs a numeric field"
        if modifier == "cidr" and kind is not FieldType.IP:
            return f"'cidr' on {field.name}, which is no address but {_article(kind)}", "networks need a field of type ip"
        if modifier in _STRING_MODIFIERS and kind is not FieldType.KEYWORD:
            hint = "use cidr" if kind is FieldType.IP else "compare numbers with gt, gte, lt, lte or plain equality" if kind.numeric else ""
            return f"'{modifier}' on {field.name}, which is no text but {_article(kind)}", hint
    if "fieldref" in item.modifiers:
        other = fields.get(str(item.value))
        if other is not None and _family(other.type) != _family(kind):
            return f"{field.name} is {_article(kind)}, but {other.name} is {_article(other.type)}", "compare fields of one kind"
    return None


def _value_fault(field: Field, item: Item) -> Fault | None:
    value = item.value
    if value is None or isinstance(value, bool) or {"expand", "fieldref", "cidr"} & set(item.modifiers):
        return None
    judge = _JUDGES.get(_family(field.type))
    return judge(field, value) if judge is not None and not COMPARISONS & set(item.modifiers) else None


def _not_a_number(field: Field, value: object) -> Fault | None:
    if isinstance(value, str):
        hint = "write it without quotes" if number_of(value) is not None else "write a number"
        return f"{shown(value)} is text, but {field.name} is {_article(field.type)}", hint
    if field.type is FieldType.LONG and isinstance(value, float) and not value.is_integer():
        return f"{value} has a fraction, but {field.name} is {_article(field.type)}", "write a whole number"
    return None


def _not_an_address(field: Field, value: object) -> Fault | None:
    try:
        ipaddress.ip_address(str(value))
    except ValueError:
        return f"{shown(value)} is no IP address", f"{field.name} holds single addresses; for a network use {field.name}|cidr"
    return None


def _a_time(field: Field, value: object) -> Fault:
    return f"{field.name} is compared with {shown(value)}", "times are the business of correlations and of insurance.context.off_hours"


_JUDGES: Mapping[str, Callable[[Field, object], Fault | None]] = MappingProxyType(
    {"number": _not_a_number, "ip": _not_an_address, "date": _a_time}
)


def _family(kind: FieldType) -> str:
    return "number" if kind.numeric else kind.value


def _article(kind: FieldType) -> str:
    return f"an {kind.value}" if kind.value[0] in "aeiou" else f"a {kind.value}"
