"""`insigma build`: check, test, compile, write."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from insigma.assure.fixtures import CaseResult
from insigma.cli.build_tenants import Order, build_for_tenants, wanted_tenants
from insigma.cli.building import Signer, examined, proofs_of, signer, versions_for
from insigma.cli.days import DAY
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, exit_code, format_option, write_report
from insigma.cli.progress import Progress, shown_progress
from insigma.cli.targets import workshop_of
from insigma.cli.test_command import case_names
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.files import shown_path
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import Pack
from insigma.content.pack import find_root
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render import Format, Report, render
from insigma.release.ledger import rows
from insigma.release.outcomes import Outcome, compile_rules, refusal_findings
from insigma.release.proofs import Proofs
from insigma.release.signing import ENVIRONMENT, MANIFEST, SIGNATURE
from insigma.release.tree import as_bytes, as_json, tree
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


@click.command("build")
@click.option(
    "-t", "--target", "targets", multiple=True, help="elastic, splunk, sentinel or pysigma:BACKEND; may be repeated. Default: all of ours."
)
@click.option("--tenant", "tenants", multiple=True, help="Build for this tenant, into a folder of its own; may be repeated.")
@click.option("--all-tenants", is_flag=True, help="Build for every tenant of the pack but the default profile.")
@click.option("--at", "day", type=DAY, help="The day to build for, YYYY-MM-DD: it chooses surges and tells what has expired.")
@click.option("--sign-key", type=click.Path(path_type=Path), help=f"Sign manifests with this Ed25519 key (PEM), or with ${ENVIRONMENT}.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The folder to write.  [default: dist, or dist-tenants for tenants, in the pack, or here if there is none]",
)
@click.option("--json", "as_json_", is_flag=True, help="Write the result as one JSON object.")
@format_option
def command(
    targets: tuple[str, ...],
    tenants: tuple[str, ...],
    all_tenants: bool,
    day: str | None,
    sign_key: Path | None,
    out: Path | None,
    as_json_: bool,
    form: str,
) -> int:
    """Check, test and compile the pack around the working folder, and write dist/.

    Nothing is written if a check or a fixture fails; the old folder is replaced at once, or not at all. With -t the folder
    holds only the targets asked for. With --tenant or --all-tenants each tenant's rules are specialised, compiled and packaged
    for the targets of its profile, into a folder named after it.
    """
    if as_json_ and form != Format.TEXT.value:
        raise UsageError("--json and --format are two ways to write the result", "give one of them")
    workplace = open_workplace(())
    pack = workplace.loaded.pack
    home = find_root(Path.cwd()) or Path()
    if tenants or all_tenants:
        wanted = wanted_tenants(pack, tenants, all_tenants)
        order = Order(targets, day, sign_key, out or Path(shown_path(home / "dist-tenants")))
        return build_for_tenants(workplace, wanted, order, form, as_json_)
    signed = signer(sign_key)
    out = out or Path(shown_path(home / "dist"))
    names = targets or tuple(name for name in NATIVE if name in pack.mappings)
    _workshops(
        [name for name in names if name not in NATIVE],
        pack,
        {},
        # a wrong name is told at once, a faulty mapping with all other faults
    )
    with shown_progress() as progress:
        built = _build(workplace, names, out, progress, signed)
    if as_json_:
        click.echo(as_json(_as_object(built, pack, out)), nl=False)
    else:
        _write_summary(built, form, out)
    return exit_code(built.findings)


def _workshops(names: Sequence[str], pack: Pack, versions: Mapping[str, int]) -> list[Workshop]:
    return [workshop_of(name, pack, versions=versions) for name in dict.fromkeys(names)]


def _build(workplace: Workplace, targets: Sequence[str], out: Path, progress: Progress, signed: Signer | None) -> Built:
    pack = workplace.loaded.pack
    cases, findings = examined(workplace, progress)
    filled = fill_lists(pack.rules, default_lists(pack))
    findings.extend(filled.diagnostics)
    if any(found.severity is Severity.ERROR for found in findings):
        return Built(tuple(findings), cases, (), (), Proofs((), (), {}))
    proofs = proofs_of(workplace)
    workshops = _workshops(targets, pack, versions_for(workplace))
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
        files = dict(tree(outcomes, workshops, pack, proofs))
        if signed is not None:
            files[SIGNATURE] = signed(as_bytes(files[MANIFEST]))
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


def _targets_in(out: Path) -> set[str]:
    """The targets of which a folder holds something built before."""
    return {name for name in (*NATIVE, "pysigma") if (out / name).is_dir()}


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
