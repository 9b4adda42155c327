"""Rule documents into rules: filters applied, references resolved, whatever the order of files."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

from insigma.content.correlations import read_correlation, referenced
from insigma.content.model import AnyRule, Filter, LogSource, Rule
from insigma.content.predicate import And, Named
from insigma.content.rules import ambiguous_values, read_filter, read_header, read_rule
from insigma.content.sigma_bridge import Faults
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic

MAX_CHAIN = 16


@dataclass(frozen=True, slots=True)
class Assembled:
    """The rules in the order of their documents, the filters, and what is wrong. A faulty rule is not among the rules."""

    rules: tuple[AnyRule, ...]
    filters: tuple[Filter, ...]
    diagnostics: tuple[Diagnostic, ...]


def assemble(documents: Sequence[Document]) -> Assembled:
    """Read every rule, filter and correlation among the documents."""
    return _Assembly().run(documents)


@dataclass(slots=True)
class _Assembly:
    """State of one run. `by_reference` holds the first document of each id and name; `built` each document's rule once known."""

    faults: dict[int, Faults] = field(default_factory=dict)
    by_reference: dict[str, int] = field(default_factory=dict)
    built: dict[int, AnyRule | None] = field(default_factory=dict)
    in_progress: list[int] = field(default_factory=list)
    late: bool = False

    def run(self, documents: Sequence[Document]) -> Assembled:
        filters: list[Filter] = []
        for index, document in enumerate(documents):
            header = read_header(document)
            self.faults[index] = Faults(document, header.label)
            ambiguous_values(self.faults[index])
            for reference in (header.id, header.name):
                if reference is not None and "filter" not in document.data:
                    self.by_reference.setdefault(reference, index)
        for index, document in enumerate(documents):
            if "filter" in document.data:
                found = read_filter(document, self.faults[index])
                if found is not None:
                    filters.append(found)
            elif "correlation" not in document.data:
                self.built[index] = read_rule(document, self.faults[index])
        self._apply(filters, documents)
        self._correlations([index for index, document in enumerate(documents) if "correlation" in document.data], documents)
        rules = tuple(rule for index in sorted(self.built) if (rule := self.built[index]) is not None)
        diagnostics = tuple(found for index in sorted(self.faults) for found in self.faults[index].found)
        return Assembled(rules, tuple(filters), diagnostics)

    def _correlations(self, waiting: list[int], documents: Sequence[Document]) -> None:
        """Build them in rounds, each on those before it; what is left then stands in a circle or on too long a chain."""
        for _ in range(MAX_CHAIN):
            for index in [index for index in waiting if self._ready(documents[index])]:
                self._correlation(index, documents)
            waiting = [index for index in waiting if index not in self.built]
        self.late = True
        for index in waiting:
            if index not in self.built:
                self._correlation(index, documents)

    def _ready(self, document: Document) -> bool:
        targets = (self.by_reference.get(name) for name, _ in referenced(document.data))
        return all(target is None or target in self.built for target in targets)

    def _correlation(self, index: int, documents: Sequence[Document]) -> AnyRule | None:
        """Build the correlation at `index`, its members first. A circle is told once, at its first reference."""
        faults = self.faults[index]
        before = len(faults.found)
        self.in_progress.append(index)
        members: list[AnyRule | None] = []
        if len(self.in_progress) <= MAX_CHAIN:
            members = [self._member(name, key, faults, documents) for name, key in referenced(documents[index].data)]
        self.in_progress.pop()
        if self.late and len(faults.found) == before:
            place = faults.document.place("correlation", "rules")
            message = f"more than {MAX_CHAIN} correlations build on each other here"
            faults.add("INS112", place, message, "no rule needs that; build on the event rules")
        known = tuple(member for member in members if member is not None)
        correlation = read_correlation(faults, known)
        self.built[index] = correlation if len(faults.found) == before and len(known) == len(members) else None
        return self.built[index]

    def _member(self, name: str, key: Key, faults: Faults, documents: Sequence[Document]) -> AnyRule | None:
        place = faults.document.place(*key)
        target = self.by_reference.get(name)
        if target is None:
            self._unresolved(name, target, key, faults, documents)
            return None
        if target in self.in_progress:
            faults.add(
                "INS113", place, f"'{name}' refers back to this correlation", "a correlation builds on rules that do not build on it"
            )
            return None
        if target not in self.built and "correlation" in documents[target].data:
            self._correlation(target, documents)
        member = self.built.get(target)
        if member is None:
            self._unresolved(name, target, key, faults, documents)
        return member

    def _unresolved(self, name: str, target: int | None, key: Key, faults: Faults, documents: Sequence[Document]) -> None:
        place = faults.document.place(*key)
        if target is not None:
            faults.add("INS111", place, f"rule '{name}' could not be read", f"mend {documents[target].path} first")
            return
        near = difflib.get_close_matches(name, self.by_reference, 1)
        hint = f"did you mean '{near[0]}'?" if near else "give the file or folder that holds the rule, too"
        faults.add("INS111", place, f"no rule has the id or name '{name}'", hint)

    def _apply(self, filters: list[Filter], documents: Sequence[Document]) -> None:
        by_path = {id(faults.document): faults for faults in self.faults.values()}
        for entry in filters:
            faults = by_path[id(entry.header.document)]
            for reference, key in _references(entry):
                index = self.by_reference.get(reference)
                if index is None or (index in self.built and self.built[index] is None):
                    self._unresolved(reference, index, key, faults, documents)
            reached = [index for index, rule in self.built.items() if isinstance(rule, Rule) and self._reaches(entry, rule, index)]
            if not reached and not any(fault.code == "INS111" for fault in faults.found):
                place = entry.header.document.place("filter", "rules")
                faults.add("INS115", place, "the filter reaches no rule", _why_not(entry, self, documents))
            for index in reached:
                rule = self.built[index]
                assert isinstance(rule, Rule)
                predicate = And((rule.predicate, Named(f"filter {entry.header.title}", entry.predicate)))
                self.built[index] = replace(rule, predicate=predicate, filtered_by=(*rule.filtered_by, entry.header.label))

    def _reaches(self, entry: Filter, rule: Rule, index: int) -> bool:
        if not _covers(entry.logsource, rule.logsource):
            return False
        return entry.rules is None or any(self.by_reference.get(reference) == index for reference in entry.rules)


def _references(entry: Filter) -> list[tuple[str, Key]]:
    if isinstance(entry.header.document.data["filter"]["rules"], str):
        return [(reference, ("filter", "rules")) for reference in entry.rules or ()]
    return [(reference, ("filter", "rules", index)) for index, reference in enumerate(entry.rules or ())]


def _covers(wide: LogSource, narrow: LogSource) -> bool:
    pairs = ((wide.category, narrow.category), (wide.product, narrow.product), (wide.service, narrow.service))
    return all(part is None or part == other for part, other in pairs)


def _why_not(entry: Filter, assembly: _Assembly, documents: Sequence[Document]) -> str:
    if entry.rules is None:
        return f"no rule here has the log source {entry.logsource}"
    first = documents[assembly.by_reference[entry.rules[0]]]
    if "correlation" in first.data:
        return f"{first.path} is a correlation; filter its base rules"
    return f"the log source of {first.path} is not {entry.logsource}"
