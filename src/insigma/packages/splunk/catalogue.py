"""The rules of an app as a lookup table, by which its dashboard names what alerts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from insigma.packages.base import PackContext, Packed, Table
from insigma.packages.splunk import conf
from insigma.packages.splunk.savedsearches import name_of, scheduled

RULES = "insigma_rules"
"""The table's name."""
_COLUMNS = ("saved_search", "rule", "version", "domain", "role", "level", "state", "triage", "contain", "awareness")


def state_of(entry: Packed) -> str:
    """Whether the rule's search runs, and why not: `on`, `off`, or `building block`, of correlations."""
    if entry.header.insurance.get("role") == "base":
        return "building block"
    return "on" if scheduled(entry.header, enabled=entry.enabled) else "off"


def catalogue(packed: Sequence[Packed], context: PackContext) -> Table:
    """One row a rule, keyed by the name of its saved search. Raises `Refused` for a title that is none."""
    rows = tuple(sorted(_row(entry, context) for entry in packed))
    columns = tuple((name, "number" if name == "version" else "string") for name in _COLUMNS)
    return Table(RULES, ("saved_search",), columns, rows, description="The rules of this app, for its dashboard")


def _row(entry: Packed, context: PackContext) -> tuple[str, ...]:
    header = entry.header
    insurance = header.insurance
    response = insurance.get("response")
    sla = response.get("sla") if isinstance(response, Mapping) else None
    regulatory = insurance.get("regulatory")
    awareness = regulatory.get("awareness") if isinstance(regulatory, Mapping) else None
    times = {name: sla.get(name) if isinstance(sla, Mapping) else None for name in ("triage", "contain")}
    facts = (
        name_of(header.title),
        header.label,
        str(context.version_of(header)),
        insurance.get("domain"),
        insurance.get("role"),
        header.level,
        state_of(entry),
        times["triage"],
        times["contain"],
        awareness,
    )
    return tuple(conf.line(str(fact)) if fact else "" for fact in facts)
