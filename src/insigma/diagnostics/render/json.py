"""Findings for machines: `{"diagnostics": [...], "summary": {...}}`, described by schemas/diagnostics.schema.json."""

from __future__ import annotations

import json

from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render.hostile import encodable
from insigma.diagnostics.render.report import Report, name_of


def render_json(report: Report) -> str:
    """One object, in ASCII: nothing in it can steer a terminal."""
    counts = {"errors": Severity.ERROR, "warnings": Severity.WARNING, "notes": Severity.NOTE}
    summary = {name: report.count(severity) for name, severity in counts.items()}
    whole = {"diagnostics": [_entry(finding) for finding in report.findings], "summary": {**summary, **report.summary}}
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


def _entry(finding: Diagnostic) -> dict[str, str | int]:
    return {
        "path": encodable(finding.place.path),
        "line": finding.place.line,
        "column": finding.place.column,
        "code": finding.code,
        "name": name_of(finding.code),
        "severity": finding.severity.label,
        "message": encodable(finding.message),
        "hint": encodable(finding.hint),
        "rule": encodable(finding.rule),
    }
