"""Adapter: account number

## What it does

Checks that a field for hashed account numbers (its name ends in `account_hash`) is hashed by the adapter.

## Why it is bad

An account number that reaches the SIEM in clear is personal and payment data in a place where nobody expects it, and it can be used.
A plain hash is no better, as all account numbers of a bank can be tried; only a keyed one hides them. And hashes are compared between
feeds, which works only if all are made alike.

## Example

```yaml
# bad
insurance.payment.payee.account_hash: payee.bankAccount.iban

# good
insurance.payment.payee.account_hash: {from: payee.bankAccount.iban, hash: account}
```

## Fix

Add `hash: account`. The key is given to the run (environment variable or file), never written into the pack.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.checks.adapters import bindings
from insigma.checks.base import Context, finding
from insigma.content.products import HashForm
from insigma.diagnostics.model import Diagnostic

CODE = "INS528"
_SUFFIX = "account_hash"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each account number that is not hashed, or not as all others are."""
    for found in bindings(context):
        for bound in found.binding.fields:
            if bound.name.endswith(_SUFFIX) and bound.hash is not HashForm.ACCOUNT:
                place = found.place("fields", bound.name)
                yield finding(CODE, place, f"{bound.name} is not hashed as an account number", "add 'hash: account'")
