"""When a packaged detection runs, what a run sees, and how its alerts are delivered: read from the packaged object itself."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

import yaml

from insigma.content.durations import duration_ms

_SENTINEL_LATE_MS = 5 * 60_000
"""How long after its scheduled time a rule runs (Scheduled analytics rules in Microsoft Sentinel, "Ingestion delay")."""


@dataclass(frozen=True, slots=True)
class Plan:
    """A schedule, all in milliseconds.

    A run at `now` sees events of [now - lookback, now] that have arrived; with `arrived`, only those that arrived in
    [now - arrived[0], now - arrived[1]). An alert of a group (the columns `fields`) holds back or takes in further ones for
    `quiet_ms`; `merges` says that held-back alerts join the first and stay visible. `once` says that an event, or a
    sequence of the same events, alerts once however often it is found. A run takes place `late_ms` after its scheduled time,
    which is `now` and the end of its time range; what its clock says then, in ms after `now`, is one of `clocks`, where the
    vendor leaves open which.
    """

    interval_ms: int
    lookback_ms: int
    arrived: tuple[int, int] | None = None
    fields: tuple[str, ...] = ()
    quiet_ms: int = 0
    merges: bool = False
    once: bool = False
    late_ms: int = 0
    clocks: tuple[int, ...] = (0,)


def splunk_plan(stanza: str) -> Plan:
    """The plan of a savedsearches.conf stanza (`cron_schedule` is every n minutes or hours, which gives the interval)."""
    settings = _settings(stanza)
    quiet = duration_ms(settings["alert.suppress.period"]) if settings.get("alert.suppress") == "1" else 0
    fields = tuple(name for name in settings.get("alert.suppress.fields", "").split(",") if name)
    indexed = settings.get("dispatch.index_earliest")
    arrived = (_ago(indexed), _ago(settings["dispatch.index_latest"])) if indexed else None
    return Plan(_cron_ms(settings["cron_schedule"]), _ago(settings["dispatch.earliest_time"]), arrived, fields, quiet or 0)


def elastic_plan(rule: str) -> Plan:
    """The plan of a Kibana detection rule."""
    data = json.loads(rule)
    block = data.get("alert_suppression")
    quiet = (duration_ms(f"{block['duration']['value']}{block['duration']['unit']}") or 0) if block else 0
    return Plan(
        duration_ms(data["interval"]) or 0,
        _ago(data["from"].removeprefix("now")),
        None,
        tuple(block["group_by"]) if block else (),
        quiet,
        merges=True,
        once=data["type"] != "esql" or not block,
    )


def sentinel_plan(rule: str) -> Plan:
    """The plan of a scheduled analytics rule. Sentinel cannot hold back single alerts: what a run finds, it tells."""
    data = yaml.safe_load(rule)
    return Plan(_iso_ms(data["queryFrequency"]), _iso_ms(data["queryPeriod"]), late_ms=_SENTINEL_LATE_MS, clocks=(0, _SENTINEL_LATE_MS))


def _iso_ms(written: str) -> int:
    """An ISO 8601 duration of days, hours and minutes."""
    found = re.fullmatch(r"P(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?)?", written)
    if found is None:
        raise ValueError(f"'{written}' is no duration of days, hours and minutes")
    days, hours, minutes = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60_000


def _settings(stanza: str) -> Mapping[str, str]:
    lines = stanza.replace("\\\n", "\n").split("\n")
    pairs = (line.split(" = ", 1) for line in lines if " = " in line and not line.startswith(("|", " ", "[")))
    return dict(pair for pair in pairs if len(pair) == 2)


def _ago(modifier: str) -> int:
    """A relative time such as "-900s", as milliseconds before now; "now" is 0."""
    return 0 if modifier in ("now", "") else duration_ms(modifier.removeprefix("-").split("@")[0]) or 0


def _cron_ms(cron: str) -> int:
    """The interval of a cron line as the packager writes it: every minute, every n minutes, hours, or once a day."""
    minute, hour = cron.split()[:2]
    if "/" in minute:
        return int(minute.split("/")[1]) * 60_000
    if minute == "*":
        return 60_000
    if "/" in hour:
        return int(hour.split("/")[1]) * 3_600_000
    return 3_600_000 if hour == "*" else 86_400_000
