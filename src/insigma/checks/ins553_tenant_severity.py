"""Tenant: severity

## What it does

Checks each entry of a profile's `rules.severity_overrides`: its level is not the rule's own, the rule alerts, and no rule has two
entries. A base rule alerts nobody, whatever its level; a signal may become less severe, not more.

## Why it is bad

An override that changes nothing hides that somebody wanted a change, and turns into one on the day on which the pack changes the rule's
level. Raising a signal makes a queue of what was meant to be seen only together with something else.

## Example

```yaml
# bad: ins-brk-001 is medium already; ins-clm-001 is a base rule
rules:
  severity_overrides:
    - {id: ins-brk-001, level: medium, reason: mTLS only programme}
    - {id: ins-clm-001, level: high, reason: we want to see these}

# good
rules:
  severity_overrides:
    - {id: ins-brk-001, level: high, reason: mTLS only programme}
```

## Fix

Take the entry out. To hear of a base rule sooner, lower a threshold of the correlations on it.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.profiles import listed, named_rule, profiles, rules_by_name
from insigma.checks.wording import shown
from insigma.content.model import AnyRule
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic
from insigma.specialise.tenant import LEVELS

CODE = "INS553"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each override that does nothing or makes an alert of what is none."""
    names = rules_by_name(context)
    for tenant in profiles(context):
        seen: dict[str, int] = {}
        for key, entry in listed(tenant.document, "rules", "severity_overrides"):
            rule, place = named_rule(names, entry.get("id")), tenant.document.place(*key, "id")
            if rule is None:
                continue
            label = rule.header.label
            if label in seen:
                message = f"{label} has a severity here and on line {seen[label]}"
                yield finding(CODE, place, message, "keep one of them; the last would hold", label)
            else:
                seen[label] = place.line
                yield from _level(tenant.document, key, entry.get("level"), rule)


def _level(document: Document, key: Key, level: object, rule: AnyRule) -> Iterator[Diagnostic]:
    label, own, role = rule.header.label, rule.header.level, rule.header.insurance.get("role")
    if not isinstance(level, str) or level not in LEVELS:  # the schema tells
        return
    place = document.place(*key, "level")
    if role == "base":
        message = f"{label} is a base rule: it alerts nobody, whatever its severity"
        yield finding(CODE, place, message, "change the correlations on it instead", label)
    elif level == own:
        yield finding(CODE, place, f"{label} is {shown(own)} already", "take the entry out", label)
    elif role == "signal" and own in LEVELS and LEVELS.index(level) > LEVELS.index(own):
        message = f"{label} is a signal, meant to be seen with others: {own} is as severe as it gets"
        yield finding(CODE, place, message, "change the correlations on it instead", label)
