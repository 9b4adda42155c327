"""Tenant: exception

## What it does

Checks the exceptions of a profile.

- None has expired: an exception holds up to and including the day `expires`. `insigma check --at DAY` asks for another day than today.
- None runs longer than its `max_days`, counted from `granted`, or from today where that is missing. It was granted before today.
- Whoever approved it is not who asked for it (`approved_by`, `owner`).
- No two have one id.
- `where` names fields of the taxonomy that the rules' log sources carry, with values that those fields can have. What cannot be read as
  a Sigma selection is told with the code that it would have in a rule (INS102, INS103, INS107, ...).

## Why it is bad

An exception is a hole in a detection that somebody has agreed to, for a time. One that never ends, or that nobody but its author has seen,
is how an insider stays unseen. One on a field that the events do not carry excepts nothing: the alerts go on, and the next exception
is wider.

## Example

```yaml
# bad
exceptions:
  - id: EXC-2026-014
    rules: [ins-med-004]
    where: {user.nmae: audit.medrev}
    reason: medical audit 2026
    owner: claims.compliance
    approved_by: claims.compliance
    granted: 2026-06-01
    expires: 2027-12-31
    max_days: 180

# good
exceptions:
  - id: EXC-2026-014
    rules: [ins-med-004]
    where: {user.name: audit.medrev}
    reason: medical audit 2026
    owner: claims.compliance
    approved_by: dpo
    granted: 2026-07-05
    expires: 2026-12-31
    max_days: 180
```

## Fix

Decide again: take the exception out, or have it approved anew, with a new `granted` and `expires`. What is needed for good belongs into the
rule or into a list that the rule excludes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

from insigma.checks.base import Context, finding
from insigma.checks.profiles import bases, civil, listed, named_rule, profiles, rules_by_name, several, unreal_days
from insigma.checks.scope import did_you_mean, dig, texts
from insigma.checks.vocabulary import means_a_word, words_of
from insigma.checks.walk import Item, detection_entries, detection_items
from insigma.checks.wording import one_of, shown
from insigma.content.model import AnyRule, TaxonomyLogSource
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic
from insigma.specialise.exemptions import exemption_predicate

CODE = "INS548"


def check_pack(context: Context) -> Iterator[Diagnostic]:
    """Yield a finding for each exception that has ended, is too long, has one pair of eyes, or excepts nothing."""
    names = rules_by_name(context)
    for tenant in profiles(context):
        document = tenant.document
        seen: dict[str, int] = {}
        for key, entry in listed(document, "exceptions"):
            name, place = entry.get("id"), document.place(*key, "id")
            if isinstance(name, str) and name in seen:
                message = f"an exception {shown(name)} stands here and on line {seen[name]}"
                yield finding(CODE, place, message, "give each an id of its own")
            elif isinstance(name, str):
                seen[name] = place.line
            yield from _days(document, key, civil(context.day))
            yield from _eyes(document, key)
            rules = [rule for written, _ in texts(document, *key, "rules") if (rule := named_rule(names, written)) is not None]
            yield from _where(document, key, rules, context)
        for index in range(len(tenant.exemptions)):
            yield from exemption_predicate(tenant, index)[1]


def _days(document: Document, key: Key, today: date | None) -> Iterator[Diagnostic]:
    for written, place in unreal_days(document, key, "granted", "expires"):
        yield finding(CODE, place, f"there is no {written}", "write a day of the calendar")
    granted, expires = (civil(dig(document, *key, part)) for part in ("granted", "expires"))
    name, place = _name(document, key), document.place(*key, "expires")
    if granted is not None and today is not None and granted > today:
        message = f"{name} is granted on {granted}, which is yet to come, and would hold already"
        yield finding(CODE, document.place(*key, "granted"), message, "add the exception on the day on which it is granted")
    if expires is None:
        return
    if today is not None and expires < today:
        yield finding(CODE, place, f"{name} expired on {expires}", "take it out, or have it approved anew")
    elif granted is not None and expires < granted:
        yield finding(CODE, place, f"{name} expires on {expires}, before it is granted", "exchange the days")
    else:
        yield from _length(document, key, granted, today, expires)


def _length(document: Document, key: Key, granted: date | None, today: date | None, expires: date) -> Iterator[Diagnostic]:
    """A finding where an exception runs longer than it says that it may."""
    since, most = granted or today, dig(document, *key, "max_days")
    if since is None or type(most) is not int or not 0 < most < (expires - since).days:
        return
    message = f"{_name(document, key)} runs {(expires - since).days} days from {since} on, and {most} are the most (max_days)"
    hint = f"let it expire on {since + timedelta(days=most)} at the latest"
    yield finding(CODE, document.place(*key, "expires"), message, hint if granted is not None else f"{hint}, or say when it was granted")


def _name(document: Document, key: Key) -> str:
    name = dig(document, *key, "id")
    return name if isinstance(name, str) and name.isascii() and name.isprintable() else "the exception"


def _eyes(document: Document, key: Key) -> Iterator[Diagnostic]:
    owner, approver = (dig(document, *key, part) for part in ("owner", "approved_by"))
    if isinstance(owner, str) and isinstance(approver, str) and owner.split() and _same_person(owner, approver):
        message = f"{_name(document, key)} is approved by its owner"
        yield finding(CODE, document.place(*key, "approved_by"), message, "have somebody else approve it")


def _same_person(left: str, right: str) -> bool:
    return left.casefold().split() == right.casefold().split()


def _where(document: Document, key: Key, rules: list[AnyRule], context: Context) -> Iterator[Diagnostic]:
    """Findings for fields that no event of the rules has, and for values that a field never has."""
    written, taxonomy = dig(document, *key, "where"), context.pack.taxonomy
    walked = replace(document, data={"filter": {"selection": written}})
    sources = {rule.header.label: _sources(rule, context) for rule in rules}
    for entry in detection_entries(walked):
        place = document.key_place(*key, "where", *entry.path[2:])
        if entry.field is None:
            continue
        if entry.field not in taxonomy.fields:
            hint = did_you_mean(entry.field, taxonomy.fields, "see mappings/taxonomy/fields.yml")
            yield finding(CODE, place, f"the taxonomy has no field {shown(entry.field)}", hint)
        elif blind := [label for label, found in sources.items() if found and not any(entry.field in source.fields for source in found)]:
            read = several([source.name for source in sources[blind[0]]])
            message = f"{entry.field} is not among the fields of {read}: nothing is excepted from {several(blind)}"
            yield finding(CODE, place, message, "name a field that the events have: mappings/taxonomy/logsources.yml", blind[0])
        elif "expand" in entry.modifiers:
            message = "an exception cannot name a list: its values stand in it, for those who approve it"
            yield finding(CODE, place, message, "write the values out")
    for item in detection_items(walked):
        yield from _value(document, key, item, [source for found in sources.values() for source in found], context)


def _value(document: Document, key: Key, item: Item, sources: list[TaxonomyLogSource], context: Context) -> Iterator[Diagnostic]:
    """A finding for a value that is none of a field's closed ones, in none of the log sources that carry it."""
    field = context.pack.taxonomy.fields.get(item.field) if item.field is not None else None
    carriers = [source for source in sources if field is not None and field.name in source.fields]
    if field is None or not carriers:
        return
    closed = [words for source in carriers if (words := words_of(field, source)) is not None]
    if len(closed) == len(carriers) and not any(means_a_word(item, words) for words in closed):
        known = tuple(dict.fromkeys(word for words in closed for word in words))
        place = document.place(*key, "where", *item.value_path[2:])
        message = f"{field.name} is never {shown(item.value)}: nothing is excepted"
        yield finding(CODE, place, message, did_you_mean(str(item.value), known, one_of(known)))


def _sources(rule: AnyRule, context: Context) -> list[TaxonomyLogSource]:
    """The log sources of the rule's events."""
    found = (context.pack.taxonomy.find(base.logsource) for base in bases(rule))
    return list({source.name: source for source in found if source is not None}.values())
