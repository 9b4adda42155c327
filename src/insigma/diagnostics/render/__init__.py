"""Findings as text, JSON, SARIF, JUnit or GitHub annotations: one report in, one string out, the same for the same report."""

from __future__ import annotations

from insigma.diagnostics.render.report import Format, Passed, Report

__all__ = ["Format", "Passed", "Report", "render"]


def render(report: Report, form: Format, *, color: bool = False) -> str:
    """The report in the given form, ending with a newline unless empty. `color` is for text only."""
    match form:  # imports are put off: a run needs one form
        case Format.TEXT:
            from insigma.diagnostics.render.text import render_text

            return render_text(report, color=color)
        case Format.JSON:
            from insigma.diagnostics.render.json import render_json

            return render_json(report)
        case Format.SARIF:
            from insigma.diagnostics.render.sarif import render_sarif

            return render_sarif(report)
        case Format.JUNIT:
            from insigma.diagnostics.render.junit import render_junit

            return render_junit(report)
        case Format.GITHUB:
            from insigma.diagnostics.render.github import render_github

            return render_github(report)
