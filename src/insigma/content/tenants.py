"""A customer's profile: everything that may differ from the pack for one insurer, as it was read.

Dates are ISO 8601 days as text, which compare as they stand; durations are milliseconds. The reader keeps what it could
read; what is wrong with the rest is told by the schema and by the checks of profiles.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import Any

from insigma.content.yaml_reader import Document


@dataclass(frozen=True, slots=True)
class TenantList:
    """A list that fills a placeholder. By `lookup` the target keeps it; `values`, if given, are then those of the day.

    `source`, `owner` and `refresh` say where it comes from, who answers for it and how old it may get.
    """

    name: str
    lookup: bool
    values: tuple[str, ...] | None
    source: str = ""
    owner: str = ""
    refresh: str = ""


class Delivery(Enum):
    """How a context flag reaches the customer's rules."""

    INGEST = "ingest"
    LOOKUP = "lookup"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class ContextSource:
    """How one flag is delivered; by lookup from the table of the pack that makes it, at most `max_age` old."""

    field: str
    delivery: Delivery
    table: str = ""
    max_age: str = ""


@dataclass(frozen=True, slots=True)
class Shift:
    """Working hours: from minute `opens` to before `closes` of local days, on `weekdays` (0 is Monday) that are no holiday.

    A night shift closes after minute 1440.

    `timezone` is an IANA name; `holidays` a country or country-subdivision of the `holidays` package, such as DE-BE, or empty.
    """

    timezone: str
    weekdays: frozenset[int]
    opens: int
    closes: int
    holidays: str = ""


@dataclass(frozen=True, slots=True)
class GroupShift:
    """The hours of one group of users: those whose `field` holds the group's name."""

    group: str
    field: str
    shift: Shift


@dataclass(frozen=True, slots=True)
class Calendar:
    """A customer's working calendar, and the years for which it is worked out."""

    default: Shift
    groups: tuple[GroupShift, ...]
    years: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Surge:
    """A period (both days in it) in which relaxable thresholds are multiplied, for rules of these lines of business."""

    id: str
    kind: str
    first: str
    last: str
    lobs: tuple[str, ...]
    multipliers: Mapping[str, float]


@dataclass(frozen=True, slots=True)
class Exemption:
    """An exception: events that match `where` (field items as in a Sigma selection) do not count for the rules named.

    It holds up to and including the day `expires`, no longer than `max_days` from `granted`.
    """

    id: str
    rules: tuple[str, ...]
    where: Mapping[str, Any]
    reason: str
    owner: str
    approved_by: str
    expires: str
    granted: str = ""
    max_days: int | None = None


@dataclass(frozen=True, slots=True)
class Feed:
    """What a customer's log source is like: whether it is there at all, the fields it lacks, and how often others are filled (0 to 1)."""

    logsource: str
    absent: bool = False
    because: str = ""
    lacks: tuple[str, ...] = ()
    fill: Mapping[str, float] = field(default_factory=dict)
    delay_ms: int | None = None
    products: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LevelChange:
    """Another severity for one rule, and why."""

    rule: str
    level: str
    reason: str


@dataclass(frozen=True, slots=True)
class CriticalFunction:
    """The systems behind one critical or important function, and the log sources that watch them."""

    name: str
    services: tuple[str, ...]
    logsources: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Tenant:
    """A customer's profile. The default profile builds what is committed under dist/.

    `lists` are the lists with values, by name, and `all_lists` every one. `disabled` gives the reason for each rule that is
    switched off, `thresholds` numbers by the names that rules give them, `timespans` and `intervals` milliseconds by rule,
    `targets` the settings of each target that the customer has, `regulators` the regimes that apply.
    """

    id: str
    document: Document
    lists: Mapping[str, tuple[str, ...]]
    disabled: Mapping[str, str] = field(default_factory=dict)
    all_lists: Mapping[str, TenantList] = field(default_factory=dict)
    legal_entity: str = ""
    thresholds: Mapping[str, int | float] = field(default_factory=dict)
    timespans: Mapping[str, int] = field(default_factory=dict)
    levels: tuple[LevelChange, ...] = ()
    never_relax: tuple[str, ...] = ()
    surges: tuple[Surge, ...] = ()
    context: Mapping[str, ContextSource] = field(default_factory=dict)
    calendar: Calendar | None = None
    exemptions: tuple[Exemption, ...] = ()
    feeds: Mapping[str, Feed] = field(default_factory=dict)
    interval: str = ""
    intervals: Mapping[str, str] = field(default_factory=dict)
    targets: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    regulators: Mapping[str, bool] = field(default_factory=dict)
    critical: Mapping[str, CriticalFunction] = field(default_factory=dict)
