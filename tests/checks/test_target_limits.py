"""What a profile may say of a target is what the target's compiler and package take, in every case that both can judge."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from insigma.bind.model import Refused
from insigma.checks.target_limits import COLUMN, LIMITS
from insigma.content.durations import duration_ms
from insigma.packages.elastic import rules as kibana
from insigma.packages.sentinel import tables
from insigma.packages.splunk import savedsearches
from insigma.specialise import mapping as specialised
from insigma.specialise.mapping import PLACES, STRINGS
from insigma.targets.elastic import quoting as elastic
from insigma.targets.elastic.target import _interval as elastic_interval
from insigma.targets.sentinel import quoting as sentinel
from insigma.targets.sentinel.layout import _TYPES as KUSTO_TYPES
from insigma.targets.sentinel.target import _interval as sentinel_interval
from insigma.targets.splunk import quoting as splunk
from tests.checks.harness import ROOT, _documents

NAMES = (
    "a",
    "A",
    "_a",
    "-a",
    "a-b",
    "a_b",
    "a.b",
    "a b",
    "a*",
    "*",
    "a:b",
    "a,b",
    "a, b",
    "eu:a-*",
    "a'b",
    'a"b',
    "a`b",
    "a\\b",
    "a|b",
    "a\nb",
    "ä",
    "0a",
    "@timestamp",
    "a{}",
    "a$b$",
    "a]]>",
    "InsClaims_CL",
    "Ins-Claims",
    "logs-insurance.claims-*",
    "guidewire:cc:history",
)
INTERVALS = (
    "0s",
    "1ms",
    "500ms",
    "1s",
    "90s",
    "1m",
    "4m",
    "5m",
    "7m",
    "10m",
    "15m",
    "45m",
    "60m",
    "90m",
    "1h",
    "5h",
    "6h",
    "1d",
    "2d",
    "14d",
    "15d",
)


def taken(judge: Callable[[Any], object], value: Any) -> bool:
    try:
        judge(value)
    except Refused:
        return False
    return True


PLACE_JUDGES: dict[tuple[str, str], Callable[[str], object]] = {
    ("elastic", "index"): elastic.index_patterns,
    ("elastic", "data_stream"): elastic.index_patterns,
    ("splunk", "index"): lambda name: splunk.setting(name, "index"),
    ("splunk", "sourcetype"): lambda name: splunk.setting(name, "sourcetype"),
    ("sentinel", "table"): sentinel.table,
}
FIELD_JUDGES: dict[str, Callable[[str], object]] = {
    "elastic": elastic.esql_column,
    "splunk": splunk.field,
    "sentinel": sentinel.column,
}


def test_places_are_those_that_are_specialised() -> None:
    assert {(target, part) for target, limits in LIMITS.items() for part in limits.places} == set(PLACE_JUDGES)
    assert {target: set(limits.places) for target, limits in LIMITS.items()} == {target: set(parts) for target, parts in PLACES.items()}
    assert COLUMN == specialised.COLUMN


@pytest.mark.parametrize("key", PLACE_JUDGES, ids="-".join)
def test_no_place_is_let_through_that_the_compiler_refuses(key: tuple[str, str]) -> None:
    pattern, hint = LIMITS[key[0]].places[key[1]]
    let = [name for name in NAMES if pattern.fullmatch(name)]
    assert let
    assert hint
    assert [name for name in let if not taken(PLACE_JUDGES[key], name)] == []


@pytest.mark.parametrize("target", LIMITS)
def test_no_field_is_let_through_that_the_compiler_refuses(target: str) -> None:
    let = [name for name in NAMES if LIMITS[target].field.fullmatch(name)]
    assert let
    assert [name for name in let if not taken(FIELD_JUDGES[target], name)] == []


@pytest.mark.parametrize("target", LIMITS)
def test_the_pack_s_own_mapping_is_within_the_limits(target: str) -> None:
    document = _documents((ROOT / f"mappings/targets/{target}.yml").read_text(encoding="utf-8"), target)[0]
    limits = LIMITS[target]
    for entry in document.data["fields"].values():
        assert limits.field.fullmatch(entry["name"])
        assert entry["type"] in limits.types
    for entry in document.data["logsources"].values():
        for part, (pattern, _) in limits.places.items():
            assert part not in entry or pattern.fullmatch(entry[part])
    assert limits.keeps(duration_ms(document.data["options"]["interval"]) or 0)


def test_names_of_columns_are_those_of_custom_tables() -> None:
    assert LIMITS["sentinel"].field.pattern == tables._COLUMN.pattern


def test_types_are_those_that_targets_store() -> None:
    assert set(LIMITS["sentinel"].types) <= set(KUSTO_TYPES)
    assert {STRINGS[target] in limits.types for target, limits in LIMITS.items()} == {True}


@pytest.mark.parametrize("written", INTERVALS)
def test_an_interval_is_kept_exactly_where_the_target_takes_it(written: str) -> None:
    milliseconds = duration_ms(written)
    assert milliseconds is not None
    assert LIMITS["splunk"].keeps(milliseconds) == taken(lambda value: savedsearches._cron(value, "x"), milliseconds)
    assert LIMITS["sentinel"].keeps(milliseconds) == taken(sentinel_interval, written)
    assert LIMITS["elastic"].keeps(milliseconds) == (taken(elastic_interval, written) and taken(kibana._time, milliseconds))
