"""`insigma show`: the compiled query and native object of a rule."""

from __future__ import annotations

from pathlib import Path

import click

from insigma.cli.errors import UsageError
from insigma.cli.output import colored, counted, exit_code
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import AnyRule
from insigma.diagnostics.model import Diagnostic
from insigma.diagnostics.render import Format, Report, render
from insigma.diagnostics.render.hostile import visible
from insigma.packages.base import PackContext
from insigma.release.workshops import Refused, UnknownTarget, Workshop, open_workshop
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Detection

PARTS = ("both", "query", "native")
_LEXERS = {"spl": "text", "lucene": "text", "eql": "text", "esql": "sql"}


@click.command("show")
@click.argument("rule")
@click.option("-t", "--target", required=True, help="elastic, splunk or pysigma:BACKEND.")
@click.option("--language", help="For elastic: lucene, eql or esql instead of the one chosen.")
@click.option("--part", type=click.Choice(PARTS), default="both", show_default=True, help="The query, the target's own object, or both.")
def command(rule: str, target: str, language: str | None, part: str) -> int:
    """Show how a target says RULE: a name, id or file name in the pack, or a file or folder of rules.

    The output is raw where it is no terminal.
    """
    workplace, chosen = _chosen(rule)
    pack = workplace.loaded.pack
    context = PackContext(DEFAULT_TENANT, pack.name, pack.version)
    try:
        workshop = open_workshop(target, pack, default_lists(pack), context, language)
    except UnknownTarget as error:
        raise UsageError(f"no target '{error.name}'", f"there are: {', '.join(error.known)}") from error
    except Refused as error:
        raise UsageError(error.reason) from error
    filled = fill_lists(chosen, default_lists(pack))
    faults = [*workplace.of_interest(workplace.loaded.diagnostics), *filled.diagnostics]
    for number, entry in enumerate(filled.rules):
        if number:
            click.echo("")
        faults.extend(_show(entry, workshop, part, titled=len(filled.rules) > 1))
    if faults:
        click.echo(render(Report.of(faults), Format.TEXT), nl=False, err=True)
        shown = len(filled.rules) - sum(found.code == "INS701" for found in faults)
        click.echo(f"{counted(shown, 'rule')} shown, {counted(len(faults), 'fault')}", err=True)
    return exit_code(faults)


def _chosen(rule: str) -> tuple[Workplace, tuple[AnyRule, ...]]:
    if Path(rule).exists():
        workplace = open_workplace((Path(rule),))
        return workplace, workplace.rules
    workplace = open_workplace(())
    found = tuple(entry for entry in workplace.loaded.pack.rules if rule in (entry.header.name, entry.header.id, entry.header.slug))
    if not found:
        raise UsageError(f"no rule '{rule}' in the pack, and no such file", "give a name such as ins-clm-001, an id, a file name or a path")
    return Workplace(workplace.loaded, workplace.root, tuple({entry.header.path for entry in found})), found


def _show(rule: AnyRule, workshop: Workshop, part: str, *, titled: bool) -> list[Diagnostic]:
    header = rule.header
    try:
        detection = workshop.compile(rule)
        native = workshop.packager.native(header, detection)
    except Refused as refusal:
        place = header.document.place(*refusal.where)
        hint = "see the target's page under docs/targets"
        return [Diagnostic(place, "INS701", f"{workshop.name} refuses the rule: {refusal.reason}", hint, rule=header.label)]
    if colored():
        _write_highlighted(rule, detection, native, part)
        return []
    if titled:
        click.echo(visible(f"# {header.label}: {header.title}"))
    pieces = [text for name, text in (("query", detection.query), ("native", native)) if text and part in ("both", name)]
    click.echo("\n\n".join(text.rstrip("\n") for text in pieces))
    return []


def _write_highlighted(rule: AnyRule, detection: Detection, native: str, part: str) -> None:
    from rich.console import Console
    from rich.syntax import Syntax
    from rich.text import Text

    console = Console()
    facts = ", ".join((detection.target, detection.language, detection.window))
    console.print(Text(rule.header.title, style="bold"), Text(f"({facts})", style="dim"))
    for note in detection.notes:
        console.print(Text(f"note: {note}", style="dim"))
    if part in ("both", "query"):
        console.print(Syntax(detection.query, _LEXERS.get(detection.language, "text"), word_wrap=True))
    if native and part in ("both", "native"):
        console.print(Syntax(native, "json" if native.startswith("{") else "ini", word_wrap=True))
