"""Detections as Kibana detection rules, in the shape that Kibana 8.18 imports.

Sources: Kibana's API, "Import detection rules" (POST /api/detection_engine/rules/_import), and its rule schema
(common_attributes.schema.yaml, rule_schemas.schema.yaml, rule_to_import.ts, elastic/kibana). Everything is a JSON string or
number, so nothing of a rule can be more than text there; queries come escaped from the target.
"""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from insigma.content.attack import AttackTable
from insigma.content.model import Header, TargetMapping
from insigma.diagnostics.render.hostile import as_markdown
from insigma.packages.base import PackContext
from insigma.packages.elastic.reads import joined_indices, required_fields
from insigma.packages.elastic.threat import threat
from insigma.targets.base import Detection, Refused

MOST_ALERTS = 1000
"""Alerts a run: `xpack.alerting.rules.run.alerts.max`, Kibana's alerting settings, which caps `max_signals` (100 unasked)."""
MOST_SUPPRESSION_FIELDS = 3

_TYPES = {"lucene": "query", "eql": "eql", "esql": "esql"}
_SEVERITY = {"informational": "low", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}
_RISK = {"informational": 10, "low": 21, "medium": 47, "high": 73, "critical": 99}
_UNITS = ((3_600_000, "h"), (60_000, "m"), (1_000, "s"))
_LINE_ENDS = re.compile("[\u0085\u2028\u2029]")
_SETUP = (
    "Needs Elastic 8.18 or later, the component template insigma-fields on every index that the rule reads, and the events "
    "in the canonical fields of the Insigma pack."
)


@dataclass(frozen=True, slots=True)
class KibanaContext:
    """What a rule is packaged for and from."""

    pack: PackContext
    mapping: TargetMapping
    attack: AttackTable


def kibana_rule(header: Header, detection: Detection, context: KibanaContext, *, enabled: bool = True) -> dict[str, Any]:
    """The rule as Kibana imports it, `enabled` unless it is a base rule. Raises `Refused` for a schedule that Kibana cannot keep.

    Left out on purpose: `meta`, which Kibana overwrites when somebody saves the rule (tags say where it is from);
    `related_integrations`, which name Fleet packages, and our events come from no one package; `timestamp_override`, as
    windows are about the event's own time and the look-back holds the delay.
    """
    role = header.insurance.get("role")
    data = header.document.data
    rule: dict[str, Any] = {
        "author": _author(data.get("author")),
        "description": _text(data.get("description")) or header.title,
        "enabled": enabled and role != "base",
        "exceptions_list": [],
        "false_positives": _texts(data.get("falsepositives")),
        "from": f"now-{_seconds(detection.schedule.lookback_ms)}s",
        "interval": "{}{}".format(*_time(detection.schedule.interval_ms)),
        "language": detection.language,
        "license": _text(data.get("license")),
        "max_signals": MOST_ALERTS,
        "name": header.title,
        "note": _note(header, detection),
        "query": detection.query,
        "references": _texts(data.get("references")),
        "required_fields": required_fields(detection, context.mapping),
        "risk_score": _RISK.get(header.level, _RISK["medium"]),
        "rule_id": rule_id(header, context.pack.tenant),
        "setup": _setup(detection),
        "severity": _SEVERITY.get(header.level, "medium"),
        "tags": _tags(header, context),
        "threat": threat(header.tags, context.attack),
        "to": "now",
        "type": _TYPES[detection.language],
        "version": context.pack.version_of(header),
    }
    if detection.language != "esql":
        rule["index"] = detection.scope["index"].split(",")
    if role in {"base", "signal"}:
        rule["building_block_type"] = "default"
    return rule | _suppression(detection) | _investigation(data.get("fields"), detection, context.mapping)


def rule_id(header: Header, tenant: str) -> str:
    """The rule's stable id for one tenant: a UUIDv5 of the Sigma id (of the file's name where there is none) and the tenant."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:insigma:elastic:{tenant}:{header.id or header.slug}"))


def ndjson(rules: Iterable[Mapping[str, Any]]) -> str:
    """The rules as Kibana's import file, one a line, keys sorted. Raises ValueError if two have the same rule_id.

    The line of export details that Kibana's own exports end with is dropped at import (filterExportedCounts in
    create_stream_from_ndjson.ts, elastic/kibana), so none is written.
    """
    lines: dict[str, str] = {}
    for rule in rules:
        if rule["rule_id"] in lines:
            raise ValueError(f"two rules have the rule_id {rule['rule_id']}")
        lines[rule["rule_id"]] = json_line(rule)
    return "".join(lines.values())


def json_line(value: Mapping[str, Any]) -> str:
    """The value as one line of NDJSON, keys sorted. What some readers take for a line end (U+0085, U+2028, U+2029) is escaped."""
    text = json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return _LINE_ENDS.sub(lambda found: f"\\u{ord(found.group()):04x}", text) + "\n"


def _setup(detection: Detection) -> str:
    """What the rule needs to be in place."""
    joined = joined_indices(detection)
    return f"{_SETUP} It looks events up in {', '.join(joined)}." if joined else _SETUP


def _suppression(detection: Detection) -> dict[str, Any]:
    """One alert a group for as long as a look-back may find the same events again.

    Kibana takes one to three fields, for sequences too from 8.18 on, and ignores the block below a Platinum licence
    ("Suppress detection alerts").
    """
    fields = list(dict.fromkeys(detection.group_fields))
    if detection.window == "event" or not 1 <= len(fields) <= MOST_SUPPRESSION_FIELDS:
        return {}
    value, unit = _time(-(-detection.schedule.lookback_ms // 1000) * 1000)
    block = {"group_by": fields, "duration": {"value": value, "unit": unit}, "missing_fields_strategy": "doNotSuppress"}
    return {"alert_suppression": block}


def _investigation(fields: object, detection: Detection, mapping: TargetMapping) -> dict[str, Any]:
    """The fields that an alert shows first, by their names in Elastic: stored ones, and what the query itself looks up."""
    known = [mapping.fields[name] for name in _texts(fields) if name in mapping.fields]
    shown = [field.name for field in known if field.lookup is None or field.name in detection.query]
    return {"investigation_fields": {"field_names": list(dict.fromkeys(shown))}} if shown else {}


def _seconds(milliseconds: int) -> int:
    return -(-milliseconds // 1000)


def _time(milliseconds: int) -> tuple[int, str]:
    """A number and one of Kibana's units. Raises `Refused` for what is no whole number of seconds."""
    for size, unit in _UNITS:
        if milliseconds > 0 and milliseconds % size == 0:
            return milliseconds // size, unit
    raise Refused(f"Kibana keeps time in whole seconds: {milliseconds} ms is none")


def _tags(header: Header, context: KibanaContext) -> list[str]:
    """Tags to filter by: the rule's own, its id and place in the pack, and whom it was built for."""
    facts = {
        "Pack": header.insurance.get("pack_id"),
        "Domain": header.insurance.get("domain"),
        "Role": header.insurance.get("role"),
        "Sigma": header.id,
        "Tenant": context.pack.tenant,
    }
    return ["Insigma", *(f"{name}: {fact}" for name, fact in facts.items() if isinstance(fact, str) and fact), *dict.fromkeys(header.tags)]


def _author(author: object) -> list[str]:
    return [name.strip() for name in _text(author).split(",") if name.strip()]


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _texts(value: object) -> list[str]:
    return [text for item in value if (text := _text(item))] if isinstance(value, list) else []


def _note(header: Header, detection: Detection) -> str:
    """The investigation guide: what the rule means, what is harmless, what to do, and where the compiled query departs from the rule."""
    data = header.document.data
    sections = {
        "What it means": [_text(data.get("description"))],
        "Harmless causes": [f"- {cause}" for cause in _texts(data.get("falsepositives"))],
        "Response": [f"- {action}" for action in _actions(header.insurance)],
        "Limits of this query": [f"- {as_markdown(note)}" for note in detection.notes],
    }
    written = [f"## {title}\n\n" + "\n".join(body) for title, body in sections.items() if any(body)]
    return _plain("\n\n".join(written))


def _plain(markdown: str) -> str:
    """The text without what Kibana's guide would turn into a button or a query: `!{` opens its plugins."""
    return markdown.replace("!{", "! {")


def _actions(insurance: Mapping[str, Any]) -> list[str]:
    response = insurance.get("response")
    actions = response.get("actions") if isinstance(response, Mapping) else None
    described = [_action(action) for action in actions or () if isinstance(action, Mapping) and action.get("code") not in (None, "none")]
    sla = response.get("sla") if isinstance(response, Mapping) else None
    if isinstance(sla, Mapping) and sla:
        described.append("in time: " + ", ".join(f"{step} within {limit}" for step, limit in sla.items()))
    return described


def _action(action: Mapping[str, Any]) -> str:
    details = {"mode": "{}", "max_hold": "at most {}", "approver": "approved by {}"}
    said = [form.format(action[key]) for key, form in details.items() if action.get(key)]
    return f"{action['code']} ({', '.join(said)})" if said else str(action["code"])
