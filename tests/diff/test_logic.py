"""What changed in a rule's logic, in as few words as there are changes."""

from __future__ import annotations

import pytest

from insigma.content.assemble import assemble
from insigma.content.model import AnyRule
from insigma.content.yaml_reader import read_bytes
from insigma.diff.logic import statements, words
from insigma.diff.meaning import meaning

EVENT = "title: R\nname: r\nlogsource: {category: c}\n"
BASES = "title: A\nname: a\nlogsource: {category: c}\ndetection: {s: {x: z}, condition: s}\n---\n"
BASES += BASES.replace("title: A\nname: a", "title: B\nname: b")
COUNT = (
    "title: R\nname: r\ncorrelation:\n  type: value_count\n  rules: [a]\n  group-by: [u]\n  timespan: 1h\n  condition: {gte: 5, field: f}\n"
)


def rule(text: str) -> AnyRule:
    assembled = assemble(read_bytes((BASES + text).encode(), "r.yml").documents)
    assert not assembled.diagnostics
    return next(rule for rule in assembled.rules if rule.header.name == "r")


def detection(text: str) -> str:
    return f"{EVENT}detection: {{{text}}}\n"


@pytest.mark.parametrize(
    ("before", "after", "told"),
    [
        ("s: {a: b}, condition: s", "s: {a: b}, condition: s", []),
        ("s: {a: b}, condition: s", "s: {a: [b, c]}, condition: s", ["selection 's', a: added 'c'"]),
        ("s: {a: [b, c]}, condition: s", "s: {a: [c, d]}, condition: s", ["selection 's', a: added 'd'; removed 'b'"]),
        ("s: {a: [b, c]}, condition: s", "s: {a: [c, b]}, condition: s", ["selection 's', a: written in another order"]),
        ("s: {a|gte: 5}, condition: s", "s: {a|gte: 6}, condition: s", ["selection 's', a|gte: 5 -> 6"]),
        ("s: {a: '5'}, condition: s", "s: {a: 5}, condition: s", ["selection 's', a: '5' -> 5"]),
        (
            "s: {a: b}, condition: s",
            "s: {a|contains: b}, condition: s",
            ["selection 's': removed a: b", "selection 's': added a|contains: b"],
        ),
        ("s: {a: b}, condition: s", "s: {a: b, c: null}, condition: s", ["selection 's': added c: null"]),
        (
            "s: {a: b}, condition: s",
            "s: {a: b}, f: {c: d}, condition: s and not f",
            ["selection 'f' added: {c: d}", "condition: s -> s and not f"],
        ),
        (
            "s: {a: b}, f: {c: d}, condition: s and not f",
            "s: {a: b}, condition: s",
            ["selection 'f' removed: {c: d}", "condition: s and not f -> s"],
        ),
        ("s: [{a: b}], condition: s", "s: [{a: b}, {c: d}], condition: s", ["selection 's': added {c: d}"]),
        ("s: [k], condition: s", "s: [k, l], condition: s", ["selection 's': added 'l'"]),
        ("s: {a: b}, condition: s", "s: [k], condition: s", ["selection 's': {a: b} -> 'k'"]),
    ],
)
def test_selections(before: str, after: str, told: list[str]) -> None:
    assert list(statements(rule(detection(before)), rule(detection(after)))) == told


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("type: value_count", "type: value_sum", ["type: value_count -> value_sum"]),
        ("rules: [a]", "rules: [a, b]", ["rules + b"]),
        ("rules: [a]", "rules: [b]", ["rules + b - a"]),
        ("group-by: [u]", "group-by: [u, source.ip]", ["group-by + source.ip"]),
        ("group-by: [u]", "", ["group-by - u"]),
        ("timespan: 1h", "timespan: 90m", ["timespan 1h -> 90m"]),
        ("gte: 5", "gte: 5, lt: 9", ["condition: gte 5 -> gte 5, lt 9"]),
        ("gte: 5", "gt: 5", ["condition: gte 5 -> gt 5"]),
        ("field: f", "field: g", ["counted field + g - f"]),
        ("type: value_count", "generate: true\n  type: value_count", ["generate: false -> true"]),
        ("rules: [a]", "rules: [a]\n  aliases: {k: {a: m}}", ["aliases: {} -> {k: {a: m}}"]),
    ],
)
def test_correlations(old: str, new: str, told: list[str]) -> None:
    assert list(statements(rule(COUNT), rule(COUNT.replace(old, new)))) == told


def test_order_of_group_by_and_percentile_and_extended_condition() -> None:
    two = COUNT.replace("[u]", "[u, v]")
    assert statements(rule(two), rule(COUNT.replace("[u]", "[v, u]"))) == ("group-by: in another order: v, u",)
    share = COUNT.replace("value_count", "value_percentile").replace("field: f", "field: f, percentile: 90")
    assert statements(rule(share), rule(share.replace("90", "95"))) == ("percentile 90 -> 95",)
    both = "title: R\nname: r\ncorrelation: {type: temporal, rules: [a, b], group-by: [u], timespan: 1h, condition: a and b}\n"
    assert statements(rule(both), rule(both.replace("a and b", "a or b"))) == ("condition: (a and b) -> (a or b)",)


def test_an_event_rule_that_becomes_a_correlation() -> None:
    assert statements(rule(detection("s: {a: b}, condition: s")), rule(COUNT)) == ("was an event rule, is a correlation",)


def tuned(number: int, default: int, low: int = 2, high: int = 9, more: str = "") -> str:
    head = f"insurance: {{thresholds: {{many: {{default: {default}, min: {low}, max: {high}{more}, at: correlation.condition.gte}}}}}}\n"
    return head + COUNT.replace("gte: 5", f"gte: {number}")


@pytest.mark.parametrize(
    ("after", "told"),
    [
        (tuned(6, 6), ["threshold many: 5 -> 6 (bounds 2 to 9)"]),
        (tuned(6, 5), ["condition: gte 5 -> gte 6"]),
        (tuned(5, 6), ["threshold many: 5 -> 6 (bounds 2 to 9)"]),
        (tuned(7, 6), ["threshold many: 5 -> 6 (bounds 2 to 9)", "condition: gte 5 -> gte 7"]),
        (tuned(5, 5, high=12), ["threshold many: bounds 2 to 9 -> 2 to 12"]),
        (tuned(5, 5, more=", surge_relaxable: true"), ["threshold many: surge_relaxable none -> true"]),
        (COUNT, ["threshold many removed: 5 (bounds 2 to 9)"]),
        (tuned(5, 5).replace("many", "other"), ["threshold many removed: 5 (bounds 2 to 9)", "threshold other added: 5 (bounds 2 to 9)"]),
    ],
)
def test_thresholds(after: str, told: list[str]) -> None:
    assert list(statements(rule(tuned(5, 5)), rule(after))) == told


def test_a_threshold_in_a_selection_tells_of_both() -> None:
    text = "insurance: {thresholds: {n: {default: 5, at: 'detection.s.x.y|gte'}}}\n" + detection("s: {x.y|gte: 5}, condition: s")
    assert statements(rule(text), rule(text.replace("default: 5", "default: 7").replace("gte: 5", "gte: 7"))) == ("threshold n: 5 -> 7",)


@pytest.mark.parametrize(
    ("before", "after", "same"),
    [
        ("s: {a: b}, condition: s", "t: {a: b}, condition: t", True),
        ("s: {a: b, c: d}, condition: s", "s: {a: b}, t: {c: d}, condition: s and t", True),
        ("s: {a: b}, condition: s", "s: {a: c}, condition: s", False),
        ("s: {a: b}, t: {c: d}, condition: s and t", "s: {a: b}, t: {c: d}, condition: s or t", False),
        ("s: {a: b}, t: {c: d}, condition: s and not t", "s: {a: b}, u: {c: d}, condition: s and not u", True),
    ],
)
def test_names_and_brackets_carry_no_meaning(before: str, after: str, same: bool) -> None:
    assert (meaning(rule(detection(before))) == meaning(rule(detection(after)))) is same


def test_words_are_empty_where_both_say_the_same() -> None:
    one, other = rule(detection("s: {a: b}, condition: s")), rule(detection("t: {a: b}, condition: t"))
    assert words(one, other).before == words(one, other).after == ()
    assert words(one, rule(detection("s: {a: c}, condition: s"))).after[-1] == "  - `a` is `c`"
