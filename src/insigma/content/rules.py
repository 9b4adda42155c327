"""Rule documents into `Rule`s and `Filter`s."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from insigma.content.model import Filter, Header, LogSource, Rule
from insigma.content.sigma_bridge import Faults, read_detection
from insigma.content.yaml_reader import Document

_DATES = frozenset({"date", "modified"})


def read_header(document: Document) -> Header:
    """The common part of a rule. Values of a wrong kind become empty; checks tell of them."""
    data = document.data

    def text(key: str, default: str = "") -> str:
        value = data.get(key)
        return value if isinstance(value, str) else default

    tags = data.get("tags")
    insurance = data.get("insurance")
    return Header(
        document=document,
        title=text("title", "(untitled)"),
        id=text("id") or None,
        name=text("name") or None,
        level=text("level", "medium"),
        status=text("status"),
        tags=tuple(tag for tag in tags if isinstance(tag, str)) if isinstance(tags, list) else (),
        taxonomy=text("taxonomy", "sigma"),
        insurance=insurance if isinstance(insurance, dict) else {},
    )


def ambiguous_values(faults: Faults) -> None:
    """A fault for every plain scalar that YAML 1.1 would turn into another type, but for the dates that Sigma writes so."""
    document = faults.document
    for key, kind in document.ambiguous.items():
        if kind == "a date" and len(key) == 1 and key[0] in _DATES:
            continue
        message = f"YAML reads this as {kind}, where a string is meant"
        faults.add("INS010", document.place(*key), message, "put it in quotes")


def read_rule(document: Document, faults: Faults) -> Rule | None:
    """An event rule, or None with the faults told."""
    header = read_header(document)
    logsource = _logsource(document, faults)
    detection = _mapping(document, "detection", faults)
    if detection is None:
        return None
    predicate = read_detection(detection, ("detection",), faults)
    if predicate is None or logsource is None:
        return None
    return Rule(header, logsource, predicate)


def read_filter(document: Document, faults: Faults) -> Filter | None:
    """A Sigma filter, or None with the faults told. `rules: any` reaches every rule of its log source."""
    header = read_header(document)
    logsource = _logsource(document, faults)
    body = _mapping(document, "filter", faults)
    if body is None:
        return None
    predicate = read_detection(body, ("filter",), faults, skip=frozenset({"rules"}))
    written = body.get("rules")
    if isinstance(written, str):
        written = None if written == "any" else [written]
    elif not isinstance(written, list) or not written or not all(isinstance(entry, str) for entry in written):
        place = faults.document.place("filter", "rules")
        faults.add("INS101", place, "a filter names its rules", "write 'rules: any' or a list of ids or names")
        return None
    if predicate is None or logsource is None:
        return None
    return Filter(header, logsource, None if written is None else tuple(written), predicate)


def _mapping(document: Document, key: str, faults: Faults) -> Mapping[str, Any] | None:
    value = document.data.get(key)
    if isinstance(value, dict) and value:
        return value
    problem = "is missing" if key not in document.data else "is not a mapping"
    faults.add("INS101", document.key_place(key), f"'{key}' {problem}", f"'{key}' holds named selections and a condition")
    return None


def _logsource(document: Document, faults: Faults) -> LogSource | None:
    value = document.data.get("logsource")
    if not isinstance(value, dict):
        problem = "is missing" if "logsource" not in document.data else "is not a mapping"
        faults.add("INS101", document.key_place("logsource"), f"'logsource' {problem}", "name a category, product or service")
        return None
    parts: dict[str, str | None] = {}
    for key in ("category", "product", "service"):
        part = value.get(key)
        if part is not None and not isinstance(part, str):
            faults.add("INS101", document.place("logsource", key), f"log source {key} is not a text", "write it as a lower-case word")
            return None
        parts[key] = part
    if not any(parts.values()):
        faults.add("INS101", document.place("logsource"), "the log source names nothing", "name a category, product or service")
        return None
    return LogSource(**parts)
