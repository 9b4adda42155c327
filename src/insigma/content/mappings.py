"""Target mappings and tenant profiles from their documents."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from insigma.content.durations import duration_ms
from insigma.content.model import TargetField, TargetLogSource, TargetMapping, Tenant
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


def read_tenant(document: Document) -> tuple[Tenant | None, tuple[Diagnostic, ...]]:
    """A tenant's profile: its lists (those given inline) and the rules it disables, with the reason."""
    head = document.data.get("tenant")
    name = head.get("id") if isinstance(head, dict) else None
    if not isinstance(name, str):
        fault = Diagnostic(document.place("tenant"), "INS509", "the profile has no tenant id", "write 'tenant: {id: ...}'")
        return None, (fault,)
    lists: dict[str, tuple[str, ...]] = {}
    found: list[Diagnostic] = []
    for key, entry in _entries(document, "lists"):
        values = entry.get("values") if isinstance(entry, Mapping) else None
        if isinstance(values, list) and all(isinstance(value, str) for value in values):
            lists[key] = tuple(values)
        else:
            message = f"list '{key}' has no values"
            found.append(Diagnostic(document.place("lists", key), "INS509", message, "write {mode: inline, values: [...]}"))
    off, faults = _disabled(document)
    found += faults
    return Tenant(name, document, MappingProxyType(lists), MappingProxyType(off)), tuple(found)


def _disabled(document: Document) -> tuple[dict[str, str], list[Diagnostic]]:
    """The rules that a profile switches off, each with its reason; an entry of another shape is for the schema to tell."""
    rules = document.data.get("rules", {})
    entries = rules.get("disabled", []) if isinstance(rules, dict) else None
    if not isinstance(entries, list):
        message = "the disabled rules are not a list"
        return {}, [Diagnostic(document.place("rules", "disabled"), "INS509", message, "write {disabled: [{id: ..., reason: ...}]}")]
    named = [entry for entry in entries if isinstance(entry, dict) and "id" in entry]
    return {str(entry["id"]): str(entry.get("reason", "")) for entry in named}, []
