"""Hold without expiry

## What it does

Checks that every response action which holds, blocks, freezes, restricts, suspends, throttles or isolates has a `max_hold`.

## Why it is bad

Claims must be paid in time: prompt-payment law and interim-payment duties run on while a claim is held, and the GDPR (Article
22) wants a human behind a decision that stays. A hold that nobody lifts is a complaint to the regulator.

## Example

```yaml
# bad
insurance:
  response:
    actions:
      - {code: hold_claim, mode: auto_reversible}

# good
insurance:
  response:
    actions:
      - {code: hold_claim, mode: auto_reversible, max_hold: 4h, approver: claims_duty_officer}
```

## Fix

Give it a `max_hold` (`30m`, `4h`, `1d`) after which it ends by itself, and an approver who may prolong it.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.base import Context, finding
from insigma.checks.scope import insurance
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS408"

_HOLDS = frozenset(
    {
        "block_egress",
        "block_payment",
        "freeze_release",
        "hold_claim",
        "hold_payment_batch",
        "isolate_endpoint",
        "restrict_user",
        "step_up_auth",
        "suspend_broker_access",
        "suspend_partner_feed",
        "throttle_api_client",
        "waf_challenge",
    }
)


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each action that would last for ever."""
    actions = insurance(document, "response", "actions")
    if not context.in_pack or not isinstance(actions, list):
        return
    for index, action in enumerate(actions):
        code = action.get("code") if isinstance(action, dict) else None
        if isinstance(code, str) and code in _HOLDS and not action.get("max_hold"):
            place = document.place("insurance", "response", "actions", index, "code")
            yield finding(CODE, place, f"{code} has no max_hold, so it never ends by itself", "add one, such as 'max_hold: 4h'")
