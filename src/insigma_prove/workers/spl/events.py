"""What a search reads: events in an index, their fields, and the terms of their raw text."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma_prove.workers.spl.values import Fields, FieldText, multivalue, number

METADATA = ("index", "sourcetype", "source", "host")
"""Fields that the index keeps beside the raw text."""

_MAJOR = "\\[\\]<>(){}|!;,'\"*\\n\\r\\s\\t&?+"
_MINOR = "/:=@.\\-$#%\\\\_"
_BREAKER = re.compile(f"[{_MAJOR}{_MINOR}]+")
MAJOR_BREAKER = re.compile(f"[{_MAJOR}]")
ANY_BREAKER = re.compile(f"[{_MAJOR}{_MINOR}]")
"""Where raw text is cut into terms (segmenters.conf, MAJOR and MINOR; SM "About event segmentation"). The breakers of
several characters, such as %20, are left out: each starts with a minor breaker."""


@dataclass(slots=True)
class Row:
    """An event or a result on its way through the pipeline. `position` is that of the stored event, None for a made row."""

    fields: Fields
    position: int | None
    terms: frozenset[str] = frozenset()

    def copy(self) -> Row:
        return Row(dict(self.fields), self.position, self.terms)


class Store:
    """The events of the index, as they were given."""

    def __init__(self, events: Sequence[Mapping[str, Any]]) -> None:
        self._rows = [_row(event, position) for position, event in enumerate(events)]
        self._rows.sort(key=lambda row: -(number(row.fields.get("_time")) or 0.0))

    def rows(self, earliest: float | None, latest: float | None) -> list[Row]:
        """The events of a time range, the newest first (SM "About retrieving events"): from `earliest` to before `latest`.

        An event without a time, which an index does not have, is in every range.
        """
        found = []
        for row in self._rows:
            time = number(row.fields.get("_time"))
            if time is None or ((earliest is None or time >= earliest) and (latest is None or time < latest)):
                found.append(row.copy())
        return found


def tokens(text: str) -> Iterable[str]:
    """The smallest terms of a text, in lower case, as the index has them."""
    return (term for term in _BREAKER.split(text.lower()) if term)


def _row(event: Mapping[str, Any], position: int) -> Row:
    fields: Fields = {name: multivalue(FieldText(value) for value in values) for name, values in event.get("fields", {}).items()}
    for name in (*METADATA, "_raw"):
        if event.get(name) is not None:
            fields[name] = FieldText(event[name])
    if event.get("_time") is not None:
        fields["_time"] = float(event["_time"])
    return Row({name: value for name, value in fields.items() if value is not None}, position, frozenset(tokens(event.get("_raw", ""))))
