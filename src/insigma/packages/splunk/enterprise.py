"""What makes a saved search a correlation search of Splunk Enterprise Security: a notable, and risk on the entities.

Keys: savedsearches.conf.spec and alert_actions.conf.spec of Enterprise Security's apps; the templates of splunk/contentctl, from
which Splunk's own detections are built, carry the same ones. In titles, descriptions and messages ES writes an event's value in
the place of `$field$`, so a dollar sign of a rule becomes its full-width twin there. The only tokens here are those of the
drill-down's time range: an event's value in a search would be written by whoever made the event.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

from insigma.content.model import Header, TargetMapping
from insigma.packages.base import PackContext
from insigma.packages.splunk import conf
from insigma.packages.splunk.savedsearches import name_of
from insigma.targets.base import Detection

_SCORES = {"informational": 5, "low": 20, "medium": 40, "high": 60, "critical": 80}
"""Risk by level. An entity stands out at 100 in a day (ES's own threshold rule): two alerts of level high, or five low ones."""
_KINDS = {"actor": "user", "target_user": "user", "device": "system", "host": "system"}
"""The kind of a risk object by the entity's role. Any other role, a claim or a payee, is `other`."""
_DOMAINS = {"infrastructure_identity": "identity", "portal_contact_centre": "access", "privileged_database": "access"}
"""ES knows access, endpoint, network, threat, identity and audit."""
_TECHNIQUE = re.compile(r"attack\.(t[0-9]{4}(?:\.[0-9]{3})?)", re.ASCII)
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]*", re.ASCII)
_WORD = re.compile(r'"([^"]+)"|(\S+)')
_FULL_WIDTH_DOLLAR = "\uff04"


def actions(header: Header, detection: Detection, context: PackContext, mapping: TargetMapping | None) -> dict[str, str]:
    """The settings of a rule that runs. A `signal` adds to a risk score and makes no notable."""
    if header.insurance.get("role") == "base":
        return {}
    entities = risk_objects(header, detection, mapping)
    settings = {
        "action.correlationsearch.enabled": "1",
        "action.correlationsearch.label": name_of(header.title),
        "action.correlationsearch.annotations": _json(_annotations(header)),
    }
    if header.id:
        known = {"deprecated": "0", "detection_id": header.id, "detection_version": str(context.version_of(header))}
        settings["action.correlationsearch.metadata"] = _json(known)
    if header.insurance.get("role") != "signal":
        settings |= _notable(header, detection, entities)
    return settings | (_risk(header, entities) if entities else {})


def risk_objects(header: Header, detection: Detection, mapping: TargetMapping | None) -> list[dict[str, Any]]:
    """The entities that are columns of the search's result, each once. One of several values (`{}`) names nobody and is left out."""
    score = _SCORES.get(header.level, _SCORES["medium"])
    evidence = header.insurance.get("evidence")
    entities = evidence.get("entities") if isinstance(evidence, Mapping) else None
    found: dict[str, dict[str, Any]] = {}
    for role, name in entities.items() if isinstance(entities, Mapping) else ():
        column = _column(str(name), header, detection, mapping)
        if column is not None and _COLUMN.fullmatch(column):
            kind = _KINDS.get(str(role), "other")
            found.setdefault(column, {"risk_object_field": column, "risk_object_type": kind, "risk_score": score})
    return list(found.values())


def _column(name: str, header: Header, detection: Detection, mapping: TargetMapping | None) -> str | None:
    """Where the result has a canonical field: under its stored name, or for a correlation under that of the group."""
    if detection.window != "event":
        return next((group for group in detection.group_fields if name in _grouped(group, header)), None)
    stored = mapping.fields.get(name) if mapping is not None else None
    column = stored.name if stored is not None else name
    columns = result_columns(detection.query)
    return column if columns is None or column in columns else None


def _grouped(group: str, header: Header) -> Iterator[str]:
    """The canonical fields behind a name of `group-by`: itself, or those of an alias."""
    body = header.document.data.get("correlation") if isinstance(header.document.data, dict) else None
    aliases = body.get("aliases") if isinstance(body, dict) else None
    of_rules = aliases.get(group) if isinstance(aliases, dict) else None
    yield from (str(field) for field in of_rules.values()) if isinstance(of_rules, dict) else (group,)


def result_columns(query: str) -> tuple[str, ...] | None:
    """The columns of a search's last `table` command; None where it ends with another: then all fields are in the result."""
    last = query.rsplit("\n", 1)[-1]
    if not last.startswith("| table "):
        return None
    return tuple(quoted or bare for quoted, bare in _WORD.findall(last.removeprefix("| table ")))


def _notable(header: Header, detection: Detection, entities: list[dict[str, Any]]) -> dict[str, str]:
    settings = {
        "action.notable": "1",
        "action.notable.param.rule_title": _untokened(header.title),
        "action.notable.param.rule_description": _description(header),
        "action.notable.param.security_domain": _DOMAINS.get(str(header.insurance.get("domain")), "threat"),
        "action.notable.param.severity": header.level if header.level in _SCORES else "medium",
    }
    if entities:
        settings["action.notable.param.nes_fields"] = ",".join(entity["risk_object_field"] for entity in entities)
        # Whom the notable is about, without a score: the risk action gives that.
        settings["action.notable.param._entities"] = _json([{**entities[0], "risk_score": 0}])
    return settings | _drilldown(detection)


def _risk(header: Header, entities: list[dict[str, Any]]) -> dict[str, str]:
    return {
        "action.risk": "1",
        "action.risk.param._risk": _json(entities),
        "action.risk.param._risk_message": f"{_untokened(header.title)} ({_untokened(header.label)})",
        "action.risk.param._risk_score": "0",
    }


def _drilldown(detection: Detection) -> dict[str, str]:
    """The events behind the alert, in the time range of the run."""
    search = _events(detection)
    if "$" in search:
        return {}
    entry = {
        "name": "Events behind this alert",
        "search": search,
        "earliest_offset": "$info_min_time$",
        "latest_offset": "$info_max_time$",
    }
    return {"action.notable.param.drilldown_searches": _json([entry])}


def _events(detection: Detection) -> str:
    """An event rule's own search; of a correlation's the part up to its first `table`, after which there are no events any more."""
    lines = detection.query.split("\n")
    end = next((number for number, line in enumerate(lines) if line.startswith("| table ")), 0)
    return detection.query if detection.window == "event" or not end else "\n".join(lines[:end])


def _annotations(header: Header) -> dict[str, list[str]]:
    """ATT&CK techniques, which ES knows, and others that it shows as they are."""
    techniques = [found[1].upper() for tag in header.tags if (found := _TECHNIQUE.fullmatch(tag))]
    others = {name: header.insurance.get(name) for name in ("f3", "use_cases")}
    lists = {name: [str(entry) for entry in entries] for name, entries in others.items() if isinstance(entries, list | tuple) and entries}
    return ({"mitre_attack": techniques} if techniques else {}) | lists


def _description(header: Header) -> str:
    """The rule's description, what is to be done, and the rule's name, on one line that ends with a parenthesis."""
    written = header.document.data.get("description") if isinstance(header.document.data, dict) else None
    parts = [written if isinstance(written, str) else header.title, *_response(header), f"({header.label})"]
    return _untokened(" ".join(parts))


def _response(header: Header) -> Iterator[str]:
    response = header.insurance.get("response")
    if not isinstance(response, Mapping):
        return
    steps = [_step(step) for step in response.get("actions") or () if isinstance(step, Mapping) and step.get("code") != "none"]
    if steps:
        yield f"Response: {'; '.join(steps)}."
    times = [f"{name} within {span}" for name, span in (response.get("sla") or {}).items()]
    if times:
        yield f"Service level: {', '.join(times)}."


def _step(step: Mapping[str, Any]) -> str:
    limits = [f"{step['max_hold']} at most"] if step.get("max_hold") else []
    approver = [f"by {step['approver']}"] if step.get("approver") else []
    return f"{step.get('code')} ({', '.join((str(step.get('mode')), *limits, *approver))})".replace("_", " ")


def _untokened(text: str) -> str:
    """The text on one line and without tokens."""
    return conf.line(text).replace("$", _FULL_WIDTH_DOLLAR)


def _json(value: object) -> str:
    """JSON in one line of ASCII, which ends with a bracket."""
    return json.dumps(value, ensure_ascii=True, sort_keys=True)
