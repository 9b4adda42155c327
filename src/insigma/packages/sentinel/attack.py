"""ATT&CK as Sentinel knows it: version 13, as the page "Understand security coverage by the MITRE ATT&CK framework" says.

The pack is tagged in v19. An alert rule with a technique that Sentinel does not know is turned away, and so is one without
a tactic of that technique: "No valid tactic corresponding to the technique T1659 was provided" (Azure-Sentinel repository,
pull request 10874). So tactics go by their names of then, a technique by the number that it had, and what came later is left
out here; the rule's description names every tag. The differences are those of MITRE's release notes ("Updates", v14 to v19).
"""

from __future__ import annotations

from dataclasses import dataclass

from insigma.content.attack import AttackTable

LAST_TECHNIQUE = 1652
"""The last technique of v13, Device Driver Discovery. Numbers are given in the order in which techniques are made."""

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

_TACTICS_THEN = {
    "T1098": ("Persistence",),
    "T1112": ("DefenseEvasion",),
    "T1127": ("DefenseEvasion",),
    "T1197": ("DefenseEvasion", "Persistence"),
    "T1548": ("DefenseEvasion", "PrivilegeEscalation"),
    "T1550": ("DefenseEvasion", "LateralMovement"),
    "T1574": ("DefenseEvasion", "Persistence", "PrivilegeEscalation"),
    "T1610": ("DefenseEvasion", "Execution"),
}
"""The tactics of techniques that have other ones since."""

_LATER = {
    "T1016": "002",
    "T1021": "008",
    "T1027": "012 013 014 015 016 017 018",
    "T1036": "009 010 011 012",
    "T1059": "010 011 012 013",
    "T1070": "010",
    "T1071": "005",
    "T1098": "006 007",
    "T1127": "002 003",
    "T1176": "001 002",
    "T1204": "004 005",
    "T1213": "004 005 006",
    "T1216": "002",
    "T1218": "015",
    "T1219": "001 002 003",
    "T1480": "002",
    "T1485": "001",
    "T1496": "001 002 003 004",
    "T1505": "006",
    "T1518": "002",
    "T1543": "005",
    "T1546": "017 018",
    "T1548": "005 006",
    "T1555": "006",
    "T1556": "009",
    "T1557": "004",
    "T1558": "005",
    "T1562": "012 013",
    "T1564": "011 012 013 014",
    "T1566": "004",
    "T1567": "004",
    "T1569": "003",
    "T1574": "014",
    "T1578": "005",
    "T1584": "008",
    "T1588": "007",
    "T1598": "004",
}
"""Sub-techniques that older techniques were given since."""


@dataclass(frozen=True, slots=True)
class Mitre:
    """Tactics in Sentinel's words, techniques as T####, sub-techniques as T####.###."""

    tactics: tuple[str, ...]
    techniques: tuple[str, ...]
    sub_techniques: tuple[str, ...]


def mitre(tags: tuple[str, ...], attack: AttackTable) -> Mitre:
    """What of a rule's tags Sentinel takes. Every technique given has one of the tactics given."""
    names = [tag.removeprefix("attack.").replace("_", "-") for tag in tags if tag.startswith("attack.")]
    tactics = dict.fromkeys(_TACTICS[name] for name in names if name in _TACTICS)
    techniques: dict[str, None] = {}
    sub_techniques: dict[str, None] = {}
    for name in names:
        known = _then(name.upper(), attack) if name.upper() in attack.techniques else ""
        technique, _, part = known.partition(".")
        if technique and not tactics.keys().isdisjoint(_tactics_then(technique, attack)):
            techniques[technique] = None
            if part and part not in _LATER.get(technique, "").split():
                sub_techniques[known] = None
    return Mitre(tuple(tactics), tuple(techniques), tuple(sub_techniques))


def _then(technique: str, attack: AttackTable) -> str:
    """The technique's number in v13: its own, or that of the revoked one of the same name; "" where there was none."""
    if _number(technique) <= LAST_TECHNIQUE:
        return technique
    name = attack.techniques[technique].name
    before = [old.id for old in attack.techniques.values() if old.name == name and not old.current and _number(old.id) <= LAST_TECHNIQUE]
    if before:
        return before[0]
    parent = technique.partition(".")[0]
    return "" if parent == technique else _then(parent, attack)


def _tactics_then(technique: str, attack: AttackTable) -> tuple[str, ...]:
    known = attack.techniques.get(technique)
    today = tuple(_TACTICS[name] for name in known.tactics if name in _TACTICS) if known is not None else ()
    return _TACTICS_THEN.get(technique, today)


def _number(technique: str) -> int:
    return int(technique[1:5])
