"""`insigma explain`: the page of a code."""

from __future__ import annotations

import click

from insigma.checks.runner import check_modules
from insigma.cli.errors import UsageError
from insigma.cli.output import colored, did_you_mean
from insigma.diagnostics.catalogue import CODES, Code
from insigma.diagnostics.pages import page


@click.command("explain")
@click.argument("code", required=False)
def command(code: str | None) -> int:
    """Explain a finding's CODE (such as INS105, or its name); without one, list all codes."""
    if code is None:
        for entry in CODES.values():
            click.echo(f"{entry.code}  {entry.severity.label:7}  {entry.name:28}  {entry.summary}")
        return 0
    entry = _find(code)
    text = f"# {entry.code}: {entry.name}\n\n{page_of(entry)}\n\nSeverity: {entry.severity.label}. Exit code: {int(entry.exit)}.\n"
    if colored():
        from rich.console import Console
        from rich.markdown import Markdown

        Console().print(Markdown(text))
    else:
        click.echo(text, nl=False)
    return 0


def _find(code: str) -> Code:
    """By code, number or name, also as SARIF writes names (UndefinedSelection)."""
    by_name = {entry.name.replace("-", ""): entry for entry in CODES.values()}
    found = CODES.get(code.upper()) or CODES.get(f"INS{code}") or by_name.get(code.lower().replace("-", ""))
    if found is None:  # only names are guessed: codes that look alike have nothing in common
        hint = did_you_mean(code, (entry.name for entry in CODES.values()), "insigma explain lists all codes")
        raise UsageError(f"no code '{code}'", hint)
    return found


def page_of(entry: Code) -> str:
    """The page of a code: the docstring of its check, else its own file, else its summary."""
    for module in check_modules():
        if getattr(module, "CODE", None) == entry.code:
            return (module.__doc__ or entry.summary).strip()
    return (page(entry.code) or entry.summary).strip()
