"""Detections as scheduled analytics rules, in the YAML of Microsoft's own rule templates.

Keys, ranges and words follow the template model of the Azure-Sentinel repository (ScheduledTemplateInternalModel) and the
page "Scheduled analytics rules in Microsoft Sentinel". Text goes through a YAML dumper, so nothing of a rule can be more
than text there; queries come escaped from the target.
"""

from __future__ import annotations

import uuid
from typing import Any

import yaml

from insigma.content.attack import AttackTable
from insigma.content.model import Header
from insigma.packages.base import PackContext
from insigma.targets.base import Detection, Refused

LONGEST_LOOKBACK_MS = 14 * 86_400_000
SHORTEST_MS = 5 * 60_000

_MINUTE_MS = 60_000
_SEVERITY = {"informational": "Informational", "low": "Low", "medium": "Medium", "high": "High", "critical": "High"}
_TACTICS = {
    "reconnaissance": "Reconnaissance",
    "resource-development": "ResourceDevelopment",
    "initial-access": "InitialAccess",
    "execution": "Execution",
    "persistence": "Persistence",
    "privilege-escalation": "PrivilegeEscalation",
    "stealth": "DefenseEvasion",
    "defense-impairment": "DefenseEvasion",
    "defense-evasion": "DefenseEvasion",
    "credential-access": "CredentialAccess",
    "discovery": "Discovery",
    "lateral-movement": "LateralMovement",
    "collection": "Collection",
    "command-and-control": "CommandAndControl",
    "exfiltration": "Exfiltration",
    "impact": "Impact",
}
"""ATT&CK's tactics in Sentinel's words, which know Defense Evasion by its name before ATT&CK v19."""


def analytics_rule(header: Header, detection: Detection, context: PackContext, attack: AttackTable) -> str:
    """The rule as YAML, ending with a line break. Raises `Refused` for a schedule outside Sentinel's limits."""
    data = header.document.data if isinstance(header.document.data, dict) else {}
    description = data.get("description")
    tactics, techniques = _attack(header.tags, attack)
    rule: dict[str, Any] = {
        "id": rule_id(header, context.tenant),
        "name": header.title,
        "kind": "Scheduled",
        "description": description if isinstance(description, str) else header.title,
        "enabled": header.insurance.get("role") != "base",
        "severity": _SEVERITY.get(header.level, "Medium"),
        "requiredDataConnectors": [],
        "queryFrequency": duration(detection.schedule.interval_ms),
        "queryPeriod": duration(detection.schedule.lookback_ms),
        "triggerOperator": "GreaterThan",
        "triggerThreshold": 0,
        "tactics": tactics,
        "relevantTechniques": techniques,
        "eventGroupingSettings": {"aggregationKind": "AlertPerResult" if detection.group_fields else "SingleAlert"},
        "query": f"{detection.query}\n",
        "version": "1.0.0",
    }
    return _dumped(rule)


def rule_id(header: Header, tenant: str) -> str:
    """A rule's GUID in Sentinel: the same for the same rule and tenant, always."""
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"insigma:sentinel:{tenant}:{header.id or header.title}"))


def duration(milliseconds: int) -> str:
    """Whole minutes as an ISO 8601 duration, rounded up: 5400000 -> "PT1H30M". Raises `Refused` outside 5 minutes to 14 days."""
    minutes = -(-milliseconds // _MINUTE_MS)
    if not SHORTEST_MS <= minutes * _MINUTE_MS <= LONGEST_LOOKBACK_MS:
        raise Refused(f"a scheduled rule runs and looks back from 5 minutes to 14 days, not {milliseconds} ms")
    days, rest = divmod(minutes, 1440)
    hours, rest = divmod(rest, 60)
    time = (f"{hours}H" if hours else "") + (f"{rest}M" if rest else "")
    return f"P{f'{days}D' if days else ''}{f'T{time}' if time else ''}"


def _attack(tags: tuple[str, ...], attack: AttackTable) -> tuple[list[str], list[str]]:
    """Tactics in Sentinel's words, and the tagged techniques that ATT&CK knows, without their sub-techniques."""
    names = [tag.removeprefix("attack.").replace("_", "-") for tag in tags if tag.startswith("attack.")]
    tactics = dict.fromkeys(_TACTICS[name] for name in names if name in _TACTICS)
    techniques = dict.fromkeys(name.upper().partition(".")[0] for name in names if name.upper() in attack.techniques)
    return list(tactics), list(techniques)


class _Dumper(yaml.SafeDumper):
    """Plain YAML: no aliases, lines of any length, text over several lines as a block."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002 - the shape of PyYAML's method
        return True

    def represent_scalar(self, tag: str, value: str, style: str | None = None) -> Any:
        if not all(line.isprintable() for line in value.split("\n")):
            style = '"'
        elif "\n" in value:
            style = "|"
        return super().represent_scalar(tag, value, style)


def _dumped(data: dict[str, Any]) -> str:
    written: str = yaml.dump(data, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=2**31)
    return written
