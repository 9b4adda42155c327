"""Which rule of one side is which of the other, and which could not be read."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from insigma.content.model import AnyRule, Pack
from insigma.content.yaml_reader import Document
from insigma.diff.sides import Side


@dataclass(frozen=True, slots=True)
class Pair:
    """One rule on both sides; None where it is not. `unread` is the name of a side on which it stands and could not be read."""

    before: AnyRule | None
    after: AnyRule | None
    unread: str = ""

    @property
    def some(self) -> AnyRule:
        """The rule as it is now, else as it was."""
        rule = self.after if self.after is not None else self.before
        assert rule is not None, "a pair has at least one rule"
        return rule


def pairs(base: Side, head: Side) -> tuple[Pair, ...]:
    """Every rule of the two packs, by label. A rule is known by its id; where there is none, or no other has it, by name, then path."""
    before, after = list(base.pack.rules), list(head.pack.rules)
    found: list[Pair] = []
    for known_by in (_by_id, _by_name):
        found += _matched(before, after, known_by, known_by)
    of_base, of_head = _by_path(base.pack), _by_path(head.pack)
    found += _matched(before, after, lambda rule: _nameless(rule) and of_base(rule), of_head)
    found += _matched(before, after, of_base, lambda rule: _nameless(rule) and of_head(rule))
    found += (Pair(rule, None, _unread(rule, base, head)) for rule in before)
    found += (Pair(None, rule, _unread(rule, head, base)) for rule in after)
    return tuple(
        sorted(found, key=lambda pair: (pair.some.header.label, pair.some.header.title, pair.some.header.slug, pair.after is None))
    )


_Known = Callable[[AnyRule], str | bool | None]


def _matched(before: list[AnyRule], after: list[AnyRule], was: _Known, now: _Known) -> Iterator[Pair]:
    """Pairs of what both lists have under the same name, each taken out of its list."""
    waiting: dict[str | bool, AnyRule] = {}
    for rule in after:
        if name := now(rule):
            waiting.setdefault(name, rule)
    for rule in tuple(before):
        other = waiting.pop(was(rule) or "", None)
        if other is not None:
            _take(before, rule)
            _take(after, other)
            yield Pair(rule, other)


def _take(rules: list[AnyRule], gone: AnyRule) -> None:
    rules[:] = [rule for rule in rules if rule is not gone]


def _by_id(rule: AnyRule) -> str | None:
    return rule.header.id


def _by_name(rule: AnyRule) -> str | None:
    return rule.header.name


def _nameless(rule: AnyRule) -> bool:
    return not rule.header.id and not rule.header.name


def _by_path(pack: Pack) -> Callable[[AnyRule], str]:
    """By the path in the pack: for rules that have neither id nor name, and for those that come to have one or lose it."""
    return lambda rule: pack.relative(rule.header.path)


def _unread(rule: AnyRule, own: Side, other: Side) -> str:
    """The other side's name if the rule is there, and only could not be read."""
    names = {name for name in (rule.header.id, rule.header.name) if name}
    path = own.pack.relative(rule.header.path)
    return other.name if path in other.faulty or any(_named(document, names) for document in other.pack.rule_documents) else ""


def _named(document: Document, names: set[str]) -> bool:
    return "filter" not in document.data and any(document.data.get(key) == name for key in ("id", "name") for name in names)
