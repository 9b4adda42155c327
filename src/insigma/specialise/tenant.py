"""A rule as it holds for one customer: thresholds, surge, lists, context, exceptions, feeds and severity, still canonical.

What a customer changes in a rule is written down first (`_Plan`); rules of which the same is changed are made once, for
however many customers. A rule that cannot work for a customer is told, with what is missing; nothing is dropped.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from insigma.content.lookups import Lookup
from insigma.content.model import AnyRule, Correlation, CorrelationType, Pack, Rule
from insigma.content.predicate import Constant, Predicate
from insigma.content.tenants import Surge, Tenant
from insigma.diagnostics.model import Diagnostic
from insigma.specialise.context import contextual, flags_of
from insigma.specialise.exemptions import canonical_where, exempted, exemption_predicate
from insigma.specialise.facts import Facts, facts_of, joinable, labels_of
from insigma.specialise.known import with_words, without_fields
from insigma.specialise.lists import filled_predicate
from insigma.specialise.needs import feed_needs
from insigma.specialise.thresholds import effective, retuned, surges_at

LEVELS = ("informational", "low", "medium", "high", "critical")
"""Sigma's levels, the least severe first."""
ACTIVE, DISABLED, LACKING = "active", "disabled", "lacking"
"""Whether a rule runs for a customer, is switched off by the profile, or cannot work with the customer's data."""
_ALL_NEEDED = frozenset({CorrelationType.TEMPORAL, CorrelationType.TEMPORAL_ORDERED})


@dataclass(frozen=True, slots=True)
class Special:
    """A rule as it holds for a customer.

    `key` is equal for rules that match alike: what was changed, not who changed it. `reason` says why the rule does not run,
    `needs` what it would take; `notes` what differs from the pack. `lookups` are the fields that its queries look up.
    """

    rule: AnyRule
    key: tuple[Any, ...]
    state: str = ACTIVE
    reason: str = ""
    needs: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    lookups: tuple[Lookup, ...] = ()


@dataclass(slots=True)
class Memo:
    """Rules that were made before, by what was changed in them: shared between customers."""

    made: dict[tuple[Any, ...], tuple[AnyRule, tuple[Lookup, ...]]]
    facts: dict[int, Facts]

    @classmethod
    def empty(cls) -> Memo:
        return cls({}, {})


class Specialiser:
    """Specialises the rules of a pack for one customer on one day. `day` is ISO 8601; None is a day without surges."""

    def __init__(self, pack: Pack, tenant: Tenant, day: str | None = None, memo: Memo | None = None) -> None:
        self.tenant = tenant
        self.surges: tuple[Surge, ...] = surges_at(tenant, day)
        self.diagnostics: list[Diagnostic] = []
        self._pack = pack
        self._memo = memo or Memo.empty()
        self._labels = labels_of(pack.rules)
        self._exceptions = self._read_exceptions()
        self._off = {self._labels.get(name, name): reason for name, reason in tenant.disabled.items()}
        self._levels = {self._labels.get(change.rule, change.rule): change for change in tenant.levels}
        self._timespans = {self._labels.get(name, name): value for name, value in tenant.timespans.items()}
        self.intervals = {self._labels.get(name, name): value for name, value in tenant.intervals.items()}

    def _read_exceptions(self) -> dict[str, list[tuple[str, str, Predicate]]]:
        """For each rule's label its exceptions: id, what they leave out as text, and the predicate."""
        found: dict[str, list[tuple[str, str, Predicate]]] = {}
        for index, exemption in enumerate(self.tenant.exemptions):
            predicate, faults = exemption_predicate(self.tenant, index)
            self.diagnostics.extend(faults)
            for name in exemption.rules if predicate is not None else ():
                assert predicate is not None
                found.setdefault(self._labels.get(name, name), []).append((exemption.id, canonical_where(exemption), predicate))
        return found

    def exceptions(self) -> Mapping[str, tuple[tuple[str, Predicate], ...]]:
        """For each rule's label its exceptions: ids and what an event that still counts satisfies."""
        return {label: tuple((name, condition) for name, _, condition in entries) for label, entries in self._exceptions.items()}

    def special(self, rule: AnyRule) -> Special:
        """The rule as it holds for the customer."""
        key = self._key(rule)
        made, lookups = self._remembered(rule, key)
        state, reason, needs = self._state(rule, made)
        return Special(self._headed(rule, made), key, state, reason, needs, self._notes(rule), lookups)

    def _remembered(self, rule: AnyRule, key: tuple[Any, ...]) -> tuple[AnyRule, tuple[Lookup, ...]]:
        if key not in self._memo.made:
            self._memo.made[key] = self._made(rule)
        return self._memo.made[key]

    def facts(self, rule: AnyRule) -> Facts:
        """What the rule reads, worked out once."""
        if id(rule) not in self._memo.facts:
            self._memo.facts[id(rule)] = facts_of(rule, self._pack)
        return self._memo.facts[id(rule)]

    def _key(self, rule: AnyRule) -> tuple[Any, ...]:
        """The rule, and everything that the customer changes in what it matches."""
        facts = self.facts(rule)
        label = rule.header.label
        lists = tuple((name, self.tenant.all_lists.get(name)) for name in facts.lists)
        own = (
            id(rule),
            tuple(sorted((name, number) for name, (number, _) in effective(rule, self.tenant, self.surges).items())),
            self._timespans.get(label),
            tuple((name, entry.lookup, entry.values, entry.refresh) if entry else name for name, entry in lists),
            tuple((name, *flags_of(name, self.tenant)) for name in facts.flags),
            tuple((name, where) for name, where, _ in self._exceptions.get(label, ())),
            tuple((name, self._lacking(name)) for name in facts.logsources),
        )
        return own if isinstance(rule, Rule) else (*own, *(self._key(member) for member in rule.members))

    def _lacking(self, logsource: str) -> tuple[str, ...]:
        feed = self.tenant.feeds.get(logsource)
        return feed.lacks if feed is not None else ()

    def _made(self, rule: AnyRule) -> tuple[AnyRule, tuple[Lookup, ...]]:
        lookups: dict[str, Lookup] = {}
        made: AnyRule
        if isinstance(rule, Correlation):
            parts = [self._remembered(member, self._key(member)) for member in rule.members]
            made = replace(rule, members=tuple(part for part, _ in parts))
            lookups = {lookup.field: lookup for _, own in parts for lookup in own}
        else:
            made, lookups = self._made_rule(rule)
        numbers = {name: number for name, (number, _) in effective(rule, self.tenant, self.surges).items()}
        made = retuned(made, numbers, self._timespans.get(rule.header.label))
        exceptions = tuple((name, predicate) for name, _, predicate in self._exceptions.get(rule.header.label, ()))
        return exempted(made, exceptions), tuple(lookups.values())

    def _made_rule(self, rule: Rule) -> tuple[Rule, dict[str, Lookup]]:
        source = self._pack.taxonomy.find(rule.logsource)
        words, lookups = contextual(self.facts(rule).flags, source, self.tenant, self._pack)
        predicate, listed = filled_predicate(rule.predicate, self.tenant.all_lists, lambda match: joinable(match, self._pack))
        predicate = with_words(predicate, words)
        predicate = without_fields(predicate, self._lacking(source.name) if source is not None else ())
        return replace(rule, predicate=predicate), {lookup.field: lookup for lookup in (*lookups, *listed)}

    def _headed(self, rule: AnyRule, made: AnyRule) -> AnyRule:
        """The rule under its header as it holds for the customer: severity, and the clocks of the regimes that apply."""
        header = rule.header
        level, insurance = self.level(rule), self._regulated(header.insurance)
        return (
            made
            if level == header.level and insurance is header.insurance
            else replace(made, header=replace(header, level=level, insurance=insurance))
        )

    def level(self, rule: AnyRule) -> str:
        """The severity: the profile's, or one less where context that the rule leans on is absent and it says `downgrade`."""
        change = self._levels.get(rule.header.label)
        if change is not None:
            return change.level
        level = rule.header.level
        if self.absent(rule) and if_unknown(rule) == "downgrade" and level in LEVELS[2:]:
            return LEVELS[LEVELS.index(level) - 1]
        return level

    def _regulated(self, insurance: Mapping[str, Any]) -> Mapping[str, Any]:
        regulatory = insurance.get("regulatory")
        clocks = regulatory.get("clocks") if isinstance(regulatory, dict) else None
        if not self.tenant.regulators or not isinstance(clocks, list):
            return insurance
        kept = [clock for clock in clocks if self.tenant.regulators.get(str(clock), False)]
        if kept == clocks:
            return insurance
        return {**insurance, "regulatory": {**regulatory, "clocks": kept}} if isinstance(regulatory, dict) else insurance

    def absent(self, rule: AnyRule) -> tuple[str, ...]:
        """The flags that the rule, or a rule under it, reads and that the customer does not have."""
        bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
        found: dict[str, None] = {}
        for base in bases:
            words, _ = contextual(self.facts(base).flags, self._pack.taxonomy.find(base.logsource), self.tenant, self._pack)
            found.update(dict.fromkeys(words))
        return tuple(found)

    def _state(self, rule: AnyRule, made: AnyRule) -> tuple[str, str, tuple[str, ...]]:
        """Whether the rule runs, why not, and what it would take."""
        label = rule.header.label
        if label in self._off:
            return DISABLED, self._off[label] or "disabled by the tenant", ()
        absent = self.absent(rule)
        if absent and if_unknown(rule) == "suppress":
            return DISABLED, f"{', '.join(absent)} is absent, and the rule then says suppress", tuple(f"deliver {name}" for name in absent)
        needs = (*feed_needs(rule, self.tenant, self._pack), *self._unfilled(rule))
        if not needs and _never(made):
            lacking = [*absent, *(name for source in self.facts(rule).all_logsources for name in self._lacking(source))]
            needs = tuple(f"deliver {name}" for name in dict.fromkeys(lacking) if name in self.facts(rule).all_fields)
            needs = needs or ("let something match: with its lists and exceptions nothing can",)
        return (LACKING, "this customer's data do not feed it", needs) if needs else (ACTIVE, "", ())

    def _unfilled(self, rule: AnyRule) -> tuple[str, ...]:
        """Lists that the rule uses and the profile does not give in a form that the rule can use."""
        bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
        return tuple(dict.fromkeys(need for base in bases for need in self.facts(base).list_needs(self.tenant.all_lists)))

    def _notes(self, rule: AnyRule) -> tuple[str, ...]:
        """What differs from the pack, for the ledger."""
        notes = [
            f"{name} is {number:g}" + (f" (surge {surge})" if surge else " (profile)")
            for name, (number, surge) in effective(rule, self.tenant, self.surges).items()
        ]
        absent = self.absent(rule)
        if absent:
            notes.append(f"runs without {', '.join(absent)} (if_unknown: {if_unknown(rule)})")
        change = self._levels.get(rule.header.label)
        if change is not None:
            notes.append(f"severity {rule.header.level} -> {change.level}: {change.reason}")
        parts: tuple[AnyRule, ...] = (rule,) if isinstance(rule, Rule) else (rule, *rule.base_rules)
        excepted = dict.fromkeys(name for part in parts for name, _, _ in self._exceptions.get(part.header.label, ()))
        until = {exemption.id: exemption.expires for exemption in self.tenant.exemptions}
        notes += [f"exception {name} until {until[name]}" for name in excepted]
        return tuple(notes)


def if_unknown(rule: AnyRule) -> str:
    """What the rule says a match is worth where context is unknown (metadata schema: downgrade unless it says otherwise)."""
    context = rule.header.insurance.get("context")
    return str(context.get("if_unknown", "downgrade")) if isinstance(context, dict) else "alert"


def _never(made: AnyRule) -> bool:
    """Whether the rule can match nothing at all."""
    if isinstance(made, Rule):
        return made.predicate == Constant(False)
    dead = [_never(member) for member in made.members]
    return any(dead) if made.type in _ALL_NEEDED and made.condition.expression is None else all(dead)


def specialise_all(specialiser: Specialiser, rules: Sequence[AnyRule]) -> tuple[Special, ...]:
    """Every rule as it holds for the customer, in order."""
    return tuple(specialiser.special(rule) for rule in rules)
