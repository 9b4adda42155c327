"""What the tests of the reader share: rules from text, and their faults as short lines."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from insigma.content.assemble import Assembled, assemble
from insigma.content.model import Correlation, Rule
from insigma.content.predicate import Named, Predicate
from insigma.content.yaml_reader import Document, read_bytes
from insigma.diagnostics.model import Diagnostic

HEAD = "title: t\nlogsource: {product: p}\n"


def documents(text: str, path: str = "rule.yml") -> tuple[Document, ...]:
    """The documents of a text that has no fault of its own."""
    result = read_bytes(text.encode("utf-8"), path)
    assert not result.diagnostics
    return result.documents


def document(text: str, path: str = "rule.yml") -> Document:
    (only,) = documents(text, path)
    return only


def read(files: Mapping[str, str]) -> tuple[Assembled, list[Diagnostic]]:
    """The rules of all files, and the faults of reading and assembling, in that order."""
    results = [read_bytes(text.encode("utf-8"), path) for path, text in files.items()]
    assembled = assemble([entry for result in results for entry in result.documents])
    return assembled, [*(fault for result in results for fault in result.diagnostics), *assembled.diagnostics]


def shown(faults: Iterable[Diagnostic]) -> list[str]:
    return [f"{fault.place.path}:{fault.place.line}:{fault.place.column} {fault.code} {fault.message}" for fault in faults]


def rule_text(selection: str, condition: str = "sel") -> str:
    """A rule whose selection `sel` is given as YAML on one line."""
    return f"{HEAD}detection:\n  sel: {selection}\n  condition: {condition}\n"


def rules_of(text: str) -> tuple[Rule | Correlation, ...]:
    """The rules of a text without any fault."""
    assembled, faults = read({"rule.yml": text})
    assert shown(faults) == []
    return assembled.rules


def predicate_of(selection: str) -> Predicate:
    """What a selection, given as YAML on one line, means."""
    (rule,) = rules_of(rule_text(selection))
    assert isinstance(rule, Rule)
    assert isinstance(rule.predicate, Named)
    return rule.predicate.operand
