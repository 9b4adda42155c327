"""`insigma test`: fixtures through the reference evaluator."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import click

from insigma.assure.fixtures import CaseResult, reference_rules, run_fixture
from insigma.checks.ins511_unfinished import CODE as UNFINISHED
from insigma.checks.ins511_unfinished import unfinished
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, exit_code, format_option, write_report
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Correlation
from insigma.diagnostics.model import Diagnostic, Severity
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
    run = run_cases(workplace)
    tested = {result.fixture.document.path for result in run.results}
    documents = [document for document in workplace.loaded.pack.documents if workplace.concerns(document.path) or document.path in tested]
    to_write = (found for document in documents for found in unfinished(document))
    findings = (*run.faults, *(found for result in run.results for found in result.diagnostics), *as_errors(to_write))
    passed = [_passed(result) for result in run.results if not result.diagnostics]
    rules = len({result.rule for result in run.results})
    failed = len(run.results) - len(passed)
    report = Report.of(findings, passed, case_names(run.results), cases=len(run.results), failed=failed, not_run=run.not_run)
    told = f"{counted(len(passed), 'case')} passed" + (f", {failed:,} failed" if failed else "")
    if run.not_run:
        told += f", {counted(run.not_run, 'fixture')} not run as the rules have faults"
    if run.faults:
        told += f", {counted(len(run.faults), 'fault')} on the way"
    write_report(report, form, f"{told} ({counted(rules, 'rule')})" if run.results or findings else "no fixture cases there")
    return exit_code(findings)


def as_errors(findings: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """The findings with what is still to be written, a note to `check`, made an error: it must not be delivered."""
    return tuple(replace(found, severity=Severity.ERROR) if found.code == UNFINISHED else found for found in findings)


@dataclass(frozen=True, slots=True)
class CaseRun:
    """The results of the cases that ran, the faults of rules on the way, and how many fixtures those kept from running."""

    results: tuple[CaseResult, ...]
    faults: tuple[Diagnostic, ...]
    not_run: int


def run_cases(workplace: Workplace, findings: Sequence[Diagnostic] = (), done: Callable[[], None] = lambda: None) -> CaseRun:
    """Run the fixtures asked for, by themselves or by their rule. A rule with an error is told once, not again case by case.

    `done` is called at each fixture.
    """
    pack = workplace.loaded.pack
    reference = reference_rules(pack, default_lists(pack))
    faults = (*workplace.loaded.diagnostics, *reference.diagnostics)
    faulty = {found.place.path for found in (*faults, *findings) if found.severity is Severity.ERROR}
    unread = {document.data.get(key) for document in pack.rule_documents if document.path in faulty for key in ("name", "id")}
    results: list[CaseResult] = []
    not_run = 0
    for fixture in pack.fixtures:
        done()
        rule = reference.rules.get(fixture.rule)
        if not workplace.concerns(fixture.document.path) and not (rule is not None and workplace.concerns(rule.header.path)):
            continue
        if fixture.rule in unread or (rule is not None and not faulty.isdisjoint(_paths(rule))):
            not_run += 1
        else:
            results.extend(run_fixture(fixture, reference, pack))
    return CaseRun(tuple(results), workplace.of_interest(faults), not_run)


def _paths(rule: AnyRule) -> set[str]:
    """The files of the rule and of everything it builds on."""
    members = rule.members if isinstance(rule, Correlation) else ()
    return {rule.header.path}.union(*(_paths(member) for member in members))


def case_names(results: Sequence[CaseResult]) -> dict[Diagnostic, str]:
    """The case of each finding that one gave, called as it would be had it passed."""
    return {found: f"{result.rule}: {result.case.name}" for result in results if result.case.name for found in result.diagnostics}


def _passed(result: CaseResult) -> Passed:
    place = result.fixture.document.place("cases", result.fixture.cases.index(result.case))
    return Passed(place.path, place.line, f"{result.rule}: {result.case.name}")
