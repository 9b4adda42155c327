"""Lookup tables: the .csv files, their definitions, and what they refuse."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from insigma.packages.base import Table
from insigma.packages.splunk.lookups import csv_of, lookup_files
from insigma.targets.base import Refused
from tests.packages.splunk.conf_reader import read_conf
from tests.packages.splunk.harness import ASSIGNMENTS, CALENDAR, check

PEOPLE = Table("people", ("name",), (("name", "string"), ("team", "string"), ("limit", "number")), (("anna", "claims", "5000"),))


def rows_of(table: Table) -> list[list[str]]:
    return list(csv.reader(io.StringIO(csv_of(table), newline=""), strict=True))


def test_a_table_that_is_shipped_has_its_rows() -> None:
    assert csv_of(PEOPLE) == "name,team,limit\nanna,claims,5000\n"
    assert csv_of(CALENDAR).splitlines()[1:] == ["default,20000,420,1020", "default,20001,,"]


def test_a_table_that_the_customer_fills_has_its_header_alone() -> None:
    assert csv_of(ASSIGNMENTS) == "claim_id,user_name,valid_until\n"


def test_a_definition_looks_up_one_row_in_any_case() -> None:
    files = lookup_files((PEOPLE, ASSIGNMENTS))
    assert sorted(files) == ["default/transforms.conf", "lookups/claim_assignments.csv", "lookups/people.csv"]
    text = files["default/transforms.conf"]
    assert isinstance(text, str)
    stanzas = read_conf(text)
    assert list(stanzas) == ["claim_assignments", "people"]
    assert stanzas["people"] == {"filename": "people.csv", "case_sensitive_match": "false", "max_matches": "1", "min_matches": "0"}
    for stanza in stanzas.values():
        check("splunk-lookup", stanza)


def test_a_table_of_one_column_gets_the_second_that_splunk_wants() -> None:
    values = Table("core_servers", ("value",), (("value", "string"),), (("cc-app-01",), ("pc-app-01",)))
    assert csv_of(values) == "value,listed\ncc-app-01,yes\npc-app-01,yes\n"
    assert csv_of(replace(values, rows=None)) == "value,listed\n"


@given(st.lists(st.text(st.characters(exclude_categories=("Cc", "Cs", "Zl", "Zp")), max_size=8), min_size=2, max_size=2))
def test_any_value_comes_back_as_it_was(values: list[str]) -> None:
    row = (values[0], values[1], "")
    assert rows_of(replace(PEOPLE, rows=(row,)))[1] == list(row)


@pytest.mark.parametrize("value", ['"', '","', "a,b", "a;b", " a ", "'", '=1+1,"x"', "@SUM(A1)", "größe 李", "\\", "#x", "]]>"])
def test_a_value_is_quoted_and_not_changed(value: str) -> None:
    assert rows_of(replace(PEOPLE, rows=((value, value, "1"),)))[1] == [value, value, "1"]
    assert csv_of(replace(PEOPLE, rows=((value, value, "1"),))).count("\n") == 2


@pytest.mark.parametrize("value", ["a\nb", "a\rb", "nul\x00", "\x1b[31m", "\u2028", "\ud800", "\x85"])
def test_a_value_that_breaks_the_line_is_refused(value: str) -> None:
    with pytest.raises(Refused, match="row 2 of the lookup table 'people'"):
        csv_of(replace(PEOPLE, rows=(("anna", "x", ""), ("b", value, ""))))


@pytest.mark.parametrize("limit", ["five", "1e5", "=1+1", "1,000", "0x1", "٣"])
def test_text_in_a_number_column_is_refused(limit: str) -> None:
    with pytest.raises(Refused, match="number"):
        csv_of(replace(PEOPLE, rows=(("anna", "x", limit),)))


def test_a_second_row_of_the_same_key_is_refused_in_any_case() -> None:
    with pytest.raises(Refused, match="never find it"):
        csv_of(replace(PEOPLE, rows=(("anna", "x", ""), ("ANNA", "y", ""))))


def test_a_row_that_says_the_same_in_another_case_is_written_once() -> None:
    assert csv_of(replace(PEOPLE, rows=(("anna", "x", ""), ("ANNA", "X", ""), ("ben", "x", "")))) == "name,team,limit\nanna,x,\nben,x,\n"


def test_a_row_of_another_length_is_refused() -> None:
    with pytest.raises(Refused, match="as many values"):
        csv_of(replace(PEOPLE, rows=(("anna", "x"),)))


@pytest.mark.parametrize("name", ["", "People", "../x", "a b", "a]", "1a", "a.b", "a\n", "x" * 64, "é"])
def test_a_name_that_is_none_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="cannot name a lookup table"):
        lookup_files((replace(PEOPLE, name=name),))


@pytest.mark.parametrize(
    ("keys", "columns"),
    [
        ((), ("a", "b")),
        (("b",), ("a", "b")),
        (("a",), ("a", "A")),
        (("a",), ("a", "b c")),
        (("a",), ("a", 'b"')),
        (("a",), ("a", "")),
        (("a",), ()),
        (("a",), ("a", "b\nc")),
    ],
)
def test_columns_that_are_none_are_refused(keys: tuple[str, ...], columns: tuple[str, ...]) -> None:
    with pytest.raises(Refused, match="columns of the lookup table"):
        csv_of(Table("t", keys, tuple((name, "string") for name in columns)))


def test_a_header_longer_than_splunk_reads_is_refused() -> None:
    columns = tuple((f"c{number:04d}", "string") for number in range(700))
    with pytest.raises(Refused, match="4096"):
        csv_of(Table("t", ("c0000",), columns))


def test_two_tables_of_one_name_are_refused() -> None:
    with pytest.raises(Refused, match="share the name 'people'"):
        lookup_files((PEOPLE, replace(PEOPLE, rows=None)))
