"""How Sentinel stores the canonical event: tables and columns of the mapping in Kusto's types."""

from __future__ import annotations

from collections.abc import Mapping

from insigma.bind.model import Refused
from insigma.content.model import TargetField, TargetLogSource, TargetMapping

_TYPES = {
    "string": "string",
    "long": "long",
    "real": "real",
    "double": "real",
    "datetime": "datetime",
    "date": "datetime",
    "boolean": "bool",
}


NUMERIC_TEXT = r"^[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?$"
"""What is a number as text: Kusto's `toreal()` takes more."""


def kusto_type(field: TargetField) -> str:
    """The type of the field's column: dynamic for an array. Raises `Refused` for a type that is none of the mapping's words."""
    if field.type not in _TYPES:
        raise Refused(f"the Sentinel mapping stores '{field.name}' as '{field.type}', which is none of {', '.join(_TYPES)}")
    return "dynamic" if field.array else _TYPES[field.type]


def is_text(field: TargetField) -> bool:
    """Whether the values are strings, one or several."""
    return field.type == "string"


def is_number(field: TargetField) -> bool:
    return field.type in {"long", "real", "double"}


def is_date(field: TargetField) -> bool:
    return field.type in {"datetime", "date"}


def table_of(source: TargetLogSource) -> str:
    """The log source's table. Raises `Refused` where the mapping names none."""
    if "table" not in source.settings:
        raise Refused(f"log source '{source.name}' has no table in the sentinel mapping", ("logsource",))
    return source.settings["table"]


def tables(mapping: TargetMapping) -> Mapping[str, Mapping[str, str]]:
    """Every table with its columns and their types. All tables have all columns; looked-up fields are none."""
    columns = {field.name: kusto_type(field) for field in mapping.fields.values() if field.lookup is None}
    return dict.fromkeys(sorted({table_of(source) for source in mapping.logsources.values()}), columns)
