"""An ATT&CK Navigator layer of what the rules cover.

Source: MITRE ATT&CK Navigator, layer file format 4.5 (layers/LAYERFORMATv4_5.md in mitre-attack/attack-navigator).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from insigma.assure.coverage import Coverage, alerts, tactics, techniques
from insigma.content.attack import AttackTable

_COLOURS = ("#e8f1f8", "#0b5394")


def layer(coverage: Coverage, attack: AttackTable, name: str) -> dict[str, Any]:
    """The layer as JSON: a technique's score is the number of rules that alert on it under that tactic; the comment names them."""
    found = list(_techniques(coverage, attack))
    return {
        "name": name,
        "versions": {"attack": "19", "layer": "4.5"},
        "domain": "enterprise-attack",
        "description": "Rules that alert, by technique and tactic, each with a fixture that passes.",
        "sorting": 3,
        "hideDisabled": False,
        "techniques": found,
        "gradient": {"colors": list(_COLOURS), "minValue": 0, "maxValue": max((entry["score"] for entry in found), default=1)},
        "legendItems": [],
        "showTacticRowBackground": False,
        "selectTechniquesAcrossTactics": False,
    }


def _techniques(coverage: Coverage, attack: AttackTable) -> Iterator[dict[str, Any]]:
    by_cell: dict[tuple[str, str], list[str]] = {}
    for rule in coverage.rules:
        if not alerts(rule):
            continue
        tagged = tactics(rule)
        for name in techniques(rule):
            technique = attack.techniques.get(name)
            for tactic in technique.tactics if technique is not None else ():
                if tactic in tagged:
                    by_cell.setdefault((name, tactic), []).append(rule.header.label)
    for (name, tactic), labels in sorted(by_cell.items()):
        yield {"techniqueID": name, "tactic": tactic, "score": len(labels), "comment": ", ".join(labels), "enabled": True}
