"""`insigma eval`: any Sigma rules on any events."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click

from insigma.cli.events_input import EventSource
from insigma.cli.output import counted, exit_code
from insigma.cli.workplace import open_workplace
from insigma.content.lists import default_lists
from insigma.content.model import Correlation
from insigma.diagnostics.model import Diagnostic, ExitCode
from insigma.diagnostics.render import Format, Report, render
from insigma.diagnostics.render.hostile import encodable, visible
from insigma.evaluate.correlate import GroupAlert
from insigma.evaluate.engine import Engine, Verdict
from insigma.evaluate.events import iso
from insigma.specialise.lists import fill_lists

PROGRESS_STEP = 5_000
SHOWN_INDEXES = 10


@click.command("eval")
@click.argument("rules", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--events", "events_path", required=True, help="JSON array or one object a line; .gz is unpacked; - is standard input.")
@click.option("--time-field", default="@timestamp", show_default=True, help="The field that holds an event's time.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object a line for each rule.")
def command(rules: tuple[Path, ...], events_path: str, time_field: str, as_json: bool) -> int:
    """Evaluate Sigma RULES (files or folders, also from outside a pack) on events.

    Nested objects and flat dotted names are the same event. Positions count from 0. A rule of the pack sees the events
    of its log source, and those that name none.
    """
    workplace = open_workplace(rules, mixed=True)
    pack = workplace.loaded.pack
    filled = fill_lists(pack.rules, default_lists(pack))
    faults = workplace.of_interest((*workplace.loaded.diagnostics, *filled.diagnostics))
    _tell(faults)
    chosen = [rule for rule in filled.rules if workplace.concerns(rule.header.path)]
    source = EventSource(events_path)
    engine = Engine(chosen, pack.taxonomy, time_field=time_field)
    fed = _feed(engine, source)
    verdicts = engine.verdicts()
    if as_json:
        for verdict in verdicts:
            click.echo(json.dumps(as_object(verdict), separators=(",", ":")))
    else:
        _write_text(verdicts, fed - source.faulty)
    if engine.untimed:
        message = f"{counted(len(engine.untimed), 'matching event')} without a readable '{time_field}' took no part in correlations"
        click.echo(f"insigma: {message}", err=True)
    for fault in source.faults:
        click.echo(f"insigma: {fault}", err=True)
    if source.faulty:
        click.echo(f"insigma: {counted(source.faulty, 'event')} could not be read", err=True)
        return ExitCode.USAGE
    return exit_code(faults)


def _tell(faults: Sequence[Diagnostic]) -> None:
    if faults:
        click.echo(render(Report.of(faults), Format.TEXT), nl=False, err=True)
        click.echo(f"insigma: {counted(len(faults), 'fault')}; the other rules are evaluated", err=True)


def _feed(engine: Engine, source: EventSource) -> int:
    fed = 0
    with _progress() as advance:
        for event in source.events():
            if event is None:
                engine.skip()
            else:
                engine.feed(event)
            fed += 1
            if fed % PROGRESS_STEP == 0:
                advance(fed)
    return fed


@contextmanager
def _progress() -> Iterator[Any]:
    """A line on the terminal that counts events; nothing where standard error is no terminal."""
    if not sys.stderr.isatty():
        yield lambda _: None
        return
    from rich.console import Console

    with Console(stderr=True).status("evaluating") as status:
        yield lambda fed: status.update(f"evaluated {fed:,} events")


def as_object(verdict: Verdict) -> Mapping[str, Any]:
    """The verdict as `--json` writes it."""
    header = verdict.rule.header
    found: dict[str, Any] = {
        "id": header.id,
        "title": header.title,
        "path": encodable(header.path),
        "matches": len(verdict.indexes),
        "indexes": list(verdict.indexes),
    }
    if isinstance(verdict.rule, Correlation):
        found["alerts"] = [_alert_object(entry) for entry in verdict.alerts]
    return found


def _alert_object(entry: GroupAlert) -> Mapping[str, Any]:
    alert = entry.alert
    return {
        "group": dict(entry.group),
        "first": iso(alert.first),
        "last": iso(alert.last),
        "value": alert.value,
        "indexes": list(alert.indexes),
    }


def _write_text(verdicts: Sequence[Verdict], fed: int) -> None:
    silent = 0
    for verdict in verdicts:
        if not verdict.indexes:
            silent += 1
            continue
        header = verdict.rule.header
        click.echo(visible(f"{header.title}  ({header.label})"))
        if isinstance(verdict.rule, Correlation):
            for entry in verdict.alerts:
                click.echo(f"  {visible(_alert_line(entry))}")
        else:
            click.echo(f"  {counted(len(verdict.indexes), 'event')}: {_indexes(verdict.indexes)}")
    told = counted(len(verdicts) - silent, "rule")
    click.echo(f"{told} of {len(verdicts):,} matched in {counted(fed, 'event')}")


def _alert_line(entry: GroupAlert) -> str:
    alert = entry.alert
    group = ", ".join(f"{name} {value}" for name, value in entry.group.items()) or "all events"
    return f"alert for {group}: value {alert.value}, {counted(len(alert.indexes), 'event')} from {iso(alert.first)} to {iso(alert.last)}"


def _indexes(indexes: Sequence[int]) -> str:
    shown = ", ".join(map(str, indexes[:SHOWN_INDEXES]))
    return shown if len(indexes) <= SHOWN_INDEXES else f"{shown}, ... {indexes[-1]}"
