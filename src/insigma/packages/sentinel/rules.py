"""Detections as scheduled analytics rules: the properties of an alert rule, and the YAML of Microsoft's rule templates.

Keys, ranges and words follow the template model of the Azure-Sentinel repository (ScheduledTemplateInternalModel), the alert
rules of the SecurityInsights API and the page "Scheduled analytics rules in Microsoft Sentinel". Queries come escaped from
the target; all other text is data to YAML and JSON, so nothing of a rule can be more than text there.

Not set: alertDetailsOverride. It would put who is concerned into the names of alerts, from where names travel into mails
and tickets; the entities stand beside each alert anyway.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.attack import AttackTable
from insigma.content.model import Header, TargetMapping
from insigma.packages.base import PackContext
from insigma.packages.sentinel.alerts import custom_details, entity_mappings, incident_configuration, result_columns
from insigma.packages.sentinel.attack import mitre
from insigma.packages.sentinel.durations import duration
from insigma.packages.sentinel.yaml_text import yaml_text
from insigma.targets.base import Detection

LONGEST_NAME = 256
LONGEST_DESCRIPTION = 5_000
"""Of the template model, AnalyticsTemplateInternalModelBase."""
UNUSED_SUPPRESSION = "PT5H"
"""The API wants a duration also where nothing is suppressed."""

_SEVERITY = {"informational": "Informational", "low": "Low", "medium": "Medium", "high": "High", "critical": "High"}


def scheduled_rule(
    header: Header, detection: Detection, context: PackContext, attack: AttackTable, mapping: TargetMapping | None, *, enabled: bool = True
) -> dict[str, Any]:
    """The properties of the alert rule, in the words of the API. Without a mapping it names no entities.

    Suppression stays off: it stops the whole rule, not an alert. Raises `Refused` for a schedule outside Sentinel's limits.
    """
    attacked = mitre(header.tags, attack)
    columns = result_columns(detection)
    entities = [] if mapping is None else entity_mappings(header, columns, mapping)
    details = {} if mapping is None else custom_details(header, detection, columns, mapping)
    return {
        "displayName": _cut(header.title, LONGEST_NAME),
        "description": description(header, context),
        "enabled": enabled and header.insurance.get("role") != "base",
        "severity": _SEVERITY.get(header.level, "Medium"),
        "query": detection.query,
        "queryFrequency": duration(detection.schedule.interval_ms),
        "queryPeriod": duration(detection.schedule.lookback_ms),
        "triggerOperator": "GreaterThan",
        "triggerThreshold": 0,
        "suppressionEnabled": False,
        "suppressionDuration": UNUSED_SUPPRESSION,
        "tactics": list(attacked.tactics),
        "techniques": list(attacked.techniques),
        "subTechniques": list(attacked.sub_techniques),
        "eventGroupingSettings": {"aggregationKind": "AlertPerResult" if detection.group_fields else "SingleAlert"},
        "incidentConfiguration": incident_configuration(header, detection, entities, details),
        **({"entityMappings": entities} if entities else {}),
        **({"customDetails": details} if details else {}),
    }


def analytics_rule(header: Header, rule: Mapping[str, Any], context: PackContext) -> str:
    """A scheduled rule as YAML, ending with a line break."""
    schedule = ("queryFrequency", "queryPeriod", "triggerOperator", "triggerThreshold", "tactics")
    after = ("entityMappings", "customDetails", "incidentConfiguration", "suppressionEnabled", "suppressionDuration")
    return yaml_text(
        {
            "id": rule_id(header, context.tenant),
            "name": rule["displayName"],
            "kind": "Scheduled",
            "description": rule["description"],
            "enabled": rule["enabled"],
            "severity": rule["severity"],
            "requiredDataConnectors": [],
            **{key: rule[key] for key in schedule},
            "relevantTechniques": [*rule["techniques"], *rule["subTechniques"]],
            "eventGroupingSettings": rule["eventGroupingSettings"],
            "query": f"{rule['query']}\n",
            **{key: rule[key] for key in after if key in rule},
            "version": version(header, context),
        }
    )


def rule_id(header: Header, tenant: str) -> str:
    """A rule's GUID in Sentinel: the same for the same rule and tenant, always."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"insigma:sentinel:{tenant}:{header.id or header.title}"))


def version(header: Header, context: PackContext) -> str:
    """The rule's version in three numbers, the form that Sentinel takes: 1.0.0 is the first."""
    return f"1.0.{context.version_of(header) - 1}"


def description(header: Header, context: PackContext) -> str:
    """What the rule says of itself and, for a rule of the pack, a last paragraph of what Sentinel has no field for.

    At most 5,000 characters, of which the paragraph keeps its own.
    """
    data = header.document.data if isinstance(header.document.data, dict) else {}
    written = data.get("description")
    text = written if isinstance(written, str) else header.title
    facts = _facts(header, context)
    if not facts:
        return _cut(text, LONGEST_DESCRIPTION)
    return f"{_cut(text.rstrip(), LONGEST_DESCRIPTION - len(facts) - 3)}\n\n{facts}\n"


def _facts(header: Header, context: PackContext) -> str:
    insurance = header.insurance
    if "domain" not in insurance:
        return ""
    regulatory, response = _mapping(insurance.get("regulatory")), _mapping(insurance.get("response"))
    levels = _mapping(response.get("sla"))
    tags = [tag.removeprefix("attack.") for tag in header.tags if tag.startswith("attack.t")]
    told = [
        ("Rule", f"{header.label}, version {version(header, context)}, domain {insurance['domain']}"),
        ("ATT&CK", ", ".join(tag.upper() for tag in tags)),
        ("F3", _listed(insurance.get("f3"))),
        ("Time to", ", ".join(f"{what} {levels[what]}" for what in ("triage", "contain") if what in levels)),
        ("Clocks that a confirmed match may start", _listed(regulatory.get("clocks"))),
    ]
    return "\n".join(f"{name}: {value}." for name, value in told if value)


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _listed(value: Any) -> str:
    return ", ".join(str(entry) for entry in value) if isinstance(value, Sequence) and not isinstance(value, str) else ""


def _cut(text: str, longest: int) -> str:
    return text if len(text) <= longest else f"{text[: longest - 1]}…"
