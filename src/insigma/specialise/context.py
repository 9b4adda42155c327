"""Business context as a customer delivers it: with the event, from a table, or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from insigma.content.lookups import UNKNOWN, Hours, Lookup
from insigma.content.model import Pack, TaxonomyLogSource
from insigma.content.tenants import Delivery, Tenant


def flags_of(name: str, tenant: Tenant) -> tuple[str, ...]:
    """What the profile says of a flag, as far as queries depend on it."""
    source = tenant.context.get(name)
    if source is None:
        return (Delivery.INGEST.value,)
    groups = () if tenant.calendar is None else tuple(f"{group.group} {group.field}" for group in tenant.calendar.groups)
    return (source.delivery.value, source.table, source.max_age, *groups)


def contextual(
    flags: Sequence[str], logsource: TaxonomyLogSource | None, tenant: Tenant, pack: Pack
) -> tuple[dict[str, str], tuple[Lookup, ...]]:
    """For the flags of one rule: those that the customer does not have, with the word that stands for them, and those looked up.

    A flag whose table has keys that the log source does not carry can be looked up for none of its events: it is as good as absent.
    """
    words: dict[str, str] = {}
    lookups: list[Lookup] = []
    for name in flags:
        source = tenant.context.get(name)
        delivery = Delivery.INGEST if source is None else source.delivery
        lookup = lookup_of(name, tenant, pack)
        if delivery is Delivery.LOOKUP and lookup is not None and logsource is not None and set(lookup.reads) <= set(logsource.fields):
            lookups.append(lookup)
        elif delivery is not Delivery.INGEST:
            field = pack.taxonomy.fields.get(name)
            words[name] = field.null_default if field is not None and field.null_default is not None else UNKNOWN
    return words, tuple(lookups)


def lookup_of(name: str, tenant: Tenant, pack: Pack) -> Lookup | None:
    """How the customer looks the flag up; None where it is not looked up, or no table of the pack makes it."""
    source, known = tenant.context.get(name), pack.context.flags.get(name)
    if source is None or source.delivery is not Delivery.LOOKUP or known is None:
        return None
    lookup = replace(known, refresh=source.max_age or known.refresh)
    if isinstance(lookup.verdict, Hours) and tenant.calendar is not None:
        groups = tuple((group.group, group.field, group.group) for group in tenant.calendar.groups)
        lookup = replace(lookup, verdict=Hours(groups))
    return lookup
