"""A rule's logic in words: what stands on the rule pages."""

from __future__ import annotations

import pytest

from insigma.content.assemble import assemble
from insigma.content.words import in_words, markdown
from insigma.content.yaml_reader import read_bytes

HEAD = "title: Export\nname: export\nlogsource: {category: claims}\n"


def said(rules: str, name: str = "export") -> list[str]:
    assembled = assemble(read_bytes(rules.encode(), "r.yml").documents)
    assert not assembled.diagnostics
    return list(markdown(in_words(next(rule for rule in assembled.rules if rule.header.name == name))))


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("a: b", "`a` is `b`"),
        ("a: [b, c, d]", "`a` is `b`, `c` or `d`"),
        ("a|startswith: b", "`a` begins with `b`"),
        ("a|contains: b", "`a` contains `b`"),
        ("a|cased: B", "`a` is `B` in exactly this case"),
        ("a: b*c", "`a` matches `b*c`"),
        ("a: ''", "`a` is empty"),
        ("a|gte: 5", "`a` is at least 5"),
        ("a: 5", "`a` is 5"),
        ("a: true", "`a` is true"),
        ("a: null", "`a` is absent"),
        ("a|exists: true", "`a` is present"),
        ("a|fieldref: b", "`a` is the value of `b`"),
        ("a|cidr: 10.0.0.0/8", "`a` is in the network 10.0.0.0/8"),
        ("a|re: ^b+$", "`a` matches the regular expression `^b+$`"),
        ("a|hour: 3", "`a` has as hour (UTC) 3"),
        ("a|expand: '%batch%'", "`a` is on the list *batch*"),
    ],
)
def test_a_condition_on_a_field(item: str, words: str) -> None:
    found = said(f"{HEAD}detection:\n  s:\n    {item}\n  condition: s\n")
    assert found == ["- An event of the log source category claims, in which", f"  - {words}"]


def test_filters_are_exceptions() -> None:
    found = said(f"{HEAD}detection: {{s: {{a: b}}, f_1: {{c: d}}, f_2: {{e: f, g: h}}, condition: s and not 1 of f_*}}\n")
    assert found == [
        "- An event of the log source category claims, in which",
        "  - `a` is `b`",
        "- but not if one of these holds",
        "  - `c` is `d`",
        "  - `e` is `f`, and `g` is `h`",
    ]


def test_alternatives_stand_beneath_one_another() -> None:
    found = said(f"{HEAD}detection: {{s: {{a: b}}, t: {{c: d}}, condition: s or t}}\n")
    assert found[1:] == ["  - at least one of", "    - `a` is `b`", "    - `c` is `d`"]


def test_a_correlation_counts_within_its_timespan() -> None:
    base = f"{HEAD}detection: {{s: {{a: b}}, condition: s}}\n---\n"
    body = "{type: value_count, rules: [export], group-by: [user, host], timespan: 90m, condition: {gte: 3, field: claim}}"
    found = said(f"{base}title: Burst\nname: burst\ncorrelation: {body}\n", "burst")
    head = "At least 3 different values of `claim` within 90m, for one value of `user` and `host`, among the events of"
    assert found == [f"- {head}", "  - export: Export"]


@pytest.mark.parametrize(
    ("correlation", "words"),
    [
        ("type: event_count, rules: [export], timespan: 1h, condition: {gt: 5}", "More than 5 events within 1h"),
        ("type: value_sum, rules: [export], timespan: 1d, condition: {gte: 5, field: total}", "A sum of `total` of at least 5 within 1d"),
        ("type: temporal, rules: [export, print], timespan: 1d", "One event each, in any order, within 1d"),
        ("type: temporal_ordered, rules: [export, print], timespan: 1d", "One event each, in this order, within 1d"),
    ],
)
def test_each_type_says_what_it_measures(correlation: str, words: str) -> None:
    other = HEAD.replace("xport", "rint").replace("E", "P").replace("name: e", "name: p")
    base = "".join(f"{head}detection: {{s: {{a: b}}, condition: s}}\n---\n" for head in (HEAD, other))
    found = said(f"{base}title: Burst\nname: burst\ncorrelation: {{{correlation}, group-by: [user]}}\n", "burst")
    assert found[0] == f"- {words}, for one value of `user`, among the events of"
