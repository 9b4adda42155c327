"""The canonical event, from mappings/taxonomy/fields.yml and logsources.yml.

Input: the two documents. Output: a `Taxonomy` of everything that could be read, and a diagnostic (INS509) for each part
that could not, at its place. Nothing is raised for bad input.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, TypeVar

from insigma.content.model import Case, Field, FieldType, LogSource, Taxonomy, TaxonomyLogSource
from insigma.content.numbers import canonical_number
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic

LOGSOURCE_FIELD = "insurance.logsource"
"""The field by which every event names its log source."""
ACTION_FIELD = "event.action"
"""The field whose closed values differ from log source to log source."""

_Word = TypeVar("_Word", bound=Enum)


def read_taxonomy(fields: Document, logsources: Document) -> tuple[Taxonomy, tuple[Diagnostic, ...]]:
    """The taxonomy that the two documents describe, and the faults found on the way."""
    of_fields, of_logsources = _Faults(fields), _Faults(logsources)
    name = of_fields.text(("name",), required=True)
    version = of_fields.text(("version",), required=True)
    read_fields = {field.name: field for field in _fields(of_fields)}
    read_sources = {source.name: source for source in _logsources(of_logsources, read_fields)}
    taxonomy = Taxonomy(name, version, MappingProxyType(read_fields), MappingProxyType(read_sources))
    _check_logsource_field(of_fields, taxonomy)
    return taxonomy, (*of_fields.found, *of_logsources.found)


class _Faults:
    """Reads typed values out of one document and keeps what was wrong with them."""

    def __init__(self, document: Document) -> None:
        self.document = document
        self.found: list[Diagnostic] = []

    def add(self, key: Key, message: str, hint: str, at_key: bool = False) -> None:
        place = self.document.key_place(*key) if at_key else self.document.place(*key)
        self.found.append(Diagnostic(place, "INS509", message, hint))

    def get(self, key: Key) -> Any:
        """What stands at `key`, or None."""
        node = self.document.data
        for step in key:
            if not isinstance(node, Mapping) or step not in node:
                return None
            node = node[step]
        return node

    def mapping(self, key: Key) -> Mapping[str, Any] | None:
        value = self.get(key)
        if isinstance(value, Mapping):
            return value
        self.add(key, f"'{key[-1]}' is not a mapping", "write 'key: value' pairs below it")
        return None

    def text(self, key: Key, required: bool = False) -> str:
        """The string at `key`, or an empty one (with a fault if it is required or of another kind)."""
        value = self.get(key)
        if isinstance(value, str):
            return value
        if value is not None or required:
            said = "missing" if value is None else "not a string"
            self.add(key, f"'{key[-1]}' is {said}", "write a string, in quotes where YAML needs them")
        return ""

    def words(self, key: Key) -> tuple[str, ...]:
        """The list of distinct strings at `key`; empty if there is none."""
        value = self.get(key)
        if value is None:
            return ()
        if not isinstance(value, list):
            self.add(key, f"'{key[-1]}' is not a list", "write a list of strings")
            return ()
        found: dict[str, None] = {}
        for index, item in enumerate(value):
            if not isinstance(item, str):
                self.add((*key, index), f"'{key[-1]}' holds something that is not a string", "put it in quotes")
            elif item in found:
                self.add((*key, index), f"'{item}' stands twice in '{key[-1]}'", "delete one")
            else:
                found[item] = None
        return tuple(found)

    def word(self, key: Key, kind: type[_Word], default: _Word | None) -> _Word | None:
        """The member of `kind` that the string at `key` names."""
        value = self.get(key)
        if value is None and default is not None:
            return default
        for member in kind:
            if member.value == value:
                return member
        said = "is missing" if value is None else f"'{value}' is unknown"
        self.add(key, f"{key[-1]} {said}", "one of " + ", ".join(str(member.value) for member in kind))
        return None


def _fields(faults: _Faults) -> Iterator[Field]:
    for name in faults.mapping(("fields",)) or ():
        field = _field(faults, name)
        if field is not None:
            yield field


def _field(faults: _Faults, name: str) -> Field | None:
    key = ("fields", name)
    if faults.mapping(key) is None:
        return None
    kind = faults.word((*key, "type"), FieldType, None)
    case = faults.word((*key, "case"), Case, Case.ANY)
    if kind is None or case is None:
        return None
    field = Field(
        name=name,
        type=kind,
        case=case,
        array=_flag(faults, (*key, "array")),
        null_default=faults.text((*key, "null_default")) or None,
        values=faults.words((*key, "values")) or None,
        pii=faults.text((*key, "pii"), required=True),
        description=faults.text((*key, "description"), required=True),
        example=_example(faults, (*key, "example"), kind),
    )
    _check_vocabulary(faults, field)
    return field


def _flag(faults: _Faults, key: Key) -> bool:
    value = faults.get(key)
    if value is None or isinstance(value, bool):
        return bool(value)
    faults.add(key, f"'{key[-1]}' is neither true nor false", "write true, or leave it out")
    return False


def _example(faults: _Faults, key: Key, kind: FieldType) -> str:
    value = faults.get(key)
    if isinstance(value, (int, float)) and not isinstance(value, bool) and kind.numeric:
        return canonical_number(value)
    if isinstance(value, str) and not kind.numeric:
        return value
    if isinstance(value, bool) and kind is FieldType.BOOLEAN:
        return str(value).lower()
    said = "missing" if value is None else f"no {kind.value}"
    faults.add(key, f"the example is {said}", "numbers for numeric fields, strings for the others")
    return ""


def _check_vocabulary(faults: _Faults, field: Field) -> None:
    """The null default and the example must be words of the closed vocabulary."""
    for name, value in (("null_default", field.null_default), ("example", field.example)):
        if field.values is not None and value and value not in field.values:
            faults.add(("fields", field.name, name), f"'{value}' is not among the values of {field.name}", "add it to 'values', or mend it")


def _logsources(faults: _Faults, fields: Mapping[str, Field]) -> Iterator[TaxonomyLogSource]:
    for name in faults.mapping(("logsources",)) or ():
        key = ("logsources", name)
        if faults.mapping(key) is None:
            continue
        required, optional = faults.words((*key, "required")), faults.words((*key, "optional"))
        actions = faults.words((*key, "actions")) or None
        _check_fields(faults, key, (required, optional), fields)
        if (actions is None) == (ACTION_FIELD in required + optional):
            faults.add(key, f"log source '{name}' has only one of {ACTION_FIELD} and 'actions'", "give both, or neither", at_key=True)
        description = faults.text((*key, "description"), required=True)
        yield TaxonomyLogSource(name, _logsource(faults, key), description, required, optional, actions)


def _logsource(faults: _Faults, key: Key) -> LogSource:
    parts = [faults.text((*key, part), required=part == "category") or None for part in ("category", "product", "service")]
    return LogSource(*parts)


def _check_fields(faults: _Faults, key: Key, lists: tuple[tuple[str, ...], tuple[str, ...]], fields: Mapping[str, Field]) -> None:
    required, optional = lists
    for section, names in (("required", required), ("optional", optional)):
        written = faults.get((*key, section))
        for name in names:
            place = (*key, section, written.index(name))
            if name not in fields:
                faults.add(place, f"field '{name}' is not in fields.yml", "add it there, or mend the name")
            elif section == "optional" and name in required:
                faults.add(place, f"field '{name}' is both required and optional", "delete one")
    if LOGSOURCE_FIELD not in required:
        faults.add((*key, "required"), f"log source '{key[-1]}' does not require {LOGSOURCE_FIELD}", "every event names its log source")


def _check_logsource_field(faults: _Faults, taxonomy: Taxonomy) -> None:
    """The values of `insurance.logsource` are the names of the log sources."""
    key = ("fields", LOGSOURCE_FIELD)
    field = taxonomy.fields.get(LOGSOURCE_FIELD)
    if field is None:
        faults.add(key, f"field '{LOGSOURCE_FIELD}' is missing", "every event names its log source")
        return
    names, values = set(taxonomy.logsources), set(field.values or ())
    for name in sorted(names ^ values):
        said = "has no entry in logsources.yml" if name in values else "is missing here"
        faults.add((*key, "values"), f"'{name}' {said}", "the values are the names of the log sources", at_key=True)
