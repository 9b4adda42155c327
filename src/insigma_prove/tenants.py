"""The proof of a customer's detections: the pack's rules as they hold for the customer, compiled as they are delivered.

Each is run on the events of its rule's fixture, stored in the customer's places and fields. A flag that the customer does not
ingest is taken off the events; where it is looked up instead, `tables` makes what it is looked up in. The reference is the
specialised rule, judged on the events with their looked-up fields; what the fixture expects of the pack's rule is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from insigma.assure.fixtures import with_logsources
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Fixture, Pack, TargetMapping
from insigma.content.tenants import Delivery, Tenant
from insigma.evaluate.events import flatten
from insigma.evaluate.lookups import Enricher
from insigma.release.tenants import reads_of, targets_of
from insigma.specialise.facts import facts_of, labels_of
from insigma.specialise.mapping import slice_key, sliced, tenant_mapping, with_lookups
from insigma.specialise.tenant import LACKING, Memo, Special, Specialiser
from insigma_prove.prove import Bench, Case, Proof, prove_rule
from insigma_prove.stands import Stand, open_stand
from insigma_prove.tables import Kept, kept, tables_for
from insigma_prove.trial import Events

Tell = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class TenantProof:
    """How a customer's detections fared: proofs in order of target and rule, and rules that cannot run with the customer's data.

    `flags` are those that the events carried, by whether looking them up gave them again.
    """

    tenant: Tenant
    proofs: tuple[Proof, ...]
    lacking: tuple[Special, ...]
    flags: Kept


@dataclass(slots=True)
class Known:
    """What was shown for one customer, kept for the next: rules that are equal after specialising, and proofs of equal detections."""

    memo: Memo = field(default_factory=Memo.empty)
    cases: dict[tuple[Any, ...], tuple[tuple[Case, ...], Kept]] = field(default_factory=dict)
    proofs: dict[tuple[Any, ...], tuple[Proof, ...]] = field(default_factory=dict)


def prove_tenant(
    pack: Pack,
    tenant: Tenant,
    targets: Sequence[str],
    bench: Bench,
    concerns: Callable[[AnyRule], bool],
    tell: Tell,
    day: str | None = None,
    known: Known | None = None,
) -> TenantProof:
    """Prove the detections of one customer on one day; of the targets, those that the profile has.

    A rule that is switched off is proved too: it is delivered, switched off.
    """
    known = known or Known()
    specialiser = Specialiser(pack, tenant, day, known.memo)
    specials = [specialiser.special(rule) for rule in pack.rules if concerns(rule)]
    running = [special for special in specials if special.state != LACKING]
    trier = _Trier(pack, specialiser, bench, tell, known)
    flags = sum((trier.cases(special)[1] for special in running), Kept())
    chosen = [target for target in targets_of(tenant, pack) if target in targets]
    with ThreadPoolExecutor(max(1, len(chosen))) as pool:
        proofs = tuple(proof for own in pool.map(lambda target: list(trier.proofs(target, running)), chosen) for proof in own)
    return TenantProof(tenant, proofs, tuple(special for special in specials if special.state == LACKING), flags)


class _Trier:
    """Tries one customer's detections on the fixtures of their rules."""

    def __init__(self, pack: Pack, specialiser: Specialiser, bench: Bench, tell: Tell, known: Known) -> None:
        self._pack, self._specialiser, self._bench, self._tell, self._known = pack, specialiser, bench, tell, known
        labels = labels_of(pack.rules)
        self._fixtures = {labels[fixture.rule]: fixture for fixture in pack.fixtures if fixture.rule in labels}
        self._lists = default_lists(pack)
        self._not_ingested = frozenset(
            name for name, source in specialiser.tenant.context.items() if source.delivery is not Delivery.INGEST
        )

    def proofs(self, target: str, specials: Sequence[Special]) -> Iterator[Proof]:
        """The proofs on one target. The engines work side by side, each target on its own."""
        mapping = tenant_mapping(self._pack.mappings[target], self._specialiser.tenant)
        stands: dict[tuple[Any, ...], Stand] = {}
        for special in specials:
            self._tell(target, f"{special.rule.header.label} for {self._specialiser.tenant.id}")
            own = self._own(mapping, special)
            key = (special.key, self._not_ingested, slice_key(self._slice(own, special)))
            if key not in self._known.proofs:
                around = (special.lookups, own.options.get("interval"))
                if around not in stands:
                    stands[around] = open_stand(target, replace(self._pack, mappings=MappingProxyType({target: own})))
                self._known.proofs[key] = self._proved(special, stands[around])
            yield from self._known.proofs[key]

    def _proved(self, special: Special, stand: Stand) -> tuple[Proof, ...]:
        fixture = self._fixtures.get(special.rule.header.label)
        return tuple(prove_rule(special.rule, stand, (None,), self._bench, fixture, self.cases(special)[0], self._pack.taxonomy))

    def _own(self, mapping: TargetMapping, special: Special) -> TargetMapping:
        """The customer's mapping with what the rule looks up, and the rule's own interval."""
        interval = self._specialiser.intervals.get(special.rule.header.label)
        options = MappingProxyType({**mapping.options, **({"interval": interval} if interval else {})})
        return replace(with_lookups(mapping, special.lookups), options=options)

    def _slice(self, mapping: TargetMapping, special: Special) -> TargetMapping:
        """All of the mapping that the detection depends on."""
        return sliced(mapping, reads_of(special, self._pack), facts_of(special.rule, self._pack).all_logsources, None)

    def cases(self, special: Special) -> tuple[tuple[Case, ...], Kept]:
        """The cases of the rule's fixture for the customer, and how many flags the tables give again."""
        key = (special.key, self._not_ingested)
        if key not in self._known.cases:
            self._known.cases[key] = self._made_cases(special, self._fixtures.get(special.rule.header.label))
        return self._known.cases[key]

    def _made_cases(self, special: Special, fixture: Fixture | None) -> tuple[tuple[Case, ...], Kept]:
        found: list[Case] = []
        flags = Kept()
        for case in fixture.cases if fixture is not None else ():
            events = with_logsources(case.events, special.rule, self._pack)
            made = looked_up(case.name, special, events, self._not_ingested, self._lists)
            flags += kept(special.lookups, events, made.events)
            found.append(made)
        return tuple(found), flags


def looked_up(name: str, special: Special, events: Events, not_ingested: frozenset[str], lists: Mapping[str, Sequence[str]]) -> Case:
    """A case as the customer has it: without the flags that are not ingested, and with tables to look them up in."""
    tables = tables_for(special.lookups, events, lists)
    bare = [_without(event, not_ingested) for event in events]
    enricher = Enricher(special.lookups, tables)
    return Case(name, [enricher.enrich(event) for event in bare] if special.lookups else bare, bare, tables)


def _without(event: Mapping[str, Any], names: frozenset[str]) -> Mapping[str, Any]:
    flat = flatten(event)
    if names.isdisjoint(flat):
        return event
    return {name: list(value) if isinstance(value, tuple) else value for name, value in flat.items() if name not in names}
