"""Detections as Kibana detection rules, in the shape that Kibana 8.18 imports.

Source: Kibana's rule schema (common_attributes.schema.yaml and rule_schemas.schema.yaml, elastic/kibana). Everything is a
JSON string or number, so nothing of a rule can be more than text there; queries come escaped from the target.
"""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from insigma.content.attack import AttackTable
from insigma.content.model import Header, TargetMapping
from insigma.packages.base import PackContext
from insigma.packages.elastic.threat import threat
from insigma.targets.base import Detection, Refused

MOST_ALERTS = 1000
"""Alerts a run: `xpack.alerting.rules.run.alerts.max`, Kibana's alerting settings, which caps `max_signals` (100 unasked)."""
MOST_SUPPRESSION_FIELDS = 3

_TYPES = {"lucene": "query", "eql": "eql", "esql": "esql"}
_SEVERITY = {"informational": "low", "low": "low", "medium": "medium", "high": "high", "critical": "critical"}
_RISK = {"informational": 10, "low": 21, "medium": 47, "high": 73, "critical": 99}
_UNITS = ((3_600_000, "h"), (60_000, "m"), (1_000, "s"))
_SETUP = (
    "Needs Elastic 8.18 or later, the component template insigma-fields on every index that the rule reads, and the events "
    "in the canonical fields of the Insigma pack."
)


@dataclass(frozen=True, slots=True)
class KibanaContext:
    """What a rule is packaged for and from. `version` is the rule's number in Kibana, from 1."""

    pack: PackContext
    mapping: TargetMapping
    attack: AttackTable
    version: int = 1


def kibana_rule(header: Header, detection: Detection, context: KibanaContext) -> dict[str, Any]:
    """The rule as Kibana imports it. Raises `Refused` for a schedule that Kibana cannot keep."""
    role = header.insurance.get("role")
    data = header.document.data
    rule: dict[str, Any] = {
        "author": _author(data.get("author")),
        "description": _text(data.get("description")) or header.title,
        "enabled": role != "base",
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
        "risk_score": _RISK.get(header.level, _RISK["medium"]),
        "rule_id": rule_id(header, context.pack.tenant),
        "setup": _SETUP,
        "severity": _SEVERITY.get(header.level, "medium"),
        "tags": _tags(header, context),
        "threat": threat(header.tags, context.attack),
        "to": "now",
        "type": _TYPES[detection.language],
        "version": context.version,
    }
    if detection.language != "esql":
        rule["index"] = detection.scope["index"].split(",")
    if role in {"base", "signal"}:
        rule["building_block_type"] = "default"
    return rule | _suppression(detection) | _investigation(data.get("fields"), context.mapping)


def rule_id(header: Header, tenant: str) -> str:
    """The rule's stable id for one tenant: a UUIDv5 of the Sigma id (of the file's name where there is none) and the tenant."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"urn:insigma:elastic:{tenant}:{header.id or header.slug}"))


def ndjson(rules: Iterable[Mapping[str, Any]]) -> str:
    """The rules as Kibana's import file, one a line, keys sorted. Raises ValueError if two have the same rule_id."""
    lines: dict[str, str] = {}
    for rule in rules:
        if rule["rule_id"] in lines:
            raise ValueError(f"two rules have the rule_id {rule['rule_id']}")
        lines[rule["rule_id"]] = json.dumps(rule, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return "".join(f"{line}\n" for line in lines.values())


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


def _investigation(fields: object, mapping: TargetMapping) -> dict[str, Any]:
    """The fields that an alert shows first, by their names in Elastic."""
    stored = [mapping.fields[name].name for name in _texts(fields) if name in mapping.fields]
    return {"investigation_fields": {"field_names": list(dict.fromkeys(stored))}} if stored else {}


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
        "Limits of this query": [f"- {note}" for note in detection.notes],
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
