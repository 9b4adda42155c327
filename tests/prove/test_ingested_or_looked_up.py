"""The same fixtures give the same verdicts whether a flag comes with the event or is looked up.

By the evaluator for every rule that reads a flag which a table can make, on every case; by the engines for some rules and cases
of each flag (`insigma prove --tenant` asks them everything).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

import pytest

from insigma.assure.fixtures import Reference, reference_rules, with_logsources
from insigma.content.lists import DEFAULT_TENANT, default_lists
from insigma.content.model import AnyRule, Correlation, Pack
from insigma.content.tenants import Calendar, ContextSource, Delivery, GroupShift, Shift, Tenant
from insigma.evaluate.events import flatten, text_of, values_of
from insigma.release.tenants import reads_of
from insigma.specialise.facts import facts_of
from insigma.specialise.mapping import sliced, with_lookups
from insigma.specialise.tenant import Special, Specialiser
from insigma_prove.prove import Case
from insigma_prove.reference import Truth, truth
from insigma_prove.stands import Stand, open_stand
from insigma_prove.tables import with_keys
from insigma_prove.tenants import looked_up
from insigma_prove.trial import Events, differences, gather
from tests.prove.conftest import GetEngine

CONTEXT = "insurance.context."
WEEK = Shift("Europe/Berlin", frozenset(range(5)), 420, 1140)
CALENDAR = Calendar(WEEK, (GroupShift("fnol_24x7", "user.roles", Shift("Europe/Berlin", frozenset(range(7)), 0, 1440)),), (2026,))


@dataclass(frozen=True, slots=True)
class Twice:
    """A case of a rule's fixture: as it is ingested, and as a customer has it who looks every flag up that can be.

    `ingested` are the events with their flags, `expected` the pack's rule's verdict on them. `same` says that every flag comes
    out of the tables as it was, one that was absent as unknown; `words` are the flags' words that are carried, by flag.
    """

    special: Special
    case: Case
    expected: Truth
    same: bool
    words: frozenset[tuple[str, str]]

    @property
    def flags(self) -> frozenset[str]:
        return frozenset(flag for flag, _ in self.words)

    @property
    def alerts(self) -> bool:
        return bool(self.expected.positions or self.expected.instants)


def customer(pack: Pack, flags: frozenset[str]) -> Tenant:
    """A customer with the default profile's lists who looks the flags up."""
    context = {flag: ContextSource(flag, Delivery.LOOKUP, pack.context.flags[flag].table) for flag in sorted(flags)}
    return replace(pack.tenants[DEFAULT_TENANT], id="looked-up", context=context, calendar=CALENDAR)


def special_of(rule: AnyRule, pack: Pack) -> Special | None:
    """The rule with every flag looked up that its log sources have the keys of; None where that is none."""
    everything = Specialiser(pack, customer(pack, frozenset(pack.context.flags)))
    flags = frozenset(pack.context.flags) & {*facts_of(rule, pack).all_fields} - {*everything.absent(rule)}
    return Specialiser(pack, customer(pack, flags)).special(rule) if flags else None


def twice(special: Special, rule: AnyRule, name: str, events: Events, pack: Pack) -> Twice:
    flags = [lookup.field for lookup in special.lookups]
    read = facts_of(rule, pack).all_fields
    whole = with_keys(special.lookups, with_logsources(events, rule, pack), read)
    case, _ = looked_up(name, special, whole, flags, read, default_lists(pack))
    carried = [(position, flag, word) for position, event in enumerate(whole) for flag in flags for word in _words(event, flag)]
    same = all(case.events[position][flag] == word for position, flag, word in carried)
    told = {(position, flag) for position, flag, _ in carried}
    same &= all(made[flag] == "unknown" for position, made in enumerate(case.events) for flag in flags if (position, flag) not in told)
    return Twice(special, case, truth(rule, whole, pack.taxonomy), same, frozenset((flag, word) for _, flag, word in carried))


def _words(event: Mapping[str, object], flag: str) -> list[str]:
    return [text_of(value).lower() for value in values_of(flatten(event), flag)]


@pytest.fixture(scope="module")
def reference(pack: Pack) -> Reference:
    return reference_rules(pack, default_lists(pack))


@pytest.fixture(scope="module")
def cases(pack: Pack, reference: Reference) -> list[Twice]:
    """Every case of every rule that can look a flag up."""
    fixtures = reference.fixtures(pack)
    found = []
    for rule, written in zip(reference.distinct(), pack.rules, strict=True):
        assert rule.header.label == written.header.label
        special = special_of(written, pack)
        if special is not None and rule.header.label in fixtures:
            found += [twice(special, rule, case.name, case.events, pack) for case in fixtures[rule.header.label].cases]
    return found


OTHERWISE = {
    ("ins-brk-004", "no book table, or a record it does not know"): "a book that knows all records says no, not unknown",
    ("ins-inf-006", "no assignment table, a claim is named"): "a table without a row says no, not unknown",
    ("ins-rei-002", "no user on a bank change that another person approved under a ticket"): "without a user no ticket is found",
}
"""Cases in which looking up cannot say what was ingested, and in which that matters to the verdict."""


def test_the_evaluator_says_the_same(cases: list[Twice], pack: Pack) -> None:
    compared: Counter[str] = Counter()
    telling: Counter[str] = Counter()
    other = set()
    for each in cases:
        found = truth(each.special.rule, each.case.events, pack.taxonomy)
        if (found.positions, found.instants) != (each.expected.positions, each.expected.instants):
            other.add((each.special.rule.header.label, each.case.name))
            assert not each.same, (each.special.rule.header.label, each.case.name)
        elif each.same:
            compared.update(each.flags)
            telling.update(each.flags if each.alerts else ())
    assert other == OTHERWISE.keys()
    assert (len(cases) >= 400, sum(each.same for each in cases) >= 360) == (True, True), "flags come out of tables in nearly all cases"
    assert {flag for flag in FLAGS if compared[flag] < 10 or telling[flag] < 5} == set()
    words = {word for each in cases if each.same for word in each.words}
    assert words >= {(flag, word) for flag in FLAGS for word in ("yes", "no")}


FLAGS = frozenset(
    CONTEXT + name
    for name in (
        "account_shared",
        "assigned_to_actor",
        "assignment_expired",
        "entitled",
        "off_hours",
        "on_cat_duty",
        "owns_record",
        "related_party",
        "restricted_party",
        "ticket_valid",
    )
)
"""The flags that rules of the pack read and that their log sources have the keys for."""


def test_what_is_looked_up_decides(cases: list[Twice], pack: Pack) -> None:
    """With nothing in the tables, some verdicts on each flag are others."""
    changed: set[str] = set()
    for each in cases:
        if not each.same or each.flags <= changed:
            continue
        events = [{**event, **dict.fromkeys(each.flags, "unknown")} for event in each.case.events]
        found = truth(each.special.rule, events, pack.taxonomy)
        if (found.positions, found.instants) != (each.expected.positions, each.expected.instants):
            changed |= each.flags
    assert changed >= FLAGS


MOST_EVENTS = 30
LANGUAGES = {"elastic": "esql", "splunk": "spl", "sentinel": "kql"}
CHOSEN = {"elastic": 4, "splunk": 8, "sentinel": 2}
"""For each target how many cases of a flag are asked of its engine."""


def chosen(cases: list[Twice], flag: str, number: int) -> list[Twice]:
    """Cases of the flag, those that alert and those that do not by turns, of different rules first, correlations before event rules."""
    fit = [each for each in cases if each.same and flag in each.flags and len(each.case.events) <= MOST_EVENTS]
    turns: Counter[tuple[str, bool]] = Counter()
    ranked: list[tuple[int, bool, int, Twice]] = []
    for each in fit:
        label = each.special.rule.header.label
        turns[label, each.alerts] += 1
        ranked.append((turns[label, each.alerts], not isinstance(each.special.rule, Correlation), len(ranked), each))
    kinds = [[each for *_, each in sorted(ranked, key=lambda entry: entry[:3]) if each.alerts is told] for told in (True, False)]
    half = number // 2
    return kinds[0][:half] + kinds[1][: number - min(half, len(kinds[0]))]


@pytest.mark.parametrize("target", LANGUAGES)
@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_the_engines_say_the_same(flag: str, target: str, cases: list[Twice], pack: Pack, engine: GetEngine) -> None:
    name = {"elastic": "elastic", "splunk": "spl", "sentinel": "kusto"}[target]
    client = engine(name).client
    asked = chosen(cases, flag, CHOSEN[target])
    assert len(asked) == CHOSEN[target]
    assert {each.alerts for each in asked} == {True, False}
    for each in asked:
        stand = stand_of(each.special, target, pack)
        stand.lookups = each.case.tables
        compiled = stand.compile(each.special.rule, LANGUAGES[target])
        assert pack.context.flags[flag].table in compiled.detection.query
        evidence = gather(stand, client, each.expected, each.case.events, each.case.ingested)
        assert [found.message for found in differences(compiled, client, evidence, pack.taxonomy)] == [], each.case.name


def stand_of(special: Special, target: str, pack: Pack) -> Stand:
    mapping = with_lookups(pack.mappings[target], special.lookups)
    part = sliced(mapping, reads_of(special, pack), facts_of(special.rule, pack).all_logsources, None)
    return open_stand(target, replace(pack, mappings=MappingProxyType({target: part})))
