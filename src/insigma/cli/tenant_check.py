"""`insigma tenant check`: what is wrong with profiles."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from insigma.assure.fixtures import reference_rules
from insigma.assure.hollow import Hollowness, hollowed_out
from insigma.checks.runner import check_all
from insigma.cli.days import DAY, today
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, exit_code, format_option, write_report
from insigma.cli.progress import Progress, shown_progress
from insigma.cli.tenant_profiles import is_profile, profile_named, unreadable
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import Pack
from insigma.content.profiles import FOLDER
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render import Report
from insigma.release.tenants import Workbench, build_tenant, refused_for_tenant, targets_of
from insigma.specialise.tenant import Specialiser


@click.command("check")
@click.argument("tenants", nargs=-1)
@click.option("--at", "day", type=DAY, help="The day on which exceptions and reviews may be over, YYYY-MM-DD.  [default: today]")
@format_option
def command(tenants: tuple[str, ...], day: str | None, form: str) -> int:
    """Tell what is wrong with the profiles of TENANTS; without any, of all of the pack.

    These are the findings of `insigma check` that stand in profiles, and what only specialising finds: exceptions that leave
    a rule with nothing to alert on, and rules that a target cannot say as the tenant wants them. Nothing is written.
    """
    workplace = open_workplace(())
    pack = workplace.loaded.pack
    paths = _paths_of(tenants, workplace) if tenants else _all_paths(workplace)
    with shown_progress() as progress:
        progress.step("checking", 1)
        everything = check_all(workplace.loaded, day or today())
        progress.advance()
        findings = [found for found in everything if found.place.path in paths]
        shared = [found for found in everything if not is_profile(found.place.path, pack) and found.severity is Severity.ERROR]
        faulty = {found.place.path for found in findings if found.severity is Severity.ERROR}
        sound = [tenant for tenant in _to_specialise(tenants, paths, pack) if tenant.document.path not in faulty]
        if not shared:
            findings += _specialised(sound, pack, day, progress)
    findings = list(dict.fromkeys(findings))
    write_report(Report.of(findings, profiles=len(paths)), form, _closing(findings, paths, shared))
    return max(exit_code(findings), exit_code(shared))


def _all_paths(workplace: Workplace) -> frozenset[str]:
    """Every profile of the pack, also one that cannot be read."""
    pack = workplace.loaded.pack
    told = (found.place.path for found in workplace.loaded.diagnostics)
    paths = frozenset(path for path in (*(document.path for document in pack.documents), *told) if is_profile(path, pack))
    if not paths:
        raise UsageError("the pack has no profiles of its own", f"write one to {FOLDER}/<tenant>.yml")
    return paths


def _paths_of(names: Sequence[str], workplace: Workplace) -> frozenset[str]:
    """The profiles named. Raises `UsageError` for one that there is not, readable or not."""
    paths: set[str] = set()
    for name in names:
        unread = {found.place.path for found in unreadable(name, workplace)}
        paths |= unread or {profile_named(name, workplace).document.path}
    return frozenset(paths)


def _to_specialise(names: Sequence[str], paths: frozenset[str], pack: Pack) -> Iterator[Tenant]:
    """The tenants of the profiles; the default one, which is for no customer, only if it is named."""
    for tenant in pack.tenants.values():
        if tenant.document.path in paths and (tenant.id != DEFAULT_TENANT or tenant.id in names):
            yield tenant


def _specialised(tenants: Sequence[Tenant], pack: Pack, day: str | None, progress: Progress) -> Iterator[Diagnostic]:
    """What is found of each tenant when its rules are specialised, tried on fixtures and compiled, as its build does it."""
    progress.step("building", len(tenants))
    bench = Workbench()
    hollowness = Hollowness(reference_rules(pack, default_lists(pack)), pack)
    for tenant in tenants:
        specialiser = Specialiser(pack, tenant, day, bench.memo)
        yield from specialiser.diagnostics
        if not specialiser.diagnostics:
            yield from hollowed_out(specialiser, pack, hollowness)
            yield from refused_for_tenant(build_tenant(specialiser, pack, targets_of(tenant, pack), bench, {}))
        progress.advance()


def _closing(findings: Sequence[Diagnostic], paths: frozenset[str], shared: Sequence[Diagnostic]) -> str:
    notes = sum(found.severity is Severity.NOTE for found in findings)
    told = counted(len(findings) - notes, "finding") if len(findings) > notes else "no findings"
    told += f" and {counted(notes, 'note')}" if notes else ""
    told += f" in {counted(len(paths), 'profile')}"
    if shared:
        told += f"; not built on trial, as the pack itself has {counted(len(shared), 'error')}: insigma check"
    return told
