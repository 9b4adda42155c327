"""The `threat` block of a Kibana rule: each technique under the tactics that are its own.

A rule's tags name tactics and techniques side by side and do not say which belongs to which; ATT&CK does. Source of the
shape: ThreatArray in Kibana's rule schema (common_attributes.schema.yaml, elastic/kibana).
"""

from __future__ import annotations

from typing import Any

from insigma.content.attack import AttackTable, Tactic, Technique

_FRAMEWORK = "MITRE ATT&CK"
_SITE = "https://attack.mitre.org"


def threat(tags: tuple[str, ...], attack: AttackTable) -> list[dict[str, Any]]:
    """One entry a tactic, in ATT&CK's own order; a technique stands under every tagged tactic of its own, or else under all of its own.

    What the table does not know stays out; the rule keeps it as a tag.
    """
    names = [tag.removeprefix("attack.") for tag in tags if tag.startswith("attack.")]
    techniques = [found for name in names if (found := _technique(name, attack)) is not None]
    tagged = {name.replace("_", "-") for name in names} & attack.tactics.keys()
    placed: dict[str, list[Technique]] = {name: [] for name in tagged}
    for technique in techniques:
        for name in sorted(tagged.intersection(technique.tactics)) or technique.tactics:
            placed.setdefault(name, []).append(technique)
    return [_entry(tactic, placed[name], attack) for name, tactic in attack.tactics.items() if name in placed]


def _technique(name: str, attack: AttackTable) -> Technique | None:
    """The current technique of that id, or the one that took a revoked one's place."""
    found = attack.techniques.get(name.upper())
    return found if found is None or found.current else attack.successor(found)


def _entry(tactic: Tactic, techniques: list[Technique], attack: AttackTable) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "framework": _FRAMEWORK,
        "tactic": {"id": tactic.id, "name": tactic.name, "reference": f"{_SITE}/tactics/{tactic.id}/"},
    }
    subtechniques: dict[str, list[Technique]] = {}
    for technique in sorted(techniques, key=lambda each: each.id):
        parent, _, number = technique.id.partition(".")
        below = subtechniques.setdefault(parent, [])
        if number and technique not in below:
            below.append(technique)
    if subtechniques:
        entry["technique"] = [_with_parts(parent, parts, attack) for parent, parts in subtechniques.items()]
    return entry


def _with_parts(parent: str, parts: list[Technique], attack: AttackTable) -> dict[str, Any]:
    known = attack.techniques.get(parent)
    technique: dict[str, Any] = _named(parent, known.name if known is not None else parent)
    if parts:
        technique["subtechnique"] = [_named(part.id, part.name) for part in parts]
    return technique


def _named(identity: str, name: str) -> dict[str, Any]:
    return {"id": identity, "name": name, "reference": f"{_SITE}/techniques/{identity.replace('.', '/')}/"}
