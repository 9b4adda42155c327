"""`insigma build --tenant` and `--all-tenants`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from insigma.assure.fixtures import reference_rules
from insigma.cli.building import examined, proofs_of, shown_of, signer, versions_for
from insigma.cli.days import today
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, did_you_mean, exit_code, write_report
from insigma.cli.progress import shown_progress
from insigma.cli.test_command import case_names
from insigma.cli.workplace import Workplace
from insigma.content.files import shown_path
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import Pack
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render import Format, Report, render
from insigma.release.delivery import Delivered, Failed, Job, build_all
from insigma.release.tree import as_json
from insigma.release.workshops import NATIVE
from insigma.release.writer import ForeignFolder

_HEADS = ("tenant", "target", "compiled", "refused", "disabled")


@dataclass(frozen=True, slots=True)
class Order:
    """What was asked for: targets (all of the profiles where empty), the day, the key and the folder."""

    targets: tuple[str, ...]
    day: str | None
    sign_key: Path | None
    out: Path


def wanted_tenants(pack: Pack, names: Sequence[str], everyone: bool) -> tuple[Tenant, ...]:
    """The tenants asked for, by name. Raises `UsageError` for one that the pack does not have."""
    known = [name for name in pack.tenants if name != DEFAULT_TENANT]
    for name in names:
        if name not in pack.tenants:
            otherwise = f"there are: {', '.join(known) or 'none'}"
            raise UsageError(f"no tenant '{name}'", did_you_mean(name, known, otherwise))
    if everyone and not known:
        raise UsageError("the pack has no tenants", "write a profile to mappings/tenants/<tenant>.yml")
    return tuple(pack.tenants[name] for name in dict.fromkeys((*names, *(known if everyone else ()))))


def build_for_tenants(workplace: Workplace, tenants: Sequence[Tenant], order: Order, form: str, as_json_: bool) -> int:
    """Check and test the pack, then build every tenant; an exit code. A tenant with faults is not written, the others are."""
    pack = workplace.loaded.pack
    for name in order.targets:
        if name not in NATIVE:
            raise UsageError(f"tenants are built for {', '.join(NATIVE)}, not for '{name}'")
    signed = signer(order.sign_key)
    with shown_progress() as progress:
        cases, findings = examined(workplace, progress, order.day or today())
        apart = {tenant.document.path: tenant for tenant in pack.tenants.values()}
        shared = [found for found in findings if found.place.path not in apart]
        if any(found.severity is Severity.ERROR for found in shared):
            write_report(Report.of(shared, case_names=case_names(cases)), form, _nothing(shared))
            return exit_code(shared)
        faulty = {found.place.path for found in findings if found.severity is Severity.ERROR}
        ready = [tenant for tenant in tenants if tenant.document.path not in faulty]
        job = Job(
            pack=pack,
            reference=reference_rules(pack, default_lists(pack)),
            proofs=proofs_of(workplace),
            versions=versions_for(workplace),
            day=order.day,
            targets=order.targets,
            out=order.out,
            signed=signed,
            shown=shown_of(workplace, ready),
        )
        progress.step("building", len(ready))
        try:
            delivered = build_all(job, ready, progress.advance)
        except ForeignFolder as error:
            hint = "give another folder with --out; only what insigma built is replaced"
            raise UsageError(f"{error.path} is not a folder that insigma built: {error.foreign}", hint) from error
        except Failed as error:
            raise UsageError(str(error), "try again; if it stays so, build tenant by tenant with --tenant") from error
    own = [found for found in findings if found.place.path in {tenant.document.path for tenant in tenants}]
    told = [*shared, *own, *(found for entry in delivered for found in entry.findings)]
    _tell(tuple(dict.fromkeys(told)), delivered, tenants, order, form, as_json_)
    return exit_code(told)


def _nothing(findings: Sequence[Diagnostic]) -> str:
    return f"nothing was written because of {counted(len(findings), 'finding')} in the pack"


def _tell(
    findings: tuple[Diagnostic, ...], delivered: Sequence[Delivered], tenants: Sequence[Tenant], order: Order, form: str, as_json_: bool
) -> None:
    written = [entry for entry in delivered if entry.written]
    if as_json_:
        click.echo(as_json(_as_object(findings, delivered, tenants, order)), nl=False)
        return
    files = sum(entry.files for entry in written)
    left = len(tenants) - len(written)
    closing = f"{counted(len(written), 'tenant')} in {shown_path(order.out)}/, {counted(files, 'file')}"
    if left:
        closing += f"; {counted(left, 'tenant')} not written because of {counted(len(findings), 'finding')}"
    write_report(Report.of(findings), form, closing)
    if form == Format.TEXT.value and written:
        _write_table(written)


def _as_object(findings: tuple[Diagnostic, ...], delivered: Sequence[Delivered], tenants: Sequence[Tenant], order: Order) -> dict[str, Any]:
    by_name = {entry.tenant: entry for entry in delivered}
    return {
        "exit": int(exit_code(findings)),
        "out": shown_path(order.out),
        "day": order.day,
        "tenants": {tenant.id: _told(by_name.get(tenant.id)) for tenant in tenants},
        "diagnostics": json.loads(render(Report.of(findings), Format.JSON))["diagnostics"],
    }


def _told(entry: Delivered | None) -> dict[str, Any]:
    if entry is None or not entry.written:
        return {"written": False}
    targets: dict[str, dict[str, int]] = {}
    for (target, state), number in entry.counts.items():
        targets.setdefault(target, {})[state] = number
    return {
        "written": True,
        "files": entry.files,
        "targets": targets,
        "cannot_run": entry.lacking,
        "detections": {"compiled": entry.compiled, "reused": entry.reused},
    }


def _write_table(written: Sequence[Delivered]) -> None:
    lines: list[tuple[str, ...]] = [_HEADS]
    for entry in written:
        for target in dict.fromkeys(target for target, _ in entry.counts):
            numbers = (str(entry.counts.get((target, state), 0)) for state in _HEADS[2:])
            lines.append((entry.tenant, target, *numbers))
    widths = [max(len(line[column]) for line in lines) for column in range(len(_HEADS))]
    for line in lines:
        cells = (
            cell.rjust(width) if column > 1 else cell.ljust(width) for column, (cell, width) in enumerate(zip(line, widths, strict=True))
        )
        click.echo("  ".join(cells).rstrip())
    for entry in written:
        if entry.lacking:
            click.echo(f"{counted(entry.lacking, 'rule')} cannot run for {entry.tenant}: insigma tenant show {entry.tenant} --needs")
