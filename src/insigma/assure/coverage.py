"""What the tested rules cover: use cases, log sources, ATT&CK and F3 techniques, DORA criteria.

Input: rules, the labels of those whose fixtures pass, and the tables. Output: sections of what there is to cover, each with the
rules that alert on it and those that support (base rules and signals). Everything is read from the rules' own metadata; a
rule without a passing fixture covers nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from insigma.content.attack import AttackTable
from insigma.content.model import AnyRule, Rule, Taxonomy
from insigma.content.use_cases import UseCase

DORA_CRITERIA: Mapping[str, str] = {
    "clients_transactions": "Art. 9(1): clients, counterparts and transactions affected",
    "reputation": "Art. 9(2): reputation",
    "duration_downtime": "Art. 9(3): duration and downtime",
    "geographical_spread": "Art. 9(4): two or more Member States",
    "data_losses_a": "Art. 9(5)(a): availability, authenticity, integrity or confidentiality of data",
    "data_losses_b": "Art. 9(5)(b): malicious unauthorised access that may lose data",
    "economic_impact": "Art. 9(6): costs and losses",
    "critical_services": "Art. 6: critical services affected",
}
"""Criteria of Delegated Regulation (EU) 2024/1772 in the words of the metadata schema."""


@dataclass(frozen=True, slots=True)
class Tables:
    """What there is to cover: the tables that the pack is written against."""

    taxonomy: Taxonomy
    attack: AttackTable
    f3: Mapping[str, str]
    use_cases: Mapping[str, UseCase]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing to cover: the rules that alert on it and those that only support, by label. `wanted` says that a rule should."""

    id: str
    name: str
    alerting: tuple[str, ...]
    supporting: tuple[str, ...]
    wanted: bool

    @property
    def covered(self) -> bool:
        return bool(self.alerting or self.supporting)


@dataclass(frozen=True, slots=True)
class Section:
    """Things of one kind. `key` is its name on the command line and in JSON; `complete` says that the list is what there is at all."""

    key: str
    title: str
    items: tuple[Item, ...]
    complete: bool = True

    @property
    def gaps(self) -> tuple[Item, ...]:
        """What a rule should cover and none does."""
        return tuple(item for item in self.items if item.wanted and not item.covered)


@dataclass(frozen=True, slots=True)
class Coverage:
    """All sections, and the rules that count for nothing because no fixture passes."""

    rules: tuple[AnyRule, ...]
    sections: tuple[Section, ...]
    untested: tuple[str, ...]


def coverage_of(rules: Sequence[AnyRule], tested: Collection[str], tables: Tables) -> Coverage:
    """The coverage of the rules; `tested` are the labels of those with a fixture that passes."""
    counted = tuple(rule for rule in rules if rule.header.label in tested)
    sections = (
        _use_cases(counted, tables),
        _logsources(counted, tables),
        _attack(counted, tables),
        _f3(counted, tables),
        _dora(counted),
    )
    return Coverage(counted, sections, tuple(rule.header.label for rule in rules if rule.header.label not in tested))


def dug(rule: AnyRule, *keys: str) -> Any:
    """The value under a path of the rule's metadata, or None."""
    value: Any = rule.header.insurance
    for key in keys:
        value = value.get(key) if isinstance(value, Mapping) else None
    return value


def alerts(rule: AnyRule) -> bool:
    """Whether the rule wakes somebody, and does not only feed others or a risk score."""
    role: object = dug(rule, "role")
    return role == "alert"


def techniques(rule: AnyRule) -> tuple[str, ...]:
    """The ATT&CK techniques that the rule is tagged with, such as T1078.004."""
    names = (tag.removeprefix("attack.") for tag in rule.header.tags if tag.startswith("attack."))
    return tuple(name.upper() for name in names if name[:1] == "t" and name[1:5].isdigit())


def tactics(rule: AnyRule) -> tuple[str, ...]:
    """The short names of the ATT&CK tactics that the rule is tagged with."""
    names = (tag.removeprefix("attack.") for tag in rule.header.tags if tag.startswith("attack."))
    return tuple(name.replace("_", "-") for name in names if not (name[:1] == "t" and name[1:5].isdigit()))


def logsources(rule: AnyRule, taxonomy: Taxonomy) -> tuple[str, ...]:
    """The canonical log sources that the rule, or the rules under it, look at."""
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    found = (taxonomy.find(base.logsource) for base in bases)
    return tuple(dict.fromkeys(source.name for source in found if source is not None))


def _items(
    names: Iterable[tuple[str, str, bool]], rules: Sequence[AnyRule], of_rule: Callable[[AnyRule], Iterable[str]]
) -> tuple[Item, ...]:
    """An item for each (id, name, wanted), with the rules for which `of_rule` gives the id."""
    by_id: dict[str, list[AnyRule]] = {}
    for rule in rules:
        for identifier in dict.fromkeys(of_rule(rule)):
            by_id.setdefault(identifier, []).append(rule)
    return tuple(
        Item(
            identifier,
            name,
            tuple(sorted(rule.header.label for rule in by_id.get(identifier, ()) if alerts(rule))),
            tuple(sorted(rule.header.label for rule in by_id.get(identifier, ()) if not alerts(rule))),
            wanted,
        )
        for identifier, name, wanted in names
    )


def _listed(*keys: str) -> Callable[[AnyRule], Iterable[str]]:
    def of_rule(rule: AnyRule) -> Iterable[str]:
        found = dug(rule, *keys)
        return [str(entry) for entry in found] if isinstance(found, list) else ()

    return of_rule


def _use_cases(rules: Sequence[AnyRule], tables: Tables) -> Section:
    names = ((case.id, case.name, case.by_rules) for case in tables.use_cases.values())
    return Section("use-cases", "Use cases", _items(names, rules, _listed("use_cases")))


def _logsources(rules: Sequence[AnyRule], tables: Tables) -> Section:
    names = ((source.name, source.description, True) for source in tables.taxonomy.logsources.values())
    return Section("log-sources", "Log sources", _items(names, rules, lambda rule: logsources(rule, tables.taxonomy)))


def _attack(rules: Sequence[AnyRule], tables: Tables) -> Section:
    used = sorted({name for rule in rules for name in techniques(rule)})
    known = tables.attack.techniques
    names = ((name, known[name].name, True) for name in used if name in known)
    return Section("attack", "ATT&CK v19 techniques", _items(names, rules, techniques), complete=False)


def _f3(rules: Sequence[AnyRule], tables: Tables) -> Section:
    of_rule = _listed("f3")
    used = {name for rule in rules for name in of_rule(rule)}
    names = ((name, title, True) for name, title in tables.f3.items() if name in used or name.startswith("INSF-"))
    return Section("f3", "F3 v1.1 techniques and our own", _items(names, rules, of_rule), complete=False)


def _dora(rules: Sequence[AnyRule]) -> Section:
    names = ((key, text, True) for key, text in DORA_CRITERIA.items())
    return Section("dora", "DORA criteria", _items(names, rules, _listed("regulatory", "dora", "criteria")))
