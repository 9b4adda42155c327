"""Detections into predicate trees, through pySigma's reading of items and modifiers.

Input: a rule's `detection` (or a filter's) as read, with positions. Output: a predicate, and every fault found on the
way with its place; a detection with a fault gives no predicate. This module and `values` are the only ones that import
`sigma`. What pySigma 1.5.1 accepts without a word and means nothing is a fault here (docs/decisions/0002).
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sigma.exceptions import SigmaError
from sigma.modifiers import modifier_mapping
from sigma.rule import SigmaDetectionItem
from sigma.types import SigmaString

from insigma.content.condition import ConditionError, Expression, parse_condition, select
from insigma.content.numbers import canonical_number
from insigma.content.predicate import (
    Boolean,
    Keyword,
    Match,
    Named,
    Not,
    Number,
    Placeholder,
    Predicate,
    Regex,
    Text,
    Value,
    anywhere,
    conjunction,
    disjunction,
)
from insigma.content.values import (
    ENCODINGS,
    REGEX_FLAGS,
    ValueFault,
    affixed,
    alternatives,
    dash_count,
    encoded_texts,
    misfit,
    regex_value,
    text_of,
)
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic, Place

MODIFIERS = frozenset(modifier_mapping) | {"utf16le"}
MAX_DASHES = 4
_BASE64 = frozenset({"base64", "base64offset"})
_AFFIXES = frozenset({"contains", "startswith", "endswith"})
_AFFIXES_ONLY = frozenset({"contains", "startswith", "endswith", "cased", "all", "neq"})
_ENCODERS = frozenset(ENCODINGS) | _BASE64
_STAGES = (frozenset({"windash"}), frozenset(ENCODINGS), _BASE64, _AFFIXES)
_EXCLUSIVE = (
    ("contains", "startswith", "endswith"),
    ("base64", "base64offset"),
    ("wide", "utf16", "utf16le", "utf16be"),
    ("gt", "gte", "lt", "lte", "re", "cidr", "exists", "fieldref", "minute", "hour", "day", "week", "month", "year"),
)


@dataclass(slots=True)
class Faults:
    """Collects what is wrong in one document."""

    document: Document
    rule: str
    found: list[Diagnostic] = field(default_factory=list)

    def add(self, code: str, place: Place, message: str, hint: str = "") -> None:
        self.found.append(Diagnostic(place, code, message, hint, rule=self.rule))


def read_detection(detection: Mapping[str, Any], at: Key, faults: Faults, *, skip: frozenset[str] = frozenset()) -> Predicate | None:
    """The predicate of a mapping of selections and `condition`, found at `at` in the document. None if anything is wrong.

    `skip` names keys that are neither a selection nor the condition (a filter's `rules`).
    """
    before = len(faults.found)
    selections: dict[str, Predicate | None] = {}
    for name, definition in detection.items():
        if name != "condition" and name not in skip:
            selections[name] = _selection(definition, (*at, name), faults)
    parts: list[Predicate | None] = []
    for key, text in _conditions(detection, at, faults):
        parts.append(_condition(text, key, selections, faults))
    if len(faults.found) > before:
        return None
    return disjunction(tuple(part for part in parts if part is not None))


def _conditions(detection: Mapping[str, Any], at: Key, faults: Faults) -> list[tuple[Key, str]]:
    document = faults.document
    key = (*at, "condition")
    written = detection.get("condition")
    texts = [(key, written)] if not isinstance(written, list) else [((*key, index), item) for index, item in enumerate(written)]
    if "condition" not in detection or texts == []:
        faults.add("INS101", document.key_place(*at), "the detection has no condition", "add 'condition: selection'")
        return []
    for place_key, text in texts:
        if not isinstance(text, str) or not text.strip():
            faults.add("INS104", document.place(*place_key), "the condition is not a text", "write 'condition: selection'")
    return [(place_key, text) for place_key, text in texts if isinstance(text, str) and text.strip()]


def _condition(text: str, key: Key, selections: Mapping[str, Predicate | None], faults: Faults) -> Predicate | None:
    try:
        expression = parse_condition(text)
    except ConditionError as error:
        faults.add("INS104", faults.document.column_in(key, error.offset), error.message, error.hint)
        return None
    return _resolve(expression, key, selections, faults)


def _resolve(expression: Expression, key: Key, selections: Mapping[str, Predicate | None], faults: Faults) -> Predicate | None:
    """The predicate of a parsed condition; None where a part is missing or faulty (told already)."""
    if expression.operator == "name":
        return _named(expression.name, expression, key, selections, faults)
    if expression.operator == "select":
        names = select(expression.name, tuple(selections))
        if not names:
            message = f"'{expression.name}' matches no selection"
            near = difflib.get_close_matches(expression.name.rstrip("*_"), selections, 1, 0.5)
            hint = f"did you mean '{near[0]}'?" if near else f"the selections are: {', '.join(selections) or 'none'}"
            faults.add("INS106", faults.document.column_in(key, expression.offset), message, hint)
            return None
        operands = [_named(name, expression, key, selections, faults) for name in names]
        return _join(expression.quantifier, operands)
    operands = [_resolve(operand, key, selections, faults) for operand in expression.operands]
    return _join(expression.operator, operands)


def _join(operator: str, operands: list[Predicate | None]) -> Predicate | None:
    present = tuple(operand for operand in operands if operand is not None)
    if len(present) < len(operands):
        return None
    if operator == "not":
        return Not(present[0])
    return conjunction(present) if operator == "and" else disjunction(present)


def _named(name: str, expression: Expression, key: Key, selections: Mapping[str, Predicate | None], faults: Faults) -> Predicate | None:
    if name not in selections:
        near = difflib.get_close_matches(name, selections, 1)
        hint = f"did you mean '{near[0]}'?" if near else f"the selections are: {', '.join(selections) or 'none'}"
        faults.add("INS105", faults.document.column_in(key, expression.offset), f"selection '{name}' is not defined", hint)
        return None
    predicate = selections[name]
    return None if predicate is None else Named(name, predicate)


def _selection(definition: Any, at: Key, faults: Faults) -> Predicate | None:
    """A mapping is an AND of its items; a list an OR of mappings or keywords; a plain value a keyword."""
    place = faults.document.place(*at)
    if isinstance(definition, dict):
        if not definition:
            faults.add("INS108", place, f"selection '{at[-1]}' is empty", "give it a field and a value, or remove it")
            return None
        return _join("and", [_item(key, value, (*at, key), faults) for key, value in definition.items()])
    if isinstance(definition, list):
        if not definition:
            faults.add("INS108", place, f"selection '{at[-1]}' is an empty list", "give it values, or remove it")
            return None
        return _join("or", [_selection_entry(entry, (*at, index), faults) for index, entry in enumerate(definition)])
    return _item("", definition, at, faults)


def _selection_entry(entry: Any, at: Key, faults: Faults) -> Predicate | None:
    if isinstance(entry, list):
        faults.add("INS101", faults.document.place(*at), "a list stands inside a list", "write one list of mappings or values")
        return None
    if entry is None:
        faults.add("INS109", faults.document.place(*at), "null stands in a list", "use 'field: null' in a selection of its own")
        return None
    return _selection(entry, at, faults)


def _item(key: str, value: Any, at: Key, faults: Faults) -> Predicate | None:
    """One `field|modifiers: value` item; without a field, a keyword."""
    document = faults.document
    name, *modifiers = str(key).split("|")
    if not _modifiers_known(modifiers, at, faults):
        return None
    values = value if isinstance(value, list) else [value]
    if not values:
        faults.add(
            "INS108", document.place(*at), f"'{key or at[-1]}' has an empty list", "give it values, or use 'null' for an absent field"
        )
        return None
    found: list[Predicate | None] = []
    for index, plain in enumerate(values):
        where = (*at, index) if isinstance(value, list) else at
        found.append(_value(name, tuple(modifiers), plain, where, faults, listed=isinstance(value, list)))
    joined = _join("and" if "all" in modifiers else "or", found)
    return Not(joined) if joined is not None and "neq" in modifiers else joined


def _modifiers_known(modifiers: list[str], at: Key, faults: Faults) -> bool:
    place = faults.document.key_place(*at)
    before = len(faults.found)
    for modifier in modifiers:
        if modifier not in MODIFIERS:
            near = difflib.get_close_matches(modifier, sorted(MODIFIERS), 1)
            hint = f"did you mean '{near[0]}'?" if near else "see the Sigma specification, appendix modifiers"
            faults.add("INS102", place, f"unknown modifier '{modifier}'", hint)
    for repeated in sorted({modifier for modifier in modifiers if modifiers.count(modifier) > 1}):
        faults.add("INS103", place, f"modifier '{repeated}' stands twice", "keep one")
    for group in _EXCLUSIVE:
        together = [modifier for modifier in group if modifier in modifiers]
        if len(together) > 1:
            hint = "'contains' already matches anywhere" if "contains" in group else "keep one"
            faults.add("INS103", place, f"modifiers '{together[0]}' and '{together[1]}' contradict each other", hint)
    return len(faults.found) == before


def _value(name: str, modifiers: tuple[str, ...], plain: Any, at: Key, faults: Faults, *, listed: bool) -> Predicate | None:
    place = faults.document.place(*at)
    if isinstance(plain, (dict, list)):
        faults.add("INS101", place, "a collection stands where a value is meant", "values are strings, numbers, true, false or null")
        return None
    if plain is None and (listed or not name):
        message = "null stands in a list" if listed else "null stands where a keyword is meant"
        faults.add("INS109", place, message, "an absent field is 'field: null', alone")
        return None
    try:
        if not name and not _AFFIXES.isdisjoint(modifiers) and "re" not in modifiers and "contains" not in modifiers:
            raise ValueFault("INS103", "a keyword is looked for anywhere: 'startswith' and 'endswith' need a field", "name the field")
        values = _predicate_values(modifiers, plain)
        leaves = [_leaf(name, value) for value in values]
    except ValueFault as fault:
        faults.add(fault.code, place, fault.message, fault.hint)
        return None
    except SigmaError:  # its words are classes of pySigma, not what stands in the rule
        refused = misfit(modifiers, plain)
        faults.add(refused.code, place, refused.message, refused.hint)
        return None
    return disjunction(tuple(leaves))


def _predicate_values(modifiers: tuple[str, ...], plain: Any) -> tuple[Value, ...]:
    """What one written value means under the modifiers: several values are alternatives."""
    if isinstance(plain, str) and _AFFIXES_ONLY.issuperset(modifiers):  # nine values in ten: no need for a whole pySigma item
        return (affixed(text_of(SigmaString(plain)), modifiers),)
    if "windash" in modifiers and isinstance(plain, str) and dash_count(plain) > MAX_DASHES:
        raise ValueFault("INS103", f"'windash' over more than {MAX_DASHES} dashes", "split the value")
    if "re" in modifiers:
        if "expand" in modifiers:
            raise ValueFault("INS103", "a placeholder inside a regular expression is not filled", "use a list of values with 'expand'")
        beyond = [name for name in modifiers if name not in {"re", "all", "neq", "contains", "startswith", "endswith", *REGEX_FLAGS}]
        if beyond:
            raise ValueFault("INS103", f"modifier '{beyond[0]}' does not go with 're'", "remove it")
        return (regex_value(plain, modifiers),)
    if _ENCODERS & set(modifiers):
        return _encoded(modifiers, plain)
    dropped = {"all", "neq"} | ({"cased"} if "fieldref" in modifiers else set())
    key = "|".join(("field", *(name for name in modifiers if name not in dropped)))
    item = SigmaDetectionItem.from_mapping(key, plain)
    return tuple(dict.fromkeys(found for value in item.value for found in alternatives(value, plain, modifiers)))


def _encoded(modifiers: tuple[str, ...], plain: Any) -> tuple[Value, ...]:
    allowed = _ENCODERS | {"all", "neq", "contains", "startswith", "endswith", "cased", "windash"}
    beyond = [name for name in modifiers if name not in allowed]
    if beyond:
        raise ValueFault("INS103", f"modifier '{beyond[0]}' does not go with an encoding", "remove it")
    order = [number for name in modifiers for number, stage in enumerate(_STAGES) if name in stage]
    if order != sorted(order):
        hint = "the order is windash, wide or utf16, base64 or base64offset, contains"
        raise ValueFault("INS103", "the modifiers stand in an order that is not read", hint)
    written = [plain]
    if "windash" in modifiers and isinstance(plain, str):
        item = SigmaDetectionItem.from_mapping("field|windash", plain)
        written = [str(text) for value in item.value for text in getattr(value, "values", [value]) if isinstance(text, SigmaString)]
    texts = (affixed(text, modifiers) for variant in written for text in encoded_texts(variant, modifiers))
    return tuple(dict.fromkeys(texts))


def _leaf(name: str, value: Value) -> Predicate:
    if name:
        return Match(name, value)
    match value:
        case Text():
            return Keyword(anywhere(value))
        case Number():
            return Keyword(anywhere(Text((canonical_number(value.value),))))
        case Boolean():
            return Keyword(anywhere(Text((str(value.value).lower(),))))
        case Regex() | Placeholder():
            return Keyword(value)
        case _:
            raise ValueFault("INS103", "this modifier needs a field", "a keyword is a string, a number or a regular expression")
