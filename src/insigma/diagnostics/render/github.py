"""Findings as GitHub workflow commands: annotations on the lines of a pull request.

Source: GitHub Docs, "Workflow commands for GitHub Actions", and the escaping of the toolkit's `command.ts`.
"""

from __future__ import annotations

from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render.hostile import visible, visible_lines
from insigma.diagnostics.render.report import Report, name_of

_COMMANDS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.NOTE: "notice"}


def render_github(report: Report) -> str:
    """One command a finding, each on a line of its own."""
    return "".join(f"{_command(finding)}\n" for finding in report.findings)


def _command(finding: Diagnostic) -> str:
    place = finding.place
    title = _property(f"{finding.code} {name_of(finding.code)}")
    where = f"file={_property(place.path)},line={place.line},col={place.column},title={title}"
    message = "\n".join([visible(finding.message), *visible_lines(finding.hint)])
    return f"::{_COMMANDS[finding.severity]} {where}::{_data(message)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(visible(text)).replace(":", "%3A").replace(",", "%2C")
