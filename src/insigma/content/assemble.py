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
from insigma.content.yaml_reader import Document
from insigma.diagnostics.model import Diagnostic


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
        for index, document in enumerate(documents):
            if "correlation" in document.data:
                self._correlation(index, documents)
        rules = tuple(rule for index in sorted(self.built) if (rule := self.built[index]) is not None)
        diagnostics = tuple(found for index in sorted(self.faults) for found in self.faults[index].found)
        return Assembled(rules, tuple(filters), diagnostics)

    def _correlation(self, index: int, documents: Sequence[Document]) -> AnyRule | None:
        """Build the correlation at `index`, its members first. A circle is told once, at its first reference."""
        if index in self.built:
            return self.built[index]
        self.in_progress.append(index)
        faults = self.faults[index]
        before = len(faults.found)
        members = [self._member(name, key, faults, documents) for name, key in referenced(documents[index].data)]
        self.in_progress.pop()
        known = tuple(member for member in members if member is not None)
        correlation = read_correlation(faults, known)
        self.built[index] = correlation if len(faults.found) == before and len(known) == len(members) else None
        return self.built[index]

    def _member(self, name: str, key: tuple[str | int, ...], faults: Faults, documents: Sequence[Document]) -> AnyRule | None:
        place = faults.document.place(*key)
        target = self.by_reference.get(name)
        if target is None:
            near = difflib.get_close_matches(name, self.by_reference, 1)
            hint = f"did you mean '{near[0]}'?" if near else "give the file or folder that holds the rule, too"
            faults.add("INS111", place, f"no rule has the id or name '{name}'", hint)
            return None
        if target in self.in_progress:
            faults.add("INS113", place, f"'{name}' refers back to this correlation", "a correlation builds on rules that do not build on it")
            return None
        if target not in self.built and "correlation" in documents[target].data:
            self._correlation(target, documents)
        member = self.built.get(target)
        if member is None:
            faults.add("INS111", place, f"rule '{name}' could not be read", f"mend {documents[target].path} first")
        return member

    def _apply(self, filters: list[Filter], documents: Sequence[Document]) -> None:
        by_path = {id(faults.document): faults for faults in self.faults.values()}
        for entry in filters:
            faults = by_path[id(entry.header.document)]
            reached = [index for index, rule in self.built.items() if isinstance(rule, Rule) and self._reaches(entry, rule, index)]
            if not reached:
                faults.add("INS115", entry.header.document.place("filter", "rules"), "the filter reaches no rule", _why_not(entry, self, documents))
            for index in reached:
                rule = self.built[index]
                assert isinstance(rule, Rule)
                predicate = And((rule.predicate, Named(f"filter {entry.header.title}", entry.predicate)))
                self.built[index] = replace(rule, predicate=predicate, filtered_by=(*rule.filtered_by, entry.header.label))

    def _reaches(self, entry: Filter, rule: Rule, index: int) -> bool:
        if not _covers(entry.logsource, rule.logsource):
            return False
        return entry.rules is None or any(self.by_reference.get(reference) == index for reference in entry.rules)


def _covers(wide: LogSource, narrow: LogSource) -> bool:
    pairs = ((wide.category, narrow.category), (wide.product, narrow.product), (wide.service, narrow.service))
    return all(part is None or part == other for part, other in pairs)


def _why_not(entry: Filter, assembly: _Assembly, documents: Sequence[Document]) -> str:
    if entry.rules is None:
        return f"no rule here has the log source {entry.logsource}"
    unknown = [reference for reference in entry.rules if reference not in assembly.by_reference]
    if unknown:
        return f"no rule has the id or name '{unknown[0]}'"
    first = documents[assembly.by_reference[entry.rules[0]]]
    return f"the log source of {first.path} is not {entry.logsource}"
