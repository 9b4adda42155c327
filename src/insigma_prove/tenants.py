"""The proof of a customer's detections: the pack's rules as they hold for the customer, compiled as they are delivered.

Each is run on the events of its rule's fixture, stored in the customer's places and fields. What the customer's feeds lack, and
a flag that the customer does not ingest, is taken off the events; where a flag is looked up instead, `tables` makes what it is
looked up in. The reference is the specialised rule, judged on the events with their looked-up fields; what the fixture expects of
the pack's rule is not asked.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from insigma.assure.fixtures import with_logsources
from insigma.content.folding import fold
from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Fixture, Pack, TargetMapping
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.content.tenants import Delivery, Tenant
from insigma.diagnostics.model import Diagnostic
from insigma.evaluate.events import flatten, text_of, values_of
from insigma.evaluate.lookups import Enricher
from insigma.release.tenants import reads_of, targets_of
from insigma.specialise.facts import facts_of, labels_of
from insigma.specialise.mapping import slice_key, sliced, tenant_mapping, with_lookups
from insigma.specialise.tenant import ACTIVE, LACKING, Memo, Special, Specialiser
from insigma_prove.prove import Bench, Case, Proof, prove_rule
from insigma_prove.stands import Stand, open_stand
from insigma_prove.tables import Kept, kept, tables_for, with_keys
from insigma_prove.trial import Events

Tell = Callable[[str, str], None]


@dataclass(frozen=True, slots=True)
class TenantProof:
    """How a customer's detections fared: proofs in order of target and rule, and rules that cannot run with the customer's data.

    `flags` are those that the events carried, by whether looking them up gave them again; `unread` is wrong with the profile.
    """

    tenant: Tenant
    proofs: tuple[Proof, ...]
    lacking: tuple[Special, ...]
    flags: Kept
    unread: tuple[Diagnostic, ...] = ()


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

    A rule that is switched off is proved too, if it compiles: it is delivered, switched off.
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
    lacking = tuple(special for special in specials if special.state == LACKING)
    return TenantProof(tenant, proofs, lacking, flags, tuple(specialiser.diagnostics))


class _Trier:
    """Tries one customer's detections on the fixtures of their rules."""

    def __init__(self, pack: Pack, specialiser: Specialiser, bench: Bench, tell: Tell, known: Known) -> None:
        self._pack, self._specialiser, self._bench, self._tell, self._known = pack, specialiser, bench, tell, known
        labels = labels_of(pack.rules)
        self._fixtures = {labels[fixture.rule]: fixture for fixture in pack.fixtures if fixture.rule in labels}
        self._lists = default_lists(pack)
        self._lacks = {name: feed.lacks for name, feed in specialiser.tenant.feeds.items() if feed.lacks}
        self._not_ingested = frozenset(
            name for name, source in specialiser.tenant.context.items() if source.delivery is not Delivery.INGEST
        )

    def proofs(self, target: str, specials: Sequence[Special]) -> Iterator[Proof]:
        """The proofs on one target. The engines work side by side, each target on its own."""
        mapping = tenant_mapping(self._pack.mappings[target], self._specialiser.tenant)
        for special in specials:
            self._tell(target, f"{special.rule.header.label} for {self._specialiser.tenant.id}")
            part = self._slice(mapping, special)
            key = (special.key, slice_key(part))
            if key not in self._known.proofs:
                stand = open_stand(target, replace(self._pack, mappings=MappingProxyType({target: part})))
                self._known.proofs[key] = self._proved(special, stand)
            yield from (proof for proof in self._known.proofs[key] if not proof.refused or special.state == ACTIVE)

    def _proved(self, special: Special, stand: Stand) -> tuple[Proof, ...]:
        fixture = self._fixtures.get(special.rule.header.label)
        return tuple(prove_rule(special.rule, stand, (None,), self._bench, fixture, self.cases(special)[0], self._pack.taxonomy))

    def _slice(self, mapping: TargetMapping, special: Special) -> TargetMapping:
        """The part of the mapping that the detection is compiled against, which is all that an engine has to store."""
        interval = self._specialiser.intervals.get(special.rule.header.label)
        sources = facts_of(special.rule, self._pack).all_logsources
        return sliced(with_lookups(mapping, special.lookups), reads_of(special, self._pack), sources, interval)

    def cases(self, special: Special) -> tuple[tuple[Case, ...], Kept]:
        """The cases of the rule's fixture for the customer, and how many flags the tables give again."""
        if special.key not in self._known.cases:
            self._known.cases[special.key] = self._made_cases(special, self._fixtures.get(special.rule.header.label))
        return self._known.cases[special.key]

    def _made_cases(self, special: Special, fixture: Fixture | None) -> tuple[tuple[Case, ...], Kept]:
        found: list[Case] = []
        flags, read = Kept(), {*facts_of(special.rule, self._pack).all_fields, *(name for names in self._lacks.values() for name in names)}
        for case in fixture.cases if fixture is not None else ():
            events = [self._as_fed(event) for event in with_logsources(case.events, special.rule, self._pack)]
            made, same = looked_up(case.name, special, events, self._not_ingested, read, self._lists)
            flags += same
            found.append(made)
        return tuple(found), flags

    def _as_fed(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """The event without the fields that the customer's log source lacks."""
        named = values_of(flatten(event), LOGSOURCE_FIELD)
        return _without(event, self._lacks.get(fold(text_of(named[0])), ())) if named else event


def looked_up(
    name: str, special: Special, events: Events, not_ingested: Collection[str], read: Collection[str], lists: Mapping[str, Sequence[str]]
) -> tuple[Case, Kept]:
    """A case as the customer has it: without the flags that are not ingested, and with tables to look them up in.

    With it, how many of the flags come out of the tables again. `read` are the fields that the rule reads.
    """
    whole = with_keys(special.lookups, events, read)
    tables = tables_for(special.lookups, whole, lists)
    bare = [_without(event, not_ingested) for event in whole]
    enricher = Enricher(special.lookups, tables)
    judged = [enricher.enrich(event) for event in bare] if special.lookups else bare
    return Case(name, judged, bare, tables), kept(special.lookups, events, judged)


def _without(event: Mapping[str, Any], names: Collection[str]) -> Mapping[str, Any]:
    flat = flatten(event)
    if not any(name in flat for name in names):
        return event
    return {name: list(value) if isinstance(value, tuple) else value for name, value in flat.items() if name not in names}
