"""Detections as scheduled alerts in savedsearches.conf, for Splunk 9.2 and later; Enterprise Security is not needed.

Keys and values follow savedsearches.conf.spec; what a value may hold is in `conf`.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType

from insigma.content.durations import duration_ms
from insigma.content.model import Header
from insigma.packages.base import PackContext
from insigma.packages.splunk import conf
from insigma.targets.base import Detection, Refused

_MARKS = frozenset(" _-.,:;()&+'/%")
_NAME_LIMIT = 100
_SEVERITY = {"informational": 1, "low": 2, "medium": 3, "high": 4, "critical": 5}
_SETTLING_S = 60
"""How long an event may take from its index time to being found."""
_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000
_FIELD = re.compile(r"[A-Za-z_][A-Za-z0-9_.{}-]*", re.ASCII)
_NONE: Mapping[str, str] = MappingProxyType({})


def savedsearch(
    header: Header, detection: Detection, context: PackContext, *, enabled: bool = True, actions: Mapping[str, str] = _NONE
) -> str:
    """The stanza of one detection, ending with a line break. A base rule is never scheduled, nor is one that is not `enabled`.

    `actions` are further settings. Raises `Refused` for a title, search or interval that cannot be one.
    """
    runs = scheduled(header, enabled=enabled)
    settings = {
        "description": _description(header, context),
        "search": conf.search(detection.query),
        "disabled": "0" if runs else "1",
        "enableSched": "1" if runs else "0",
        "cron_schedule": _cron(detection.schedule.interval_ms, header.id or header.title),
        # 0: the scheduler never skips a period (1 may, when the host is busy), and time ranges count from the scheduled time.
        "realtime_schedule": "0",
        **_range(detection),
        "counttype": "number of events",
        "relation": "greater than",
        "quantity": "0",
        "alert.track": "1",
        "alert.severity": str(_SEVERITY.get(header.level, _SEVERITY["medium"])),
        **_suppression(header, detection),
        **actions,
    }
    return conf.stanza(name_of(header.title), settings)


def scheduled(header: Header, *, enabled: bool) -> bool:
    """Whether the rule's search runs: base rules are building blocks, and the profile may switch a rule off."""
    return enabled and header.insurance.get("role") != "base"


def savedsearches(stanzas: Sequence[str]) -> str:
    """The file of the stanzas, in their order. Raises `Refused` where two have one name: Splunk would merge them."""
    seen: dict[str, str] = {}
    for stanza in stanzas:
        name = stanza[1 : stanza.index("]\n")]
        if name.casefold() in seen:
            raise Refused(f"two rules would share the saved search '{seen[name.casefold()]}': Splunk would merge them", ("title",))
        seen[name.casefold()] = name
    return conf.stanzas(stanzas)


def name_of(title: str) -> str:
    """The title as a stanza name: letters, digits and a few marks, one line, no brackets."""
    wrong = sorted({char for char in title if not (char.isalnum() or char in _MARKS)})
    if wrong or not title.strip() or title != title.strip():
        named = ", ".join(f"U+{ord(char):04X}" for char in wrong) or "space around it"
        raise Refused(f"the title cannot name a saved search: {named}", ("title",))
    if len(title) > _NAME_LIMIT or title.casefold() == "default":
        raise Refused(f"the title cannot name a saved search: it is 'default' or longer than {_NAME_LIMIT} characters", ("title",))
    return title


def _description(header: Header, context: PackContext) -> str:
    """The rule's description and identity in one line. It ends with a parenthesis, so never with a backslash."""
    written = header.document.data.get("description") if isinstance(header.document.data, dict) else None
    facts = {
        "pack id": header.insurance.get("pack_id"),
        "sigma id": header.id,
        "level": header.level,
        "tags": " ".join(header.tags),
        "pack": f"{context.pack} {context.version}",
        "tenant": context.tenant,
    }
    identity = "; ".join(f"{name} {conf.line(str(fact))}" for name, fact in facts.items() if fact and str(fact).strip())
    return f"{conf.line(written if isinstance(written, str) else header.title)} ({identity})"


def _cron(interval_ms: int, identity: str) -> str:
    """The interval as a cron line, shifted by the rule's identity so that searches do not all start at once."""
    shift = int.from_bytes(hashlib.sha256(identity.encode("utf-8", "surrogatepass")).digest()[:4], "big")
    minutes, rest = divmod(interval_ms, _MINUTE_MS)
    if not rest and 0 < minutes < 60 and 60 % minutes == 0:
        return "* * * * *" if minutes == 1 else f"{shift % minutes}-59/{minutes} * * * *"
    hours, rest = divmod(interval_ms, _HOUR_MS)
    if not rest and 0 < hours < 24 and 24 % hours == 0:
        return f"{shift % 60} * * * *" if hours == 1 else f"{shift % 60} {shift // 60 % hours}-23/{hours} * * *"
    if interval_ms == _DAY_MS:
        return f"{shift % 60} {shift // 60 % 24} * * *"
    raise Refused(f"an interval of {interval_ms} ms has no cron line: it has to divide an hour or a day evenly", ())


def _range(detection: Detection) -> dict[str, str]:
    """What a run searches. For an event rule the events that were indexed since the run before, so that none alerts twice.

    What is being indexed at this moment is left to the next run: an event has its index time a little before it can be found.
    """
    lookback_s, interval_s = -(-detection.schedule.lookback_ms // 1000), -(-detection.schedule.interval_ms // 1000)
    if detection.window != "event":
        return {"dispatch.earliest_time": f"-{lookback_s}s", "dispatch.latest_time": "now"}
    return {
        "dispatch.earliest_time": f"-{lookback_s + _SETTLING_S}s",
        "dispatch.latest_time": "now",
        "dispatch.index_earliest": f"-{interval_s + _SETTLING_S}s",
        "dispatch.index_latest": f"-{_SETTLING_S}s",
    }


def _suppression(header: Header, detection: Detection) -> dict[str, str]:
    """For a correlation one alert a group and burst, as overlapping runs find an instant again; else one alert a run.

    A run tells only instants of the last interval and delay (the query sees to that). Where the timespan is long enough, a
    group stays quiet for a timespan less an interval: never so long that the group's next alert is lost, and longer than an
    instant is told. Where it is not, the same last instant is told once.

    Groups need an alert for each result, of which Splunk triggers 500 a run (limits.conf, `max_per_result_alerts`);
    an event rule may match more events than that, so its alert holds all results of the run.
    """
    timespan = _timespan_ms(header)
    if detection.window == "event" or timespan is None:
        return {"alert.digest_mode": "1", "alert.suppress": "0"}
    for name in detection.group_fields:
        if not _FIELD.fullmatch(name):
            raise Refused(f"the field '{name}' cannot be named in alert.suppress.fields", ("correlation", "group-by"))
    told_ms = detection.schedule.lookback_ms - timespan
    quiet_ms, fields = timespan - detection.schedule.interval_ms, detection.group_fields
    if quiet_ms < told_ms:
        quiet_ms, fields = told_ms, (*detection.group_fields, "insigma_last")
    settings = {"alert.digest_mode": "0" if fields else "1", "alert.suppress": "1"}
    if fields:
        settings["alert.suppress.fields"] = ",".join(fields)
    return settings | {"alert.suppress.period": f"{-(-quiet_ms // 1000)}s"}


def _timespan_ms(header: Header) -> int | None:
    """The correlation's timespan, as its document writes it; None where the document is no correlation."""
    data = header.document.data
    body = data.get("correlation") if isinstance(data, dict) else None
    return duration_ms(body.get("timespan")) if isinstance(body, dict) else None
