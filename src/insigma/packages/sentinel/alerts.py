"""What an alert shows and how alerts become incidents: entities, custom details, grouping.

All of it names columns of the query's result, so those are read off the query: its last line, which projects them.

Limits: ten entity mappings and twenty custom details a rule (Service limits for Microsoft Sentinel), three identifiers an entity
(Microsoft Sentinel entity types reference), names of details and columns as in the template model of the Azure-Sentinel
repository (QueryBasedTemplateInternalModel).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from insigma.content.model import Header, TargetMapping
from insigma.packages.sentinel.durations import duration
from insigma.targets.base import Detection

MOST_ENTITIES = 10
MOST_DETAILS = 20
LONGEST_KEY = 20

_FULL_NAME = frozenset({"User"})
"""Account fields whose values name a domain; the others hold the login alone."""
_ACCOUNTS = ("actor", "target_user")
_NESTING = re.compile(r"""["'(\[]""")
_TOKEN = re.compile(r""""(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|[()\[\],]""")
_COLUMN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*", re.ASCII)
_OF_CORRELATIONS = {"InsFirst": "FirstSeen", "InsLast": "LastSeen", "InsValue": "Value"}
_ALWAYS_TOLD = ("event.action", "event.outcome")
_SHORTEST_GROUPING_MS = 5 * 3_600_000
_LONGEST_GROUPING_MS = 7 * 86_400_000


def result_columns(detection: Detection) -> tuple[str, ...]:
    """The columns that the query's last line projects; none where it does not project.

    Names in brackets (`['a b']`) are left out: alerts take only letters, digits and underscores.
    """
    saved = {f"{companion.name}()": companion.query for companion in detection.companions if companion.kind == "function"}
    last = saved.get(detection.query, detection.query).rsplit("\n", 1)[-1]
    if not last.startswith("| project "):
        return ()
    names = (part.partition(" = ")[0] for part in _parts(last.removeprefix("| project ")))
    return tuple(name for name in names if _COLUMN.fullmatch(name))


def _parts(expressions: str) -> list[str]:
    """Expressions between commas; a comma within parentheses, brackets or quotes divides nothing."""
    if not _NESTING.search(expressions):
        return expressions.split(", ")
    parts, depth, start = [], 0, 0
    for found in _TOKEN.finditer(expressions):
        match found[0]:
            case "(" | "[":
                depth += 1
            case ")" | "]":
                depth -= 1
            case "," if not depth:
                parts.append(expressions[start : found.start()])
                start = found.end()
    return [part.strip() for part in (*parts, expressions[start:])]


def _stored(canonical: object, columns: tuple[str, ...], mapping: TargetMapping) -> str:
    """The column of a canonical field if the result has it, as one value; else ""."""
    field = mapping.fields.get(canonical) if isinstance(canonical, str) else None
    return field.name if field is not None and field.name in columns and not field.array else ""


def _entities(header: Header) -> Mapping[str, Any]:
    evidence = header.insurance.get("evidence")
    entities = evidence.get("entities") if isinstance(evidence, Mapping) else None
    return entities if isinstance(entities, Mapping) else {}


def entity_mappings(header: Header, columns: tuple[str, ...], mapping: TargetMapping) -> list[dict[str, Any]]:
    """The accounts, hosts and addresses of the rule that the result names, each column once.

    Other roles (claims, policies, payees, devices known by a fingerprint) are no entities to Sentinel: see `custom_details`.
    """
    entities = _entities(header)
    found: dict[tuple[str, str], str] = {}
    for role in _ACCOUNTS:
        if column := _stored(entities.get(role), columns, mapping):
            found.setdefault(("Account", column), "FullName" if entities[role] in _FULL_NAME else "Name")
    if column := _stored(entities.get("host"), columns, mapping):
        found.setdefault(("Host", column), "FullName")
    if column := _stored("source.ip", columns, mapping):
        found.setdefault(("IP", column), "Address")
    mapped = [
        {"entityType": kind, "fieldMappings": [{"identifier": identifier, "columnName": column}]}
        for (kind, column), identifier in found.items()
    ]
    return mapped[:MOST_ENTITIES]


def custom_details(header: Header, detection: Detection, columns: tuple[str, ...], mapping: TargetMapping) -> dict[str, str]:
    """Names of details with their columns: who and what is concerned, when, how much.

    A detail takes its value from a column and cannot be a constant, so what holds for the rule as a whole stands in its
    description.
    """
    mapped = _mapped_columns(entity_mappings(header, columns, mapping))
    entities = _entities(header)
    named = [(_camel(str(role)), _stored(field, columns, mapping)) for role, field in entities.items()]
    named += [(name, column if column in columns else "") for column, name in _OF_CORRELATIONS.items()]
    named += [(_short(column), column) for column in detection.group_fields if column in columns]
    measured = [measure.get("field") for measure in _measures(header).values() if isinstance(measure, Mapping)]
    named += [(_short(column), column) for field in (*_ALWAYS_TOLD, *measured) if (column := _stored(field, columns, mapping))]
    details: dict[str, str] = {}
    for name, column in named:
        if column and column not in mapped and column not in details.values() and name not in details and _COLUMN.fullmatch(name):
            details[name] = column
    return dict(list(details.items())[:MOST_DETAILS])


def _measures(header: Header) -> Mapping[str, Any]:
    evidence = header.insurance.get("evidence")
    measures = evidence.get("measures") if isinstance(evidence, Mapping) else None
    return measures if isinstance(measures, Mapping) else {}


def _mapped_columns(mappings: list[dict[str, Any]]) -> frozenset[str]:
    return frozenset(field["columnName"] for mapping in mappings for field in mapping["fieldMappings"])


def _camel(role: str) -> str:
    return "".join(part.capitalize() for part in role.split("_"))[:LONGEST_KEY]


def _short(column: str) -> str:
    """A column's name as that of a detail, without the prefix of ours."""
    return (column.removeprefix("InsCtx").removeprefix("Ins") or column)[:LONGEST_KEY].lstrip("_")


def incident_configuration(
    header: Header, detection: Detection, entities: list[dict[str, Any]], details: Mapping[str, str]
) -> dict[str, Any]:
    """Whether alerts make incidents, and which alerts go into one ("Alert grouping" in Scheduled analytics rules).

    Alerts of one group of a correlation belong together as long as its window reaches, five hours at least and seven days at
    most, which is as far as Sentinel goes; those of an event rule if all their entities are the same.
    """
    grouping: dict[str, Any] = {"enabled": True, "reopenClosedIncident": False, "lookbackDuration": _lookback(detection)}
    if detection.window == "event":
        grouping |= {"enabled": bool(entities), "matchingMethod": "AllEntities"}
    else:
        types = {mapped["fieldMappings"][0]["columnName"]: mapped["entityType"] for mapped in entities}
        names = {column: name for name, column in details.items()}
        by_entity = dict.fromkeys(types[column] for column in detection.group_fields if column in types)
        by_detail = [names[column] for column in detection.group_fields if column in names]
        told = len([column for column in detection.group_fields if column in types or column in names])
        if told and told == len(detection.group_fields):
            grouping |= {"matchingMethod": "Selected", "groupByEntities": list(by_entity), "groupByCustomDetails": by_detail}
        elif detection.group_fields:
            grouping |= {"enabled": False, "matchingMethod": "AllEntities"}
        else:
            grouping |= {"matchingMethod": "AnyAlert"}
    return {"createIncident": header.insurance.get("role", "alert") == "alert", "groupingConfiguration": grouping}


def _lookback(detection: Detection) -> str:
    return duration(min(max(_SHORTEST_GROUPING_MS, detection.schedule.lookback_ms), _LONGEST_GROUPING_MS))
