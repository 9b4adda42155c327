"""The fields of a store: their types and how each keeps its values, from the index template's mappings and settings.

Sources: "Mapping", "Multi-fields", "Dynamic field mapping", "ignore_above", "ignore_malformed" of the Elasticsearch 8.18
reference; DynamicFieldsBuilder and ObjectMapper of elastic/elasticsearch.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from insigma_prove.workers.elastic.normalizers import Normalizer, normalizers
from insigma_prove.workers.elastic.values import Malformed, milliseconds

TYPES = frozenset({"keyword", "text", "byte", "short", "integer", "long", "float", "double", "ip", "boolean", "date"})
LONGEST_TERM = 32_766
"""The most bytes of one term in Lucene (IndexWriter.MAX_TERM_LENGTH)."""
_DYNAMIC_KEYWORD = 256
"""`ignore_above` of the `keyword` sub-field that a dynamic string gets."""


def _unchanged(text: str) -> str:
    return text


@dataclass(frozen=True, slots=True)
class FieldType:
    """A field as it is stored. `normalize` folds a keyword, for indexing and for searching alike."""

    name: str
    type: str
    normalize: Normalizer = field(default=_unchanged, compare=False)
    normalizer: str | None = None
    ignore_above: int | None = None
    ignore_malformed: bool = False
    parent: str | None = None
    """The field that this one is a multi-field of: it is filled from the parent's values."""


@dataclass(frozen=True, slots=True)
class Fields:
    """All fields of a store, by full name. `dynamic` says what becomes of others: "true", "false", "strict" or "keyword"."""

    by_name: Mapping[str, FieldType]
    dynamic: str

    def find(self, name: str) -> FieldType | None:
        """The field, None where no index maps it. A store of dynamic keywords has every name."""
        found = self.by_name.get(name)
        if found is None and self.dynamic == "keyword" and not self.is_object(name):
            return FieldType(name, "keyword")
        return found

    def is_object(self, name: str) -> bool:
        """Whether other fields lie below the name, and it is none itself."""
        return name not in self.by_name and any(each.startswith(f"{name}.") for each in self.by_name)

    def targets(self) -> dict[str, tuple[FieldType, ...]]:
        """For each field that documents name: itself and its multi-fields, everything that one value fills."""
        found: dict[str, tuple[FieldType, ...]] = {name: (own,) for name, own in self.by_name.items() if own.parent is None}
        for sub in self.by_name.values():
            if sub.parent is not None:
                found[sub.parent] = (*found[sub.parent], sub)
        return found


def declared_fields(store: Mapping[str, Any], lower: Any) -> Fields:
    """The fields that the store's mappings declare. Raises ValueError for what is not modelled."""
    mappings = store.get("mappings") or {}
    known = normalizers(store.get("settings") or {}, lower)
    found: dict[str, FieldType] = {}
    _collect(mappings.get("properties", {}), "", known, found)
    return Fields(found, _dynamic(store, mappings))


def _dynamic(store: Mapping[str, Any], mappings: Mapping[str, Any]) -> str:
    if store.get("dynamic_keyword"):
        return "keyword"
    dynamic = str(mappings.get("dynamic", True)).lower()
    if dynamic not in ("true", "false", "strict"):
        raise ValueError(f"dynamic: {dynamic} is not modelled")
    return dynamic


def _collect(properties: Mapping[str, Any], prefix: str, known: Mapping[str, Normalizer], found: dict[str, FieldType]) -> None:
    for name, body in properties.items():
        full = prefix + name
        if "properties" in body:
            if body.get("type", "object") != "object":
                raise ValueError(f"field {full} of type {body['type']} is not modelled")
            _collect(body["properties"], f"{full}.", known, found)
        else:
            found[full] = _field(full, body, None, known)
        for sub, sub_body in body.get("fields", {}).items():
            found[f"{full}.{sub}"] = _field(f"{full}.{sub}", sub_body, full, known)


def _field(name: str, body: Mapping[str, Any], parent: str | None, known: Mapping[str, Normalizer]) -> FieldType:
    kind = body.get("type", "object")
    if kind not in TYPES:
        raise ValueError(f"field {name} of type {kind} is not modelled")
    normalizer = body.get("normalizer")
    if normalizer is not None and normalizer not in known:
        raise ValueError(f"field {name}: normalizer {normalizer} is not defined in the settings")
    fold = known[normalizer] if normalizer is not None else _unchanged
    return FieldType(name, kind, fold, normalizer, body.get("ignore_above"), bool(body.get("ignore_malformed", False)), parent)


def leaves(document: Mapping[str, Any], prefix: str = "") -> Iterable[tuple[str, Any]]:
    """Every scalar of a document with its full name. Arrays and dots are one notation with nested objects; nulls are nothing."""
    for name, value in document.items():
        yield from _leaves(prefix + name, value)


def _leaves(name: str, value: Any) -> Iterable[tuple[str, Any]]:
    if isinstance(value, Mapping):
        yield from leaves(value, f"{name}.")
    elif isinstance(value, Sequence) and not isinstance(value, str):
        for each in value:
            yield from _leaves(name, each)
    elif value is not None:
        yield name, value


def with_dynamic(fields: Fields, documents: Sequence[Sequence[tuple[str, Any]]]) -> Fields:
    """The fields, and those that dynamic mapping adds for the documents' other names.

    Raises ValueError where the mapping is strict, or where documents disagree on the type of a name (Elasticsearch would
    reject the later document). In a store of dynamic keywords a name with any string is a keyword.
    """
    if fields.dynamic == "false":
        return fields
    kinds: dict[str, set[str]] = {}
    for document in documents:
        for name, value in document:
            if name not in fields.by_name and not _is_below(name, fields.by_name):
                if fields.dynamic == "strict":
                    raise ValueError(f"mapping set to strict, dynamic introduction of [{name}] is not allowed")
                kinds.setdefault(name, set()).add(_dynamic_kind(value, fields.dynamic == "keyword"))
    added: dict[str, FieldType] = {}
    for name, found in sorted(kinds.items()):
        added.update(_added(name, found, fields.dynamic == "keyword"))
    return Fields({**fields.by_name, **added}, fields.dynamic)


def _is_below(name: str, by_name: Mapping[str, FieldType]) -> bool:
    """Whether a document puts an object where a field with a type is: Elasticsearch rejects such a document."""
    parts = name.split(".")
    if any(".".join(parts[:length]) in by_name for length in range(1, len(parts))):
        raise ValueError(f"[{name}] lies below a field that is no object")
    return False


def _dynamic_kind(value: Any, keyword: bool) -> str:
    """The type of a new field ("Dynamic field mapping"); dates are detected in the default formats."""
    if isinstance(value, bool):
        return "boolean"
    if isinstance(value, int):
        return "long"
    if isinstance(value, float):
        return "float"
    if not keyword and "-" in value and ":" in value:
        try:
            milliseconds(value)
        except Malformed:
            return "text"
        return "date"
    return "keyword" if keyword else "text"


def _added(name: str, kinds: set[str], keyword: bool) -> dict[str, FieldType]:
    if kinds == {"long", "float"}:
        kinds = {"float"}
    if keyword and "keyword" in kinds:
        kinds = {"keyword"}
    if len(kinds) > 1:
        raise ValueError(f"documents disagree on the type of [{name}]: {', '.join(sorted(kinds))}")
    (kind,) = kinds
    added = {name: FieldType(name, kind)}
    if kind == "text":
        added[f"{name}.keyword"] = FieldType(f"{name}.keyword", "keyword", ignore_above=_DYNAMIC_KEYWORD, parent=name)
    return added
