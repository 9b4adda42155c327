"""What a customer's feeds lack for a rule: log sources, fields, and group-by fields that are filled too rarely."""

from __future__ import annotations

import math

from insigma.content.model import AnyRule, Correlation, Pack, Rule
from insigma.content.tenants import Feed, Tenant

LEAST_FILL = 0.95
"""How often a field has to be filled for events to be grouped or counted by it."""


def share(part: float) -> str:
    """A share as a percentage, cut off: what is short of a round number is not shown as if it reached it."""
    return f"{math.floor(part * 1000 + 1e-9) / 10:g} %"


def feed_needs(rule: AnyRule, tenant: Tenant, pack: Pack) -> tuple[str, ...]:
    """What the customer would have to deliver so that the rule can work; nothing where it can."""
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    needs: dict[str, None] = {}
    for base in bases:
        source = pack.taxonomy.find(base.logsource)
        feed = tenant.feeds.get(source.name) if source is not None else None
        if feed is not None and feed.absent:
            needs[f"deliver log source {feed.logsource}" + (f" (absent: {feed.because})" if feed.because else "")] = None
    if not needs and isinstance(rule, Correlation):
        needs.update(dict.fromkeys(_grouping_needs(rule, tenant, pack)))
    return tuple(needs)


def _grouping_needs(rule: Correlation, tenant: Tenant, pack: Pack) -> list[str]:
    found = []
    for position, member in enumerate(rule.members):
        source = pack.taxonomy.find(member.logsource) if isinstance(member, Rule) else None
        feed = tenant.feeds.get(source.name) if source is not None else None
        if feed is None:
            continue
        for name in (*rule.group_by, *rule.condition.fields):
            field = rule.field_of(name, position)
            if (need := _field_need(field, feed)) is not None:
                found.append(need)
    return found


def _field_need(field: str, feed: Feed) -> str | None:
    if field in feed.lacks:
        return f"deliver {field} in {feed.logsource}: events are grouped or counted by it"
    fill = feed.fill.get(field)
    if fill is not None and fill < LEAST_FILL:
        return f"fill {field} in {feed.logsource}: {share(fill)} of events have it, {share(LEAST_FILL)} are needed to group or count by it"
    return None
