r"""Unknown list

## What it does

Checks that every placeholder (`%name%` under the modifier `expand`) has a list in the default tenant profile,
`mappings/tenants/default.yml`.

## Why it is bad

A placeholder without a list cannot be filled, so the rule cannot be compiled. What is built from the default profile is what
every customer starts from.

## Example

```yaml
# bad: the profile calls the list claims_batch_accounts
detection:
  filter_main_batch:
    user.name|expand: '%batch_accounts%'

# good
detection:
  filter_main_batch:
    user.name|expand: '%claims_batch_accounts%'
```

## Fix

Name a list of the profile, or add the list there with an owner and a few plausible values.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import did_you_mean
from insigma.checks.walk import detection_items
from insigma.checks.wording import shown
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS508"

_DEFAULT = "default"
_PLACEHOLDER = re.compile(r"(?<!\\)%(\w+)%")


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each placeholder whose list is not in the default profile."""
    if not context.in_pack:
        return
    lists = _lists(context)
    for item in detection_items(document):
        if "expand" not in item.modifiers or not isinstance(item.value, str):
            continue
        for name in _PLACEHOLDER.findall(item.value):
            if name not in lists:
                place = document.place(*item.value_path)
                yield finding(CODE, place, f"no list {shown(name)} in the default profile", did_you_mean(name, lists, "add it there"))


def _lists(context: Context) -> frozenset[str]:
    """The lists of the default profile; of all profiles where there is no default one."""
    tenants = context.pack.tenants
    profiles = [tenants[_DEFAULT]] if _DEFAULT in tenants else list(tenants.values())
    return frozenset(name for profile in profiles for name in profile.lists)
