"""README.md of a package: in which order it is loaded, what the customer has to fill, what is switched off."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from insigma.diagnostics.render.hostile import as_markdown
from insigma.packages.base import PackContext, Packed, Table
from insigma.packages.sentinel.jobs import job_name, rollups
from insigma.packages.sentinel.watchlists import is_large

MOST_ENABLED = 512
"""Scheduled rules that a workspace runs (Service limits for Microsoft Sentinel)."""

_DEPLOY = "az deployment group create -g <resource group> -f {} -p workspace=<workspace>"


@dataclass(frozen=True, slots=True)
class Contents:
    """What the package holds. `templates` are those of the rules, `lake_templates` those of rules that read a roll-up."""

    packed: Sequence[Packed]
    enabled: int
    own_tables: Sequence[str]
    other_tables: Sequence[str]
    templates: Sequence[str]
    lake_templates: Sequence[str]


def readme(contents: Contents, context: PackContext) -> str:
    """The text, ending with a line break."""
    sections = [_head(contents, context), _steps(contents), _filled(context.tables), _shipped(context.tables), _jobs(contents, context)]
    sections += [_off(contents), _notes(contents)]
    return "\n".join(line for section in sections for line in section).rstrip() + "\n"


def _head(contents: Contents, context: PackContext) -> Iterator[str]:
    yield f"# Microsoft Sentinel: {as_markdown(context.legal_entity or context.tenant)}"
    yield ""
    pack, version, tenant = map(as_markdown, (context.pack, context.version, context.tenant))
    yield f"Pack {pack} {version}, profile {tenant}: {len(contents.packed)} analytics rules,"
    yield f"{contents.enabled} of them switched on. `rules/` holds each as YAML, for reading; the templates are what is deployed."
    yield ""


def _steps(contents: Contents) -> Iterator[str]:
    """The templates in order; each may be deployed again at any time."""
    yield "## Deploy"
    yield ""
    yield "In this order, each with:"
    yield ""
    yield f"    {_DEPLOY.format('<template>')}"
    yield ""
    steps: list[str] = []
    if contents.own_tables:
        steps.append(f"`tables/*.json`: {len(contents.own_tables)} custom tables.")
        steps.append("`dcr.json`: data collection rules. Their outputs say where to post events: the stream of `X_CL` is `Custom-X`.")
    steps += [f"`{name}`: {what}" for name, what in _rule_steps(contents)]
    yield from (f"{number}. {step}" for number, step in enumerate(steps, 1))
    yield ""


def _rule_steps(contents: Contents) -> Iterator[tuple[str, str]]:
    for number, name in enumerate(contents.templates):
        yield name, "functions, watchlists and rules." if not number else "more of the same."
    for name in contents.lake_templates:
        yield name, "rules that read a table of the data lake: after each job below has run once."


def _filled(tables: Sequence[Table]) -> Iterator[str]:
    """What the customer's own jobs bring."""
    own = [table for table in tables if table.rows is None or is_large(table)]
    if own:
        yield "## Watchlists to fill"
        yield ""
        yield "They are made empty. `watchlists/<name>.csv` has the header of each; the search key must not be blank, and a row is"
        yield "unique by its keys. Times are milliseconds since 1970. A field that is looked up in an empty table is as the rule has it"
        yield "for what is not there."
        yield ""
        yield "| watchlist | keys | columns | filled from | at most old | owner |"
        yield "|---|---|---|---|---|---|"
        for table in own:
            columns = ", ".join(name for name, _ in table.columns)
            source = f"`watchlists/{table.name}.csv`, which is too large for a template" if table.rows else table.source
            cells = (table.name, ", ".join(table.keys), columns, source, table.refresh, table.owner)
            yield f"| {' | '.join(as_markdown(cell) for cell in cells)} |"
        yield ""


def _shipped(tables: Sequence[Table]) -> Iterator[str]:
    """What the templates bring."""
    shipped = [table for table in tables if table.rows is not None and not is_large(table)]
    if shipped:
        yield "## Watchlists that come with rows"
        yield ""
        yield "Deploying again adds rows and takes none away: delete a watchlist first if entries are to go."
        yield ""
        yield from (
            f"- {as_markdown(table.name)}: {len(table.rows or ())} rows. {as_markdown(table.description)}".rstrip() for table in shipped
        )
        yield ""


def _jobs(contents: Contents, context: PackContext) -> Iterator[str]:
    with_jobs = [entry for entry in contents.packed if rollups(entry)]
    if with_jobs:
        yield "## Jobs of the data lake"
        yield ""
        yield "These rules look back longer than the 14 days that Sentinel allows. Each reads a table that a daily KQL job writes;"
        yield "`jobs/` has its query and settings. Run each job once before its rule is deployed, and watch that it ends within its hour."
        yield ""
        yield "| job | rule | table |"
        yield "|---|---|---|"
        for entry in with_jobs:
            for companion in rollups(entry):
                cells = (job_name(entry.header, context.tenant), entry.header.label, companion.name)
                yield f"| {' | '.join(as_markdown(cell) for cell in cells)} |"
        yield ""


def _off(contents: Contents) -> Iterator[str]:
    base = [entry for entry in contents.packed if entry.header.insurance.get("role") == "base"]
    off = [entry for entry in contents.packed if not entry.enabled and entry not in base]
    yield "## Switched off"
    yield ""
    yield f"{len(base)} base rules, which are there for correlations to read their events."
    if off:
        yield "By the profile:"
        yield ""
        yield from (f"- {as_markdown(entry.header.label)}: {as_markdown(entry.header.title)}" for entry in off)
    yield ""


def _notes(contents: Contents) -> Iterator[str]:
    """What does not fit."""
    if contents.other_tables:
        names = ", ".join(f"`{as_markdown(name)}`" for name in contents.other_tables)
        yield f"Tables that are there already, and are not made here: {names}."
        yield ""
    if contents.enabled > MOST_ENABLED:
        yield f"**A workspace runs {MOST_ENABLED} scheduled rules**: ask Microsoft for more, or switch rules off in the profile."
