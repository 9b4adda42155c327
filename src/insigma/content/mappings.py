"""Target mappings from their documents."""

from __future__ import annotations

from types import MappingProxyType
from typing import Any

from insigma.content.durations import duration_ms
from insigma.content.model import TargetField, TargetLogSource, TargetMapping
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

_FIELD_KEYS = frozenset({"name", "type", "case", "cased", "array"})


def read_mapping(document: Document) -> tuple[TargetMapping, tuple[Diagnostic, ...]]:
    """A target mapping with everything in it that could be read, and INS509 for what could not."""
    found: list[Diagnostic] = []
    fields = {}
    for name, entry in _entries(document, "fields"):
        field = _field(entry)
        if field is None:
            message = f"'{name}' does not say how it is stored"
            found.append(Diagnostic(document.place("fields", name), "INS509", message, "write {name: ..., type: ..., case: lower|any}"))
        else:
            fields[name] = field
    logsources = {}
    for name, entry in _entries(document, "logsources"):
        delay = duration_ms(entry.get("delay", "5m")) if isinstance(entry, dict) else None
        if delay is None:
            message = f"'{name}' does not say where it is stored"
            found.append(Diagnostic(document.place("logsources", name), "INS509", message, "write {index: ..., delay: 5m}"))
        else:
            settings = {key: str(value) for key, value in entry.items() if key != "delay"}
            logsources[name] = TargetLogSource(name, MappingProxyType(settings), delay)
    options = document.data.get("options")
    target = document.data.get("target")
    mapping = TargetMapping(
        target if isinstance(target, str) else "",
        document,
        MappingProxyType(fields),
        MappingProxyType(logsources),
        MappingProxyType(options if isinstance(options, dict) else {}),
    )
    return mapping, tuple(found)


def _entries(document: Document, key: str) -> list[tuple[str, Any]]:
    value = document.data.get(key)
    return list(value.items()) if isinstance(value, dict) else []


def _field(entry: Any) -> TargetField | None:
    if not isinstance(entry, dict) or not entry.keys() <= _FIELD_KEYS:
        return None
    name, kind, case = entry.get("name"), entry.get("type"), entry.get("case", "any")
    cased, array = entry.get("cased"), entry.get("array", False)
    if not isinstance(name, str) or not isinstance(kind, str) or case not in ("lower", "any") or not isinstance(array, bool):
        return None
    return TargetField(name, kind, case, cased if isinstance(cased, str) else None, array)
