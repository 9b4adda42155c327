"""What a rule is built on and whether that changed: base rules, filters, lists, target mappings, the taxonomy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Filter, Pack
from insigma.content.yaml_reader import Document
from insigma.diff.data import changes, same
from insigma.diff.meaning import built_on, event_rules, fields_read, lists_of, logsources_read, meaning
from insigma.diff.model import Change, QueryDiff
from insigma.diff.pairs import Pair
from insigma.diff.selections import selection_changes, value_changes
from insigma.release.outcomes import DISABLED

TAXONOMY_FILES = ("mappings/taxonomy/fields.yml", "mappings/taxonomy/logsources.yml")


@dataclass(frozen=True, slots=True)
class Shared:
    """What rules of the two packs have in common, and how it changed. `moved` are the rules that mean something else, by document."""

    base: Pack
    head: Pack
    moved: Mapping[int, AnyRule]
    mappings: Mapping[str, tuple[Change, ...]] = field(default_factory=dict)
    taxonomy: tuple[Change, ...] = ()

    @classmethod
    def of(cls, base: Pack, head: Pack, found: Sequence[Pair]) -> Shared:
        both = [(pair.before, pair.after) for pair in found if pair.before is not None and pair.after is not None]
        moved = {id(new.header.document): new for old, new in both if meaning(old) != meaning(new)}
        names = [name for name in head.mappings if name in base.mappings]
        mappings = {name: changes(base.mappings[name].document, head.mappings[name].document) for name in names}
        was, now = _by_path(base), _by_path(head)
        taxonomy = tuple(change for path in TAXONOMY_FILES if path in was and path in now for change in changes(was[path], now[path]))
        return cls(base, head, moved, mappings, taxonomy)

    @property
    def compiles_otherwise(self) -> bool:
        """Whether a rule that is the same may be compiled otherwise."""
        return self.base.mappings.keys() != self.head.mappings.keys() or any(self.mappings.values()) or bool(self.taxonomy)


def _by_path(pack: Pack) -> Mapping[str, Document]:
    return {pack.relative(document.path): document for document in pack.documents}


def causes(before: AnyRule, after: AnyRule, shared: Shared, queries: Sequence[QueryDiff]) -> tuple[str, ...]:
    """A statement for each thing under the rule that changed and touches it."""
    found = [
        f"base rule {member.header.label} means something else" for member in built_on(after) if id(member.header.document) in shared.moved
    ]
    found += _filters(before, after, shared)
    found += _lists(before, after, shared)
    found += _mappings(after, shared, queries)
    return tuple(dict.fromkeys(found))


def _filters(before: AnyRule, after: AnyRule, shared: Shared) -> Iterator[str]:
    was, now = _reaching(before, shared.base), _reaching(after, shared.head)
    for label in dict.fromkeys((*was, *now)):
        if label not in was:
            yield f"filter {label} now applies"
        elif label not in now:
            yield f"filter {label} no longer applies"
        else:
            told = selection_changes(_selections(was[label]), _selections(now[label]))
            yield from (f"filter {label}: {statement}" for statement in told)


def _selections(entry: Filter) -> dict[str, Any]:
    """What the filter says, without the rules that it reaches."""
    return {key: value for key, value in entry.header.document.data["filter"].items() if key != "rules"}


def _reaching(rule: AnyRule, pack: Pack) -> Mapping[str, Filter]:
    """The filters that are ANDed to the rule or to those under it, by label."""
    labels = {label for base in event_rules(rule) for label in base.filtered_by}
    return {entry.header.label: entry for entry in pack.filters if entry.header.label in labels}


def _lists(before: AnyRule, after: AnyRule, shared: Shared) -> Iterator[str]:
    was, now = default_lists(shared.base), default_lists(shared.head)
    for name in lists_of(after):
        if name not in lists_of(before):
            continue  # the rule's own change says so
        if (name in was) != (name in now):
            yield f"list {name} {'given' if name in now else 'no longer given'} by the default profile"
        elif name in was and (told := value_changes(was[name], now[name])):
            yield f"list {name}: {told} (default profile)"


def _mappings(rule: AnyRule, shared: Shared, queries: Sequence[QueryDiff]) -> Iterator[str]:
    """What of a target's mapping, or of the taxonomy, concerns a rule that is compiled otherwise there."""
    names = fields_read(rule) | logsources_read(rule, shared.head)
    compiled = [diff for diff in queries if DISABLED not in (diff.before.state, diff.after.state)]
    for diff in compiled:
        for change in shared.mappings.get(diff.target, ()):
            if _concerns(change, names):
                yield f"mapping of {diff.target}: {change.path}"
    if compiled:
        yield from (f"taxonomy: {change.path}" for change in shared.taxonomy if _concerns(change, names))


def mapped_otherwise(rule: AnyRule, shared: Shared, queries: Sequence[QueryDiff]) -> frozenset[str]:
    """The targets on which the rule ends otherwise because a mapping or the taxonomy changed, whatever it means itself."""
    return frozenset(diff.target for diff in queries if any(_mappings(rule, shared, (diff,))))


def _concerns(change: Change, names: frozenset[str]) -> bool:
    """Whether a change is about one of the names, or about the whole mapping."""
    head, _, rest = change.path.partition(".")
    if head not in ("fields", "logsources"):
        return head == "options"
    return any(rest == name or rest.startswith((f"{name}.", f"{name}[")) for name in names)


def same_document(before: AnyRule, after: AnyRule) -> bool:
    """Whether both rules are written alike, but for comments and layout."""
    return same(before.header.document.data, after.header.document.data)
