"""Tables as watchlists, and what no watchlist takes."""

from __future__ import annotations

import csv
import io
from dataclasses import replace

import pytest

from insigma.packages.base import Table
from insigma.packages.sentinel.watchlists import csv_text, watchlist
from insigma.targets.base import Refused
from tests.packages.sentinel.templates import check, evaluated

TABLE = Table("vip_list", ("value",), (("value", "string"), ("note", "string")), (("a", "b"),), "People", "HR", "", "1d")


def test_hostile_values_come_back_as_they_are() -> None:
    rows = (('say "x"', "a,b"), ("[concat('x')]", "]"), ("é𝄞", "\u2028"), ("=1+1", ""))
    content = evaluated(dict(watchlist(replace(TABLE, rows=rows)).body))["properties"]["rawContent"]
    assert list(csv.reader(io.StringIO(content))) == [["value", "note"], *map(list, rows)]
    assert content.count("\r\n") == 5


def test_content_that_looks_like_an_expression_stays_text() -> None:
    body = watchlist(replace(TABLE, columns=(("[value", "string"),), keys=("[value",), rows=(("x",),), description="[x]")).body
    assert body["properties"]["description"] == "[x]; owner: HR; refresh: 1d"
    assert watchlist(replace(TABLE, description="[x]", owner="", refresh="")).body["properties"]["description"] == "[[x]"


@pytest.mark.parametrize("rows", [None, ()])
def test_without_rows_it_is_made_empty(rows: tuple[tuple[str, ...], ...] | None) -> None:
    made = watchlist(replace(TABLE, rows=rows)).body
    check(dict(made))
    assert "rawContent" not in made["properties"]


@pytest.mark.parametrize("name", ["ab", "a_", "x" * 64, "a-b", "A_list", "a b", "a'b"])
def test_a_name_that_is_no_alias_is_refused(name: str) -> None:
    with pytest.raises(Refused, match="alias"):
        watchlist(replace(TABLE, name=name))


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (("", "x"), "no value"),
        (("a\nb", "x"), "control character"),
        (("a", "x\r"), "control character"),
        (("a\x00", "x"), "control character"),
        (("a", "x" * 10_240), "10240 characters"),
    ],
)
def test_a_row_that_no_watchlist_holds_is_refused(row: tuple[str, ...], why: str) -> None:
    with pytest.raises(Refused, match=why):
        csv_text(replace(TABLE, rows=(("ok", "ok"), row)))
