"""What a rule reads: worked out once from the pack, for every customer."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from insigma.content.model import AnyRule, Correlation, Pack, Rule
from insigma.content.predicate import Keyword, Match, Name, Placeholder, fields_of, leaves
from insigma.content.tenants import TenantList

CONTEXT_PREFIX = "insurance.context."


@dataclass(frozen=True, slots=True)
class Facts:
    """What one rule reads, as the pack writes it.

    `lists` and `flags` are those of the rule's own predicate, `logsources` its own canonical log sources; `all_fields` and
    `all_logsources` those of the rules under it too. `patterned` are lists that stand inside a pattern, in a keyword, under
    `cased`, or on a field with several values: a table cannot be asked for those.
    """

    lists: tuple[str, ...]
    patterned: frozenset[str]
    flags: tuple[str, ...]
    logsources: tuple[str, ...]
    all_logsources: tuple[str, ...]
    all_fields: tuple[str, ...]

    def list_needs(self, given: Mapping[str, TenantList]) -> tuple[str, ...]:
        """What the profile has to say of the rule's lists, so that the rule can use them."""
        found = []
        for name in self.lists:
            entry = given.get(name)
            if entry is None:
                found.append(f"give list '{name}'")
            elif entry.values is None and name in self.patterned:
                found.append(f"give the values of list '{name}': the rule does not ask for whole, single values of it")
        return tuple(found)


def facts_of(rule: AnyRule, pack: Pack) -> Facts:
    """The facts of a rule or correlation."""
    bases = (rule,) if isinstance(rule, Rule) else rule.base_rules
    fields = dict.fromkeys(name for base in bases for name in _read(base, pack))
    if isinstance(rule, Correlation):
        fields.update(dict.fromkeys(_correlated(rule)))
        return Facts((), frozenset(), (), (), _logsources(bases, pack), tuple(fields))
    own = fields_of(rule.predicate)
    names, patterned = _lists(rule, pack)
    flags = tuple(name for name in own if name.startswith(CONTEXT_PREFIX))
    return Facts(names, patterned, flags, _logsources(bases, pack), _logsources(bases, pack), tuple(fields))


def labels_of(rules: Sequence[AnyRule]) -> Mapping[str, str]:
    """The label of a rule by each name that a profile may use for it."""
    return {name: rule.header.label for rule in rules for name in (rule.header.id, rule.header.name) if name is not None}


def _read(rule: Rule, pack: Pack) -> Iterable[str]:
    """The fields that the predicate reads; with a keyword those are all of the log source."""
    if any(isinstance(leaf, Keyword) for leaf in leaves(rule.predicate)):
        source = pack.taxonomy.find(rule.logsource)
        yield from source.fields if source is not None else ()
    yield from fields_of(rule.predicate)


def _correlated(rule: Correlation) -> Iterable[str]:
    for position, member in enumerate(rule.members):
        yield from (rule.field_of(name, position) for name in (*rule.group_by, *rule.condition.fields))
        if isinstance(member, Correlation):
            yield from _correlated(member)


def _logsources(bases: Iterable[Rule], pack: Pack) -> tuple[str, ...]:
    found = (pack.taxonomy.find(base.logsource) for base in bases)
    return tuple(dict.fromkeys(source.name for source in found if source is not None))


def _lists(rule: Rule, pack: Pack) -> tuple[tuple[str, ...], frozenset[str]]:
    """The lists that the rule's placeholders name, and those of them that no table can answer."""
    names: dict[str, None] = {}
    patterned: set[str] = set()
    for leaf in leaves(rule.predicate):
        if not isinstance(leaf, (Match, Keyword)) or not isinstance(leaf.value, Placeholder):
            continue
        here = [part.name for part in leaf.value.template if isinstance(part, Name)]
        names.update(dict.fromkeys(here))
        if not (isinstance(leaf, Match) and joinable(leaf, pack)):
            patterned.update(here)
    return tuple(names), frozenset(patterned)


def joinable(match: Match, pack: Pack) -> bool:
    """Whether a table can be asked for the placeholder: one list's entries as whole values, case aside, of a field with one value."""
    value, field = match.value, pack.taxonomy.fields.get(match.field)
    if not isinstance(value, Placeholder) or value.cased or field is None or field.array:
        return False
    return len(value.template) == 1 and isinstance(value.template[0], Name)
