"""What every Elastic query shares: the clause on the log source, the index patterns, and what fields may be asked."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass

from insigma.bind.binder import logsource_scope
from insigma.bind.model import AllOf, AnyOf, Bound, BoundRule, Negated, OneOf, Refused, Test
from insigma.content.model import TargetField, TargetMapping
from insigma.content.predicate import Cidr, Constant, Text
from insigma.content.taxonomy import LOGSOURCE_FIELD
from insigma.targets.elastic.quoting import index_patterns

MOST_DEPTH = 30
"""`indices.query.bool.max_nested_depth` ("Search settings" of the Elasticsearch reference)."""

_MAPPED_V4 = ipaddress.IPv6Network("::ffff:0:0/96")


def scoped(rule: BoundRule, mapping: TargetMapping) -> Bound:
    """The rule's predicate, ANDed to its log source: index patterns are shared and re-routed, the stored name is not.

    Events of an open mapping do not name their log source: nothing can be asked for.
    """
    if mapping.open:
        return rule.predicate
    return _conjunction(_scope_test(rule, mapping), rule.predicate)


def any_of(members: tuple[BoundRule, ...], mapping: TargetMapping) -> Bound:
    """An event of any member, each on its own log source."""
    if mapping.open or len(members) == 1 or len(logsource_scope(members)) > 1:
        return disjunction(tuple(scoped(member, mapping) for member in members))
    return _conjunction(_scope_test(members[0], mapping), disjunction(tuple(member.predicate for member in members)))


def indices(members: tuple[BoundRule, ...]) -> tuple[str, ...]:
    """The index patterns of the members' log sources, each once, in order. Raises `Refused` where there is none."""
    found: dict[str, None] = {}
    for source in logsource_scope(members):
        setting = source.settings.get("index")
        if not setting:
            raise Refused(f"log source '{source.name}' has no index in the elastic mapping", ("logsource",))
        found.update(dict.fromkeys(index_patterns(setting)))
    return tuple(found)


def delay_ms(members: tuple[BoundRule, ...]) -> int:
    """The longest accepted delay of the members' events."""
    return max(source.delay_ms for source in logsource_scope(members))


def _scope_test(rule: BoundRule, mapping: TargetMapping) -> Test:
    field = mapping.fields.get(LOGSOURCE_FIELD)
    if field is None:
        raise Refused(f"the elastic mapping does not say how '{LOGSOURCE_FIELD}' is stored", ("logsource",))
    return Test(field.name, field, LOGSOURCE_FIELD, Text((rule.logsource.name,)), True)


def _conjunction(scope: Test, predicate: Bound) -> Bound:
    match predicate:
        case Constant(True):
            return scope
        case AllOf(operands):
            kept = tuple(operand for operand in operands if operand != Constant(True))
            return AllOf((scope, *kept)) if kept else scope
        case _:
            return AllOf((scope, predicate))


def disjunction(operands: tuple[Bound, ...]) -> Bound:
    """Any of the operands."""
    flat: list[Bound] = []
    for operand in operands:
        flat.extend(operand.operands if isinstance(operand, AnyOf) else (operand,))
    return flat[0] if len(flat) == 1 else AnyOf(tuple(flat))


def folded(leaf: Test | OneOf) -> bool:
    """Whether plain comparison already ignores case: the column holds folded values, or case matters to the rule."""
    return not leaf.ignore_case or leaf.field.case == "lower" or leaf.field.type != "keyword"


def address(text: str, canonical: str) -> str:
    """The address as Elasticsearch takes it for an `ip` field; a text that is none would be an error there. Raises `Refused`."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        raise Refused(f"'{canonical}' is stored as ip by elastic: '{text}' is no address", ("detection",)) from None


def network(cidr: Cidr, canonical: str) -> str:
    """The network as Elasticsearch takes it. Raises `Refused` for what is none, and for an IPv6 network around all of IPv4.

    Elasticsearch keeps IPv4 addresses as ::ffff:a.b.c.d, so such a network would hold every one of them.
    Source: "IP field type" of the Elasticsearch reference; Lucene's InetAddressPoint.
    """
    try:
        parsed = ipaddress.ip_network(cidr.network, strict=False)
    except ValueError:
        raise Refused(f"'{cidr.network}' on '{canonical}' is no network", ("detection",)) from None
    if isinstance(parsed, ipaddress.IPv6Network) and parsed.overlaps(_MAPPED_V4):
        raise Refused(f"IPv6 network '{cidr.network}' on '{canonical}' would hold IPv4 addresses in Elasticsearch", ("detection",))
    return str(parsed)


@dataclass(frozen=True, slots=True)
class Usage:
    """How large a predicate is: `leaves` tests, `values` compared with in them, nested `depth` deep."""

    leaves: int
    values: int
    depth: int


def usage(predicate: Bound) -> Usage:
    """The size of the predicate."""
    match predicate:
        case AllOf(operands) | AnyOf(operands):
            parts = [usage(operand) for operand in operands]
            return Usage(sum(part.leaves for part in parts), sum(part.values for part in parts), 1 + max(part.depth for part in parts))
        case Negated(operand):
            inner = usage(operand)
            return Usage(inner.leaves, inner.values, inner.depth + 1)
        case OneOf(values=values):
            return Usage(1, len(values), 1)
        case _:
            return Usage(1, 1, 1)


def check_depth(predicate: Bound) -> None:
    """Raises `Refused` for nesting that Elasticsearch's bool queries do not take."""
    if (depth := usage(predicate).depth) > MOST_DEPTH:
        raise Refused(
            f"the condition is nested {depth} deep; Elasticsearch takes {MOST_DEPTH} (indices.query.bool.max_nested_depth)", ("detection",)
        )


def same_field(fields: tuple[TargetField, ...]) -> bool:
    """Whether the members agree on the stored field."""
    return len({field.name for field in fields}) == 1
