"""Exceptions of a profile as Sigma filters: they are compiled into the query, so that they are proved like everything else."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from insigma.content.model import AnyRule, Correlation, Rule
from insigma.content.predicate import And, Constant, Named, Predicate
from insigma.content.sigma_bridge import Faults, read_detection
from insigma.content.tenants import Exemption, Tenant
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic


def exemption_predicate(tenant: Tenant, index: int) -> tuple[Predicate | None, tuple[Diagnostic, ...]]:
    """What an event that still counts has to satisfy: it does not match `where`. Faults stand at their lines in the profile."""
    exemption = tenant.exemptions[index]
    document = _as_filter(tenant.document, exemption, position_of(tenant.document, exemption.id))
    faults = Faults(document, exemption.id)
    predicate = read_detection(document.data["filter"], ("filter",), faults, skip=frozenset({"rules"}))
    return (Named(f"exception {exemption.id}", predicate) if predicate is not None else None), tuple(faults.found)


def filter_document(exemption: Exemption, logsource: Mapping[str, Any], rules: tuple[str, ...]) -> dict[str, Any]:
    """The exception as a Sigma filter (Sigma specification 2.1, Filters), for people and other tools."""
    return {
        "title": f"Exception {exemption.id}",
        "description": exemption.reason,
        "logsource": dict(logsource),
        "filter": {"rules": list(rules), "selection": exemption.where, "condition": "not selection"},
        "owner": exemption.owner,
        "approved_by": exemption.approved_by,
        "expires": exemption.expires,
    }


def exempted(rule: AnyRule, exceptions: tuple[tuple[str, Predicate], ...]) -> AnyRule:
    """The rule without the excepted events; for a correlation its own events are left out, those of its base rules as such are not."""
    if not exceptions:
        return rule
    if isinstance(rule, Correlation):
        return replace(rule, members=tuple(exempted(member, exceptions) for member in rule.members))
    return _with_filters(rule, exceptions)


def _with_filters(rule: Rule, exceptions: tuple[tuple[str, Predicate], ...]) -> Rule:
    predicate: Predicate = rule.predicate
    if predicate == Constant(False):
        return rule
    for _, condition in exceptions:
        predicate = And((predicate, condition))
    return replace(rule, predicate=predicate, filtered_by=(*rule.filtered_by, *(name for name, _ in exceptions)))


def canonical_where(exemption: Exemption) -> str:
    """What the exception leaves out, as one text."""
    return json.dumps(exemption.where, sort_keys=True, default=str)


def position_of(document: Document, name: str) -> int:
    """Where the exception of that id stands among those that the profile writes."""
    written = document.data.get("exceptions")
    places = [place for place, entry in enumerate(written) if isinstance(entry, dict) and entry.get("id") == name]
    return places[0] if places else 0


def _as_filter(document: Document, exemption: Exemption, position: int) -> Document:
    """A filter whose selection has the places of `where` in the profile."""
    old, new = ("exceptions", position, "where"), ("filter", "selection")
    return replace(
        document,
        data={"filter": {"selection": exemption.where, "condition": "not selection"}},
        marks={**_moved(document.marks, old, new), (): document.marks.get(old[:2], document.marks[()])},
        key_marks=_moved(document.key_marks, old, new),
        ambiguous=_moved(document.ambiguous, old, new),
        styles=_moved(document.styles, old, new),
        columns=_moved(document.columns, old, new),
    )


def _moved(marks: Mapping[Key, Any], old: Key, new: Key) -> dict[Key, Any]:
    return {(*new, *key[len(old) :]): mark for key, mark in marks.items() if key[: len(old)] == old}
