"""What the reader gives: rules, correlations, filters, fixtures, taxonomy, mappings, tenants and the pack, all frozen."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from fractions import Fraction
from pathlib import Path
from typing import Any

from insigma.content.condition import Expression
from insigma.content.context import NO_CONTEXT, ContextCatalogue
from insigma.content.lookups import Lookup
from insigma.content.predicate import Predicate
from insigma.content.tenants import Tenant
from insigma.content.yaml_reader import Document


@dataclass(frozen=True, slots=True)
class LogSource:
    """A Sigma log source. An absent part matches any value of that part."""

    category: str | None = None
    product: str | None = None
    service: str | None = None

    def __str__(self) -> str:
        named = (("category", self.category), ("product", self.product), ("service", self.service))
        return ", ".join(f"{key} {value}" for key, value in named if value)


@dataclass(frozen=True, slots=True)
class Header:
    """What event rules, correlations and filters have in common.

    `document` keeps the source and its positions; `insurance` is the metadata block as read.
    """

    document: Document
    title: str
    id: str | None
    name: str | None
    level: str
    status: str
    tags: tuple[str, ...]
    taxonomy: str
    insurance: Mapping[str, Any]

    @property
    def path(self) -> str:
        return self.document.path

    @property
    def slug(self) -> str:
        """The file's stem: the name of everything that is built from the rule."""
        return self.path.rsplit("/", 1)[-1].rsplit(".", 1)[0]

    @property
    def label(self) -> str:
        """How people call the rule: its name, else its id, else its title."""
        return self.name or self.id or self.title


@dataclass(frozen=True, slots=True)
class Rule:
    """An event rule. Several conditions in a list are OR-ed."""

    header: Header
    logsource: LogSource
    predicate: Predicate
    filtered_by: tuple[str, ...] = ()


class CorrelationType(Enum):
    EVENT_COUNT = "event_count"
    VALUE_COUNT = "value_count"
    VALUE_SUM = "value_sum"
    VALUE_AVG = "value_avg"
    VALUE_PERCENTILE = "value_percentile"
    VALUE_MEDIAN = "value_median"
    TEMPORAL = "temporal"
    TEMPORAL_ORDERED = "temporal_ordered"


class CountOperator(Enum):
    LT = "lt"
    LTE = "lte"
    GT = "gt"
    GTE = "gte"
    EQ = "eq"
    NEQ = "neq"


@dataclass(frozen=True, slots=True)
class Bound:
    """One comparison of a correlation's value with a number, e.g. `gte: 60`."""

    operator: CountOperator
    number: int | float

    def holds(self, value: int | float | Fraction) -> bool:
        match self.operator:
            case CountOperator.LT:
                return value < self.number
            case CountOperator.LTE:
                return value <= self.number
            case CountOperator.GT:
                return value > self.number
            case CountOperator.GTE:
                return value >= self.number
            case CountOperator.EQ:
                return value == self.number
            case CountOperator.NEQ:
                return value != self.number


@dataclass(frozen=True, slots=True)
class CorrelationCondition:
    """The condition of a correlation: all `bounds` hold for the value computed over `fields`.

    `percentile` is for value_percentile; `expression` is an extended temporal condition over rule references.
    """

    bounds: tuple[Bound, ...] = ()
    fields: tuple[str, ...] = ()
    percentile: int | None = None
    expression: Expression | None = None


@dataclass(frozen=True, slots=True)
class Correlation:
    """A correlation. `rules` are its members as written; `members` the same, resolved, in the same order.

    `timespan_ms` is in milliseconds. `aliases` maps an alias to (reference -> field).
    """

    header: Header
    type: CorrelationType
    rules: tuple[str, ...]
    members: tuple[Rule | Correlation, ...]
    group_by: tuple[str, ...]
    timespan_ms: int
    condition: CorrelationCondition
    aliases: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    generate: bool = False

    @property
    def base_rules(self) -> tuple[Rule, ...]:
        """The event rules underneath, through chains, each once."""
        found: dict[int, AnyRule] = {}
        waiting: list[AnyRule] = [self]
        while waiting:
            rule = waiting.pop()
            if id(rule) not in found:
                found[id(rule)] = rule
                waiting.extend(reversed(rule.members if isinstance(rule, Correlation) else ()))
        return tuple(rule for rule in found.values() if isinstance(rule, Rule))

    def field_of(self, alias_or_field: str, position: int) -> str:
        """The field that `alias_or_field` means in the events of the member at `position`."""
        return self.aliases.get(alias_or_field, {}).get(self.rules[position], alias_or_field)


AnyRule = Rule | Correlation


@dataclass(frozen=True, slots=True)
class Filter:
    """A Sigma filter: ANDed to the rules it names (`rules` None means `any`) on its log source."""

    header: Header
    logsource: LogSource
    rules: tuple[str, ...] | None
    predicate: Predicate


class FieldType(Enum):
    KEYWORD = "keyword"
    LONG = "long"
    DOUBLE = "double"
    FLOAT = "float"
    DATE = "date"
    IP = "ip"
    BOOLEAN = "boolean"

    @property
    def numeric(self) -> bool:
        return self in (FieldType.LONG, FieldType.DOUBLE, FieldType.FLOAT)


class Case(Enum):
    """What the case of a field's values means.

    `LOWER`: values are stored in lower case (closed vocabularies, normalised logins).
    `ANY`: values keep the case of their source; comparisons ignore it unless the rule says `cased`.
    """

    LOWER = "lower"
    ANY = "any"


@dataclass(frozen=True, slots=True)
class Field:
    """A canonical field: stored type, case, whether it may be absent or hold several values, its closed values."""

    name: str
    type: FieldType
    case: Case
    array: bool
    null_default: str | None
    values: tuple[str, ...] | None
    pii: str
    description: str
    example: str


@dataclass(frozen=True, slots=True)
class TaxonomyLogSource:
    """A canonical log source: its Sigma category, fields (required or optional) and closed event actions."""

    name: str
    logsource: LogSource
    description: str
    required: tuple[str, ...]
    optional: tuple[str, ...]
    actions: tuple[str, ...] | None

    @property
    def fields(self) -> tuple[str, ...]:
        return self.required + self.optional


@dataclass(frozen=True, slots=True)
class Taxonomy:
    """The canonical event: every field, and every log source by name."""

    name: str
    version: str
    fields: Mapping[str, Field]
    logsources: Mapping[str, TaxonomyLogSource]

    def find(self, logsource: LogSource) -> TaxonomyLogSource | None:
        """The canonical log source that a rule's log source names, or None."""
        for candidate in self.logsources.values():
            if candidate.logsource.category == logsource.category and not (logsource.service and not candidate.logsource.service):
                return candidate
        return None

    def nullable(self, field_name: str, logsource: str) -> bool:
        """Whether events of the log source may lack the field (a null default is materialised at ingest)."""
        source = self.logsources[logsource]
        return field_name not in source.required and self.fields[field_name].null_default is None


@dataclass(frozen=True, slots=True)
class TargetField:
    """How a target stores a canonical field.

    `name` in the target, stored `type` (the target's own word), `case`: "lower" (folded when stored), "any" (kept),
    `cased_name`: where the value is also kept in its own case, or None. `declared` is false for a field that no mapping
    names: it is taken for a string, and the target may not know it at all. A field with a `lookup` is not stored: `name` is the
    column that a query makes of it, a string in lower case.
    """

    name: str
    type: str
    case: str
    cased_name: str | None = None
    array: bool = False
    declared: bool = True
    lookup: Lookup | None = None


@dataclass(frozen=True, slots=True)
class TargetLogSource:
    """Where a target keeps a canonical log source: free settings such as index or sourcetype, and a delay budget in ms."""

    name: str
    settings: Mapping[str, str]
    delay_ms: int


@dataclass(frozen=True, slots=True)
class TargetMapping:
    """A target mapping: canonical field -> `TargetField`, canonical log source -> `TargetLogSource`, target options.

    `open` says that it was made for one rule of a taxonomy that nothing declares (`bind.open`): events do not name their
    log source, and no field is known beyond those that the rule reads.
    """

    target: str
    document: Document
    fields: Mapping[str, TargetField]
    logsources: Mapping[str, TargetLogSource]
    options: Mapping[str, Any]
    open: bool = False


@dataclass(frozen=True, slots=True)
class FixtureCase:
    """One case: events after expansion, and what is expected of them (as written)."""

    name: str
    kind: str
    expect: Any
    because: str
    events: tuple[Mapping[str, Any], ...]
    steps: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Fixture:
    """The events that prove a rule; `rule` refers to it by name or id. `steps[i]` of a case is the written step of event i."""

    document: Document
    rule: str
    cases: tuple[FixtureCase, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    """Everything that was read, in order of path.

    `root` is the pack's folder as shown to people, empty for loose rules. `documents` are all documents, `rule_documents`
    those of rules, correlations and filters, also where no rule could be built of them. Rules and fixtures of a pack that
    this one extends (from `base_root`) are among the rules and fixtures; their documents are not, as they are checked at home.
    """

    root: str
    name: str
    version: str
    taxonomy: Taxonomy
    rules: tuple[AnyRule, ...]
    filters: tuple[Filter, ...]
    fixtures: tuple[Fixture, ...]
    mappings: Mapping[str, TargetMapping]
    tenants: Mapping[str, Tenant]
    documents: tuple[Document, ...]
    rule_documents: tuple[Document, ...]
    context: ContextCatalogue = NO_CONTEXT
    base_root: str = ""

    def relative(self, path: str) -> str:
        """A document's path as it stands in its pack, whatever the working folder; one of the pack below has that pack's name before it."""
        if self.base_root and path.startswith(f"{self.base_root}/"):
            return f"insurance:{path.removeprefix(self.base_root + '/')}"
        return path if self.root in ("", ".") else Path(os.path.relpath(path, self.root)).as_posix()
