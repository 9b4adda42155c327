"""Findings for people: `path:line:column: severity CODE message`, and the hint indented below."""

from __future__ import annotations

from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render.hostile import defused, visible, visible_lines
from insigma.diagnostics.render.report import Report

_COLORS = {Severity.ERROR: "1;31", Severity.WARNING: "1;33", Severity.NOTE: "1;36"}
_BOLD = "1"
_DIM = "2"


def render_text(report: Report, *, color: bool = False) -> str:
    """One line a finding, and one more for each line of its hint. A last line that sums up is the caller's."""
    return "".join(f"{line}\n" for finding in report.findings for line in _lines(finding, color))


def _lines(finding: Diagnostic, color: bool) -> list[str]:
    place = finding.place
    where = f"{defused(visible(place.path))}:{place.line}:{place.column}:"
    severity = _painted(finding.severity.label, _COLORS[finding.severity], color)
    code = _painted(finding.code, _BOLD, color)
    message = defused(visible(finding.message))
    hints = [_painted(f"    {defused(line)}", _DIM, color) for line in visible_lines(finding.hint)]
    return [f"{where} {severity} {code} {message}", *hints]


def _painted(text: str, style: str, color: bool) -> str:
    return f"\x1b[{style}m{text}\x1b[0m" if color else text
