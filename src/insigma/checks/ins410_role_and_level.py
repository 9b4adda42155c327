"""Role and level

## What it does

Checks that a rule's role and the rest of it agree:

- `base` rules have level `informational` or `low` and no response but `none`;
- `signal` rules have at most level `medium` and no response but `none`;
- `alert` rules have at least level `medium` and at least one response that is not `none`.

## Why it is bad

The role decides what the targets build: a base rule is never enabled by itself, an alert wakes somebody. A critical base rule
looks like protection and alerts nobody; an informational alert fills the queue.

## Example

```yaml
# bad
level: high
insurance:
  role: base

# good
level: low
insurance:
  role: base
```

## Fix

Mend whichever of the two is wrong. A rule that should alert only together with others is a base rule with a correlation on top.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import MappingProxyType

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import insurance
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS410"

_LEVELS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "base": ("informational", "low"),
        "signal": ("informational", "low", "medium"),
        "alert": ("medium", "high", "critical"),
    }
)
_ALL_LEVELS = frozenset(level for levels in _LEVELS.values() for level in levels)


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding where level or response do not fit the role."""
    role = insurance(document, "role")
    if not context.in_pack or kind_of(document) is Kind.FILTER or not isinstance(role, str) or role not in _LEVELS:
        return
    level = document.data.get("level")
    if isinstance(level, str) and level in _ALL_LEVELS and level not in _LEVELS[role]:
        message = f"role {role} does not go with level {level}"
        yield finding(CODE, document.place("level"), message, f"level {' or '.join(_LEVELS[role])}, or another role")
    yield from _responses(document, role)


def _responses(document: Document, role: str) -> Iterator[Diagnostic]:
    actions = insurance(document, "response", "actions")
    if not isinstance(actions, list):
        return
    codes = [action.get("code") if isinstance(action, dict) else None for action in actions]
    real = [index for index, code in enumerate(codes) if isinstance(code, str) and code != "none"]
    if role == "alert" and not real:
        place = document.key_place("insurance", "response", "actions")
        yield finding(CODE, place, "an alert that nobody answers: its only response is none", "name an action, at least ticket_l1")
    if role != "alert" and real:
        place = document.place("insurance", "response", "actions", real[0], "code")
        message = f"role {role} alerts nobody, yet it answers with {shown(codes[real[0]])}"
        yield finding(CODE, place, message, "write {code: none, mode: none}, or role alert")
