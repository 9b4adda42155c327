"""Building for customers: every rule specialised, compiled and packaged for each target that the profile names.

Rules that are equal after specialising, and read the same stored fields in the same places, are compiled once for however
many customers: the key is everything that was changed in the rule and the slice of the mapping that it is compiled against,
and nothing outside of that slice is within the compiler's reach.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import yaml

from insigma.bind.binder import EVENT_KEY, bind
from insigma.content.attack import AttackTable, load_attack
from insigma.content.context import CALENDAR, ContextTable
from insigma.content.lookups import TIME, Lookup
from insigma.content.model import AnyRule, Pack, Rule, TargetMapping
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.content.tenants import Tenant
from insigma.diagnostics.catalogue import CODES
from insigma.diagnostics.model import Diagnostic
from insigma.packages.base import Packager, PackContext, Packed, Table
from insigma.release.outcomes import COMPILED, DISABLED, REFUSED, Outcome
from insigma.release.workshops import NATIVE, TARGETS, packager_of
from insigma.specialise.calendar import rows as calendar_rows
from insigma.specialise.exemptions import filter_document
from insigma.specialise.facts import facts_of
from insigma.specialise.lists import LIST_COLUMN
from insigma.specialise.mapping import slice_key, sliced, tenant_mapping, with_lookups
from insigma.specialise.tenant import DISABLED as SWITCHED_OFF
from insigma.specialise.tenant import LACKING, Memo, Special, Specialiser
from insigma.targets.base import Detection, Refused

_FIXED = (TIME, LOGSOURCE_FIELD, *EVENT_KEY)


@dataclass(slots=True)
class Workbench:
    """What is kept from one customer to the next: specialised rules, and detections by everything that they depend on.

    `compiled` and `reused` count the detections that were made and those that were there already.
    """

    memo: Memo = field(default_factory=Memo.empty)
    detections: dict[tuple[Any, ...], Detection | Refused] = field(default_factory=dict)
    reads: dict[tuple[Any, ...], tuple[str, ...]] = field(default_factory=dict)
    attack: AttackTable = field(default_factory=load_attack)
    compiled: int = 0
    reused: int = 0


@dataclass(frozen=True, slots=True)
class TenantBuild:
    """What was built for one customer: outcomes by rule and target, and the packagers with what they pack."""

    tenant: Tenant
    targets: tuple[str, ...]
    specials: tuple[Special, ...]
    outcomes: tuple[Outcome, ...]
    packagers: Mapping[str, Packager]


def targets_of(tenant: Tenant, pack: Pack) -> tuple[str, ...]:
    """The targets that a profile is built for: those that it names; all that the pack maps where it names none."""
    known = tuple(name for name in NATIVE if name in pack.mappings)
    return tuple(name for name in known if name in tenant.targets) if tenant.targets else known


def build_tenant(
    specialiser: Specialiser, pack: Pack, targets: Sequence[str], bench: Workbench, versions: Mapping[str, int]
) -> TenantBuild:
    """Specialise and compile every rule of the pack for a customer. A target's refusal is an outcome, not an error."""
    tenant = specialiser.tenant
    specials = tuple(specialiser.special(rule) for rule in pack.rules)
    tables = tables_of(specials, tenant, pack)
    outcomes: list[Outcome] = []
    packagers: dict[str, Packager] = {}
    for target in targets:
        mapping = tenant_mapping(pack.mappings[target], tenant)
        context = PackContext(tenant.id, pack.name, pack.version, tenant.legal_entity, versions, tenant.targets.get(target, {}), tables)
        packagers[target] = packager_of(target, context, mapping, pack, bench.attack)
        maker = _Maker(mapping, pack, bench, specialiser.intervals)
        outcomes += (_outcome(special, maker, packagers[target], tenant.id) for special in specials)
    return TenantBuild(tenant, tuple(targets), specials, tuple(outcomes), packagers)


def _outcome(special: Special, maker: _Maker, packager: Packager, tenant: str) -> Outcome:
    """How one rule ends on one target. What is switched off is compiled all the same: it is delivered switched off."""
    rule, target = special.rule, maker.target
    if special.state == LACKING:
        place = rule.header.document.place("logsource" if isinstance(rule, Rule) else "correlation")
        return Outcome(rule, target, tenant, REFUSED, verified=True, reason=special.reason, place=place, needs=special.needs)
    detection = maker.detection(special)
    off = special.state == SWITCHED_OFF
    packed = None
    if isinstance(detection, Detection):
        try:
            packager.native(rule.header, detection)
        except Refused as refused:
            detection = refused
        else:
            packed = Packed(rule.header, detection, {}, enabled=not off)
    if off:
        return Outcome(rule, target, tenant, DISABLED, verified=True, packed=packed, reason=special.reason, needs=special.needs)
    if isinstance(detection, Refused):
        place = rule.header.document.place(*detection.where)
        return Outcome(rule, target, tenant, REFUSED, verified=True, reason=detection.reason, place=place)
    return Outcome(rule, target, tenant, COMPILED, verified=True, packed=packed)


class _Maker:
    """Compiles for one customer's mapping of one target."""

    def __init__(self, mapping: TargetMapping, pack: Pack, bench: Workbench, intervals: Mapping[str, str]) -> None:
        self.target = mapping.target
        self._mapping = mapping
        self._pack = pack
        self._bench = bench
        self._intervals = intervals

    def detection(self, special: Special) -> Detection | Refused:
        """The detection with the customer's notes, or why there is none."""
        bench = self._bench
        part = self._slice(special)
        key = (special.key, slice_key(part))
        if key in bench.detections:
            bench.reused += 1
        else:
            bench.compiled += 1
            bench.detections[key] = self._compiled(special.rule, part)
        made = bench.detections[key]
        return replace(made, notes=(*special.notes, *made.notes)) if isinstance(made, Detection) else made

    def _slice(self, special: Special) -> TargetMapping:
        """The part of the mapping that the rule can read."""
        if special.key not in self._bench.reads:
            self._bench.reads[special.key] = reads_of(special, self._pack)
        mapping = with_lookups(self._mapping, special.lookups)
        sources = facts_of(special.rule, self._pack).all_logsources
        return sliced(mapping, self._bench.reads[special.key], sources, self._intervals.get(special.rule.header.label))

    def _compiled(self, rule: AnyRule, part: TargetMapping) -> Detection | Refused:
        try:
            return TARGETS[self.target](part).compile(bind(rule, part, self._pack.taxonomy))
        except Refused as refused:
            return refused


def reads_of(special: Special, pack: Pack) -> tuple[str, ...]:
    """Every canonical field that the compiled rule can name."""
    written = special.rule.header.document.data.get("fields")
    shown = [name for name in written if isinstance(name, str)] if isinstance(written, list) else []
    looked_up = [name for lookup in special.lookups for name in (lookup.field, *lookup.reads)]
    return (*_FIXED, *facts_of(special.rule, pack).all_fields, *shown, *looked_up)


def tables_of(specials: Sequence[Special], tenant: Tenant, pack: Pack) -> tuple[Table, ...]:
    """The tables that the customer's rules read, by name; those of rules that are switched off too, as they are delivered."""
    used = {lookup.table: lookup for special in specials if special.state != LACKING for lookup in special.lookups}
    return tuple(_table(used[name], tenant, pack) for name in sorted(used))


def _table(lookup: Lookup, tenant: Tenant, pack: Pack) -> Table:
    known = pack.context.tables.get(lookup.table)
    if known is not None:
        return _context_table(known, lookup, tenant)
    entry = tenant.all_lists[lookup.table]
    rows = None if entry.values is None else tuple((value,) for value in entry.values)
    columns = ((LIST_COLUMN, "string"),)
    return Table(entry.name, (LIST_COLUMN,), columns, rows, f"list {entry.name}", entry.owner, entry.source, entry.refresh)


def _context_table(known: ContextTable, lookup: Lookup, tenant: Tenant) -> Table:
    rows = calendar_rows(tenant.calendar) if known.name == CALENDAR and tenant.calendar is not None else None
    return Table(known.name, known.key_columns, known.columns, rows, known.description, known.owner, known.source, lookup.refresh)


def package_files(build: TenantBuild) -> Iterator[tuple[str, str | bytes]]:
    """Everything that the customer loads, and every query by itself for reading."""
    for target in build.targets:
        packed = sorted(
            (outcome.packed for outcome in build.outcomes if outcome.target == target and outcome.packed is not None),
            key=lambda entry: (entry.header.label, entry.header.slug),
        )
        yield from build.packagers[target].package(packed).items()
        for entry in packed:
            yield f"queries/{target}/{entry.header.slug}.{entry.detection.language}", f"{entry.detection.query}\n"


def refused_for_tenant(build: TenantBuild) -> Iterator[Diagnostic]:
    """INS703 for each rule that a target cannot say as this customer wants it, though the customer has what it needs."""
    for outcome in build.outcomes:
        if outcome.state == REFUSED and not outcome.needs and outcome.place is not None:
            message = f"{outcome.target} refuses {outcome.rule.header.label} for {build.tenant.id}: {outcome.reason}"
            hint = "change what the profile says of it, or switch the rule off there"
            yield Diagnostic(outcome.place, "INS703", message, hint, CODES["INS703"].severity, outcome.rule.header.label)


def filter_files(build: TenantBuild) -> Iterator[tuple[str, str]]:
    """Every exception as a Sigma filter, for each log source that it is compiled into."""
    by_label = {special.rule.header.label: special.rule for special in build.specials}
    for exemption in build.tenant.exemptions:
        rules = [by_label[name] for name in exemption.rules if name in by_label]
        bases = {id(base): base for rule in rules for base in ((rule,) if isinstance(rule, Rule) else rule.base_rules)}.values()
        documents = []
        for source in dict.fromkeys(base.logsource for base in bases):
            names = tuple(base.header.label for base in bases if base.logsource == source)
            parts = {key: value for key in ("category", "product", "service") if (value := getattr(source, key)) is not None}
            documents.append(filter_document(exemption, parts, names))
        if documents:
            yield f"filters/{exemption.id}.yml", yaml.safe_dump_all(documents, sort_keys=False, allow_unicode=True, width=120)
