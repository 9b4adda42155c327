"""Fields that are looked up in a table instead of coming with the event: context flags, lists by reference, office hours.

A `Lookup` makes one canonical field of an event and at most one row of a table. Its words are `yes`, `no` and `unknown`, or
what a column of the table holds. Keys are compared without regard to case. Where the event lacks a key or a compared field,
the field is `unknown`; nothing here is ever absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

YES, NO, UNKNOWN = "yes", "no", "unknown"

TIME = "@timestamp"
"""As the field of a `RowTest`: the event's time in milliseconds since 1970."""

CALENDAR_COLUMNS = (
    ("calendar", "string"),
    ("day", "number"),
    ("open1", "number"),
    ("close1", "number"),
    ("open2", "number"),
    ("close2", "number"),
)
"""The columns of a working calendar: one row for each calendar and UTC day (days since 1970), unique by both.

Someone works from minute `openN` to before minute `closeN` of that day; empty columns are no working time. All is in UTC.
"""
DEFAULT_CALENDAR = "default"
DAY_MS = 86_400_000
MINUTE_MS = 60_000


@dataclass(frozen=True, slots=True)
class RowTest:
    """A condition on a row: `column * factor <operator> field`, in numbers; `operator` is lt, lte, gt or gte.

    An empty column gives `if_empty`: a validity without an end has not ended.
    """

    column: str
    operator: str
    field: str
    factor: float = 1.0
    if_empty: bool = True


@dataclass(frozen=True, slots=True)
class Found:
    """`yes` where there is a row and all tests hold, `no` where they do not, `missing` where there is no row."""

    tests: tuple[RowTest, ...] = ()
    missing: str = NO


@dataclass(frozen=True, slots=True)
class Held:
    """What the row holds in a column, in lower case; `missing` where there is no row or the column is empty."""

    column: str
    missing: str = UNKNOWN


@dataclass(frozen=True, slots=True)
class Hours:
    """Whether the event lies outside of working hours: `no` within them, `yes` outside, `unknown` on a day without a row.

    `groups` choose the calendar: (calendar, canonical field, value), the first of which the field holds the value, without
    regard to case (any element of an array); else the default calendar. The columns are `CALENDAR_COLUMNS`.
    """

    groups: tuple[tuple[str, str, str], ...] = ()


Verdict: TypeAlias = "Found | Held | Hours"


@dataclass(frozen=True, slots=True)
class Lookup:
    """How one canonical field is made.

    `table` is its name, [a-z][a-z0-9_]*. `keys` are (column, canonical field): the row whose columns equal the fields; a row is
    unique by them. For `Hours` they are empty: the calendar and the event's UTC day are the key. `values`, for a list that is
    known when the rule is compiled, are its entries: a language that cannot join writes them into the query. `refresh` says
    how old the table may be, in words such as "15m".
    """

    field: str
    table: str
    keys: tuple[tuple[str, str], ...]
    verdict: Verdict
    values: tuple[str, ...] | None = None
    refresh: str = ""

    @property
    def reads(self) -> tuple[str, ...]:
        """The canonical fields that it is made of, without the time."""
        names = [name for _, name in self.keys]
        match self.verdict:
            case Found(tests):
                names += [test.field for test in tests if test.field != TIME]
            case Hours(groups):
                names += [name for _, name, _ in groups]
        return tuple(dict.fromkeys(names))

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns of the table that it reads, keys first."""
        match self.verdict:
            case Found(tests):
                others = tuple(test.column for test in tests)
            case Held(column):
                others = (column,)
            case Hours():
                others = tuple(name for name, _ in CALENDAR_COLUMNS)
        return tuple(dict.fromkeys((*(column for column, _ in self.keys), *others)))
