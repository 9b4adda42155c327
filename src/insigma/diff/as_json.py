"""A difference for machines: one object, described by schemas/diff.schema.json."""

from __future__ import annotations

import json
import math
from typing import Any

from insigma.diagnostics.model import Diagnostic
from insigma.diagnostics.render import Format, Report, render
from insigma.diagnostics.render.hostile import encodable
from insigma.diff.model import ABSENT, CaseDiff, Change, Compiled, Difference, FileDiff, Given, QueryDiff, RuleDiff, SideName, TenantsDiff
from insigma.diff.said import query_lines


def as_json(difference: Difference) -> str:
    """One object, in ASCII: nothing in it can steer a terminal."""
    whole = {
        "version": 1,
        "pack": difference.pack,
        "base": _side(difference.base),
        "head": _side(difference.head),
        "targets": list(difference.targets),
        "changed": difference.changed,
        "rules": [_rule(diff) for diff in difference.rules],
        "files": [_file(diff) for diff in difference.files],
        "layout": list(difference.layout),
    }
    return json.dumps(_clean(whole), indent=2, ensure_ascii=True, allow_nan=False) + "\n"


def _clean(value: Any) -> Any:
    """The value as JSON can hold it: no half surrogate pairs (from names of files), no infinite numbers."""
    if isinstance(value, str):
        return encodable(value)
    if isinstance(value, dict):
        return {encodable(str(key)): _clean(entry) for key, entry in value.items()}
    if isinstance(value, (list, tuple)):
        return [_clean(entry) for entry in value]
    return str(value) if isinstance(value, float) and not math.isfinite(value) else value


def _side(side: SideName) -> dict[str, Any]:
    return {"revision": side.name, "commit": side.commit or None, "findings": _findings(side.findings)}


def _findings(findings: tuple[Diagnostic, ...]) -> Any:
    return json.loads(render(Report.of(findings), Format.JSON))["diagnostics"]


def _rule(diff: RuleDiff) -> dict[str, Any]:
    return {
        "rule": diff.label,
        "title": diff.title,
        "id": diff.id or None,
        "kind": diff.kind.value,
        "path": {"before": diff.path_before or None, "after": diff.path or None},
        "level": {"before": diff.level[0] or None, "after": diff.level[1] or None},
        "status": {"before": diff.status[0] or None, "after": diff.status[1] or None},
        "unread": diff.unread or None,
        "logic": list(diff.logic),
        "through": list(diff.through),
        "words": {"before": list(diff.words.before), "after": list(diff.words.after)},
        "metadata": [_change(change) for change in diff.metadata],
        "queries": [_query(query) for query in diff.queries],
        "tests": {
            "cases": {"before": diff.cases.before, "after": diff.cases.after, "compared": diff.cases.compared},
            "added": list(diff.cases.added),
            "removed": list(diff.cases.removed),
            "rewritten": list(diff.cases.rewritten),
            "verdicts": [_verdict(case) for case in diff.cases.verdicts],
        },
        "tenants": _tenants(diff.tenants),
    }


def _change(change: Change) -> dict[str, Any]:
    found: dict[str, Any] = {"path": change.path, "lines": {"before": change.line_before or None, "after": change.line_after or None}}
    if change.before is not ABSENT:
        found["before"] = change.before
    if change.after is not ABSENT:
        found["after"] = change.after
    return found


def _query(diff: QueryDiff) -> dict[str, Any]:
    return {"target": diff.target, "before": _compiled(diff.before), "after": _compiled(diff.after), "diff": list(query_lines(diff))}


def _compiled(compiled: Compiled) -> dict[str, Any]:
    return {
        "outcome": compiled.state,
        "reason": compiled.reason,
        "query": compiled.query,
        "facts": dict(compiled.facts or {}),
        "notes": list(compiled.notes),
        "proof": compiled.proof,
    }


def _verdict(case: CaseDiff) -> dict[str, Any]:
    return {
        "case": case.name,
        "version": case.version,
        "before": {**_given(case.before), "expected": case.wanted_before},
        "after": {**_given(case.after), "expected": case.wanted_after},
    }


def _given(given: Given) -> dict[str, Any]:
    alerts = [
        {
            "group": dict(alert.group),
            "value": alert.value,
            "events": alert.events,
            "first": alert.first,
            "last": alert.last,
            "instants": list(alert.instants),
        }
        for alert in given.alerts or ()
    ]
    return {"matches": list(given.matches), "events": given.events, "alerts": None if given.alerts is None else alerts}


def _tenants(tenants: TenantsDiff) -> dict[str, Any]:
    return {
        "enabled": list(tenants.enabled),
        "affected": list(tenants.affected),
        "on": dict(tenants.on),
        "off": dict(tenants.off),
        "profiles": {name: list(paths) for name, paths in tenants.profiles.items()},
    }


def _file(diff: FileDiff) -> dict[str, Any]:
    changes = [_change(change) for change in diff.changes]
    return {"path": diff.path, "what": diff.what, "name": diff.name, "kind": diff.kind.value, "changes": changes}
