"""`insigma release`: what changed since the last release, and the versions that follow."""

from __future__ import annotations

import datetime
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click

from insigma.checks.runner import check_all
from insigma.cli.errors import UsageError
from insigma.cli.locks import broken
from insigma.cli.output import counted, exit_code, format_option, write_report
from insigma.cli.targets import workshop_of
from insigma.cli.test_command import as_errors
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.pack import PACK_FILE, find_root
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.diagnostics.render import Report
from insigma.release.at_once import LeavesPack
from insigma.release.changelog import HEADINGS
from insigma.release.changes import Change, NoVersion
from insigma.release.lock import BrokenLock, SameLabel
from insigma.release.outcomes import Outcome, compile_rules, refusal_findings
from insigma.release.pack_version import NotReplaced
from insigma.release.releasing import Plan, files_of, findings, plan_of, write
from insigma.release.workshops import NATIVE
from insigma.specialise.lists import fill_lists

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)


@click.command("release")
@click.option("--version", "asked", metavar="X.Y.Z", help="The pack's new version.  [default: what follows from the changes]")
@click.option("--date", metavar="YYYY-MM-DD", help="The day to write into the changelog.  [default: none]")
@click.option("--check", is_flag=True, help="Write nothing; exit with 1 if a rule is not what the lock says.")
@click.option("--dry-run", is_flag=True, help="Write nothing; show the entry of the changelog.")
@click.option(
    "--new-key",
    "prefix",
    type=click.Path(path_type=Path),
    metavar="PREFIX",
    help="Only make a key pair to sign with.",
)
@format_option
def command(asked: str | None, date: str | None, check: bool, dry_run: bool, prefix: Path | None, form: str) -> int:
    """Lock what the rules are, count their versions, write the changelog.

    The pack around the working folder is compared with its insigma.lock: rules that are new or gone, whose logic, severity or
    metadata changed, or only the compiled query. Each of them goes up by one version. Written are insigma.lock, changes.json,
    an entry of CHANGELOG.md and the pack's version in insigma.yml; nothing, if nothing changed.
    """
    if prefix is not None:
        if asked or date or check or dry_run:
            raise UsageError("--new-key goes with no other option: it makes a key and releases nothing")
        return _new_key(prefix)
    if check and (asked or date or dry_run):
        raise UsageError("--check only compares: it goes with none of --version, --date and --dry-run")
    if date is not None:
        _refuse_no_day(date)
    root = find_root(Path.cwd())
    if root is None:
        raise UsageError(f"no pack here: no {PACK_FILE} in this folder or above it", "change into the pack")
    workplace = open_workplace(())
    outcomes, faults = _compiled(workplace)
    if any(found.severity is Severity.ERROR for found in faults):
        write_report(Report.of(faults), form, f"nothing was compared because of {counted(len(faults), 'finding')}")
        return exit_code(faults)
    plan = _plan(workplace, root, outcomes, asked, date)
    return _checked(plan, form) if check else _released(plan, dry_run=dry_run)


def _refuse_no_day(date: str) -> None:
    try:
        valid = _DAY.fullmatch(date) is not None and datetime.date.fromisoformat(date) is not None
    except ValueError:
        valid = False
    if not valid:
        raise UsageError(f"'{date}' is no day", "write it as YYYY-MM-DD")


def _new_key(prefix: Path) -> int:
    from insigma.cli.keys import refused
    from insigma.release.signing import KeyFault, new_key

    try:
        secret, public = new_key(prefix)
    except KeyFault as fault:
        raise refused(fault) from None
    click.echo(f"wrote {secret}: sign with it (insigma build --sign-key), and let nobody else have it")
    click.echo(f"wrote {public}: give it to whoever verifies (insigma verify --public-key)")
    return 0


def _compiled(workplace: Workplace) -> tuple[list[Outcome], list[Diagnostic]]:
    """Every rule on every target of ours, and what keeps the pack from being released."""
    pack = workplace.loaded.pack
    faults = [found for found in as_errors(check_all(workplace.loaded)) if found.severity is Severity.ERROR]
    filled = fill_lists(pack.rules, default_lists(pack))
    faults.extend(filled.diagnostics)
    if faults:
        return [], list(dict.fromkeys(faults))
    workshops = [workshop_of(name, pack) for name in NATIVE if name in pack.mappings]
    outcomes = list(compile_rules(filled.rules, workshops, DEFAULT_TENANT, {}))
    return outcomes, list(refusal_findings(outcomes, pack))


def _plan(workplace: Workplace, root: Path, outcomes: Sequence[Outcome], asked: str | None, date: str | None) -> Plan:
    try:
        return plan_of(workplace.loaded.pack, root, outcomes, asked, date)
    except BrokenLock as error:
        raise broken(error) from error
    except SameLabel as error:
        raise UsageError(f"two rules or filters are called '{error}'", "give each its own name") from error
    except NoVersion as error:
        raise UsageError(str(error), f"give a newer one with --version, or write it into {PACK_FILE}") from error


def _checked(plan: Plan, form: str) -> int:
    found = tuple(findings(plan))
    told = f"{counted(len(found), 'change')} not locked" if found else f"all is as it was released with {_name(plan)}"
    write_report(Report.of(found), form, told)
    return exit_code(found)


def _name(plan: Plan) -> str:
    return f"{plan.pack.name} {plan.lock.version}"


def _released(plan: Plan, *, dry_run: bool) -> int:
    if plan.empty:
        click.echo(f"nothing has changed since {_name(plan)}; nothing was written")
        return 0
    try:
        names = tuple(files_of(plan)) if dry_run else write(plan)
    except (LeavesPack, NotReplaced) as error:
        raise _unwritable(error, plan) from error
    except UnicodeDecodeError as error:
        raise UsageError("CHANGELOG.md is not UTF-8 text", "save it as UTF-8") from error
    if dry_run:
        click.echo(plan.entry, nl=False)
    before = f"{plan.old.version} -> " if plan.old is not None else ""
    click.echo(f"{plan.pack.name} {before}{plan.lock.version}: {_counts(plan.changes)}", err=dry_run)
    click.echo(f"{'would write' if dry_run else 'wrote'} {', '.join(names)}", err=dry_run)
    return 0


def _counts(changes: Sequence[Change]) -> str:
    """How many rules changed, by the weightiest change of each."""
    numbers = Counter(change.kinds[0] for change in changes)
    told = [f"{counted(numbers[kind], 'rule')} {heading.lower()}" for kind, heading in HEADINGS.items() if numbers[kind]]
    return ", ".join(told) or "no rule changed"


def _unwritable(error: LeavesPack | NotReplaced, plan: Plan) -> UsageError:
    if isinstance(error, LeavesPack):
        return UsageError(f"{error} is a link that leads out of the pack", "put a plain file there")
    hint = f"write 'version: {plan.lock.version}' on a line of its own and release again"
    return UsageError(f"{PACK_FILE} writes its version in a way that cannot be replaced in place", hint)
