"""What ingest does to an event before it is stored: its log source, defaults for what is absent, an `_id` of its own.

`insigma-insurance` runs as the final pipeline of every index, so that no request can name another in its place; it calls
`insigma-event-id`. Nothing is dropped: what fails is told in `error.message`, and the event is kept.
Case is left to the normalizer of the fields (template.py).

Sources: "Ingest pipelines" (conditions, handling failures, metadata fields), "Index modules" (`index.final_pipeline`), and the
processors set, append, lowercase, dot_expander, fingerprint and pipeline of the Elasticsearch 8.18 reference; ECS on
`error.message` and `event.ingested`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from insigma.content.model import TargetMapping, Taxonomy
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.targets.elastic.quoting import index_patterns

INSURANCE_PIPELINE = "insigma-insurance"
EVENT_ID_PIPELINE = "insigma-event-id"

_IDENTITY = ("organization.id", LOGSOURCE_FIELD, "event.dataset", "event.id")
_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_FAILURE = "{{{_ingest.on_failure_processor_type}}} ({{{_ingest.on_failure_processor_tag}}}): {{{_ingest.on_failure_message}}}"


def patterns_of(mapping: TargetMapping) -> Mapping[str, tuple[str, ...]]:
    """The index patterns of each log source that has any. Raises `Refused` for what is none."""
    settings = {name: source.settings.get("index") for name, source in mapping.logsources.items()}
    return {name: index_patterns(setting) for name, setting in settings.items() if setting}


def event_id_pipeline(mapping: TargetMapping) -> dict[str, Any]:
    """The ingest pipeline `insigma-event-id`: an event that comes twice gets the same `_id`, so that it is stored once."""
    fields = [mapping.fields[name].name for name in _IDENTITY if name in mapping.fields]
    processor = {
        "fields": fields,
        "if": "ctx.event?.id != null && ctx.event.id != ''",
        "ignore_missing": True,
        "method": "SHA-256",
        "target_field": "_id",
    }
    return {
        "description": "Stores an event that comes twice once: its document id is made of organization, log source, dataset and event id",
        "processors": [{"fingerprint": processor}],
    }


def insurance_pipeline(mapping: TargetMapping, taxonomy: Taxonomy | None = None) -> dict[str, Any]:
    """The ingest pipeline `insigma-insurance`. Without a taxonomy there are no defaults to write.

    Raises `Refused` for an index pattern that is none.
    """
    named = {"pipeline": {"name": EVENT_ID_PIPELINE, "tag": EVENT_ID_PIPELINE}}
    return {
        "description": "Names the log source of an event by where it is stored, writes what the taxonomy says for absent fields, "
        "and makes the document id",
        "on_failure": [_told(f"{INSURANCE_PIPELINE}: {_FAILURE}"), {"pipeline": {**named["pipeline"], "ignore_failure": True}}],
        "processors": [
            {"dot_expander": {"field": "*", "tag": "dotted names"}},
            {"set": {"field": "event.ingested", "override": False, "tag": "time of ingest", "value": "{{{_ingest.timestamp}}}"}},
            *_logsources(mapping),
            *(_defaults(mapping, taxonomy) if taxonomy is not None else ()),
            named,
        ],
    }


def _logsources(mapping: TargetMapping) -> list[dict[str, Any]]:
    """Processors that name the log source of an event that does not, where its index is of one log source only."""
    field = mapping.fields.get(LOGSOURCE_FIELD)
    if field is None:
        return []
    named = [_set(field.name, name, condition, f"log source {name}") for name, condition in _stored_where(mapping).items()]
    absent = f"{_path(field.name)} == null"
    untold = _told(f"{INSURANCE_PIPELINE}: the event names no log source ({field.name}), and its index does not tell: no rule reads it")
    return [
        {"lowercase": {"field": field.name, "ignore_missing": True, "tag": "case of the log source"}},
        *named,
        {"append": {**untold["append"], "if": absent, "tag": "no log source"}},
    ]


def _stored_where(mapping: TargetMapping) -> Mapping[str, str]:
    """For each log source whose indices begin as no other's do: the condition that an event goes to one of them."""
    patterns = {name: [pattern for pattern in own if ":" not in pattern] for name, own in patterns_of(mapping).items()}
    found: dict[str, str] = {}
    for name, own in patterns.items():
        others = [pattern for other, theirs in patterns.items() if other != name for pattern in theirs]
        apart = own and not any(_may_share(one, other) for one in own for other in others)
        if apart and all("*" not in pattern.removesuffix("*") for pattern in own):
            found[name] = " || ".join(_goes_to(pattern) for pattern in own)
    return found


def _may_share(one: str, other: str) -> bool:
    """Whether an index could be of both patterns, told by what stands before their first `*`."""
    heads = sorted((one.partition("*")[0], other.partition("*")[0]), key=len)
    return heads[1].startswith(heads[0])


def _goes_to(pattern: str) -> str:
    if pattern.endswith("*"):
        return f"ctx._index.startsWith({_quoted(pattern.removesuffix('*'))})"
    return f"ctx._index == {_quoted(pattern)}"


def _defaults(mapping: TargetMapping, taxonomy: Taxonomy) -> list[dict[str, Any]]:
    """Processors that write each field's null default, for events of the log sources that have the field."""
    logsource = mapping.fields.get(LOGSOURCE_FIELD)
    if logsource is None:
        return []
    found = []
    for name, known in sorted(taxonomy.fields.items()):
        stored = mapping.fields.get(name)
        sources = sorted(
            source.name for source in taxonomy.logsources.values() if name in source.fields and source.name in mapping.logsources
        )
        if known.null_default is None or stored is None or stored.lookup is not None or not sources:
            continue
        condition = f"[{', '.join(map(_quoted, sources))}].contains({_path(logsource.name)})"
        found.append(_set(stored.name, known.null_default, condition, f"default of {name}"))
    return found


def _set(field: str, value: str, condition: str, tag: str) -> dict[str, Any]:
    """A processor that writes the value where the field is absent or null."""
    return {"set": {"field": field, "if": condition, "override": False, "tag": tag, "value": value}}


def _told(message: str) -> dict[str, Any]:
    return {"append": {"allow_duplicates": False, "field": "error.message", "value": message}}


def _path(name: str) -> str:
    """The field in a condition, null where any part of it is absent."""
    first, *rest = name.split(".")
    path = f"ctx.{first}" if _PLAIN.fullmatch(first) else f"ctx[{_quoted(first)}]"
    return path + "".join(f"?.{part}" if _PLAIN.fullmatch(part) else f"?.get({_quoted(part)})" for part in rest)


def _quoted(text: str) -> str:
    """A string of Painless ("Painless literals")."""
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"
