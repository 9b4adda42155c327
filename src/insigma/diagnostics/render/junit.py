"""Findings as JUnit XML: a test suite for each file; in it a failing case for each finding, and the cases that passed."""

from __future__ import annotations

from collections.abc import Sequence

from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render.hostile import defused, visible, visible_lines
from insigma.diagnostics.render.report import Passed, Report, name_of


def render_junit(report: Report) -> str:
    """One document. A note is a case that passed, with the note as its output: notes fail nothing."""
    paths = sorted({finding.place.path for finding in report.findings} | {case.path for case in report.passed})
    lines = ['<?xml version="1.0" encoding="UTF-8"?>', f'<testsuites name="insigma" {_counts(report.findings, report.passed)}>']
    for path in paths:
        findings = [finding for finding in report.findings if finding.place.path == path]
        passed = [case for case in report.passed if case.path == path]
        lines.append(f'  <testsuite name="{_text(path)}" {_counts(findings, passed)}>')
        lines += [f"    {_case(case.name, case.path, case.line)}/>" for case in passed]
        for finding in findings:
            lines += _finding(finding, report.case_names.get(finding))
        lines.append("  </testsuite>")
    return "\n".join([*lines, "</testsuites>", ""])


def _counts(findings: Sequence[Diagnostic], passed: Sequence[Passed]) -> str:
    failures = sum(finding.severity is not Severity.NOTE for finding in findings)
    return f'tests="{len(findings) + len(passed)}" failures="{failures}" errors="0" skipped="0"'


def _case(name: str, path: str, line: int) -> str:
    shown = _text(path)
    return f'<testcase classname="{shown}" name="{_text(name)}" file="{shown}" line="{line}"'


def _finding(finding: Diagnostic, case_name: str | None) -> list[str]:
    place = finding.place
    opening = _case(case_name or f"{finding.code} {finding.message}", place.path, place.line)
    where = f"{visible(place.path)}:{place.line}:{place.column}: {finding.severity.label} {finding.code} {name_of(finding.code)}"
    body = "\n".join(_text(defused(line)) for line in (where, visible(finding.message), *visible_lines(finding.hint)))
    if finding.severity is Severity.NOTE:
        return [f"    {opening}>", f"      <system-out>{body}</system-out>", "    </testcase>"]
    failure = f'<failure type="{_text(finding.code)}" message="{_text(finding.message)}">{body}</failure>'
    return [f"    {opening}>", f"      {failure}", "    </testcase>"]


def _text(text: str) -> str:
    """`text` for content and for attributes in double quotes; nothing is left that XML 1.0 forbids."""
    escaped = visible(text).replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    return escaped.replace('"', "&quot;")
