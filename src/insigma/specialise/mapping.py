"""A target's mapping as it holds for one customer: where events are, what fields are called there, when searches run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from insigma.content.durations import duration_ms
from insigma.content.lookups import Lookup
from insigma.content.model import TargetField, TargetLogSource, TargetMapping
from insigma.content.tenants import Tenant

PLACES: Mapping[str, Mapping[str, str]] = MappingProxyType(
    {
        "elastic": MappingProxyType({"index": "index", "data_stream": "index"}),
        "splunk": MappingProxyType({"index": "index", "sourcetype": "sourcetype"}),
        "sentinel": MappingProxyType({"table": "table"}),
    }
)
"""For each target the keys of a profile's block that say where a log source is, and the setting of the mapping that they are."""
STRINGS: Mapping[str, str] = MappingProxyType({"elastic": "keyword", "splunk": "string", "sentinel": "string"})
COLUMN = "insigma_"
"""What the column of a looked-up field begins with."""


def tenant_mapping(mapping: TargetMapping, tenant: Tenant) -> TargetMapping:
    """The mapping with the customer's places, field names, delays and interval."""
    block = tenant.targets.get(mapping.target, {})
    options = {**mapping.options, **({"interval": tenant.interval} if tenant.interval else {})}
    for key in ("interval", "hops"):
        if key in block:
            options[key] = block[key]
    return replace(
        mapping,
        fields=_renamed(mapping.fields, block.get("field_overrides")),
        logsources=MappingProxyType({name: _placed(source, mapping.target, block, tenant) for name, source in mapping.logsources.items()}),
        options=MappingProxyType(options),
    )


def _renamed(fields: Mapping[str, TargetField], overrides: Any) -> Mapping[str, TargetField]:
    """The fields with those that the profile names otherwise, or stores otherwise."""
    if not isinstance(overrides, dict) or not overrides:
        return fields
    changed = dict(fields)
    for name, entry in overrides.items():
        if name not in changed:
            continue
        if isinstance(entry, str):
            old = changed[name]
            prefix = f"{old.name}."
            cased = old.cased_name
            moved = entry + cased[len(old.name) :] if cased is not None and cased.startswith(prefix) else cased
            changed[name] = replace(old, name=entry, cased_name=moved)
        elif isinstance(entry, dict):
            known = {key: entry[key] for key in ("name", "type", "case", "array") if key in entry}
            changed[name] = replace(changed[name], **known, cased_name=entry.get("cased", changed[name].cased_name))
    return MappingProxyType(changed)


def _placed(source: TargetLogSource, target: str, block: Mapping[str, Any], tenant: Tenant) -> TargetLogSource:
    settings = dict(source.settings)
    for key, setting in PLACES.get(target, {}).items():
        written = block.get(key)
        place = written.get(source.name) if isinstance(written, dict) else None
        if isinstance(place, str):
            settings[setting] = place
    feed = tenant.feeds.get(source.name)
    written = block.get("delay")
    own = duration_ms(written.get(source.name)) if isinstance(written, dict) else None
    delay = own or (feed.delay_ms if feed is not None else None) or source.delay_ms
    return TargetLogSource(source.name, MappingProxyType(settings), delay)


def with_lookups(mapping: TargetMapping, lookups: Iterable[Lookup]) -> TargetMapping:
    """The mapping with the columns that looked-up fields are made in."""
    made = {
        lookup.field: TargetField(column_of(lookup), STRINGS.get(mapping.target, "string"), "lower", lookup=lookup) for lookup in lookups
    }
    return replace(mapping, fields=MappingProxyType({**mapping.fields, **made})) if made else mapping


def column_of(lookup: Lookup) -> str:
    """The column of a looked-up field: letters, digits and underscores."""
    name = lookup.field.removeprefix("insurance.context.").removeprefix("insigma.")
    return COLUMN + "".join(char if char.isascii() and char.isalnum() else "_" for char in name)


def sliced(mapping: TargetMapping, fields: Iterable[str], logsources: Iterable[str], interval: str | None) -> TargetMapping:
    """The part of the mapping that one rule needs: what is left out of it cannot be compiled in, so equal parts give equal queries."""
    options = {**mapping.options, "interval": interval} if interval else mapping.options
    return replace(
        mapping,
        fields=MappingProxyType({name: mapping.fields[name] for name in sorted(set(fields)) if name in mapping.fields}),
        logsources=MappingProxyType({name: mapping.logsources[name] for name in sorted(set(logsources)) if name in mapping.logsources}),
        options=MappingProxyType(dict(options)),
    )


def slice_key(part: TargetMapping) -> tuple[Any, ...]:
    """Everything of a slice that a query depends on, as something that can be compared."""
    sources = tuple((name, tuple(sorted(source.settings.items())), source.delay_ms) for name, source in part.logsources.items())
    return part.target, tuple(part.fields.items()), sources, tuple(sorted((key, repr(value)) for key, value in part.options.items()))
