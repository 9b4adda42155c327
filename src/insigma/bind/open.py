"""Rules of Sigma's default taxonomy, which declares no types: the mapping that such a rule is bound against.

It is made for one rule. Each field that the rule reads is there under its own name, as a string of any case that holds one
value and may be absent. Each log source is there too, but events do not say which they are of: what narrows a search down
is the index or table alone, and the conditions that a processing pipeline adds. See docs/public_rules.md.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType

from insigma.bind.model import Refused
from insigma.content.model import AnyRule, Correlation, LogSource, Rule, TargetField, TargetLogSource, TargetMapping
from insigma.content.predicate import Keyword, Predicate, fields_of, leaves

OPEN_TAXONOMY = "sigma"
"""The name of the default taxonomy, and what a rule without `taxonomy` is written in (Sigma specification, appendix taxonomy)."""
STRING_TYPES = {"elastic": "keyword"}
DEFAULT_SETTINGS: Mapping[str, Mapping[str, str]] = MappingProxyType({"elastic": {"index": "logs-*"}, "splunk": {"index": "*"}})
"""Where a target looks for events whose place nothing names. On Sentinel it is a table named after the log source."""
DELAY_MS = 300_000
OWN_FIELDS: Mapping[str, frozenset[str]] = MappingProxyType(
    {"splunk": frozenset({"host", "source", "sourcetype", "index", "linecount", "punct", "splunk_server", "eventtype", "tag", "timestamp"})}
)
"""Fields that a target has for every event itself (Splunk Knowledge Manager Manual, "Use default fields")."""

_TIME = "@timestamp"
_WORD = re.compile(r"[^a-z0-9]+")


def is_open(rule: AnyRule) -> bool:
    """Whether the rule, and for a correlation every rule below it, is written in the default taxonomy."""
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    return all(base.header.taxonomy == OPEN_TAXONOMY for base in bases)


def source_name(logsource: LogSource) -> str:
    """One word for a log source: product, category and service, in lower case, as far as they are given."""
    parts = (logsource.product, logsource.category, logsource.service)
    return _WORD.sub("_", "_".join(part for part in parts if part).lower()).strip("_")


def open_mapping(rule: AnyRule, base: TargetMapping, settings: Mapping[str, str] | None = None) -> TargetMapping:
    """The mapping for one open rule on the target of `base`, of which the options and the time field are kept.

    `settings` say where events are (index, table, ...), where a pipeline knows it; otherwise the target's defaults hold.
    """
    string = STRING_TYPES.get(base.target, "string")
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    names = dict.fromkeys(name for part in bases for name in fields_of(part.predicate))
    names.update(dict.fromkeys(_correlated(rule) if isinstance(rule, Correlation) else ()))
    fields = {name: TargetField(name, string, "any", declared=False) for name in names}
    if _TIME in base.fields:
        fields[_TIME] = base.fields[_TIME]
    sources = {}
    for part in bases:
        name = source_name(part.logsource)
        place = {**DEFAULT_SETTINGS.get(base.target, {"table": f"Sigma_{name}_CL"}), **(settings or {})}
        sources[name] = TargetLogSource(name, MappingProxyType(place), DELAY_MS)
    return TargetMapping(base.target, base.document, MappingProxyType(fields), MappingProxyType(sources), base.options, open=True)


def open_notes(rule: AnyRule, mapping: TargetMapping, *, scoped: bool) -> tuple[str, ...]:
    """What the detection of an open rule rests on; `scoped` says that a pipeline has added a condition on the log source."""
    notes = ["no types are declared: every field is taken for a string of any case with one value, which may be absent"]
    if not scoped:
        bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
        meant = " and ".join(dict.fromkeys(str(base.logsource) for base in bases))
        places = dict.fromkeys(", ".join(source.settings.values()) for source in mapping.logsources.values())
        notes.append(f"no log source is asked for: the rule means {meant}, the query searches {' and '.join(places)}")
    return tuple(notes)


def refuse_own_fields(rule: AnyRule, target: str) -> None:
    """Raises `Refused` for a field of the event whose name the target gives to a field of its own; a pipeline can rename it."""
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    for name in (name for base in bases for name in fields_of(base.predicate)):
        if name in OWN_FIELDS.get(target, ()):
            reason = f"'{name}' is a field that {target} adds to every event itself, so the event's own is not surely found by it"
            raise Refused(f"{reason}: rename it (--pipeline)", ("detection",))


def refuse_negated_keywords(operand: Predicate) -> None:
    """Raises `Refused` for a keyword under `not`: products also search values that they add to an event themselves."""
    if any(isinstance(leaf, Keyword) for leaf in leaves(operand)):
        reason = "a keyword under 'not' may be found in what the product adds to an event, and would hide the event"
        raise Refused(reason, ("detection",))


def _correlated(rule: Correlation) -> tuple[str, ...]:
    """The stored fields that a correlation groups by or measures, of the correlations below it too."""
    found: dict[str, None] = {}
    for position, member in enumerate(rule.members):
        for name in (*rule.group_by, *rule.condition.fields):
            found[rule.field_of(name, position)] = None
        if isinstance(member, Correlation):
            found.update(dict.fromkeys(_correlated(member)))
    return tuple(found)
