"""The profiles that a command line names, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import PurePosixPath

import click

from insigma.cli.errors import UsageError
from insigma.cli.output import did_you_mean, exit_code
from insigma.cli.workplace import Workplace
from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import Pack
from insigma.content.profiles import FOLDER
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render import Format, Report, render
from insigma.diagnostics.render.hostile import visible

_COMPILED = ("rules/", "mappings/targets/", "mappings/taxonomy/")
"""What is compiled, beside profiles."""


def is_profile(path: str, pack: Pack) -> bool:
    """Whether a file is a profile of the pack itself, not of the one that it extends."""
    return pack.relative(path).startswith(f"{FOLDER}/")


def profile_named(name: str, workplace: Workplace) -> Tenant:
    """The tenant of that name. Raises `UsageError` if there is none, or if its profile cannot be read."""
    tenants = workplace.loaded.pack.tenants
    if name in tenants:
        return tenants[name]
    unread = sorted(unreadable(name, workplace))
    if unread:
        place = unread[0].place
        raise UsageError(
            visible(f"the profile of '{name}' cannot be read: {place.path}:{place.line}:{place.column}: {unread[0].message}"),
            f"insigma tenant check {name}",
        )
    known = [tenant for tenant in tenants if tenant != DEFAULT_TENANT]
    raise UsageError(visible(f"no tenant '{name}'"), did_you_mean(name, known, f"there are: {', '.join(known) or 'none'}"))


def unreadable(name: str, workplace: Workplace) -> tuple[Diagnostic, ...]:
    """What the reader says of a profile whose file is called so."""
    loaded = workplace.loaded
    return tuple(
        found for found in loaded.diagnostics if is_profile(found.place.path, loaded.pack) and PurePosixPath(found.place.path).stem == name
    )


def faults_of(tenants: Collection[Tenant], workplace: Workplace, day: str | None) -> tuple[Diagnostic, ...]:
    """The findings that stand in these profiles; without a day nothing has expired."""
    from insigma.checks.runner import check_all

    paths = {tenant.document.path for tenant in tenants}
    return tuple(found for found in check_all(workplace.loaded, day) if found.place.path in paths)


def refuse_faulty(tenants: Sequence[Tenant], workplace: Workplace, day: str | None, what: str) -> int | None:
    """None where the tenants can be compiled; else the exit code, after the errors were told on standard error.

    Nothing is compiled for a faulty profile, or from faulty rules or mappings: what came out would not be what is delivered.
    """
    from insigma.checks.runner import check_all

    pack, paths = workplace.loaded.pack, {tenant.document.path for tenant in tenants}
    errors = (found for found in check_all(workplace.loaded, day) if found.severity is Severity.ERROR)
    wrong = [found for found in errors if found.place.path in paths or pack.relative(found.place.path).startswith(_COMPILED)]
    if not wrong:
        return None
    click.echo(render(Report.of(wrong), Format.TEXT), nl=False, err=True)
    click.echo(f"insigma: {what} because of this", err=True)
    return exit_code(wrong)
