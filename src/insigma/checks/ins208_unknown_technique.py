"""Unknown technique

## What it does

Checks ATT&CK tags against ATT&CK v19: `attack.tNNNN` and `attack.tNNNN.NNN` must be current techniques, other names must be
tactics. Groups, software, campaigns, mitigations, assets and data sources (`attack.g0016`, `attack.s0002`, ...) are not looked up.

## Why it is bad

A revoked or invented technique has no page and no place in a matrix: the rule's coverage is counted nowhere, and a target that
validates techniques refuses the rule. ATT&CK v19 split Defense Evasion into Stealth and Defense Impairment and moved T1562.

## Example

```yaml
# bad
tags:
  - attack.defense-evasion
  - attack.t1562.001

# good
tags:
  - attack.defense-impairment
  - attack.t1685
```

## Fix

Look the technique up on attack.mitre.org; a revoked one names its successor there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean, texts
from insigma.checks.wording import shown
from insigma.content.attack import AttackTable, Technique
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS208"
PREFIX = "attack."
TECHNIQUE = re.compile(r"t[0-9]{4}(?:\.[0-9]{3})?", re.ASCII)
_NOT_LOOKED_UP = re.compile(r"(?:a|c|ds|dc|det|g|m|s)[0-9]{4}(?:\.[0-9]{3})?", re.ASCII)
_TACTIC_ID = re.compile(r"ta[0-9]{4}", re.ASCII)
_SPLIT = ("defense-evasion", "defense_evasion")


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each ATT&CK tag that names no tactic or current technique."""
    for tag, place in texts(document, "tags"):
        if tag.lower().startswith(PREFIX):
            said = _fault(tag[len(PREFIX) :].lower(), context.attack)
            if said is not None:
                yield finding(CODE, place, f"{shown(tag)} {said[0]}", said[1])


def _fault(name: str, attack: AttackTable) -> tuple[str, str] | None:
    """What is wrong with the part after the namespace, and what to do; None if nothing is."""
    if TECHNIQUE.fullmatch(name):
        technique = attack.techniques.get(name.upper())
        if technique is None:
            return "names no technique of ATT&CK v19", "look it up on attack.mitre.org"
        return None if technique.current else _outdated(technique, attack)
    if _NOT_LOOKED_UP.fullmatch(name) or name in attack.tactics:
        return None
    if name in _SPLIT:
        return (
            "is no tactic since ATT&CK v19",
            "it became 'attack.stealth' and 'attack.defense-impairment'; take the tactic of the technique",
        )
    by_id = {tactic.id.lower(): shortname for shortname, tactic in attack.tactics.items()}
    if _TACTIC_ID.fullmatch(name) and name in by_id:
        return "names a tactic by its number", f"write '{PREFIX}{by_id[name]}'"
    hint = did_you_mean(PREFIX + name, (PREFIX + tactic for tactic in attack.tactics), "tactics are " + ", ".join(attack.tactics))
    return "names no tactic or technique of ATT&CK v19", hint


def _outdated(technique: Technique, attack: AttackTable) -> tuple[str, str]:
    successor = attack.successor(technique)
    hint = (
        f"did you mean '{PREFIX}{successor.id.lower()}'?"
        if successor is not None
        else "its page on attack.mitre.org names what replaced it"
    )
    return f"({technique.name}) is {technique.status} in ATT&CK v19", hint
