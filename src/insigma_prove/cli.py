"""`insigma prove`: engines set up, detections proved, and what was found told."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import click

from insigma.cli.errors import UsageError
from insigma.cli.output import counted, did_you_mean, exit_code, format_option, write_report
from insigma.cli.workplace import open_workplace
from insigma.content.model import AnyRule, Pack
from insigma.content.pack import PACK_FILE, find_root
from insigma.diagnostics.model import Diagnostic, Place, Severity
from insigma.diagnostics.render import Format, Report
from insigma.release.proofs import FOLDER, GRADES, ProofRow, as_document
from insigma_prove.engines import ENGINES, missing
from insigma_prove.install import InstallFailed, install
from insigma_prove.process import EngineDied
from insigma_prove.prove import Bench, Proof, provable, prove
from insigma_prove.schedules import DayProof, prove_schedules
from insigma_prove.splunk_rest import SplunkRest, SplunkSettingsError, read_token
from insigma_prove.stands import STANDS

MOST_TOLD = 5
"""Faults of one detection that are told one by one."""


@click.command("prove")
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option("-t", "--target", "targets", multiple=True, type=click.Choice(tuple(STANDS)), help="Only this target; may be repeated.")
@click.option("--engine", "engines", multiple=True, help="Only this engine; may be repeated.")
@click.option("--install", "setting_up", is_flag=True, help="First install the engines (from PyPI and npm; --all also from Maven).")
@click.option("--all", "everything", is_flag=True, help="Also the slower engines, which tests do not need.")
@click.option("--schedules", is_flag=True, help="Prove schedules instead: replay a day of late and out-of-order events.")
@click.option("--generated", type=click.IntRange(1), metavar="N", help="Prove N made-up sets of rules and events a target instead.")
@click.option("--seed", default=1, show_default=True, help="The seed of what is generated.")
@click.option("--splunk-url", metavar="URL", help="Ask your own Splunk at its management address, with the token in SPLUNK_TOKEN.")
@click.option("--splunk-token-file", type=click.Path(path_type=Path), help="Read the token from this file instead.")
@click.option("--splunk-insecure", is_flag=True, help="Take whatever TLS certificate that Splunk shows.")
@click.option("--write", is_flag=True, help=f"Keep the result in {FOLDER}/ of the pack, for the ledger.")
@format_option
def command(
    rules: tuple[str, ...],
    targets: tuple[str, ...],
    engines: tuple[str, ...],
    setting_up: bool,
    everything: bool,
    schedules: bool,
    generated: int | None,
    seed: int,
    splunk_url: str | None,
    splunk_token_file: Path | None,
    splunk_insecure: bool,
    write: bool,
    form: str,
) -> int:
    """Run the compiled queries on real engines and compare.

    Every detection of RULES (names, ids or file names; all by default) is run in each language of its target on the
    events of its fixture, by that language's own engine where there is one, and compared with the reference evaluator:
    event for event, and for correlations as the window class promises.
    """
    _known(engines)
    if write and (rules or engines or schedules or generated or splunk_url):
        raise UsageError(
            "--write keeps the proof of a whole pack", "run it without RULE, --engine, --schedules, --generated and --splunk-url"
        )
    if write and find_root(Path.cwd()) is None:
        raise UsageError("--write keeps the proof of a pack, and here is none", "run it in a folder with an insigma.yml at or above it")
    if setting_up:
        _install(engines, everything)
        if not (rules or targets or write or schedules or generated):
            return 0
    workplace = open_workplace(())
    pack = workplace.loaded.pack
    concerns = _chooser(rules, pack)
    chosen = provable(targets or tuple(STANDS), pack)
    if unmapped := sorted({*targets} - {*chosen}):
        raise UsageError(f"the pack maps no target '{unmapped[0]}'", f"it needs mappings/targets/{unmapped[0]}.yml")
    if engines:
        chosen = [target for target in chosen if any(spec.target == target for spec in ENGINES if spec.name in engines)]
        if not chosen:
            raise UsageError(f"{' and '.join(engines)} judges none of the targets asked for", "leave out --engine")
    if generated is not None:
        return _generated(pack, chosen, generated, seed, engines, form)
    proofs: list[Proof] = []
    days: list[DayProof] = []
    with Bench(lambda spec: spec.name in engines if engines else spec.needed or everything or not missing(spec)) as bench:
        try:
            if splunk_url is not None:
                bench.add("spl", _own_splunk(splunk_url, splunk_token_file, splunk_insecure))
            if schedules:
                days.extend(prove_schedules(pack, chosen, bench, concerns, _progress(), seed))
            else:
                proofs.extend(prove(pack, chosen, bench, concerns, _progress()))
        except EngineDied as error:
            hint = "is the address right, and may the token search?" if splunk_url else "run insigma prove --install"
            raise UsageError(str(error), hint) from error
        absent = dict(bench.absent)
    unread = workplace.loaded.diagnostics
    findings = [*unread, *_absences(absent, pack), *(found for proof in proofs for found in _findings(proof)), *_day_findings(days)]
    if write:
        assert workplace.root is not None
        _write(proofs, workplace.root, absent, unread)
    report = Report.of(findings, (), {}, proofs=len(proofs))
    write_report(report, form, _day_closing(days, seed) if schedules else _closing(proofs))
    if form == Format.TEXT.value:
        _table(proofs)
    return exit_code(findings)


def _generated(pack: Pack, targets: Sequence[str], count: int, seed: int, engines: Sequence[str], form: str) -> int:
    """Made-up rules and events for each target. Hypothesis, which makes them up, comes with the extra `prove`."""
    try:
        from insigma_prove.generate import runner, telling
    except ImportError as error:
        raise UsageError(f"--generated needs the package {error.name}", "pip install 'insigma[prove]'") from error
    tell = _progress()
    outcomes: list[runner.Outcome] = []
    with Bench(lambda spec: spec.name in engines if engines else spec.needed) as bench:
        try:
            for target in targets:
                tell(target, f"{count} generated sets")
                outcomes += runner.generated(target, count, seed, bench, pack)
        except EngineDied as error:
            raise UsageError(str(error), "run insigma prove --install") from error
        absent = dict(bench.absent)
    place = _place(pack)
    findings = [*_absences(absent, pack), *telling.findings(outcomes, place)]
    write_report(
        Report.of(findings, (), {}, generated=sum(outcome.generated for outcome in outcomes)), form, telling.closing(outcomes, seed)
    )
    if form == Format.TEXT.value:
        for line in telling.table(outcomes):
            click.echo(line)
    return exit_code(findings)


def _own_splunk(url: str, token_file: Path | None, insecure: bool) -> SplunkRest:
    try:
        return SplunkRest(url, read_token(os.environ, token_file), insecure=insecure)
    except SplunkSettingsError as error:
        raise UsageError(str(error), "put a token into SPLUNK_TOKEN, or name a file with --splunk-token-file") from error


def _known(engines: Iterable[str]) -> None:
    names = [spec.name for spec in ENGINES]
    for name in engines:
        if name not in names:
            raise UsageError(f"no engine '{name}'", did_you_mean(name, names, f"there are: {', '.join(names)}"))


def _install(engines: Sequence[str], everything: bool) -> None:
    """Set up the engines asked for, else all that tests need; what fails is told at the end, the others are there."""
    failed = []
    for spec in ENGINES:
        if spec.name in engines or (not engines and (spec.needed or everything)):
            try:
                install(spec, lambda text: click.echo(f"insigma: engine {text}", err=True))
            except InstallFailed as error:
                failed.append(f"{spec.name}: {error}")
    if failed:
        raise UsageError("; ".join(failed), "the other engines are set up")


def _chooser(rules: Sequence[str], pack: Pack) -> Callable[[AnyRule], bool]:
    """Whether a rule is among those asked for. Raises `UsageError` for a name that there is not."""
    stems = [Path(rule).stem if rule.endswith((".yml", ".yaml")) else rule for rule in rules]
    known = {name: rule for rule in pack.rules for name in (rule.header.slug, rule.header.id, rule.header.name) if name}
    for stem in stems:
        if stem not in known:
            raise UsageError(
                f"no rule '{stem}' in the pack", did_you_mean(stem, known, "give a name such as ins-clm-001, an id or a file name")
            )
    paths = {known[stem].header.path for stem in stems}
    return lambda rule: not paths or rule.header.path in paths


def _progress() -> Callable[[str, str], None]:
    """One line that is written over, on a terminal; nothing elsewhere."""

    def tell(target: str, rule: str) -> None:
        if sys.stderr.isatty():
            click.echo(f"\r\033[Kproving {target} {rule}\r", nl=False, err=True)

    return tell


def _place(pack: Pack) -> Place:
    """Where findings stand that concern no rule: at the head of the pack's own file."""
    return next((document.place() for document in pack.documents if pack.relative(document.path) == PACK_FILE), Place(PACK_FILE))


def _absences(absent: dict[str, str], pack: Pack) -> list[Diagnostic]:
    needed = {spec.name: spec.needed for spec in ENGINES}
    place = _place(pack)
    return [
        Diagnostic(
            place,
            "INS803",
            f"SKIPPED: engine {name}: {why}",
            "run insigma prove --install" + ("" if needed[name] else f" --engine {name}"),
            severity=Severity.WARNING,
        )
        for name, why in sorted(absent.items())
    ]


def _findings(proof: Proof) -> Iterable[Diagnostic]:
    place, label = proof.rule.header.document.place(), proof.rule.header.label
    asked = f"{proof.target} {proof.language}"
    for case, message in proof.faults[:MOST_TOLD]:
        yield Diagnostic(place, "INS801", f"{asked} on {proof.engine}: case '{case}': {message}", "see docs/fidelity.md", rule=label)
    if len(proof.faults) > MOST_TOLD:
        yield Diagnostic(
            place, "INS801", f"{asked} on {proof.engine}: and {len(proof.faults) - MOST_TOLD} more", "see docs/fidelity.md", rule=label
        )
    if proof.grade == "unchecked" and not proof.refused:
        hint = "" if proof.engine or "fixture" in proof.reason else "run insigma prove --install"
        yield Diagnostic(place, "INS802", f"{asked} is unchecked: {proof.reason}", hint, Severity.WARNING, label)


def _day_findings(days: Sequence[DayProof]) -> Iterable[Diagnostic]:
    for proof in days:
        place, label = proof.rule.header.document.place(), proof.rule.header.label
        for message in proof.faults[:MOST_TOLD]:
            yield Diagnostic(place, "INS801", f"{proof.target} {proof.language} over a day: {message}", "see docs/fidelity.md", rule=label)


def _day_closing(days: Sequence[DayProof], seed: int) -> str:
    held, runs, alerts = sum(not proof.faults for proof in days), sum(proof.runs for proof in days), sum(proof.alerts for proof in days)
    told = f"{counted(runs, 'run')} that saw events delivered {counted(alerts, 'alert')}"
    return f"{held:,} of {counted(len(days), 'schedule')} hold over a day; {told} (seed {seed})"


def _write(proofs: Sequence[Proof], root: Path, absent: Mapping[str, str], unread: Sequence[Diagnostic]) -> None:
    """One file for each target. Raises `UsageError` where an engine or a file is missing: what was shown before would be lost."""
    if any(found.severity is Severity.ERROR for found in unread):
        raise UsageError("--write keeps the proof of a whole pack, and some of its files cannot be read", "run insigma check")
    gone = [f"engine {spec.name}: {absent[spec.name]}" for spec in ENGINES if spec.needed and spec.name in absent]
    if gone:
        raise UsageError(f"--write keeps the proof of a whole pack, but {'; '.join(gone)}", "run insigma prove --install")
    (root / FOLDER).mkdir(exist_ok=True)
    for target in dict.fromkeys(proof.target for proof in proofs):
        rows = [_row(proof) for proof in proofs if proof.target == target and proof.grade in GRADES and not proof.faults]
        (root / FOLDER / f"{target}.json").write_text(as_document(rows), encoding="utf-8")


def _row(proof: Proof) -> ProofRow:
    label = proof.rule.header.label
    return ProofRow(label, proof.target, proof.language, proof.grade, proof.engine, proof.query, proof.events, proof.cases)


def _closing(proofs: Sequence[Proof]) -> str:
    asked = [proof for proof in proofs if not proof.refused]
    held = sum(proof.grade in GRADES and not proof.faults for proof in asked)
    cases = sum(proof.cases for proof in asked)
    refused = len(proofs) - len(asked)
    return f"{held:,} of {counted(len(asked), 'proof')} hold, over {counted(cases, 'case')}; {refused} refused by the compiler"


def _table(proofs: Sequence[Proof]) -> None:
    """For each language and engine how the detections ended."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for proof in proofs:
        state = "refused" if proof.refused else "disproved" if proof.faults else proof.grade
        counts[proof.target, proof.language, "" if proof.refused else proof.engine or "none", state] += 1
    for (target, language, engine, state), number in sorted(counts.items()):
        click.echo(f"{target:9} {language:7} {number:4} {state:10} {engine}".rstrip())
