"""`insigma show`: the compiled query and native object of a rule."""

from __future__ import annotations

from pathlib import Path

import click

from insigma.bind.open import is_open
from insigma.cli.building import versions_for
from insigma.cli.errors import UsageError
from insigma.cli.output import colored, counted, did_you_mean, exit_code
from insigma.cli.targets import workshop_of
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.files import SUFFIXES
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule
from insigma.diagnostics.model import Diagnostic
from insigma.diagnostics.render import Format, Report, render
from insigma.diagnostics.render.hostile import visible
from insigma.release.workshops import Refused, Workshop
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Detection

PARTS = ("both", "query", "native")
_STOCK = {"elastic": "pysigma:lucene", "splunk": "pysigma:splunk", "sentinel": "pysigma:kusto"}
"""Where to turn with a rule that our own compiler does not know the fields of."""


@click.command("show")
@click.argument("rule")
@click.option("-t", "--target", required=True, help="elastic, splunk, sentinel or pysigma:BACKEND.")
@click.option("--language", help="For elastic: lucene, eql or esql instead of the one chosen.")
@click.option(
    "--pipeline",
    "pipelines",
    multiple=True,
    metavar="NAME|FILE",
    help="A pySigma processing pipeline that names the fields of public Sigma rules; may be repeated.",
)
@click.option("--part", type=click.Choice(PARTS), default="both", show_default=True, help="The query, the target's own object, or both.")
def command(rule: str, target: str, language: str | None, pipelines: tuple[str, ...], part: str) -> int:
    """Show how a target says RULE: a name, id or file name in the pack, or a file or folder of rules.

    The output is raw where it is no terminal.
    """
    workplace, chosen = _chosen(rule)
    pack = workplace.loaded.pack
    workshop = workshop_of(target, pack, language, pipelines, versions_for(workplace))
    filled = fill_lists(chosen, default_lists(pack))
    faults = [*workplace.of_interest(workplace.loaded.diagnostics), *filled.diagnostics]
    notes: dict[str, list[str]] = {}
    shown = 0
    for entry in filled.rules:
        try:
            detection = workshop.compile(entry)
            native = workshop.packager.native(entry.header, detection) if part != "query" else ""
        except Refused as refusal:
            faults.append(_refusal(entry, workshop, refusal))
            continue
        if shown:
            click.echo("")
        _write(entry, detection, native, part, titled=len(filled.rules) > 1)
        for note in detection.notes:
            notes.setdefault(note, []).append(entry.header.label)
        shown += 1
    _write_notes(notes, shown)
    if faults:
        click.echo(render(Report.of(faults), Format.TEXT), nl=False, err=True)
        click.echo(f"{counted(shown, 'rule')} shown, {counted(len(faults), 'fault')}", err=True)
    return exit_code(faults)


def _chosen(rule: str) -> tuple[Workplace, tuple[AnyRule, ...]]:
    """The rules meant, and the workplace narrowed to their files: also to those of rules that could not be read."""
    if Path(rule).exists():
        workplace = open_workplace((Path(rule),))
        return workplace, workplace.rules
    workplace = open_workplace(())
    loaded = workplace.loaded
    stem = Path(rule).stem if Path(rule).name == rule and Path(rule).suffix in SUFFIXES else rule
    found = tuple(entry for entry in loaded.pack.rules if {entry.header.name, entry.header.id, entry.header.slug} & {rule, stem})
    paths = {entry.header.path for entry in found}
    if not found:
        unread = {fault.place.path for fault in loaded.diagnostics if loaded.pack.relative(fault.place.path).startswith("rules/")}
        named = {entry.path for entry in loaded.pack.rule_documents if rule in (entry.data.get("name"), entry.data.get("id"))}
        paths = {path for path in unread if path in named or Path(path).stem == stem}
    if not paths:
        headers = [entry.header for entry in loaded.pack.rules]
        known = [name for header in headers for name in (header.name, header.id, header.slug) if name]
        hint = did_you_mean(stem, known, "give a name such as ins-clm-001, an id, a file name or a path")
        raise UsageError(f"no rule '{rule}' in the pack, and no such file", hint)
    return Workplace(loaded, workplace.root, tuple(sorted(paths))), found


def _refusal(rule: AnyRule, workshop: Workshop, refusal: Refused) -> Diagnostic:
    header = rule.header
    if not workshop.verified:
        hint = "the stock backend cannot say it"
    elif is_open(rule):
        hint = "see docs/public_rules.md"
    elif refusal.unmapped:
        hint = f"map it in mappings/targets/{workshop.name}.yml, or compile it unverified with -t {_STOCK[workshop.name]}"
    else:
        hint = f"see docs/targets/{workshop.name}.md"
    place = header.document.place(*refusal.where)
    return Diagnostic(place, "INS701", f"{workshop.name} refuses the rule: {refusal.reason}", hint, rule=header.label)


def _write_notes(notes: dict[str, list[str]], shown: int) -> None:
    """Each note once, on standard error; with the rules that it is about where several are shown."""
    for note, labels in notes.items():
        concerned = labels[0] if len(labels) == 1 else counted(len(labels), "rule")
        click.echo(visible(f"note: {note}" + (f" ({concerned})" if shown > 1 else "")), err=True)


def _write(rule: AnyRule, detection: Detection, native: str, part: str, *, titled: bool) -> None:
    pieces = {"query": detection.query, "native": native}
    texts = [text.rstrip("\n") for name, text in pieces.items() if text and part in ("both", name)]
    if colored():
        from insigma.cli.highlight import write_highlighted

        write_highlighted(rule.header.title, (detection.target, detection.language, detection.window), texts)
        return
    if titled:
        click.echo(visible(f"# {rule.header.label}: {rule.header.title}"))
    click.echo("\n\n".join(texts))
