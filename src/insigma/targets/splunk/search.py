"""The base search: what the index can narrow down before `where` decides.

It may let too much through, never too little: only equalities that the predicate needs (`bind.disjoint.needs`), and of
those only strings that the search command takes literally and the raw event spells the same way. The search command
compares values without regard to case unless CASE() is asked for (Search Manual, "Use CASE() and TERM()").
"""

from __future__ import annotations

from collections.abc import Sequence

from insigma.bind.disjoint import needs
from insigma.bind.model import AllOf, AnyOf, Bound, BoundRule, OneOf, Refused, Test
from insigma.content.folding import fold
from insigma.content.model import TargetField, TargetLogSource, TargetMapping
from insigma.content.predicate import Text
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.targets.splunk import quoting


def base_search(members: Sequence[BoundRule], mapping: TargetMapping) -> str:
    """The search terms for the events of all members; one line a log source, joined by OR where there are several."""
    sources = list({member.logsource.name: member.logsource for member in members}.values())
    if mapping.open and len({tuple(source.settings.items()) for source in sources}) == 1:
        sources = sources[:1]  # nothing tells their events apart
    lines = []
    for source in sources:
        predicates = tuple(member.predicate for member in members if len(sources) == 1 or member.logsource.name == source.name)
        needed = predicates[0] if len(predicates) == 1 else AnyOf(predicates)
        scope = _open_scope(source) if mapping.open else _scope(source, logsource_field(mapping))
        lines.append(" ".join([*scope, *_equalities(needed)]))
    if len(lines) == 1:
        return lines[0]
    return "(" + ")\n  OR (".join(lines) + ")"


def logsource_field(mapping: TargetMapping) -> TargetField:
    """The stored field that names an event's log source. Raises `Refused` for a mapping without it."""
    found = mapping.fields.get(LOGSOURCE_FIELD)
    if found is None:
        raise Refused(f"field '{LOGSOURCE_FIELD}' has no place in the splunk mapping", unmapped=True)
    return found


def scoped(member: BoundRule, mapping: TargetMapping) -> Bound:
    """The member's predicate with its log source, for searches that read several. Events of an open mapping do not name theirs."""
    if mapping.open:
        return member.predicate
    field = logsource_field(mapping)
    own = Test(field.name, field, LOGSOURCE_FIELD, Text((fold(member.logsource.name),)), ignore_case=True)
    rest = member.predicate.operands if isinstance(member.predicate, AllOf) else (member.predicate,)
    return AllOf((own, *rest))


def _scope(source: TargetLogSource, field: TargetField) -> list[str]:
    if "index" not in source.settings:
        raise Refused(f"log source '{source.name}' has no index in the splunk mapping", ("logsource",))
    terms = [f"index={quoting.setting(source.settings['index'], 'index')}"]
    if "sourcetype" in source.settings:
        terms.append(f"sourcetype={quoting.literal(quoting.setting(source.settings['sourcetype'], 'source type'))}")
    name = quoting.setting(source.name, "log source")
    return [*terms, f"{quoting.column(field.name)}={quoting.literal(name)}"]


def _open_scope(source: TargetLogSource) -> list[str]:
    """The index, which may be all of them, and the source type, if a pipeline has named one."""
    index = source.settings["index"]
    terms = ["index=*" if index == "*" else f"index={quoting.setting(index, 'index')}"]
    if "sourcetype" in source.settings:
        terms.append(f"sourcetype={quoting.literal(quoting.setting(source.settings['sourcetype'], 'source type'))}")
    return terms


def _equalities(predicate: Bound) -> list[str]:
    written = []
    columns = _columns(predicate)
    for name, values in needs(predicate).items():
        column, order = columns[name]
        if column is None or not values or not all(quoting.is_searchable(value) for value in values):
            continue
        quoted = [quoting.literal(value) for value in sorted(values, key=order.index)]
        written.append(f"{column}={quoted[0]}" if len(quoted) == 1 else f"{column} IN ({', '.join(quoted)})")
    return written


def _columns(predicate: Bound) -> dict[str, tuple[str | None, list[str]]]:
    """For each canonical field: its bare name in the search command, if it has one there, and its values in the rule's order."""
    found: dict[str, tuple[str | None, list[str]]] = {}
    for test in _tests(predicate):
        searchable = quoting.is_bare(test.column) and test.field.type == "string" and test.field.lookup is None
        column, order = found.setdefault(test.canonical, (test.column if searchable else None, []))
        if isinstance(test, OneOf):
            order.extend(fold(str(value)) for value in test.values)
        elif isinstance(test.value, Text) and test.value.literal is not None:
            order.append(fold(test.value.literal))
        if column != test.column:
            found[test.canonical] = (None, order)
    return found


def _tests(predicate: Bound) -> list[Test | OneOf]:
    """The tests that `needs` looks at: those not under a negation."""
    match predicate:
        case Test() | OneOf():
            return [predicate]
        case AllOf(operands) | AnyOf(operands):
            return [test for operand in operands for test in _tests(operand)]
        case _:
            return []
