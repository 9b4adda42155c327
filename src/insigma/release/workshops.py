"""A target at work: from a specialised rule to a detection and its files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, Protocol

from insigma.bind.binder import bind
from insigma.content.attack import load_attack
from insigma.content.model import AnyRule, Correlation, Pack, Rule
from insigma.packages.base import Packager, PackContext
from insigma.packages.elastic.files import ElasticPackager
from insigma.packages.elastic.rules import KibanaContext
from insigma.packages.pysigma.files import PySigmaPackager
from insigma.packages.splunk.files import SplunkPackager
from insigma.specialise.lists import Lists
from insigma.targets.base import Detection, Refused
from insigma.targets.elastic.target import LANGUAGES, ElasticTarget
from insigma.targets.pysigma.discovery import installed_backends
from insigma.targets.pysigma.target import PySigmaTarget
from insigma.targets.splunk.target import SplunkTarget

NATIVE = ("elastic", "splunk")
PYSIGMA_PREFIX = "pysigma:"


class Workshop(Protocol):
    """One target. `verified` says that its meaning is ours to answer for."""

    name: str
    verified: bool
    packager: Packager

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

    def __init__(self, name: str, pack: Pack, packager: Packager, target: ElasticTarget | SplunkTarget) -> None:
        self.name = name
        self.packager = packager
        self._pack = pack
        self._target = target

    def compile(self, rule: AnyRule) -> Detection:
        detection = self._target.compile(bind(rule, self._pack.mappings[self.name], self._pack.taxonomy))
        return replace(detection, notes=(*detection.notes, *_unasked(rule)))


def _unasked(rule: AnyRule) -> tuple[str, ...]:
    """A note for each product that a rule names: canonical log sources know none, so the query asks for none."""
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    products = dict.fromkeys(base.logsource.product for base in bases if base.logsource.product)
    return tuple(f"the rule is about product '{product}', which the query does not ask for" for product in products)


class _PySigma:
    verified = False

    def __init__(self, backend: str, lists: Lists) -> None:
        self.name = f"{PYSIGMA_PREFIX}{backend}"
        self.packager: Packager = PySigmaPackager(backend)
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


def open_workshop(name: str, pack: Pack, lists: Lists, context: PackContext, language: str | None = None) -> Workshop:
    """The workshop of a target: one of ours, or `pysigma:<backend>`.

    Raises `UnknownTarget`, or `Refused` for a backend that is broken and for a language that the target does not have.
    """
    if language is not None and (name != "elastic" or language not in LANGUAGES):
        raise Refused(f"{name} has no language '{language}'" + (f": {', '.join(LANGUAGES)}" if name == "elastic" else " to choose"))
    if name == "elastic" and name in pack.mappings:
        return _Native(
            name,
            pack,
            ElasticPackager(KibanaContext(context, pack.mappings[name], load_attack())),
            ElasticTarget(pack.mappings[name], language),
        )
    if name == "splunk" and name in pack.mappings:
        return _Native(name, pack, SplunkPackager(context), SplunkTarget(pack.mappings[name]))
    backend = name.removeprefix(PYSIGMA_PREFIX)
    if name.startswith(PYSIGMA_PREFIX) and backend in installed_backends():
        return _PySigma(backend, lists)
    known = tuple(target for target in NATIVE if target in pack.mappings)
    raise UnknownTarget(name, (*known, *(f"{PYSIGMA_PREFIX}{backend}" for backend in sorted(installed_backends()))))


__all__ = ["NATIVE", "Refused", "UnknownTarget", "Workshop", "open_workshop"]
