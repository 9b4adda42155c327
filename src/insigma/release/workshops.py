"""A target at work: from a specialised rule to a detection and its files."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Protocol

from insigma.bind.binder import bind
from insigma.bind.open import is_open, open_mapping, open_notes, refuse_own_fields
from insigma.content.attack import AttackTable, load_attack
from insigma.content.model import AnyRule, Correlation, Pack, Rule, TargetMapping
from insigma.packages.base import Packager, PackContext, RulePackager
from insigma.packages.elastic.files import ElasticPackager
from insigma.packages.elastic.rules import KibanaContext
from insigma.packages.pysigma.files import PySigmaPackager
from insigma.packages.sentinel.files import SentinelPackager
from insigma.packages.splunk.files import SplunkPackager
from insigma.specialise.lists import Lists
from insigma.targets.base import Detection, Refused, Target
from insigma.targets.elastic.target import LANGUAGES, ElasticTarget
from insigma.targets.pysigma.discovery import installed_backends
from insigma.targets.pysigma.target import PySigmaTarget
from insigma.targets.sentinel.target import SentinelTarget
from insigma.targets.splunk.target import SplunkTarget

if TYPE_CHECKING:
    from insigma.targets.pysigma.pipelines import Pipelines

TARGETS: Mapping[str, Callable[[TargetMapping], Target]] = {"elastic": ElasticTarget, "splunk": SplunkTarget, "sentinel": SentinelTarget}
NATIVE = tuple(TARGETS)
PYSIGMA_PREFIX = "pysigma:"


class Workshop(Protocol):
    """One target. `verified` says that its meaning is ours to answer for."""

    name: str
    verified: bool
    packager: RulePackager

    def compile(self, rule: AnyRule) -> Detection:
        """Compile a rule whose lists are filled in. Raises `Refused`."""
        ...


class UnknownTarget(Exception):
    """No such target: its name, and those there are."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.name = name
        self.known = known


class _Native:
    verified = True

    def __init__(
        self, name: str, pack: Pack, packager: RulePackager, target: Callable[[TargetMapping], Target], pipelines: Pipelines | None
    ) -> None:
        self.name = name
        self.packager: RulePackager = packager
        self._pack = pack
        self._mapping = pack.mappings[name]
        self._new_target = target
        self._target = target(self._mapping)
        self._pipelines = pipelines

    def compile(self, rule: AnyRule) -> Detection:
        if is_open(rule):
            return self._compile_open(rule)
        if self._pipelines is not None:
            reason = f"pipelines map Sigma's default taxonomy, and the rule is written in '{rule.header.taxonomy}'"
            raise Refused(reason, ("taxonomy",))
        detection = self._target.compile(bind(rule, self._mapping, self._pack.taxonomy))
        return replace(detection, notes=(*detection.notes, *_unasked(rule)))

    def _compile_open(self, rule: AnyRule) -> Detection:
        """A rule of the default taxonomy: no mapping declares its fields, pipelines may rename them."""
        settings: Mapping[str, str] = {}
        scoped = False
        if self._pipelines is None:
            refuse_own_fields(rule, self.name)
        else:
            if isinstance(rule, Correlation):
                raise Refused("pipelines are applied to event rules, not to correlations", ("correlation",))
            applied = self._pipelines.apply(rule)
            rule, scoped, settings = applied.rule, applied.scoped, applied.settings
        mapping = open_mapping(rule, self._mapping, settings)
        detection = self._new_target(mapping).compile(bind(rule, mapping, self._pack.taxonomy))
        return replace(detection, notes=(*detection.notes, *open_notes(rule, mapping, scoped=scoped)))


def _unasked(rule: AnyRule) -> tuple[str, ...]:
    """A note for each product that a rule names: canonical log sources know none, so the query asks for none."""
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    products = dict.fromkeys(base.logsource.product for base in bases if base.logsource.product)
    return tuple(f"the rule is about product '{product}', which the query does not ask for" for product in products)


class _PySigma:
    verified = False

    def __init__(self, backend: str, lists: Lists) -> None:
        self.name = f"{PYSIGMA_PREFIX}{backend}"
        self.packager: RulePackager = PySigmaPackager(backend)
        self._target = PySigmaTarget(backend, lists)

    def compile(self, rule: AnyRule) -> Detection:
        return self._target.compile_documents(_documents(rule))


def _documents(rule: AnyRule) -> list[Mapping[str, Any]]:
    """The rule as written, its members first."""
    found: dict[int, Mapping[str, Any]] = {}

    def add(part: AnyRule) -> None:
        if isinstance(part, Correlation):
            for member in part.members:
                add(member)
        found.setdefault(id(part.header.document), part.header.document.data)

    add(rule)
    return list(found.values())


def open_workshop(
    name: str, pack: Pack, lists: Lists, context: PackContext, language: str | None = None, pipelines: Pipelines | None = None
) -> Workshop:
    """The workshop of a target: one of ours, or `pysigma:<backend>`. `pipelines` are for rules of the default taxonomy.

    Raises `UnknownTarget`, or `Refused` for a backend that is broken and for a language that the target does not have.
    """
    if language is not None and (name != "elastic" or language not in LANGUAGES):
        raise Refused(f"{name} has no language '{language}'" + (f": {', '.join(LANGUAGES)}" if name == "elastic" else " to choose"))
    if name in NATIVE and name in pack.mappings:
        target = TARGETS[name] if language is None else lambda mapping: ElasticTarget(mapping, language)
        return _Native(name, pack, packager_of(name, context, pack.mappings[name], pack, load_attack()), target, pipelines)
    backend = name.removeprefix(PYSIGMA_PREFIX)
    if name.startswith(PYSIGMA_PREFIX) and backend in installed_backends():
        return _PySigma(backend, lists)
    known = tuple(target for target in NATIVE if target in pack.mappings)
    raise UnknownTarget(name, (*known, *(f"{PYSIGMA_PREFIX}{backend}" for backend in sorted(installed_backends()))))


def packager_of(target: str, context: PackContext, mapping: TargetMapping, pack: Pack, attack: AttackTable) -> Packager:
    """The packager of one of our targets. `mapping` is what the target stores."""
    match target:
        case "elastic":
            return ElasticPackager(KibanaContext(context, mapping, attack), pack.taxonomy)
        case "splunk":
            return SplunkPackager(context, mapping)
        case _:
            return SentinelPackager(context, attack, mapping)


__all__ = ["NATIVE", "TARGETS", "Refused", "UnknownTarget", "Workshop", "open_workshop", "packager_of"]
