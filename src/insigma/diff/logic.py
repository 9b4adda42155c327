"""What changed in what a rule says: statements in words, as few as there are changes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from insigma.content.condition import Expression
from insigma.content.durations import duration_text
from insigma.content.model import AnyRule, Bound, Correlation, Rule
from insigma.content.numbers import canonical_number
from insigma.content.words import in_words, markdown
from insigma.diff.data import shown
from insigma.diff.model import ABSENT, Words
from insigma.diff.selections import selection_changes

LOGIC_KEYS = frozenset({"logsource", "detection", "correlation", "insurance.thresholds"})
"""What of a rule's document is told here, and not as metadata."""

_TELLING = ("default", "min", "max")


def statements(before: AnyRule, after: AnyRule) -> tuple[str, ...]:
    """What changed in the rule's own document, thresholds first. Empty where nothing did."""
    thresholds = tuple(_thresholds(before, after))
    explained = tuple(at for at, _ in thresholds if at)
    told = [text for _, text in thresholds]
    if isinstance(before, Correlation) and isinstance(after, Correlation):
        told += _correlation(before, after, explained)
    elif isinstance(before, Rule) and isinstance(after, Rule):
        if before.logsource != after.logsource:
            told.append(f"log source: {before.logsource} -> {after.logsource}")
        within = tuple(at.removeprefix("detection.") for at in explained)
        told += selection_changes(_block(before, "detection"), _block(after, "detection"), within)
    else:
        kinds = ["a correlation" if isinstance(rule, Correlation) else "an event rule" for rule in (before, after)]
        told.append(f"was {kinds[0]}, is {kinds[1]}")
    return tuple(told)


def words(before: AnyRule | None, after: AnyRule | None) -> Words:
    """The logic of each side in plain words; both empty where they say the same."""
    said = [tuple(markdown(in_words(rule))) if rule is not None else () for rule in (before, after)]
    return Words() if said[0] == said[1] else Words(*said)


def threshold_names(rule: AnyRule) -> tuple[str, ...]:
    """The names under which a profile may set the rule's numbers."""
    return tuple(_declared(rule))


def _block(rule: AnyRule, key: str) -> Mapping[str, Any]:
    value = rule.header.document.data.get(key)
    return value if isinstance(value, dict) else {}


def _declared(rule: AnyRule) -> Mapping[str, Mapping[str, Any]]:
    written = rule.header.insurance.get("thresholds")
    entries = written.items() if isinstance(written, dict) else ()
    return {str(name): entry for name, entry in entries if isinstance(entry, dict)}


def _thresholds(before: AnyRule, after: AnyRule) -> Iterator[tuple[str, str]]:
    """A statement for each threshold that changed, with the path of the number that it explains (empty for none)."""
    was, now = _declared(before), _declared(after)
    for name in dict.fromkeys((*was, *now)):
        old, new = was.get(name), now.get(name)
        if old is None or new is None:
            known = new if old is None else old
            assert known is not None
            yield "", f"threshold {name} {'added' if old is None else 'removed'}: {shown(known.get('default'))}{_bounds(known)}"
            continue
        if old.get("default") != new.get("default"):
            at = str(new.get("at")) if old.get("at") == new.get("at") and _moves(before, after, old, new) else ""
            yield at, f"threshold {name}: {shown(old.get('default'))} -> {shown(new.get('default'))}{_bounds(new)}"
        if any(old.get(key) != new.get(key) for key in ("min", "max")):
            yield "", f"threshold {name}: bounds {_range(old)} -> {_range(new)}"
        for key in dict.fromkeys((*old, *new)):
            if key not in _TELLING and old.get(key, ABSENT) != new.get(key, ABSENT):
                yield "", f"threshold {name}: {key} {_or_none(old, key)} -> {_or_none(new, key)}"


def _moves(before: AnyRule, after: AnyRule, old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether the number in the rule's logic went from the old default to the new one, so that one statement tells of both."""
    at = str(new.get("at"))
    return bool(_number_at(before, at) == old.get("default") and _number_at(after, at) == new.get("default"))


def _number_at(rule: AnyRule, at: str) -> Any:
    """The number at `correlation.condition.gte` or `detection.<selection>.<key>`, None where there is none. Keys may hold dots."""
    head, _, rest = at.partition(".")
    block = _block(rule, head)
    name, _, key = rest.partition(".")
    inner = block.get(name)
    return inner.get(key) if isinstance(inner, dict) else None


def _or_none(entry: Mapping[str, Any], key: str) -> str:
    return shown(entry[key]) if key in entry else "none"


def _bounds(entry: Mapping[str, Any]) -> str:
    return f" (bounds {_range(entry)})" if "min" in entry or "max" in entry else ""


def _range(entry: Mapping[str, Any]) -> str:
    low, high = (shown(entry[key]) if key in entry else "" for key in ("min", "max"))
    return f"{low} to {high}" if low and high else f"from {low}" if low else f"up to {high}" if high else "none"


def _correlation(before: Correlation, after: Correlation, explained: tuple[str, ...]) -> Iterator[str]:
    if before.type is not after.type:
        yield f"type: {before.type.value} -> {after.type.value}"
    yield from _names("rules", before.rules, after.rules)
    yield from _names("group-by", before.group_by, after.group_by)
    if before.timespan_ms != after.timespan_ms:
        yield f"timespan {duration_text(before.timespan_ms)} -> {duration_text(after.timespan_ms)}"
    old, new = (_bound_texts(rule, explained) for rule in (before, after))
    if old != new:
        yield f"condition: {old or 'none'} -> {new or 'none'}"
    yield from _names("counted field", before.condition.fields, after.condition.fields)
    if before.condition.percentile != after.condition.percentile:
        yield f"percentile {before.condition.percentile} -> {after.condition.percentile}"
    texts = [_expression(rule.condition.expression) for rule in (before, after)]
    if texts[0] != texts[1]:
        yield f"condition: {texts[0] or 'none'} -> {texts[1] or 'none'}"
    if dict(before.aliases) != dict(after.aliases):
        yield f"aliases: {shown(_plain(before))} -> {shown(_plain(after))}"
    if before.generate != after.generate:
        yield f"generate: {shown(before.generate)} -> {shown(after.generate)}"


def _names(what: str, before: tuple[str, ...], after: tuple[str, ...]) -> Iterator[str]:
    """ "group-by + source.ip", "rules - ins-clm-001"; a mere change of order is told as such."""
    signs = [f"+ {name}" for name in after if name not in before] + [f"- {name}" for name in before if name not in after]
    if signs:
        yield f"{what} {' '.join(signs)}"
    elif before != after:
        yield f"{what}: in another order: {', '.join(after)}"


def _bound_texts(rule: Correlation, explained: tuple[str, ...]) -> str:
    """The bounds that no threshold explains."""
    kept = [bound for bound in rule.condition.bounds if f"correlation.condition.{bound.operator.value}" not in explained]
    return ", ".join(map(_bound, kept))


def _bound(bound: Bound) -> str:
    return f"{bound.operator.value} {canonical_number(bound.number)}"


def _expression(expression: Expression | None) -> str:
    """An extended condition as it could be written."""
    if expression is None:
        return ""
    if expression.operator == "name":
        return expression.name
    if expression.operator == "select":
        return f"{'all' if expression.quantifier == 'and' else '1'} of {expression.name}"
    inner = [_expression(operand) for operand in expression.operands]
    return f"not {inner[0]}" if expression.operator == "not" else f"({f' {expression.operator} '.join(inner)})"


def _plain(rule: Correlation) -> dict[str, dict[str, str]]:
    return {alias: dict(fields) for alias, fields in rule.aliases.items()}
