"""A fixture that names no rule is told as `insigma test` tells it."""

from __future__ import annotations

from insigma.assure.fixtures import reference_rules, run_fixture
from insigma.checks import ins505_rule_without_fixture as check
from tests.checks.harness import make_context

EVENT_RULE = "title: A\nname: ins-clm-001\nlogsource: {category: c}\ndetection: {s: {a: b}, condition: s}\n"
FILTER = "title: F\nname: ins-clm-f01\nlogsource: {category: c}\nfilter: {rules: any, s: {a: b}, condition: s}\n"


def files(rule: str, named: str) -> dict[str, str]:
    return {
        "rules/a.yml": rule,
        "rules/f.yml": FILTER,
        "tests/fixtures/a.yml": "rule: ins-clm-001\ncases: []\n",
        "tests/fixtures/b.yml": f"cases: []\nrule: {named}\n",
    }


def test_it_is_the_very_finding_of_the_fixture_runner() -> None:
    for named in ("nope", "ins-clm-f01"):
        context = make_context(files(EVENT_RULE, named), in_pack=True)
        found = list(check.check_pack(context))
        fixture = context.pack.fixtures[1]
        assert [(one.code, one.place.path, one.place.line, one.place.column) for one in found] == [("INS111", "tests/fixtures/b.yml", 2, 7)]
        assert found == [
            one for result in run_fixture(fixture, reference_rules(context.pack, {}), context.pack) for one in result.diagnostics
        ]


def test_a_rule_that_is_there_but_faulty_is_told_by_its_own_findings() -> None:
    context = make_context(files("title: A\nname: ins-clm-001\n", "ins-clm-001"), in_pack=True)
    assert list(check.check_pack(context)) == []


def test_loose_rules_have_no_fixtures() -> None:
    assert list(check.check_pack(make_context(files(EVENT_RULE, "nope"), in_pack=False))) == []
