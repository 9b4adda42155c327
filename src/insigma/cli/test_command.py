"""`insigma test`: fixtures through the reference evaluator."""

from __future__ import annotations

from pathlib import Path

import click

from insigma.assure.fixtures import CaseResult, reference_rules, run_fixture
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, exit_code, format_option, write_report
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.lists import default_lists
from insigma.diagnostics.model import Diagnostic
from insigma.diagnostics.render import Report
from insigma.diagnostics.render.report import Passed


@click.command("test")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@format_option
def command(paths: tuple[Path, ...], form: str) -> int:
    """Run fixtures through the reference evaluator.

    PATHS are packs, rules or fixtures (or folders of them) in a pack; a rule stands for its fixture. A failing case says
    which event, which part of the condition, and why.
    """
    workplace = open_workplace(paths)
    if workplace.root is None:
        raise UsageError("these rules lie in no pack, so they have no fixtures", "make a pack: a folder with an insigma.yml")
    results, faults = run_cases(workplace)
    findings = (*faults, *(found for result in results for found in result.diagnostics))
    passed = [_passed(result) for result in results if not result.diagnostics]
    rules = len({result.rule for result in results})
    failed = len(results) - len(passed)
    report = Report.of(findings, passed, cases=len(results), failed=failed)
    told = f"{counted(len(passed), 'case')} passed" + (f", {failed:,} failed" if failed else "")
    if faults:
        told += f", {counted(len(faults), 'fault')} on the way"
    write_report(report, form, f"{told} ({counted(rules, 'rule')})" if results or faults else "no fixture cases there")
    return exit_code(findings)


def run_cases(workplace: Workplace) -> tuple[list[CaseResult], tuple[Diagnostic, ...]]:
    """The results of the fixtures asked for (by themselves or by their rule), and the faults that keep others from running."""
    pack = workplace.loaded.pack
    reference = reference_rules(pack, default_lists(pack))
    results: list[CaseResult] = []
    for fixture in pack.fixtures:
        rule = reference.rules.get(fixture.rule)
        if workplace.concerns(fixture.document.path) or (rule is not None and workplace.concerns(rule.header.path)):
            results.extend(run_fixture(fixture, reference, pack))
    return results, workplace.of_interest((*workplace.loaded.diagnostics, *reference.diagnostics))


def _passed(result: CaseResult) -> Passed:
    place = result.fixture.document.place("cases", result.fixture.cases.index(result.case))
    return Passed(place.path, place.line, f"{result.rule}: {result.case.name}")
