"""What a run says of itself: events in and out, what was not mapped, how well required fields are filled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from insigma.content.products import Binding, ProductMapping
from insigma.content.raw_paths import plain_text

GATE = 95
"""Percent of a binding's events that must have each required field."""

MAX_CODES = 1_000
MAX_REJECTED = 100
_CODE_LENGTH = 80
_OTHERS = "(others)"
_NO_CODE = "(none)"


class Codes:
    """Counts codes. So that no feed can fill the memory, those beyond the first thousand are counted together."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()

    def add(self, code: str | None) -> None:
        name = _NO_CODE if code is None else code[:_CODE_LENGTH]
        self._counts[name if name in self._counts or len(self._counts) < MAX_CODES else _OTHERS] += 1

    @property
    def total(self) -> int:
        return self._counts.total()

    def sorted(self) -> dict[str, int]:
        """The counts, the greatest first."""
        return dict(sorted(self._counts.items(), key=lambda entry: (-entry[1], entry[0])))


@dataclass(slots=True)
class BindingTally:
    """Counts of one binding: its events, how many have each required field, and what was wrong with which field."""

    binding: Binding
    required: tuple[str, ...]
    events: int = 0
    filled: Counter[str] = field(default_factory=Counter)
    unmapped: dict[str, Codes] = field(default_factory=dict)
    unknown: dict[str, Codes] = field(default_factory=dict)
    unusable: dict[str, Codes] = field(default_factory=dict)

    def count(self, kind: dict[str, Codes], name: str, code: str | None) -> None:
        kind.setdefault(name, Codes()).add(code)

    def rate(self, name: str) -> float:
        """Percent of the events that have the field; 100 where there are no events."""
        return 100 * self.filled[name] / self.events if self.events else 100.0

    def low(self) -> tuple[str, ...]:
        """Required fields below the gate, those that the adapter declares unfilled left out."""
        return tuple(name for name in self.required if name not in self.binding.unfilled and self.rate(name) < GATE)

    def gaps(self) -> tuple[str, ...]:
        """Required fields that are declared unfilled."""
        return tuple(name for name in self.required if name in self.binding.unfilled and self.events)


@dataclass(slots=True)
class Summary:
    """Everything that a run counts. `rejected` holds the first lines that gave no event, `rejections` how many there were.

    `defaults` are the settings that nobody gave, with what was taken instead.
    """

    mapping: ProductMapping
    tallies: tuple[BindingTally, ...]
    defaults: Mapping[str, str] = field(default_factory=dict)
    read: int = 0
    written: int = 0
    rejections: int = 0
    rejected: list[tuple[int, str]] = field(default_factory=list)
    untaken: Codes = field(default_factory=Codes)
    ignored: Codes = field(default_factory=Codes)

    def reject(self, line: int, reason: str) -> None:
        self.rejections += 1
        if len(self.rejected) < MAX_REJECTED:
            self.rejected.append((line, reason))

    def leave(self, code: Any) -> None:
        """Count an event that no binding took."""
        text = plain_text(code)
        (self.ignored if text is not None and text in self.mapping.ignored else self.untaken).add(text)

    def passes(self, *, strict: bool) -> bool:
        """Whether the feed keeps the contract: every line gave an event and required fields are filled.

        Strictly, also every setting was given, nothing was unmapped or unusable, and no binding with events has a declared gap.
        """
        if self.rejections or any(tally.low() for tally in self.tallies):
            return False
        loose = (tally.unmapped or tally.unusable or tally.gaps() for tally in self.tallies)
        return not strict or not (self.defaults or self.untaken.total or any(loose))

    def as_object(self) -> Mapping[str, Any]:
        """The summary as `--format json` writes it."""
        return {
            "product": self.mapping.product,
            "defaults": dict(sorted(self.defaults.items())),
            "read": self.read,
            "written": self.written,
            "rejected": {"count": self.rejections, "lines": [{"line": line, "reason": reason} for line, reason in self.rejected]},
            "not_taken": self.untaken.sorted(),
            "ignored": self.ignored.sorted(),
            "gate": GATE,
            "bindings": [_binding_object(tally) for tally in self.tallies],
        }


def _binding_object(tally: BindingTally) -> Mapping[str, Any]:
    def counts(kind: Mapping[str, Codes]) -> dict[str, dict[str, int]]:
        return {name: codes.sorted() for name, codes in sorted(kind.items())}

    return {
        "name": tally.binding.name,
        "logsource": tally.binding.logsource,
        "events": tally.events,
        "fill_rate": {name: round(tally.rate(name), 2) for name in tally.required},
        "below_gate": list(tally.low()),
        "declared_gaps": {name: tally.binding.unfilled[name] for name in tally.gaps()},
        "unmapped": counts(tally.unmapped),
        "not_in_table": counts(tally.unknown),
        "unusable": counts(tally.unusable),
    }


def tallies(mapping: ProductMapping, required: Mapping[str, tuple[str, ...]]) -> Iterator[BindingTally]:
    """A fresh tally for each binding; `required` are the required fields of each log source."""
    return (BindingTally(binding, required.get(binding.logsource, ())) for binding in mapping.bindings)
