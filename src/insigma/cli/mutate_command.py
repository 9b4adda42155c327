"""`insigma mutate`: whether the fixtures notice what can go wrong in a rule."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click

from insigma.assure.mutants import Severity
from insigma.assure.mutation import Trial, fixtures_of, try_rule
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, exit_code, format_option, write_report
from insigma.cli.workplace import open_workplace
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule
from insigma.diagnostics.model import Diagnostic
from insigma.diagnostics.render import Format, Report

ENOUGH = 95
"""Percent of the subtle mutants that must be noticed (of the dropped ones: all)."""


@click.command("mutate")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@format_option
def command(paths: tuple[Path, ...], form: str) -> int:
    """Change one thing at a time in each rule and see whether its fixture notices.

    PATHS are rules, or folders of them, in a pack. Told are the changes that no case notices: a part dropped, a modifier, a
    number, a timespan or a negation otherwise. A subtle one that no event can tell apart may be explained in the fixture.
    """
    workplace = open_workplace(paths)
    if workplace.root is None:
        raise UsageError("these rules lie in no pack, so they have no fixtures", "make a pack: a folder with an insigma.yml")
    pack = workplace.loaded.pack
    lists = default_lists(pack)
    trials = [try_rule(rule, found, lists, pack) for rule in _with_progress(workplace.rules) if (found := fixtures_of(rule, pack))]
    findings = (*workplace.of_interest(workplace.loaded.diagnostics), *(one for trial in trials for one in trial.findings()))
    told = _explained(trials) if form == Format.TEXT.value else []
    for line in told:
        click.echo(line)
    write_report(Report.of(findings), form, _closing(trials))
    return max(exit_code(findings), exit_code(_too_few(trials)))


def _with_progress(rules: Sequence[AnyRule]) -> Iterator[AnyRule]:
    """The rules one by one, on a terminal with a bar on standard error."""
    if not sys.stderr.isatty():
        yield from rules
        return
    with click.progressbar(rules, label="mutating", file=sys.stderr) as bar:
        yield from bar


def _share(trials: Sequence[Trial], severity: Severity) -> tuple[int, int]:
    return sum(trial.killed(severity) for trial in trials), sum(trial.made[severity] for trial in trials)


def _closing(trials: Sequence[Trial]) -> str:
    dropped, all_dropped = _share(trials, Severity.DROPPED)
    subtle, all_subtle = _share(trials, Severity.SUBTLE)
    percent = f" ({100 * subtle / all_subtle:.1f} %)" if all_subtle else ""
    return (
        f"noticed: {dropped:,} of {all_dropped:,} parts dropped, {subtle:,} of {all_subtle:,} subtle changes{percent}"
        f" ({counted(len(trials), 'rule')})"
    )


def _explained(trials: Sequence[Trial]) -> list[str]:
    return [
        f"{survivor.mutant.place.path}: {trial.rule.header.label}: {survivor.mutant.what}: {survivor.because}"
        for trial in trials
        for survivor in trial.survivors
        if survivor.because and survivor.mutant.severity is Severity.SUBTLE
    ]


def _too_few(trials: Sequence[Trial]) -> tuple[Diagnostic, ...]:
    """The survivors themselves, explained or not, where too few subtle changes are noticed over all rules asked for."""
    noticed, made = _share(trials, Severity.SUBTLE)
    if 100 * noticed >= ENOUGH * made:
        return ()
    return tuple(one for trial in trials for one in trial.findings())
