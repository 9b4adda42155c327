"""Writing reports: one form on standard output, a closing line for people on standard error or below the text."""

from __future__ import annotations

import difflib
import sys
from collections.abc import Iterable

import click

from insigma.diagnostics.catalogue import CODES
from insigma.diagnostics.model import Diagnostic, ExitCode, Severity
from insigma.diagnostics.render import Format, Report, render

format_option = click.option(
    "--format",
    "form",
    type=click.Choice([form.value for form in Format]),
    default=Format.TEXT.value,
    show_default=True,
    help="How findings are written.",
)


def colored() -> bool:
    """Whether standard output is a terminal that shows colours. NO_COLOR counts if it is not empty (no-color.org)."""
    import os

    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"


def write_report(report: Report, form: str, closing: str) -> None:
    """The report on standard output; the closing line below it for text, else on standard error."""
    text = render(report, Format(form), color=colored())
    if text:
        click.echo(text, nl=False)
    click.echo(closing, err=form != Format.TEXT.value)


def exit_code(diagnostics: Iterable[Diagnostic]) -> ExitCode:
    """The worst exit code that the findings ask for. Notes ask for none."""
    codes = [CODES[found.code].exit for found in diagnostics if found.severity > Severity.NOTE]
    return max(codes, default=ExitCode.OK)


def counted(number: int, noun: str) -> str:
    """ "1 rule", "2 rules"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


def did_you_mean(wrong: str, known: Iterable[str], otherwise: str) -> str:
    """A hint with the known word most like the wrong one, whatever their case; `otherwise` where none is like it."""
    by_lower = {word.lower(): word for word in known}
    near = difflib.get_close_matches(wrong.lower(), by_lower, 1)
    return f"did you mean '{by_lower[near[0]]}'?" if near else otherwise
