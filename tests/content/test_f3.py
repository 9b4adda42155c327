"""The table of fraud techniques."""

from __future__ import annotations

import pytest

from insigma.content.f3 import load_f3, parse_f3


def test_the_table_is_f3_and_our_own_list() -> None:
    table = load_f3()
    framework = [identifier for identifier in table if not identifier.startswith("INSF-")]
    assert len(framework) == 123
    assert sum(identifier.startswith("F1") for identifier in framework) == 80
    assert sum(identifier.startswith("T1") for identifier in framework) == 43
    assert [identifier for identifier in table if identifier.startswith("INSF-")] == [f"INSF-{number:02}" for number in range(1, 11)]
    assert table["F1001"] == "3DS Bypass"
    assert table["INSF-03"] == "Ghost broking"


def test_empty_lines_are_no_rows() -> None:
    assert dict(parse_f3("id\tname\ttactics\nF1\tOne\t\n\n", "id\tname\ttactics\n")) == {"F1": "One"}


def test_a_row_without_a_name_is_refused() -> None:
    with pytest.raises(ValueError):
        parse_f3("id\tname\ttactics\nF1\n")
