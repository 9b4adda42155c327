"""`insigma tenant measure`: how well a customer's log sources are filled, on its own events."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import click

from insigma.assure.measure import Delays, Gauge, Measurement, Tally, Use, fills
from insigma.assure.monitored import percent
from insigma.cli.errors import UsageError
from insigma.cli.events_input import EventSource
from insigma.cli.output import counted, did_you_mean
from insigma.cli.tenant_feeds import LATE, feeds_block, marked_absent, over, spelt
from insigma.cli.tenant_profiles import profile_named
from insigma.cli.tenant_summary import tenant_targets
from insigma.cli.tenant_tables import cut, listed, table
from insigma.cli.workplace import open_workplace
from insigma.content.model import Pack
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import ExitCode
from insigma.diagnostics.render.hostile import visible
from insigma.specialise.mapping import tenant_mapping
from insigma.specialise.needs import LEAST_FILL
from insigma.specialise.tenant import DISABLED, Specialiser

PROGRESS_STEP = 5_000


@click.command("measure")
@click.argument("tenant")
@click.argument("more", nargs=-1, metavar="[FILE]...")
@click.option(
    "--logs", multiple=True, metavar="FILE", help="Canonical events: JSON array or one object a line; .gz is unpacked; - is standard input."
)
@click.option(
    "-t", "--target", "targets", multiple=True, help="Compare delays with what this target of the tenant accepts; may be repeated."
)
@click.option("--write-yaml", is_flag=True, help="Write only the block 'feeds', to replace the one in the profile.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(tenant: str, more: tuple[str, ...], logs: tuple[str, ...], targets: tuple[str, ...], write_yaml: bool, as_json: bool) -> int:
    """Measure TENANT's log sources on canonical events, which are read as they stream by.

    Told are fields that are filled in less than 95 % of the events, with the rules that suffer; values outside of the closed
    vocabulary; context flags that are unknown; and how late events are ingested, where they have event.ingested. A field that
    not every event has is measured among the events that a rule is about, by event.action. Raw events go through an adapter
    first: insigma adapt PRODUCT | insigma tenant measure TENANT --logs -. Exit code 1: something that must be filled is not.
    """
    if write_yaml and as_json:
        raise UsageError("--json and --write-yaml are two ways to write the result", "give one of them")
    paths = tuple(dict.fromkeys((*logs, *more)))
    if not paths:
        raise UsageError("no events are given", f"insigma tenant measure {tenant} --logs FILE")
    workplace = open_workplace(())
    pack = workplace.loaded.pack
    profile = profile_named(tenant, workplace)
    budgets = _budgets(profile, targets, pack)
    specialiser = Specialiser(pack, profile)
    rules = [rule for rule in pack.rules if specialiser.special(rule).state != DISABLED]
    measurement = Measurement(rules, profile, pack.taxonomy)
    sources = [EventSource(path) for path in paths]
    _feed(measurement, sources)
    unread = sum(source.faulty for source in sources)
    if write_yaml:
        click.echo("\n".join(feeds_block(measurement, profile, budgets)))
    elif as_json:
        click.echo(json.dumps(_object(measurement, profile, budgets, unread), indent=2, ensure_ascii=False, sort_keys=True))
    else:
        click.echo("\n".join(_text(measurement, profile, budgets, len(paths))))
    for source in sources:
        for fault in source.faults:
            click.echo(visible(f"insigma: {fault}"), err=True)
    if unread:
        click.echo(f"insigma: {counted(unread, 'event')} could not be read", err=True)
    return ExitCode.OK if measurement.passes and not unread else ExitCode.FINDINGS


def _budgets(tenant: Tenant, asked: Sequence[str], pack: Pack) -> dict[str, dict[str, int]]:
    """For each log source the delay that each target accepts, in milliseconds. Raises `UsageError` for a target that there is not."""
    known = tenant_targets(tenant, pack)
    for name in asked:
        if name not in known:
            there_are = f"it has {', '.join(known) or 'none'}"
            raise UsageError(visible(f"{tenant.id} has no target '{name}'"), did_you_mean(name, known, there_are))
    mappings = {name: tenant_mapping(pack.mappings[name], tenant) for name in asked or known}
    return {
        source: {name: mapping.logsources[source].delay_ms for name, mapping in mappings.items() if source in mapping.logsources}
        for source in pack.taxonomy.logsources
    }


def _feed(measurement: Measurement, sources: Sequence[EventSource]) -> None:
    with _progress() as advance:
        for source in sources:
            for event in source.events():
                if event is None:
                    continue
                measurement.add(event)
                if measurement.events % PROGRESS_STEP == 0:
                    advance(measurement.events)


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """A line on the terminal that counts events; nothing where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("measuring") as status:
        yield lambda events: status.update(f"measured {events:,} events")


def _text(measurement: Measurement, tenant: Tenant, budgets: Mapping[str, Mapping[str, int]], files: int) -> Iterator[str]:
    seen = measurement.seen
    yield visible(f"{tenant.id}: {counted(measurement.events, 'event')} in {counted(files, 'file')}, {counted(len(seen), 'log source')}")
    yield from table(
        ("log source", "events", "late: half", "99 %", "longest", "accepted"),
        [(tally.source.name, f"{tally.events:,}", *_late(tally.delays, budgets[tally.source.name])) for tally in seen],
        right={1, 2, 3, 4, 5},
    )
    yield from _remarks(measurement, tenant, budgets)
    for title, lines in (
        (f"Filled in less than {percent(LEAST_FILL)} of the events", _low(seen)),
        (f"Context flags that come with the events and are unknown in more than {percent(1 - LEAST_FILL)} of them", _flags(seen)),
        ("Outside of the closed vocabulary", _outside(seen)),
    ):
        shown = list(lines)
        if shown:
            yield from ("", title, *shown)


def _late(delays: Delays, accepted: Mapping[str, int]) -> tuple[str, ...]:
    most = "/".join(dict.fromkeys(spelt(ms) for ms in accepted.values()))
    if not delays.events:
        return "-", "-", "-", most
    return spelt(delays.within_ms(0.5)), spelt(delays.within_ms(LATE)), spelt(delays.longest_ms), most


def _remarks(measurement: Measurement, tenant: Tenant, budgets: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    if measurement.unnamed:
        yield f"  {counted(measurement.unnamed, 'event')} without insurance.logsource: no query sees them"
    if measurement.unknown.total:
        yield cut(visible(f"  log sources that the taxonomy lacks: {_codes(measurement.unknown.sorted())}"))
    late: dict[str, list[str]] = {}
    for tally in measurement.seen:
        name = tally.source.name
        if marked_absent(tally, tenant):
            yield f"  {name} is absent in the profile, and has events"
        if tally.delays.early:
            yield f"  {name}: {counted(tally.delays.early, 'event')} ingested before they happened: a clock is wrong"
        if targets := over(tally.delays, budgets[name]):
            late.setdefault(", ".join(targets), []).append(name)
    for said, names in late.items():
        accept = "accept" if "," in said else "accepts"
        yield cut(f"  later than {said} {accept}, so that searches miss events: {listed(names, 5)}")
    unseen = [name for name, tally in measurement.tallies.items() if not tally.events and not marked_absent(tally, tenant)]
    if unseen:
        yield cut(f"  no event of {listed(unseen, 8)}")


def _low(seen: Sequence[Tally]) -> Iterator[str]:
    rows = {}
    for tally in seen:
        gauges = [gauge for use in (Use.REQUIRED, Use.GROUPED, Use.READ) for gauge in tally.low(use)]
        rows[tally.source.name] = [(gauge.field, gauge.use.value, percent(gauge.share), *_of(gauge)) for gauge in gauges]
    return _by_source(rows, ("field", "needed", "filled", "of", "rules"), right={2, 3})


def _of(gauge: Gauge) -> tuple[str, str]:
    """Among how many events, and for which rules."""
    return f"{gauge.events:,}" + ("" if gauge.telling else " (few)"), listed(gauge.rules, 4) or "-"


def _by_source(rows: Mapping[str, Sequence[Sequence[str]]], heads: Sequence[str], right: Collection[int]) -> Iterator[str]:
    """One table for all log sources, with a line for each before its rows."""
    lines = table(heads, [row for entries in rows.values() for row in entries], right, indent=4)
    yield from (line for _, line in zip(range(1), lines, strict=False))
    for name, entries in rows.items():
        if entries:
            yield f"  {name}"
            yield from (line for _, line in zip(entries, lines, strict=False))


def _flags(seen: Sequence[Tally]) -> Iterator[str]:
    rows = {
        tally.source.name: [
            (gauge.field.removeprefix("insurance.context."), percent(1 - gauge.share), *_of(gauge)) for gauge in tally.low(Use.FLAG)
        ]
        for tally in seen
    }
    return _by_source(rows, ("flag", "unknown", "of", "rules"), right={1, 2})


def _outside(seen: Sequence[Tally]) -> Iterator[str]:
    rows = [
        (tally.source.name, name, f"{codes.total:,}", _codes(codes.sorted()))
        for tally in seen
        for name, codes in sorted(tally.outside.items())
    ]
    return table(("log source", "field", "values", "which"), rows, right={2})


def _codes(counts: Mapping[str, int]) -> str:
    return listed([f"{code} ({number:,})" for code, number in counts.items()], 6)


def _object(measurement: Measurement, tenant: Tenant, budgets: Mapping[str, Mapping[str, int]], unread: int) -> dict[str, Any]:
    return {
        "tenant": tenant.id,
        "events": measurement.events,
        "unread": unread,
        "passes": measurement.passes and not unread,
        "without_logsource": measurement.unnamed,
        "unknown_logsources": measurement.unknown.sorted(),
        "unseen": [name for name, tally in measurement.tallies.items() if not tally.events and not marked_absent(tally, tenant)],
        "logsources": {
            tally.source.name: {
                "events": tally.events,
                "absent_in_profile": marked_absent(tally, tenant),
                "fields": [_gauge(gauge) for gauge in tally.gauges if gauge.events],
                "fill": fills(tally),
                "outside": {name: codes.sorted() for name, codes in sorted(tally.outside.items())},
                "delay": _delay(tally.delays, budgets[tally.source.name]),
            }
            for tally in measurement.seen
        },
    }


def _gauge(gauge: Gauge) -> dict[str, Any]:
    return {
        "field": gauge.field,
        "needed": gauge.use.name.lower(),
        "actions": None if gauge.actions is None else sorted(gauge.actions),
        "events": gauge.events,
        "filled": round(gauge.share, 4),
        "low": gauge.low,
        "rules": list(gauge.rules),
    }


def _delay(delays: Delays, accepted: Mapping[str, int]) -> dict[str, Any]:
    measured = {"half_ms": delays.within_ms(0.5), "late_ms": delays.within_ms(LATE), "longest_ms": delays.longest_ms}
    return {"events": delays.events, "early": delays.early, **(measured if delays.events else {}), "accepted_ms": dict(accepted)}
