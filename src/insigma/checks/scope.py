"""What checks of the taxonomy and of the pack have in common: who is concerned, which fields are named where.

Nothing here is a check. All functions bear documents of any shape; what is not there gives nothing.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from insigma.checks.base import Context
from insigma.checks.walk import detection_entries, detection_items
from insigma.content.model import AnyRule, Correlation, Fixture, LogSource, Rule, TaxonomyLogSource
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Place

CONTEXT_PREFIX = "insurance.context."
"""Fields joined at ingest from the insurer's own tables; unknown where the join finds nothing."""


@dataclass(frozen=True, slots=True)
class FieldUse:
    """A field named in a rule, and where."""

    name: str
    place: Place


def dig(document: Document, *key: str | int) -> Any:
    """What stands at `key`, or None."""
    node: Any = document.data
    for step in key:
        if isinstance(node, Mapping) and isinstance(step, str):
            node = node.get(step)
        elif isinstance(node, list) and isinstance(step, int) and step < len(node):
            node = node[step]
        else:
            return None
    return node


def entries(document: Document, *key: str | int) -> Mapping[str, Any]:
    """The mapping at `key`, or an empty one."""
    node = dig(document, *key)
    return node if isinstance(node, Mapping) else {}


def texts(document: Document, *key: str | int) -> Iterator[tuple[str, Place]]:
    """The strings of the list at `key` (or the single string there), each with its place."""
    node = dig(document, *key)
    if isinstance(node, str):
        yield node, document.place(*key)
    elif isinstance(node, list):
        yield from ((item, document.place(*key, index)) for index, item in enumerate(node) if isinstance(item, str))


def did_you_mean(word: str, options: Iterable[str], otherwise: str = "") -> str:
    """A hint that names the nearest option, or `otherwise` if none is near."""
    folded = {option.casefold(): option for option in options}
    near = difflib.get_close_matches(word.casefold(), folded, 1, 0.6)
    return f"did you mean '{folded[near[0]]}'?" if near else otherwise


def speaks_taxonomy(document: Document, context: Context) -> bool:
    """Whether the document says that it is written in the taxonomy of the pack."""
    name = context.pack.taxonomy.name
    return bool(name) and document.data.get("taxonomy") == name


def logsource_of(document: Document, context: Context) -> TaxonomyLogSource | None:
    """The canonical log source of an event rule or filter, by its category."""
    category = dig(document, "logsource", "category")
    return context.pack.taxonomy.find(LogSource(category)) if isinstance(category, str) else None


def rule_of(document: Document, context: Context) -> AnyRule | None:
    """The rule that was built from the document, if it could be."""
    return next((rule for rule in context.rules if rule.header.document is document), None)


def rule_of_fixture(fixture: Fixture, context: Context) -> AnyRule | None:
    """The rule that the fixture names, if it was built."""
    wanted = fixture.rule.lower()
    return next((rule for rule in context.rules if wanted in (str(rule.header.name).lower(), str(rule.header.id).lower())), None)


def base_rules(rule: AnyRule) -> tuple[Rule, ...]:
    """The event rules that a correlation rests on; an event rule itself."""
    return rule.base_rules if isinstance(rule, Correlation) else (rule,)


def logsources_of(document: Document, context: Context) -> tuple[TaxonomyLogSource, ...]:
    """The canonical log sources that a document reads: a correlation's are those of its base rules. Each once."""
    if "correlation" not in document.data:
        source = logsource_of(document, context)
        return () if source is None else (source,)
    rule = rule_of(document, context)
    found = (logsource_of(base.header.document, context) for base in base_rules(rule)) if rule is not None else ()
    return tuple({source.name: source for source in found if source is not None}.values())


def detection_fields(document: Document) -> Iterator[FieldUse]:
    """Every field that a detection names: keys, and the values of `fieldref`."""
    for entry in detection_entries(document):
        if entry.field is not None:
            yield FieldUse(entry.field, document.key_place(*entry.path))
    for item in detection_items(document):
        if "fieldref" in item.modifiers and isinstance(item.value, str):
            yield FieldUse(item.value, document.place(*item.value_path))


def listed_fields(document: Document) -> Iterator[FieldUse]:
    """Every field of the top-level list `fields`."""
    yield from (FieldUse(name, place) for name, place in texts(document, "fields"))


def correlation_fields(document: Document) -> Iterator[FieldUse]:
    """Every field that a correlation names: group-by, condition, and what its aliases stand for."""
    aliases = entries(document, "correlation", "aliases")
    for alias in aliases:
        for reference in entries(document, "correlation", "aliases", alias):
            yield from (FieldUse(*found) for found in texts(document, "correlation", "aliases", alias, reference))
    for key in (("group-by",), ("condition", "field")):
        yield from (FieldUse(*found) for found in texts(document, "correlation", *key) if found[0] not in aliases)


def insurance(document: Document, *key: str | int) -> Any:
    """What stands at `key` in the metadata block, or None."""
    return dig(document, "insurance", *key)


def repeated(documents: Iterable[Document], value_of: Callable[[Document], str | None]) -> Iterator[tuple[Document, Document]]:
    """Each document whose value an earlier document has already, after that earlier one. None is no value."""
    first: dict[str, Document] = {}
    for document in documents:
        value = value_of(document)
        if value is None:
            continue
        if value in first:
            yield first[value], document
        else:
            first[value] = document


def show(place: Place) -> str:
    """A place in words, for messages that point at a second one."""
    return f"{place.path}:{place.line}"


def find_key(data: Any, path: str) -> Key | None:
    """The keys that a dotted path means in nested mappings and lists, where keys may hold dots themselves."""
    if isinstance(data, Mapping):
        steps: Iterable[tuple[str | int, str, Any]] = ((key, str(key), value) for key, value in data.items())
    elif isinstance(data, list):
        steps = ((index, str(index), value) for index, value in enumerate(data))
    else:
        return None
    for step, spelt, value in sorted(steps, key=lambda found: -len(found[1])):
        if path == spelt:
            return (step,)
        if path.startswith(spelt + "."):
            below = find_key(value, path[len(spelt) + 1 :])
            if below is not None:
                return (step, *below)
    return None
