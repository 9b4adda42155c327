"""`insigma build`: check, test, compile, write."""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import click

from insigma.assure.fixtures import CaseResult
from insigma.checks.runner import check_all
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, exit_code, format_option, write_report
from insigma.cli.targets import workshop_of
from insigma.cli.test_command import as_errors, case_names, run_cases
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.files import shown_path
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import Pack
from insigma.content.pack import find_root
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render import Format, Report, render
from insigma.release.ledger import rows
from insigma.release.outcomes import Outcome, compile_rules, refusal_findings
from insigma.release.proofs import Proofs, read_proofs
from insigma.release.tree import as_json, tree
from insigma.release.workshops import NATIVE, Refused, Workshop
from insigma.release.writer import ForeignFolder, write_tree
from insigma.specialise.lists import fill_lists


@dataclass(frozen=True, slots=True)
class Built:
    """What a build did. `written` is empty if findings stopped it before anything was written."""

    findings: tuple[Diagnostic, ...]
    cases: tuple[CaseResult, ...]
    outcomes: tuple[Outcome, ...]
    written: tuple[str, ...]
    proofs: Proofs


class Progress(Protocol):
    """Tells how far the build is: a step's name, and one more piece of it done."""

    def step(self, name: str, pieces: int) -> None: ...

    def advance(self) -> None: ...


@click.command("build")
@click.option(
    "-t", "--target", "targets", multiple=True, help="elastic, splunk, sentinel or pysigma:BACKEND; may be repeated. Default: all of ours."
)
@click.option("--out", type=click.Path(path_type=Path), help="The folder to write.  [default: dist in the pack, or here if there is none]")
@click.option("--json", "as_json_", is_flag=True, help="Write the result as one JSON object.")
@format_option
def command(targets: tuple[str, ...], out: Path | None, as_json_: bool, form: str) -> int:
    """Check, test and compile the pack around the working folder, and write dist/.

    Nothing is written if a check or a fixture fails; the old folder is replaced at once, or not at all. With -t the folder
    holds only the targets asked for.
    """
    if as_json_ and form != Format.TEXT.value:
        raise UsageError("--json and --format are two ways to write the result", "give one of them")
    workplace = open_workplace(())
    pack = workplace.loaded.pack
    out = out or Path(shown_path((find_root(Path.cwd()) or Path()) / "dist"))
    names = targets or tuple(name for name in NATIVE if name in pack.mappings)
    _workshops([name for name in names if name not in NATIVE], pack)  # a wrong name is told at once, a faulty mapping with all other faults
    with _progress() as progress:
        built = _build(workplace, names, out, progress)
    if as_json_:
        click.echo(as_json(_as_object(built, pack, out)), nl=False)
    else:
        _write_summary(built, form, out)
    return exit_code(built.findings)


def _workshops(names: Sequence[str], pack: Pack) -> list[Workshop]:
    return [workshop_of(name, pack) for name in dict.fromkeys(names)]


def _build(workplace: Workplace, targets: Sequence[str], out: Path, progress: Progress) -> Built:
    pack = workplace.loaded.pack
    progress.step("checking", 1)
    findings = list(check_all(workplace.loaded))
    progress.advance()
    progress.step("testing", len(pack.fixtures))
    cases = run_cases(workplace, findings, progress.advance).results
    findings.extend(found for result in cases for found in result.diagnostics)
    findings = list(dict.fromkeys(as_errors(findings)))
    filled = fill_lists(pack.rules, default_lists(pack))
    findings.extend(filled.diagnostics)
    if any(found.severity is Severity.ERROR for found in findings):
        return Built(tuple(findings), cases, (), (), Proofs((), (), {}))
    proofs = _proofs(workplace)
    workshops = _workshops(targets, pack)
    if not workshops:
        raise UsageError("the pack maps no target", f"it needs mappings/targets/{NATIVE[0]}.yml or another of {', '.join(NATIVE)}")
    progress.step("compiling", len(filled.rules) * len(workshops))
    outcomes: list[Outcome] = []
    profile = pack.tenants.get(DEFAULT_TENANT)
    for outcome in compile_rules(filled.rules, workshops, DEFAULT_TENANT, profile.disabled if profile else {}):
        outcomes.append(outcome)
        progress.advance()
    findings.extend(refusal_findings(outcomes, pack))
    progress.step("writing", 1)
    held = _targets_in(out)
    try:
        files = tree(outcomes, workshops, pack, proofs)
        write_tree(out, files)
    except ForeignFolder as error:
        hint = "give an empty or new folder with --out; only what insigma built is replaced"
        raise UsageError(f"{error.path} is not a folder that insigma built: {error.foreign}", hint) from error
    except Refused as error:
        raise UsageError(f"the rules cannot be bundled: {error.reason}") from error
    progress.advance()
    gone = held - {path.split("/", 1)[0] for path in files}
    if gone:
        names = " and ".join(sorted(gone))
        click.echo(
            f"insigma: {shown_path(out)}/ no longer holds {names}: build without -t for all targets, or with --out elsewhere", err=True
        )
    return Built(tuple(findings), cases, tuple(outcomes), tuple(sorted(files)), proofs)


def _proofs(workplace: Workplace) -> Proofs:
    """What engines have shown of the pack's detections."""
    pack = workplace.loaded.pack
    labels = {name: rule.header.label for rule in pack.rules for name in (rule.header.id, rule.header.name) if name is not None}
    try:
        return Proofs(read_proofs(workplace.root) if workplace.root is not None else (), pack.fixtures, labels)
    except ValueError as error:
        raise UsageError(str(error)) from error


def _targets_in(out: Path) -> set[str]:
    """The targets of which a folder holds something built before."""
    return {name for name in (*NATIVE, "pysigma") if (out / name).is_dir()}


@contextmanager
def _progress() -> Iterator[Progress]:
    """A bar on the terminal; nothing where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield _Silent()
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, TextColumn
    from rich.progress import Progress as Bar

    with Bar(TextColumn("{task.description:10}"), BarColumn(), MofNCompleteColumn(), console=Console(stderr=True), transient=True) as bar:
        yield _OnTerminal(bar)


class _Silent:
    def step(self, name: str, pieces: int) -> None:
        """Say nothing."""

    def advance(self) -> None:
        """Say nothing."""


class _OnTerminal:
    def __init__(self, bar: Any) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=1)

    def step(self, name: str, pieces: int) -> None:
        self._bar.reset(self._task, total=max(pieces, 1), description=name)

    def advance(self) -> None:
        self._bar.advance(self._task)


def _as_object(built: Built, pack: Pack, out: Path) -> dict[str, Any]:
    targets = list(dict.fromkeys(outcome.target for outcome in built.outcomes))
    entries = rows(built.outcomes, pack, targets, built.proofs) if built.written else []
    return {
        "exit": int(exit_code(built.findings)),
        "out": shown_path(out) if built.written else None,
        "files": list(built.written),
        "cases": {"passed": sum(not result.diagnostics for result in built.cases), "run": len(built.cases)},
        "diagnostics": json.loads(render(Report.of(built.findings), Format.JSON))["diagnostics"],
        "rows": entries,
    }


def _write_summary(built: Built, form: str, out: Path) -> None:
    report = Report.of(built.findings, case_names=case_names(built.cases))
    passed = sum(not result.diagnostics for result in built.cases)
    closing = f"{counted(passed, 'fixture case')} of {len(built.cases):,} passed"
    if not built.written:
        write_report(report, form, f"{closing}; nothing was written because of {counted(len(built.findings), 'finding')}")
        return
    write_report(report, form, f"{closing}; {counted(len(built.written), 'file')} in {shown_path(out)}/")
    if form == Format.TEXT.value:
        _write_table(built.outcomes)


def _write_table(outcomes: Sequence[Outcome]) -> None:
    """Compiled, refused and disabled by target, with the languages chosen."""
    states = Counter((outcome.target, outcome.state) for outcome in outcomes)
    heads = ("target", "compiled", "refused", "disabled", "languages and windows")
    lines: list[tuple[str, ...]] = [heads]
    for target in dict.fromkeys(outcome.target for outcome in outcomes):
        kinds = Counter(
            f"{packed.detection.language} {packed.detection.window}"
            for outcome in outcomes
            if outcome.target == target and (packed := outcome.packed)
        )
        told = ", ".join(f"{count} {kind}" for kind, count in sorted(kinds.items(), key=lambda entry: (-entry[1], entry[0])))
        lines.append((target, *(str(states[target, state]) for state in ("compiled", "refused", "disabled")), told))
    widths = [max(len(line[column]) for line in lines) for column in range(len(heads))]
    for line in lines:
        cells = (
            cell.rjust(width) if 0 < column < 4 else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  ".join(cells).rstrip())
