"""Tenant: unknown rule

## What it does

Checks that every rule that a profile names is one of the pack: in `rules.disabled`, `rules.severity_overrides`, `exceptions`,
`timespans`, `schedules.rules` and `never_relax`. A rule is named by its name or its id; an entry of `never_relax` may end with `*`,
is compared with the rule's name, and has to match one rule at least.

## Why it is bad

What is said of a rule that does not exist holds for none. The rule that was meant goes on as before: it is not protected from a
surge, keeps alerting on what was excepted, or stays on where the customer believes it to be off.

## Example

```yaml
# bad
never_relax: [ins-payment-*]
exceptions:
  - {id: EXC-2026-014, rules: [ins-med-04], where: {user.name: audit.medrev}, ...}

# good
never_relax: [ins-pay-*]
exceptions:
  - {id: EXC-2026-014, rules: [ins-med-004], where: {user.name: audit.medrev}, ...}
```

## Fix

Write the rule's name as `insigma show` and the ledger have it. Take the entry out if the rule has left the pack.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from insigma.checks.base import Context, finding
from insigma.checks.profiles import listed, profiles
from insigma.checks.scope import did_you_mean, entries, texts
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic, Place
from insigma.specialise.thresholds import covers

CODE = "INS540"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each name that no rule has, and for each pattern that matches none."""
    names = _names(context)
    labels = sorted(rule.header.label for rule in context.rules)
    for tenant in profiles(context):
        for name, place in _named(tenant.document):
            if name not in names:
                hint = did_you_mean(name, labels, "see docs/rules/ for the rules and their names")
                yield finding(CODE, place, f"the pack has no rule {shown(name)}", hint)
        for pattern, place in texts(tenant.document, "never_relax"):
            if not any(covers(pattern, name) for name in labels):
                yield finding(CODE, place, f"{shown(pattern)} matches no rule of the pack", _pattern_hint(pattern, labels))


def _names(context: Context) -> frozenset[str]:
    """Names and ids of rules, also of those that could not be built: other findings speak of them."""
    built = (name for rule in context.rules for name in (rule.header.id, rule.header.name, rule.header.label) if name is not None)
    written = (document.data.get(key) for document in context.documents for key in ("id", "name"))
    return frozenset((*built, *(name for name in written if isinstance(name, str))))


def _named(document: Document) -> Iterator[tuple[str, Place]]:
    """Every rule that the profile names, and where."""
    for part in ("disabled", "severity_overrides"):
        for key, entry in listed(document, "rules", part):
            if isinstance(entry.get("id"), str):
                yield entry["id"], document.place(*key, "id")
    for key, _ in listed(document, "exceptions"):
        yield from texts(document, *key, "rules")
    for at in (("timespans",), ("schedules", "rules")):
        yield from ((name, document.key_place(*at, name)) for name in entries(document, *at))


def _pattern_hint(pattern: str, labels: Iterable[str]) -> str:
    """The nearest name, or the nearest beginning of names for a pattern that ends with `*`."""
    otherwise = "an entry is a rule's name, or the beginning of names and `*`"
    if not pattern.endswith("*"):
        return did_you_mean(pattern, labels, otherwise)
    families = sorted({f"{label.rpartition('-')[0]}-*" for label in labels if "-" in label})
    return did_you_mean(pattern, families, otherwise)
