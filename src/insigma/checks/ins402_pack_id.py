"""Pack id

## What it does

Checks that `insurance.pack_id` and `name` are the same, that the middle part of the id is the code of `insurance.domain`
(`clm` for claims, `pay` for billing_payments, ...), and that the number has a `c` if, and only if, the rule is a correlation.

## Why it is bad

The id is how analysts, tickets, tenant profiles and the metadata bundle call the rule. Two spellings are two rules to them.

## Example

```yaml
# bad
name: ins-clm-005
insurance:
  pack_id: ins-pay-005
  domain: claims

# good
name: ins-clm-005
insurance:
  pack_id: ins-clm-005
  domain: claims
```

## Fix

Give both the same id, of the form `ins-<code>-<number>`, or `ins-<code>-c<number>` for a correlation.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from insigma.checks.base import Context, Kind, finding, kind_of
from insigma.checks.scope import insurance
from insigma.checks.wording import shown
from insigma.content.domains import DOMAIN_CODES
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic

CODE = "INS402"

_ID = re.compile(r"ins-(?P<code>[a-z]{2,3})-(?P<correlation>c?)[0-9]{2,3}")


def check_document(document: Document, context: Context) -> Iterator[Diagnostic]:
    """Yield a finding where pack_id, name, domain and kind of the rule disagree."""
    pack_id = insurance(document, "pack_id")
    if not context.in_pack or kind_of(document) is Kind.FILTER or not isinstance(pack_id, str):
        return
    place = document.place("insurance", "pack_id")
    name = document.data.get("name")
    if name != pack_id:
        at = document.place("name") if name is not None else place
        message = f"name {shown(name)} is not the pack_id {shown(pack_id)}" if name is not None else "the rule has no name"
        yield finding(CODE, at, message, f"write 'name: {pack_id}'")
    match = _ID.fullmatch(pack_id)
    if match is None:
        return  # INS401 speaks of its form
    domain = insurance(document, "domain")
    code = DOMAIN_CODES.get(domain) if isinstance(domain, str) else None
    if code is not None and code != match["code"]:
        yield finding(CODE, place, f"'{match['code']}' is not the code of domain {domain}", f"ids of {domain} begin with ins-{code}-")
    correlation = kind_of(document) is Kind.CORRELATION
    if correlation != bool(match["correlation"]):
        hint = "write the number with a c, as in c01" if correlation else "write the number without the c"
        kind = "a correlation" if correlation else "an event rule"
        yield finding(CODE, place, f"'{pack_id}' is {kind}, which its number does not say", hint)
