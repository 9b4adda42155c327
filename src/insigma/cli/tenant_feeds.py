"""What was measured as the block `feeds` of a profile."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import yaml

from insigma.assure.measure import LEAST_EVENTS, Delays, Measurement, Tally, Use, fills
from insigma.assure.monitored import percent
from insigma.cli.output import counted
from insigma.cli.tenant_tables import listed
from insigma.content.durations import duration_text
from insigma.content.tenants import Tenant

LATE = 0.99
"""The share of events whose delay is compared with the accepted one."""
MOST_DELAY_MS = 86_400_000
"""No feed is accepted to be later: such a delay tells of when the file was loaded."""


def feeds_block(measurement: Measurement, tenant: Tenant, budgets: Mapping[str, Mapping[str, int]]) -> Iterator[str]:
    """The block `feeds`: what the profile says already, with what was measured in the place of what was."""
    written = tenant.document.data.get("feeds")
    old: dict[str, Any] = json.loads(json.dumps(written, default=str)) if isinstance(written, dict) else {}
    tallies = {tally.source.name: tally for tally in measurement.seen}
    lines = []
    entries = 0
    for name in sorted({*old, *tallies}):
        entry = old.get(name)
        entry = dict(entry) if isinstance(entry, dict) else {}
        if name in tallies:
            lines += [f"  # {line}" for line in _comments(tallies[name], tenant, budgets[name])]
            entry = _measured(tallies[name], entry, budgets[name])
        if entry:
            entries += 1
            text = yaml.safe_dump({name: entry}, sort_keys=False, allow_unicode=True, width=120).rstrip("\n")
            lines += [f"  {line}" for line in text.split("\n")]
    yield f"feeds:{'' if entries else ' {}'}  # measured by insigma tenant measure on {counted(measurement.events, 'event')}"
    yield from lines


def _comments(tally: Tally, tenant: Tenant, accepted: Mapping[str, int]) -> Iterator[str]:
    few = "" if tally.events >= LEAST_EVENTS else ": too few to go by"
    yield f"{tally.source.name}: {counted(tally.events, 'event')}{few}"
    if over(tally.delays, accepted) and tally.delays.within_ms(LATE) > MOST_DELAY_MS:
        yield f"up to {spelt(tally.delays.within_ms(LATE))} late: old events that were loaded later? no delay is written"
    if marked_absent(tally, tenant):
        yield "the profile says that it is absent"
    low = tally.low(Use.REQUIRED, Use.GROUPED)
    for gauge in low:
        said = f"{gauge.field}: {percent(gauge.share)} of {counted(gauge.events, 'event')}, needed {gauge.use.value}"
        yield said + (f": {listed(gauge.rules, 5)}" if gauge.rules else "") + ("" if gauge.telling else "; too few events to go by")
    if any(gauge.telling and gauge.use is Use.GROUPED for gauge in low):
        yield "a rule waits until the fields that it groups or counts by are filled; take out what such events need not have"
    never = sorted({gauge.field for gauge in tally.low(Use.READ) if gauge.telling} - _come(tally))
    if never:
        yield f"never filled; if they cannot come, write: lacks: [{', '.join(never)}]"


def _come(tally: Tally) -> set[str]:
    """The fields that some event had."""
    return {gauge.field for gauge in tally.gauges if gauge.filled}


def _measured(tally: Tally, entry: dict[str, Any], accepted: Mapping[str, int]) -> dict[str, Any]:
    """The log source's entry: there, with its fill, and with its delay where that is longer than accepted."""
    kept = {key: value for key, value in entry.items() if key not in ("absent", "because")}
    if isinstance(kept.get("lacks"), list):
        kept["lacks"] = [name for name in kept["lacks"] if name not in _come(tally)]
    if tally.events < LEAST_EVENTS:
        return kept
    if over(tally.delays, accepted) and tally.delays.within_ms(LATE) <= MOST_DELAY_MS:
        kept["delay"] = spelt(tally.delays.within_ms(LATE))
    return {**kept, "fill": fills(tally)}


def over(delays: Delays, accepted: Mapping[str, int]) -> list[str]:
    """The targets that accept less delay than was measured."""
    return [target for target, most in accepted.items() if delays.events and delays.within_ms(LATE) > most]


def marked_absent(tally: Tally, tenant: Tenant) -> bool:
    """Whether the profile says that the customer does not have the log source."""
    feed = tenant.feeds.get(tally.source.name)
    return feed is not None and feed.absent


def spelt(ms: int) -> str:
    """A delay for people, rounded up to seconds, minutes or hours."""
    for unit, least in ((3_600_000, 48 * 3_600_000), (60_000, 2 * 60_000), (1_000, 1)):
        if ms >= least:
            return duration_text(-(-ms // unit) * unit)
    return "0s"
