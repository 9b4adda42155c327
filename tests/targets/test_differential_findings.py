"""What comparing the targets with the evaluator on random rules and events brought to light: one test for each finding."""

from __future__ import annotations

import pytest

from insigma.bind.model import Refused
from tests.targets import splunk_harness
from tests.targets.elastic_harness import compiled, correlated

SUM = "type: %s\nrules: [view]\ngroup-by: [user.name]\ntimespan: 1h\ncondition: {%s}"


def test_a_sum_over_hopping_windows_says_what_a_negative_value_does() -> None:
    """Found with 10, -8, 5 in one window: without the -8, which lies before the ES|QL window, the rest is more than the rule's sum."""
    assert any("below zero" in note for note in correlated(SUM % ("value_sum", "gte: 14, field: insurance.record_count")).notes)
    assert not any("below zero" in note for note in correlated(SUM % ("event_count", "gte: 60")).notes)


def test_a_sum_of_decimals_does_not_drift_past_its_bound() -> None:
    """Found with 10.1 + 0.7 + 0.1 + 0.1, which is 11 and, in double precision, more than 11."""
    query = correlated(SUM % ("value_sum", "gt: 11, field: insurance.claim.amount")).query
    assert "BY user.name, window\n| EVAL value = ROUND(value, 6)\n| WHERE value > 11\n" in query
    assert "ROUND" not in correlated(SUM % ("value_sum", "gt: 11, field: insurance.record_count")).query


def test_an_average_of_decimals_divides_a_sum_that_does_not_drift() -> None:
    query = correlated(SUM % ("value_avg", "gte: 10.5, field: insurance.claim.amount")).query
    assert "| EVAL value = ROUND(value, 6) / counted\n| WHERE value >= 10.5\n" in query


def test_sums_over_a_float_column_say_how_exact_they_are() -> None:
    assert any("seven digits" in note for note in correlated(SUM % ("value_sum", "gte: 0.7, field: insurance.fraud.score")).notes)
    assert not any("seven digits" in note for note in correlated(SUM % ("value_sum", "gte: 7, field: insurance.claim.amount")).notes)


@pytest.mark.parametrize("other", ["insurance.claim.amount", "number"])
def test_a_float_column_is_not_compared_with_a_wider_one(other: str) -> None:
    """0.7 as a float is not 0.7 as a double: two equal values of an event would never be equal."""
    with pytest.raises(Refused, match="stored as"):
        compiled(f"s: {{insurance.fraud.score|fieldref: {other}}}\ncondition: s", "esql")
    with pytest.raises(Refused, match="stored as"):
        compiled(f"s: {{{other}|fieldref: insurance.fraud.score}}\ncondition: s", "esql")


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("日*x", "(?:日)*x"),
        ("a日{2}", "a(?:日){2}"),
        (r"\x{65e5}+", "(?:日)+"),
        ("日x", "日x"),
        (r"\Q日\E?", "(?:日)?"),
        (r"\Q日日\E?", "日(?:日)?"),
    ],
)
def test_a_repeated_letter_beyond_ascii_is_one_item_in_bytes_too(written: str, expected: str) -> None:
    """Where PCRE reads bytes, a quantifier would hold for the letter's last byte only."""
    assert splunk_harness.clause(f"user.name|re: '{written}'") == f"match('user.name', \"{expected}\")"


@pytest.mark.parametrize(("written", "noted"), [("^.{2}$", True), ("^[^a]$", True), (r"^\W$", True), ("a.*b", False), (r"a\.b[.]", False)])
def test_a_regex_that_counts_any_character_is_noted(written: str, noted: bool) -> None:
    detection = splunk_harness.compiled(splunk_harness.selection(f"user.name|re: '{written}'"))
    assert any("PCRE reads UTF-8" in note for note in detection.notes) is noted
