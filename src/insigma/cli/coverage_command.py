"""`insigma coverage`: what the tested rules cover."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from insigma.assure.coverage import Coverage, Item, Section, Tables, coverage_of
from insigma.assure.navigator import layer
from insigma.cli.errors import UsageError
from insigma.cli.output import counted
from insigma.cli.test_command import run_cases
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.attack import load_attack
from insigma.content.f3 import load_f3
from insigma.content.model import AnyRule
from insigma.content.use_cases import load_use_cases
from insigma.diagnostics.model import ExitCode

if TYPE_CHECKING:
    from insigma.assure.monitored import Monitoring
    from insigma.cli.coverage_tenant import Watched

CRITICAL = "critical-systems"
SECTIONS = ("use-cases", "log-sources", "attack", "f3", "dora", CRITICAL)
_WIDTH = 118


@click.command("coverage")
@click.argument("paths", nargs=-1, type=click.Path(path_type=Path))
@click.option("--by", "wanted", multiple=True, type=click.Choice(SECTIONS), help="Only this section; may be repeated.")
@click.option(
    "--format", "form", type=click.Choice(("text", "json", "navigator")), default="text", show_default=True, help="How coverage is written."
)
@click.option("--tenant", help="Count the rules that run for this tenant, and tell which of its critical systems are monitored.")
@click.option("--strict", is_flag=True, help="Exit with 1 if something is not covered that should be, or a rule is not tested.")
def command(paths: tuple[Path, ...], wanted: tuple[str, ...], form: str, tenant: str | None, strict: bool) -> int:
    """Tell which use cases, log sources, techniques and DORA criteria the tested rules cover.

    PATHS are rules, or folders of them, in a pack. Computed from the rules' own metadata; a rule whose fixture does not pass
    covers nothing. `--format navigator` writes a layer for the ATT&CK Navigator. With --tenant, also which critical systems of
    the profile have a healthy feed, an enabled rule of level high or critical, and a passing test.
    """
    if tenant is None and CRITICAL in wanted:
        raise UsageError(f"{CRITICAL} are those of a tenant", f"insigma coverage --by {CRITICAL} --tenant TENANT")
    workplace = open_workplace(paths)
    rules: Sequence[AnyRule] = workplace.rules
    watched: Watched | None = None
    if tenant is not None:
        from insigma.cli.coverage_tenant import watched_of

        found = watched_of(tenant, workplace)
        if isinstance(found, int):
            return found
        watched = found
        rules = watched.running(workplace)
    passing = tested(workplace)
    tables = Tables(workplace.loaded.pack.taxonomy, load_attack(), load_f3(), load_use_cases())
    coverage = coverage_of(rules, passing, tables)
    sections = tuple(section for section in coverage.sections if not wanted or section.key in wanted)
    monitoring = watched.monitoring(passing) if watched is not None and (not wanted or CRITICAL in wanted) else None
    _write(coverage, sections, workplace, tables, form, watched, monitoring)
    for line in _warnings(coverage, len(rules)):
        click.echo(line, err=True)
    gaps = any(section.gaps for section in sections) or (monitoring is not None and monitoring.monitored < len(monitoring.systems))
    return ExitCode.FINDINGS if strict and (coverage.untested or gaps) else ExitCode.OK


def _write(
    coverage: Coverage,
    sections: tuple[Section, ...],
    workplace: Workplace,
    tables: Tables,
    form: str,
    watched: Watched | None,
    monitoring: Monitoring | None,
) -> None:
    pack = workplace.loaded.pack
    if form == "navigator":
        title = " ".join(part for part in (pack.name or "rules", pack.version, f"for {watched.tenant.id}" if watched else "") if part)
        click.echo(json.dumps(layer(coverage, tables.attack, title), indent=2))
        return
    if form == "json":
        found = as_json(coverage, sections) | (watched.as_object(monitoring) if watched is not None else {})
        click.echo(json.dumps(found, indent=2, ensure_ascii=False))
        return
    blocks = [_told(section) for section in sections]
    if watched is not None:
        blocks = [watched.opening(), *blocks, *([list(watched.text(monitoring))] if monitoring is not None else [])]
    click.echo("\n\n".join("\n".join(block) for block in blocks))


def tested(workplace: Workplace) -> frozenset[str]:
    """The labels of the rules that have fixture cases, all of which pass."""
    results = run_cases(workplace).results
    failed = {result.rule for result in results if result.diagnostics}
    return frozenset(result.rule for result in results) - failed


def as_json(coverage: Coverage, sections: tuple[Section, ...]) -> dict[str, Any]:
    """The sections as one JSON object, by their keys."""
    return {
        "rules": len(coverage.rules),
        "untested": list(coverage.untested),
        "sections": {section.key: [_item(item) for item in section.items] for section in sections},
    }


def _item(item: Item) -> dict[str, Any]:
    return {
        "id": item.id,
        "name": item.name,
        "by_rules": item.wanted,
        "alerting": list(item.alerting),
        "supporting": list(item.supporting),
    }


def _told(section: Section) -> list[str]:
    """A heading with the count, then a line an item: how many rules alert, how many support, and which alert."""
    wanted = sum(item.wanted for item in section.items)
    lines = [f"{section.title}: {wanted - len(section.gaps)}" + (f" of {wanted} covered" if section.complete else " covered")]
    width = max((len(item.id) for item in section.items), default=0)
    for item in section.items:
        if item.covered:
            rules = f"{len(item.alerting):3d} alert" + (f" + {len(item.supporting)}" if item.supporting else "")
        else:
            rules = "  - no rule" if item.wanted else "    not by rules"
        lines.append(_cut(f"  {item.id:<{width}}  {rules:<14}  {item.name}" + (f"  [{' '.join(item.alerting)}]" if item.alerting else "")))
    return lines


def _cut(line: str) -> str:
    return line if len(line) <= _WIDTH else f"{line[: _WIDTH - 1].rsplit(' ', 1)[0]} …"


def _warnings(coverage: Coverage, total: int) -> list[str]:
    if not coverage.untested:
        return []
    return [f"{counted(len(coverage.untested), 'rule')} of {total} not counted, as no fixture passes: {', '.join(coverage.untested)}"]
