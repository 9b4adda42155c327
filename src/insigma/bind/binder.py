"""The passes of binding: names, types and case of the target; absence made two-valued under negation."""

from __future__ import annotations

from dataclasses import dataclass

from insigma.bind.disjoint import all_disjoint
from insigma.bind.model import (
    AllOf,
    AnyOf,
    Anywhere,
    Bound,
    BoundAny,
    BoundCorrelation,
    BoundRule,
    Column,
    Negated,
    OneOf,
    Refused,
    Test,
)
from insigma.bind.open import refuse_negated_keywords, source_name
from insigma.content.folding import fold
from insigma.content.model import AnyRule, Correlation, Rule, TargetField, TargetLogSource, TargetMapping, Taxonomy
from insigma.content.numbers import canonical_number, number_of
from insigma.content.predicate import (
    And,
    Boolean,
    Cidr,
    Compare,
    Constant,
    Exists,
    FieldRef,
    IsNull,
    Keyword,
    Match,
    Named,
    Not,
    Number,
    Or,
    Placeholder,
    Predicate,
    Regex,
    Text,
    TimePart,
    Wildcard,
    disjunction,
)

NUMERIC = frozenset({"long", "real", "double", "float", "number"})
DATES = frozenset({"date", "datetime"})
EVENT_KEY = ("organization.id", "insurance.logsource", "event.dataset", "event.id")


@dataclass(frozen=True, slots=True)
class _Scope:
    """What the leaves of one rule are bound against."""

    mapping: TargetMapping
    taxonomy: Taxonomy
    rule: Rule
    logsource: str


def bind(rule: AnyRule, mapping: TargetMapping, taxonomy: Taxonomy) -> BoundAny:
    """The rule in the target's fields. Raises `Refused` for what the mapping lacks or its types cannot say."""
    return _bind_rule(rule, mapping, taxonomy) if isinstance(rule, Rule) else _bind_correlation(rule, mapping, taxonomy)


def _bind_rule(rule: Rule, mapping: TargetMapping, taxonomy: Taxonomy) -> BoundRule:
    canonical = None if mapping.open else taxonomy.find(rule.logsource)
    name = source_name(rule.logsource) if mapping.open else canonical.name if canonical else ""
    if name not in mapping.logsources:
        raise Refused(f"log source '{rule.logsource}' has no place in the {mapping.target} mapping", ("logsource",), unmapped=True)
    scope = _Scope(mapping, taxonomy, rule, name)
    return BoundRule(rule, _bind(rule.predicate, scope), mapping.logsources[name])


def _bind_correlation(rule: Correlation, mapping: TargetMapping, taxonomy: Taxonomy) -> BoundCorrelation:
    if any(isinstance(member, Correlation) for member in rule.members):
        raise Refused(
            "a correlation over correlations is not compiled: the instants of the inner one are no events that a query could read",
            ("correlation", "rules"),
        )
    members = tuple(_bind_rule(member, mapping, taxonomy) for member in rule.members if isinstance(member, Rule))

    def stored(names: tuple[str, ...], key: str) -> tuple[tuple[TargetField, ...], ...]:
        where = ("correlation", key)
        return tuple(
            tuple(_target_field(rule.field_of(name, position), mapping, where) for name in names) for position in range(len(members))
        )

    return BoundCorrelation(
        correlation=rule,
        members=members,
        group_names=rule.group_by,
        group_by=stored(rule.group_by, "group-by"),
        values=stored(rule.condition.fields, "condition"),
        disjoint=all_disjoint(
            tuple(member.predicate for member in members), tuple("" if mapping.open else member.logsource.name for member in members)
        ),
        timestamp=_target_field("@timestamp", mapping, ()),
        event_key=tuple(_target_field(name, mapping, ()) for name in EVENT_KEY if name in mapping.fields),
    )


def _target_field(name: str, mapping: TargetMapping, where: tuple[str | int, ...]) -> TargetField:
    found = mapping.fields.get(name)
    if found is None:
        raise Refused(f"field '{name}' has no place in the {mapping.target} mapping", where, unmapped=True)
    return found


def _bind(predicate: Predicate, scope: _Scope) -> Bound:
    match predicate:
        case And(operands):
            return _flat(AllOf, tuple(_bind(operand, scope) for operand in operands))
        case Or(operands):
            return _flat(AnyOf, _gathered(tuple(_bind(operand, scope) for operand in operands)))
        case Not(operand):
            if scope.mapping.open:
                refuse_negated_keywords(operand)
            inner = _bind(operand, scope)
            return inner.operand if isinstance(inner, Negated) else Negated(inner)
        case Named(_, operand):
            return _bind(operand, scope)
        case Keyword():
            return _bind_keyword(predicate, scope)
        case Match():
            return _bind_match(predicate, scope)
        case Constant():
            return predicate


def _flat(kind: type[AllOf] | type[AnyOf], operands: tuple[Bound, ...]) -> Bound:
    """The operands under one node of `kind`, those of nested nodes of the same kind lifted into it."""
    lifted: list[Bound] = []
    for operand in operands:
        if isinstance(operand, kind):
            lifted.extend(operand.operands)
        else:
            lifted.append(operand)
    return lifted[0] if len(lifted) == 1 else kind(tuple(lifted))


def _gathered(operands: tuple[Bound, ...]) -> tuple[Bound, ...]:
    """Alternatives with plain equalities of one field gathered into a `OneOf`, in the place of the first."""
    groups: dict[tuple[str, bool, bool], dict[str | int | float, Test]] = {}
    for operand in operands:
        if isinstance(operand, Test) and (literal := _literal(operand)) is not None:
            groups.setdefault(_group_key(operand), {})[literal] = operand
    gathered: list[Bound] = []
    for operand in operands:
        if not isinstance(operand, Test) or _literal(operand) is None:
            gathered.append(operand)
        elif (group := groups.pop(_group_key(operand), None)) is not None:
            gathered.append(operand if len(group) == 1 else _one_of(operand, tuple(group)))
    return tuple(gathered)


def _one_of(test: Test, literals: tuple[str | int | float, ...]) -> OneOf:
    strings = tuple(literal for literal in literals if isinstance(literal, str))
    numbers = tuple(literal for literal in literals if not isinstance(literal, str))
    return OneOf(test.column, test.field, test.canonical, strings or numbers, test.ignore_case)


def _literal(test: Test) -> str | int | float | None:
    match test.value:
        case Text() as text:
            return text.literal
        case Number(value):
            return value
        case _:
            return None


def _group_key(test: Test) -> tuple[str, bool, bool]:
    return test.column, test.ignore_case, isinstance(test.value, Number)


def _bind_keyword(keyword: Keyword, scope: _Scope) -> Bound:
    """A keyword looks into every string field of the log source; a number field is refused if its text could match."""
    pattern = keyword.value
    if isinstance(pattern, Placeholder):
        raise _unfilled(scope)
    if scope.mapping.open:
        return Anywhere(pattern)
    tests: list[Predicate] = []
    for name in scope.taxonomy.logsources[scope.logsource].fields:
        stored = _target_field(name, scope.mapping, ("detection",))
        if stored.type in NUMERIC | DATES | {"ip", "boolean"}:
            if _could_be_in_a_number(pattern):
                raise Refused(
                    f"keyword search would have to look into '{name}', which {scope.mapping.target} stores as {stored.type}", ("detection",)
                )
            continue
        tests.append(Match(name, pattern))
    return _bind(disjunction(tuple(tests)), scope) if tests else Constant(False)


def _could_be_in_a_number(pattern: Text | Regex) -> bool:
    """Whether the text of a number, date, address or boolean could match: only letters beyond these rule it out."""
    if isinstance(pattern, Regex):
        return True
    letters = {char for part in pattern.parts if isinstance(part, str) for char in fold(part)}
    return not letters - set("0123456789.:+-abcdefinrstluz")


def _bind_match(match: Match, scope: _Scope) -> Bound:
    field = _target_field(match.field, scope.mapping, ("detection",))
    match match.value:
        case Text() as text:
            return _bind_text(match.field, field, text, scope)
        case Number(value):
            if field.type in NUMERIC:
                return Test(field.name, field, match.field, Number(value), False)
            return _bind_text(match.field, field, Text((canonical_number(value),)), scope)
        case Boolean(value):
            if field.type == "boolean":
                return Test(field.name, field, match.field, Boolean(value), False)
            return _bind_text(match.field, field, Text((str(value).lower(),)), scope)
        case Compare() as compare:
            return _bind_compare(match.field, field, compare, scope)
        case Regex() as regex:
            return _bind_regex(match.field, field, regex, scope)
        case FieldRef() as reference:
            return _bind_fieldref(match.field, field, reference, scope)
        case IsNull() | Exists():
            return Test(field.name, field, match.field, match.value, False)
        case Cidr() as cidr:
            return _bind_cidr(match.field, field, cidr, scope)
        case TimePart() as part:
            return _bind_time_part(match.field, field, part, scope)
        case Placeholder():
            raise _unfilled(scope)


def _bind_compare(name: str, field: TargetField, compare: Compare, scope: _Scope) -> Bound:
    if not field.declared:
        raise Refused(f"nothing declares '{name}' as a number: as a string it has no numeric order", ("detection",))
    if field.type not in NUMERIC:
        raise Refused(f"'{name}' is stored as {field.type} by {scope.mapping.target}: it has no numeric order", ("detection",))
    return Test(field.name, field, name, compare, False)


def _bind_cidr(name: str, field: TargetField, cidr: Cidr, scope: _Scope) -> Bound:
    if field.type not in {"ip", "string"} and field.declared:
        raise Refused(f"'{name}' is stored as {field.type} by {scope.mapping.target}: a network needs an address field", ("detection",))
    return Test(field.name, field, name, cidr, False)


def _bind_time_part(name: str, field: TargetField, part: TimePart, scope: _Scope) -> Bound:
    if field.type not in DATES:
        raise Refused(
            f"'{name}' is stored as {field.type} by {scope.mapping.target}: modifier '{part.unit.value}' needs a date field", ("detection",)
        )
    return Test(field.name, field, name, part, False)


def _unfilled(scope: _Scope) -> Refused:
    return Refused(f"rule '{scope.rule.header.label}' has a placeholder whose list is not filled in", ("detection",))


def _bind_text(name: str, field: TargetField, text: Text, scope: _Scope) -> Bound:
    if field.type in NUMERIC | DATES | {"boolean", "ip"}:
        return _bind_text_typed(name, field, text, scope)
    if text.cased:
        return Test(_cased_column(name, field, scope), field, name, text, False)
    folded = Text(tuple(fold(part) if isinstance(part, str) else part for part in text.parts))
    return Test(field.name, field, name, folded, True)


def _bind_text_typed(name: str, field: TargetField, text: Text, scope: _Scope) -> Bound:
    """A string against a field that is stored as something else: only an exact spelling of such a value can match."""
    if text.parts == (Wildcard.MANY,):
        return Test(field.name, field, name, Exists(True), False)
    literal = text.literal
    if literal is not None:
        if field.type in NUMERIC and (number := number_of(literal)) is not None and canonical_number(number) == literal:
            return Test(field.name, field, name, Number(number), False)
        if field.type == "boolean" and fold(literal) in {"true", "false"}:
            return Test(field.name, field, name, Boolean(fold(literal) == "true"), False)
        if field.type == "ip":
            return Test(field.name, field, name, Text((fold(literal),)), True)
    raise Refused(f"'{name}' is stored as {field.type} by {scope.mapping.target}: the string pattern cannot be asked of it", ("detection",))


def _cased_column(name: str, field: TargetField, scope: _Scope) -> str:
    if field.cased_name is not None:
        return field.cased_name
    if field.case == "lower":
        raise Refused(f"'{name}' is stored in lower case only by {scope.mapping.target}: its case cannot be asked for", ("detection",))
    return field.name


def _bind_regex(name: str, field: TargetField, regex: Regex, scope: _Scope) -> Bound:
    if field.type in NUMERIC | DATES | {"boolean", "ip"}:
        raise Refused(
            f"'{name}' is stored as {field.type} by {scope.mapping.target}: a regular expression needs a string field", ("detection",)
        )
    column = field.name if regex.ignore_case else _cased_column(name, field, scope)
    return Test(column, field, name, regex, regex.ignore_case)


def _bind_fieldref(name: str, field: TargetField, reference: FieldRef, scope: _Scope) -> Bound:
    other = _target_field(reference.field, scope.mapping, ("detection",))
    if (field.type in NUMERIC) != (other.type in NUMERIC):
        raise Refused(
            f"'{name}' and '{reference.field}' are stored as {field.type} and {other.type} by {scope.mapping.target}", ("detection",)
        )
    if reference.cased:
        column, other_column = _cased_column(name, field, scope), _cased_column(reference.field, other, scope)
    else:
        column, other_column = field.name, other.name
    return Test(column, field, name, Column(other_column, other, reference.affix), not reference.cased)


def logsource_scope(members: tuple[BoundRule, ...]) -> tuple[TargetLogSource, ...]:
    """The log sources of the members, each once, in order."""
    return tuple({member.logsource.name: member.logsource for member in members}.values())
