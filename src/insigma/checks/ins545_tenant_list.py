r"""Tenant: list

## What it does

Compares the lists of a profile with those that rules use (`user.name|expand: '%claims_batch_accounts%'`). It finds

- a list that a rule uses and the profile does not give, unless the rule is disabled or the customer lacks its log source;
- a list by lookup without `values`, where a rule uses it inside a longer text or on a field with several values: no table can be asked
  for that;
- an empty inline list that a rule looks for: the rule sees nothing. A list that rules exclude may be empty;
- a list with the name of a context table: a customer keeps one table under one name;
- as a warning, a list that no rule uses (the default profile may have some), and an entry with `*` or `?`, which are no wildcards here.

## Why it is bad

A rule without its list cannot run. Of a list that nobody reads somebody believes that it watches, or excepts, something.

## Example

```yaml
# bad: the rules call it claims_batch_accounts
lists:
  claim_batch_accounts: {mode: inline, values: [svc_mi_*]}

# good
lists:
  claims_batch_accounts: {mode: inline, values: [svc_mi_claims, svc_mi_dwh]}
```

## Fix

`docs/lists.md` has every list, the field that its entries are values of, and its rules. What the customer does not have is an empty
list where rules exclude it; where rules look for it, disable them, with an owner and a day of review.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from insigma.checks.base import Context, finding
from insigma.checks.profiles import profiles, several
from insigma.checks.scope import did_you_mean, texts
from insigma.checks.wording import shown
from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import Rule
from insigma.content.predicate import And, Constant, Name, Named, Not, Or, Placeholder, Predicate
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.specialise.facts import Facts, facts_of, labels_of
from insigma.specialise.needs import feed_needs

CODE = "INS545"


@dataclass(frozen=True, slots=True)
class _User:
    """A rule that uses lists: what it reads, and the lists whose entries it looks for."""

    rule: Rule
    facts: Facts
    sought: frozenset[str]

    @property
    def label(self) -> str:
        return self.rule.header.label


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each list that is missing, cannot be used, or is of no use."""
    users = _users(context)
    names = sorted({name for user in users for name in user.facts.lists})
    labels = labels_of(context.rules)
    for tenant in profiles(context):
        yield from _given(tenant, names, context)
        off = {labels.get(name, name) for name in tenant.disabled}
        running = [user for user in users if user.label not in off and not feed_needs(user.rule, tenant, context.pack)]
        yield from _used(tenant, running)


def _users(context: Context) -> tuple[_User, ...]:
    found = []
    for rule in context.rules:
        if isinstance(rule, Rule) and (facts := facts_of(rule, context.pack)).lists:
            found.append(_User(rule, facts, frozenset(_sought(rule.predicate, negated=False))))
    return tuple(found)


def _sought(predicate: Predicate, *, negated: bool) -> Iterator[str]:
    """The lists that stand under an even number of `not`s: the rule looks for their entries."""
    match predicate:
        case And(operands) | Or(operands):
            for operand in operands:
                yield from _sought(operand, negated=negated)
        case Named(_, operand):
            yield from _sought(operand, negated=negated)
        case Not(operand):
            yield from _sought(operand, negated=not negated)
        case Constant():
            return
        case leaf:
            if not negated and isinstance(leaf.value, Placeholder):
                yield from (part.name for part in leaf.value.template if isinstance(part, Name))


def _given(tenant: Tenant, names: list[str], context: Context) -> Iterator[Diagnostic]:
    """What is wrong with a list whoever uses it."""
    document = tenant.document
    for name in tenant.all_lists:
        place = document.key_place("lists", name)
        if name in context.pack.context.tables:
            message = f"{shown(name)} is a context table of the pack: a list may not have its name"
            yield finding(CODE, place, message, "name the list as the rules do; see docs/lists.md")
        elif name not in names and tenant.id != DEFAULT_TENANT:
            fault = finding(CODE, place, f"no rule uses a list {shown(name)}", did_you_mean(name, names, "take it out"))
            yield replace(fault, severity=Severity.WARNING)
        for value, at in texts(document, "lists", name, "values"):
            if "*" in value or "?" in value:
                fault = finding(CODE, at, f"{shown(value)} holds a wildcard, which is none in a list", "write every entry out")
                yield replace(fault, severity=Severity.WARNING)


def _used(tenant: Tenant, running: list[_User]) -> Iterator[Diagnostic]:
    """What is wrong with a list for the rules that run."""
    by_list: Mapping[str, list[_User]] = {name: [] for user in running for name in user.facts.lists}
    for user in running:
        for name in user.facts.lists:
            by_list[name].append(user)
    document = tenant.document
    for name, users in sorted(by_list.items()):
        entry = tenant.all_lists.get(name)
        labels = [user.label for user in users]
        if entry is None:
            if name not in _written(tenant) and tenant.id != DEFAULT_TENANT:  # of the default profile INS508 tells
                message = f"{several(labels)} {_use(labels)} list {shown(name)}, which is not given"
                yield finding(CODE, document.key_place("lists"), message, _how_to_give(name, users), labels[0])
            continue
        patterned = [user.label for user in users if name in user.facts.patterned]
        if entry.values is None and patterned:
            message = f"{several(patterned)} {_use(patterned)} {shown(name)} inside a longer text, for which no table can be asked"
            yield finding(CODE, document.key_place("lists", name), message, "give its values too: values: [...]", patterned[0])
        sought = [user.label for user in users if name in user.sought]
        if entry.values == () and not entry.lookup and sought:
            message = f"{several(sought)} {_look(sought)} for entries of {shown(name)}, and it is empty"
            hint = "fill the list, or disable the rule with an owner and a day of review"
            yield finding(CODE, document.place("lists", name, "values"), message, hint, sought[0])


def _written(tenant: Tenant) -> Mapping[str, object]:
    """The lists that stand in the profile, also those that could not be read: the schema tells of them."""
    written = tenant.document.data.get("lists")
    return written if isinstance(written, dict) else {}


def _how_to_give(name: str, users: list[_User]) -> str:
    if any(name in user.sought for user in users):
        return "give it, or disable what looks for it: docs/lists.md has what its entries are"
    return "give it; it may be empty, as rules only exclude what stands in it: docs/lists.md has what its entries are"


def _use(labels: list[str]) -> str:
    return "uses" if len(labels) == 1 else "use"


def _look(labels: list[str]) -> str:
    return "looks" if len(labels) == 1 else "look"
