"""How a rule stands with each customer, before and after."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from insigma.content.model import AnyRule, Pack
from insigma.content.yaml_reader import Document
from insigma.diff.data import changes
from insigma.diff.logic import threshold_names
from insigma.diff.meaning import built_on, fields_read, lists_of, logsources_read, meaning, names_of
from insigma.diff.model import Change, TenantsDiff
from insigma.specialise.tenant import ACTIVE, Memo, Specialiser


@dataclass(frozen=True, slots=True)
class Standing:
    """A rule as it holds for one customer: whether it runs, why not, at which severity, and what it means there."""

    state: str
    reason: str
    level: str
    means: Any


Standings = Callable[[AnyRule, str], Standing | None]
"""The standing of a rule, as read, with the customer of this name; None where there is no such customer."""


def standings_in(pack: Pack) -> Standings:
    """The standings in a pack, by its own tenant profiles. Surges are left out: they hold on some days only."""
    memo = Memo.empty()
    specialisers: dict[str, Specialiser] = {}

    def standing(rule: AnyRule, name: str) -> Standing | None:
        if name not in pack.tenants:
            return None
        specialiser = specialisers.get(name) or specialisers.setdefault(name, Specialiser(pack, pack.tenants[name], memo=memo))
        special = specialiser.special(rule)
        return Standing(special.state, special.reason, special.rule.header.level, (meaning(special.rule), special.lookups))

    return standing


@dataclass(frozen=True, slots=True)
class Tenants:
    """The customers of both sides, by name, and what changed in the profiles of those that both have."""

    base: Pack
    head: Pack
    before: Standings
    after: Standings
    profiles: Mapping[str, tuple[Change, ...]]

    @classmethod
    def of(cls, base: Pack, head: Pack) -> Tenants:
        profiles = {
            name: changes(base.tenants[name].document, head.tenants[name].document) for name in head.tenants if name in base.tenants
        }
        return cls(base, head, standings_in(base), standings_in(head), {name: found for name, found in profiles.items() if found})

    def touched(self, before: AnyRule, after: AnyRule) -> bool:
        """Whether a changed profile makes a difference to the rule."""
        return any(self.before(before, name) != self.after(after, name) for name in self.profiles) or bool(self._profiles(after))

    def diff(self, before: AnyRule | None, after: AnyRule | None, mapped: frozenset[str] = frozenset()) -> TenantsDiff:
        """The customers of the rule; `mapped` are targets that store what it reads otherwise than before.

        A customer that only one side has is no difference to each of its rules.
        """
        enabled: list[str] = []
        affected: list[str] = []
        on: dict[str, str] = {}
        off: dict[str, str] = {}
        for name in sorted(self.base.tenants if after is None else self.head.tenants):
            was = self.before(before, name) if before is not None else None
            now = self.after(after, name) if after is not None else None
            if _runs(now if after is not None else was):
                enabled.append(name)
            stored = _runs(now) and not mapped.isdisjoint(self._targets(name) or mapped)
            if name not in self.base.tenants or not (was != now or stored) or not (_runs(was) or _runs(now)):
                continue
            affected.append(name)
            if was is not None and now is not None and _runs(was) != _runs(now):
                (on if _runs(now) else off)[name] = was.reason or now.reason
        return TenantsDiff(
            tuple(enabled), tuple(affected), on, off, self._profiles(after) if before is not None and after is not None else {}
        )

    def _profiles(self, rule: AnyRule | None) -> Mapping[str, tuple[str, ...]]:
        """The changed keys of profiles that are about the rule."""
        if rule is None or not self.profiles:
            return {}
        called, known = _called(rule), _known_by(rule, self.head)
        found = {
            name: tuple(change.path for change in changed if _about(change, called, known, self._documents(name)))
            for name, changed in self.profiles.items()
        }
        return {name: paths for name, paths in found.items() if paths}

    def _targets(self, name: str) -> frozenset[str]:
        """The targets that a customer has; a profile that names none is for all."""
        return frozenset(self.head.tenants[name].targets) if name in self.head.tenants else frozenset()

    def _documents(self, name: str) -> tuple[Document, Document]:
        return self.base.tenants[name].document, self.head.tenants[name].document


def _runs(standing: Standing | None) -> bool:
    return standing is not None and standing.state == ACTIVE


def _called(rule: AnyRule) -> frozenset[str]:
    """What a profile may call the rule, or one that it is built on."""
    return frozenset(name for part in (rule, *built_on(rule)) for name in names_of(part))


def _known_by(rule: AnyRule, pack: Pack) -> frozenset[str]:
    """What else of a profile is about the rule: its lists, thresholds, log sources and fields."""
    thresholds = (name for part in (rule, *built_on(rule)) for name in threshold_names(part))
    return frozenset((*lists_of(rule), *thresholds, *logsources_read(rule, pack), *fields_read(rule)))


def _about(change: Change, called: frozenset[str], known: frozenset[str], documents: tuple[Document, Document]) -> bool:
    """Whether the change names the rule, in its path or in the entry that it stands in, or something that the rule reads."""
    steps = change.key_after or change.key_before
    if not (called | known).isdisjoint(str(step) for step in steps):
        return True
    values = [change.before, change.after]
    for document, key in zip(documents, (change.key_before, change.key_after), strict=True):
        index = next((number for number, step in enumerate(key) if isinstance(step, int)), None)
        if index is not None:
            values.append(_at(document.data, key[: index + 1]))
    return not called.isdisjoint(text for value in values for text in _texts(value))


def _at(data: Any, key: Iterable[str | int]) -> Any:
    """The value at a path, or None."""
    for step in key:
        try:
            data = data[step]
        except (KeyError, IndexError, TypeError):
            return None
    return data


def _texts(value: Any) -> Iterator[str]:
    """Every text in a value, keys of mappings included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        yield from (text for entry in value.items() for part in entry for text in _texts(part))
    elif isinstance(value, list):
        yield from (text for entry in value for text in _texts(entry))
