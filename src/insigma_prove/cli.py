"""`insigma prove`: engines set up, detections proved, and what was found told."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import click

from insigma.cli.build_tenants import wanted_tenants
from insigma.cli.days import DAY
from insigma.cli.errors import UsageError
from insigma.cli.output import did_you_mean, exit_code, format_option, write_report
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.model import AnyRule, Pack
from insigma.content.pack import find_root
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic
from insigma.diagnostics.render import Format, Report
from insigma.release.proofs import FOLDER
from insigma.release.workshops import UnknownTarget
from insigma_prove import reports, tenant_reports
from insigma_prove.engines import ENGINES, missing
from insigma_prove.install import InstallFailed, install
from insigma_prove.process import EngineDied
from insigma_prove.prove import Bench, provable, prove
from insigma_prove.schedules import prove_schedules
from insigma_prove.splunk_rest import SplunkRest, SplunkSettingsError, read_token
from insigma_prove.stands import STANDS
from insigma_prove.stock import STOCK, prove_stock
from insigma_prove.tenants import Known, prove_tenant


@click.command("prove")
@click.argument("rules", nargs=-1, metavar="[RULE]...")
@click.option(
    "-t",
    "--target",
    "targets",
    multiple=True,
    type=click.Choice((*STANDS, *STOCK)),
    help="Only this target; may be repeated. Stock backends only if asked for.",
)
@click.option("--engine", "engines", multiple=True, help="Only this engine; may be repeated.")
@click.option("--install", "setting_up", is_flag=True, help="First install the engines (from PyPI and npm; --all also from Maven).")
@click.option("--all", "everything", is_flag=True, help="Also the slower engines, which tests do not need.")
@click.option("--schedules", is_flag=True, help="Prove schedules instead: replay a day of late and out-of-order events.")
@click.option("--generated", type=click.IntRange(1), metavar="N", help="Prove N made-up sets of rules and events a target instead.")
@click.option("--seed", default=1, show_default=True, help="The seed of what is generated.")
@click.option("--tenant", "tenants", multiple=True, help="Prove this tenant's own detections instead; may be repeated.")
@click.option("--all-tenants", is_flag=True, help="Prove those of every tenant of the pack but the default profile.")
@click.option("--at", "day", type=DAY, help="The day to prove tenants for, YYYY-MM-DD: it chooses surges.")
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
    tenants: tuple[str, ...],
    all_tenants: bool,
    day: str | None,
    splunk_url: str | None,
    splunk_token_file: Path | None,
    splunk_insecure: bool,
    write: bool,
    form: str,
) -> int:
    """Run the compiled queries on real engines and compare.

    Every detection of RULES (names, ids or file names; all by default) is run in each language of its target on the
    events of its fixture, by that language's own engine where there is one, and compared with the reference evaluator:
    event for event, and for correlations as the window class promises. With --tenant the rules are as they hold for that
    tenant, compiled as they are delivered, on the same events stored in the tenant's places and fields.
    """
    _known(engines)
    if (tenants or all_tenants) and (schedules or generated):
        raise UsageError("tenants are proved on fixtures, not with --schedules or --generated", "leave one of them out")
    partial = bool(rules or engines or schedules or generated or splunk_url)
    if write:
        _check_writing(partial)
    if setting_up:
        _install(engines, everything)
        if not (rules or targets or write or schedules or generated):
            return 0
    workplace = open_workplace(())
    pack = workplace.loaded.pack
    wanted = wanted_tenants(pack, tenants, all_tenants)
    if wanted and any(target in STOCK for target in targets):
        raise UsageError("tenants are not proved for stock backends", f"give one of {', '.join(STANDS)}")
    chosen = _targets(targets, engines, pack)
    bench = Bench(lambda spec: spec.name in engines if engines else spec.needed or everything or not missing(spec))
    if splunk_url is not None:
        own = _own_splunk(splunk_url, splunk_token_file, splunk_insecure)
        with _told_as(f"is {splunk_url} right, and may the token search?"):
            bench.add("spl", own)
    with bench, _told_as("run insigma prove --install"):
        if generated is not None:
            return _generated(pack, chosen, generated, seed, bench, form)
        if schedules:
            return _schedules(workplace, chosen, rules, seed, bench, form)
        if wanted:
            return _tenants(workplace, wanted, chosen, rules, day, write, bench, form)
        return _proofs(workplace, chosen, rules, engines, write, bench, form)


def _proofs(
    workplace: Workplace, targets: Sequence[str], rules: Sequence[str], engines: Sequence[str], write: bool, bench: Bench, form: str
) -> int:
    """Every detection on its rule's fixture; of the languages, where engines are named, only those that they judge."""
    pack, unread = workplace.loaded.pack, workplace.loaded.diagnostics
    languages = {language for spec in ENGINES if spec.name in engines for language in spec.languages}
    ours = prove(pack, [target for target in targets if target in STANDS], bench, _chooser(rules, pack), _progress())
    with _known_backend():
        stock = prove_stock(pack, [target for target in targets if target in STOCK], bench, _chooser(rules, pack), _progress())
        proofs = [proof for proof in (*ours, *stock) if not engines or proof.language in languages]
    findings = [*unread, *reports.absences(bench.absent, pack), *(found for proof in proofs for found in reports.findings(proof))]
    if write and workplace.root is not None:
        reports.check_whole(bench.absent, unread)
        reports.keep(proofs, workplace.root)
    return _told(findings, {"proofs": len(proofs)}, reports.closing(proofs), reports.table(proofs), form)


def _tenants(
    workplace: Workplace,
    tenants: Sequence[Tenant],
    targets: Sequence[str],
    rules: Sequence[str],
    day: str | None,
    write: bool,
    bench: Bench,
    form: str,
) -> int:
    """Each tenant's detections, what was shown for one being kept for the next."""
    pack, unread = workplace.loaded.pack, workplace.loaded.diagnostics
    known, chooser = Known(), _chooser(rules, pack)
    proved = [prove_tenant(pack, tenant, targets, bench, chooser, _progress(), day, known) for tenant in tenants]
    findings = [*unread, *reports.absences(bench.absent, pack), *(told for found in proved for told in tenant_reports.findings(found))]
    if write and workplace.root is not None:
        reports.check_whole(bench.absent, unread)
        for found in proved:
            reports.keep(found.proofs, workplace.root, found.tenant.id)
    counts = {"tenants": len(proved), "proofs": sum(len(found.proofs) for found in proved)}
    return _told(findings, counts, tenant_reports.closing(proved), tenant_reports.table(proved, each=bool(rules)), form)


def _schedules(workplace: Workplace, targets: Sequence[str], rules: Sequence[str], seed: int, bench: Bench, form: str) -> int:
    """Every schedule over a day."""
    pack = workplace.loaded.pack
    days = list(prove_schedules(pack, targets, bench, _chooser(rules, pack), _progress(), seed))
    findings = [*workplace.loaded.diagnostics, *reports.absences(bench.absent, pack), *reports.day_findings(days)]
    return _told(findings, {"schedules": len(days)}, reports.day_closing(days, seed), (), form)


def _generated(pack: Pack, targets: Sequence[str], count: int, seed: int, bench: Bench, form: str) -> int:
    """Made-up rules and events for each target. Hypothesis, which makes them up, comes with the extra `prove`."""
    try:
        from insigma_prove.generate import runner, telling
    except ImportError as error:
        raise UsageError(f"--generated needs the package {error.name}", "pip install 'insigma[prove]'") from error
    tell = _progress()
    outcomes: list[runner.Outcome] = []
    for target in targets:
        tell(target, f"{count} generated sets")
        outcomes += runner.generated(target, count, seed, bench, pack)
    findings = [*reports.absences(bench.absent, pack), *telling.findings(outcomes, reports.place_of(pack))]
    made = sum(outcome.generated for outcome in outcomes)
    return _told(findings, {"generated": made}, telling.closing(outcomes, seed), telling.table(outcomes), form)


def _told(findings: Sequence[Diagnostic], summary: Mapping[str, int], closing: str, table: Iterable[str], form: str) -> int:
    """Write what was found; the exit code."""
    write_report(Report.of(findings, (), {}, **summary), form, closing)
    if form == Format.TEXT.value:
        for line in table:
            click.echo(line)
    return exit_code(findings)


@contextmanager
def _told_as(hint: str) -> Iterator[None]:
    """An engine that dies is an error of one line, with a hint."""
    try:
        yield
    except EngineDied as error:
        raise UsageError(str(error), hint) from error


@contextmanager
def _known_backend() -> Iterator[None]:
    """A stock backend that is not installed is an error of one line."""
    try:
        yield
    except UnknownTarget as error:
        raise UsageError(f"the backend of {error.name} is not installed", "install its package beside insigma") from error


def _check_writing(partial: bool) -> None:
    """Raises `UsageError` where the proof of a whole pack could not be kept."""
    if partial:
        hint = "run it without RULE, --engine, --schedules, --generated and --splunk-url"
        raise UsageError("--write keeps the proof of a whole pack", hint)
    if find_root(Path.cwd()) is None:
        raise UsageError("--write keeps the proof of a pack, and here is none", "run it in a folder with an insigma.yml at or above it")


def _targets(asked: Sequence[str], engines: Sequence[str], pack: Pack) -> list[str]:
    """The targets to prove. Raises `UsageError` for one that the pack does not map, and for engines that judge none of them."""
    chosen = [*provable(asked or tuple(STANDS), pack), *(target for target in asked if target in STOCK)]
    if unmapped := sorted({*asked} - {*chosen}):
        raise UsageError(f"the pack maps no target '{unmapped[0]}'", f"it needs mappings/targets/{unmapped[0]}.yml")
    if not engines:
        return chosen
    judged = [target for target in chosen if any(spec.target == target for spec in ENGINES if spec.name in engines)]
    if not judged:
        raise UsageError(f"{' and '.join(engines)} judges none of the targets asked for", "leave out --engine")
    return judged


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
