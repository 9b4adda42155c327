"""Keywords over every field of an event: `foreach` marks the events in which one is found, `where` asks for the mark.

`foreach *` runs its template once for each field that an event has, `_raw` is named beside it as wildcards leave out
internal fields (Search Reference, "foreach"). A keyword is looked for in each value by itself, as the rule means it, and
in the raw event, which in Splunk is a value too and the only one of a source that nothing is extracted from.
"""

from __future__ import annotations

from collections.abc import Iterator

from insigma.bind.model import AllOf, AnyOf, Anywhere, Bound, Refused, Test
from insigma.content.model import TargetField
from insigma.content.predicate import Exists, Regex, Text
from insigma.targets.splunk import patterns, quoting
from insigma.targets.splunk.regex import translate

NOTE = "keywords are also found in the raw event, its field names included, and in what Splunk adds to it (host, source, ...)"
_TEMPLATE = "<<"


def marked(predicate: Bound) -> tuple[Bound, tuple[str, ...]]:
    """The predicate with each keyword as a test of a mark, and the lines of the search that set the marks.

    Keywords that stand beside each other under OR share one mark. Raises `Refused` for text that SPL cannot carry.
    """
    marks: dict[tuple[str, ...], str] = {}
    found = _marked(predicate, marks)
    if not marks:
        return predicate, ()
    evals = ",\n        ".join(f"{name}=if({_any(expressions)}, 1, {name})" for expressions, name in marks.items())
    return found, ("| foreach * _raw", f"    [eval {evals}]")


def _marked(predicate: Bound, marks: dict[tuple[str, ...], str]) -> Bound:
    match predicate:
        case Anywhere():
            return _mark((_expression(predicate),), marks)
        case AllOf(operands):
            return AllOf(tuple(_marked(operand, marks) for operand in operands))
        case AnyOf(operands):
            return _alternatives(tuple(_gathered(operands, marks)))
        case _:  # never below a negation
            return predicate


def _gathered(operands: tuple[Bound, ...], marks: dict[tuple[str, ...], str]) -> Iterator[Bound]:
    keywords = tuple(dict.fromkeys(_expression(operand) for operand in operands if isinstance(operand, Anywhere)))
    if keywords:
        yield _mark(keywords, marks)
    yield from (_marked(operand, marks) for operand in operands if not isinstance(operand, Anywhere))


def _alternatives(operands: tuple[Bound, ...]) -> Bound:
    return operands[0] if len(operands) == 1 else AnyOf(operands)


def _mark(expressions: tuple[str, ...], marks: dict[tuple[str, ...], str]) -> Test:
    name = marks.setdefault(expressions, f"insigma_keyword_{len(marks) + 1}")
    return Test(name, TargetField(name, "string", "any"), name, Exists(True), False)


def _any(expressions: tuple[str, ...]) -> str:
    """Whether one of the expressions finds something in a value of the field that the template stands for."""
    return " OR ".join(f"isnotnull(mvfind('<<FIELD>>', {quoting.regex(expression)}))" for expression in expressions)


def _expression(keyword: Anywhere) -> str:
    match keyword.value:
        case Text(cased=cased) as text:
            expression = patterns.text_regex(text, ignore_case=not cased)
        case Regex() as regex:
            expression = translate(regex)
    if _TEMPLATE in expression:
        raise Refused("a keyword with '<<' would be read as a part of the foreach template", ("detection",))
    return expression
