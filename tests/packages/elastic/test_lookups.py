"""Lookup indices and the rows that are shipped in them."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import Any

import pytest

from insigma.bind.binder import bind
from insigma.content.lists import default_lists
from insigma.content.lookups import Found, Lookup, RowTest
from insigma.content.model import TargetField
from insigma.packages.base import Packed, Table
from insigma.packages.elastic.lookups import bulk_rows, lookup_index, prune_query, row_pipeline
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Refused
from insigma.targets.elastic.lookups import lookup_columns, lookup_key
from insigma.targets.elastic.target import ElasticTarget
from tests.injection.rules import ATTACKS
from tests.packages.elastic.packaged import (
    ASSIGNMENT,
    CALENDAR,
    PARTNERS,
    TABLES,
    context_of,
    elastic_mapping,
    everything,
    faults,
    package,
    rules_of,
    the_pack,
)


def rows_of(text: str) -> list[tuple[str, dict[str, Any]]]:
    lines = [json.loads(line) for line in text.split("\n")[:-1]]
    return [(action["index"]["_id"], row) for action, row in zip(lines[::2], lines[1::2], strict=True)]


@pytest.mark.parametrize("table", TABLES, ids=[table.name for table in TABLES])
def test_the_index_holds_the_columns_that_queries_read(table: Table) -> None:
    made = lookup_index(table)
    assert made["settings"]["index"]["mode"] == "lookup"
    properties = made["mappings"]["properties"]
    for name, kind in lookup_columns(table.name, table.columns):
        holder, column = name.split(".")
        stored = properties[holder]["properties"][column]
        assert stored["type"] == kind
        assert stored.get("normalizer") == ("insigma_fold" if kind == "keyword" else None)
    assert properties["insigma_key"]["normalizer"] == "insigma_fold"
    assert made["mappings"]["dynamic"] == "strict"


def test_the_index_says_whose_it_is() -> None:
    about = {"owner": "claims operations", "source": "claims system", "refresh": "15m", "description": "Who works on which claim."}
    assert lookup_index(ASSIGNMENT)["mappings"]["_meta"] == {"managed_by": "insigma", **about}
    assert lookup_index(CALENDAR)["mappings"]["_meta"] == {"managed_by": "insigma"}


def test_files_of_a_table_that_is_shipped_and_of_one_that_is_not() -> None:
    paths = {path.removeprefix("elastic/lookups/insigma-") for path in everything() if "/lookups/" in path}
    shipped = {f"{table}.{kind}" for table in ("work_calendar", "blocked_partners") for kind in ("bulk.ndjson", "prune.json")}
    assert paths == shipped | {f"{table.name}.{kind}.json" for table in TABLES for kind in ("index", "pipeline")}


def test_rows_lie_where_queries_read_them_under_their_key() -> None:
    assert rows_of(bulk_rows(CALENDAR)) == [
        (
            "default|20512",
            {
                "insigma_key": "default|20512",
                "insigma_work_calendar": {"calendar": "Default", "day": 20512, "open1": 420, "close1": 1080.5},
            },
        ),
        ("default|20513", {"insigma_key": "default|20513", "insigma_work_calendar": {"calendar": "default", "day": 20513}}),
    ]
    keys = [key for key, _ in rows_of(bulk_rows(PARTNERS))]
    assert keys == sorted(lookup_key([value]) for (value,) in PARTNERS.rows or ())
    assert prune_query(PARTNERS) == {"query": {"bool": {"must_not": [{"ids": {"values": keys}}]}}}


def test_a_table_without_rows_is_emptied() -> None:
    files = package(context=context_of(tables=(replace(PARTNERS, rows=()),)))
    assert "elastic/lookups/insigma-blocked_partners.bulk.ndjson" not in files
    assert json.loads(files["elastic/lookups/insigma-blocked_partners.prune.json"])["query"]["bool"]["must_not"] == [
        {"ids": {"values": []}}
    ]
    assert "_bulk" not in files["elastic/README.md"].split("2. Lookup indices")[1].split("```")[1]


@pytest.mark.parametrize("text", ATTACKS)
def test_hostile_values_are_rows_and_nothing_else(text: str) -> None:
    table = replace(PARTNERS, rows=((f"x{text}",), ("other",)), description=text, owner=text)
    found = rows_of(bulk_rows(table))
    assert {row["insigma_blocked_partners"]["value"] for _, row in found} == {f"x{text}", "other"}
    assert all(row["insigma_key"] == key for key, row in found)
    assert faults("lookup-index", lookup_index(table)) == []
    assert faults("ingest-pipeline", row_pipeline(table)) == []


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rows": (("A",), ("a",))}, "two rows"),
        ({"rows": (("",),)}, "without value"),
        ({"rows": (("a", "b"),)}, "a row of 2 values"),
        ({"rows": (("x" * 513,),)}, "longer than 512 bytes"),
        ({"rows": (("ä" * 257,),)}, "longer than 512 bytes"),
        ({"name": "Odd-Name"}, "lookup index"),
        ({"keys": ()}, "no keys"),
        ({"keys": ("other",)}, "no column"),
        ({"columns": (("value", "string"), ("value", "string"))}, "twice"),
        ({"columns": (("value", "string"), ("a b", "string")), "rows": None}, "cannot be named"),
        ({"columns": (("value", "string"), ("n", "number")), "rows": (("a", "1e5"),)}, "'1e5' where a number belongs"),
        ({"columns": (("value", "string"), ("n", "number")), "rows": (("a", "NaN"),)}, "'NaN' where a number belongs"),
        ({"columns": (("value", "string"), ("t", "time")), "rows": (("a", "1.5"),)}, "'1.5' where a time belongs"),
    ],
)
def test_what_no_lookup_index_can_hold_is_refused(changes: dict[str, Any], said: str) -> None:
    with pytest.raises(Refused, match=said):
        package(context=context_of(tables=(replace(PARTNERS, **changes),)))


def test_rows_of_the_customer_go_through_a_pipeline_that_knows_the_columns() -> None:
    made = row_pipeline(ASSIGNMENT)
    (script,) = (processor["script"] for processor in made["processors"])
    assert script["params"] == {
        "columns": ["claim", "user", "valid_from", "relation"],
        "key": "insigma_key",
        "keys": ["claim", "user"],
        "table": "insigma_claim_assignment",
    }
    assert script["if"] == "ctx.insigma_key == null"
    assert lookup_index(ASSIGNMENT)["settings"]["index"]["final_pipeline"] == "insigma-lookup-claim_assignment"
    assert r"text.replace('\\', '\\\\').replace('|', '\\|') + '|'" in script["source"]


def test_what_a_compiled_join_reads_is_what_the_package_delivers() -> None:
    name, pack = "insurance.context.assigned_to_actor", the_pack()
    keys = (("claim", "insurance.claim.id"), ("user", "user.name"))
    lookup = Lookup(name, "claim_assignment", keys, Found((RowTest("valid_from", "lte", "@timestamp"),)))
    fields = {**elastic_mapping().fields, name: TargetField("assigned_to_actor", "keyword", "lower", lookup=lookup)}
    mapping = replace(elastic_mapping(), fields=fields)
    (rule,) = [rule for rule in fill_lists(pack.rules, default_lists(pack)).rules if rule.header.label == "ins-clm-c01"]
    detection = ElasticTarget(mapping).compile(bind(rule, mapping, pack.taxonomy))
    files = package(Packed(rule.header, detection, {}), context=context_of(tables=(ASSIGNMENT,)), mapping=mapping)
    (made,) = rules_of(files)
    assert made["setup"].endswith("It looks events up in insigma-claim_assignment.")
    assert faults("detection-rule", made) == []
    index = json.loads(files["elastic/lookups/insigma-claim_assignment.index.json"])["mappings"]["properties"]
    read = set(re.findall(r"insigma_claim_assignment\.([a-z_]+)", detection.query))
    assert {"claim", "valid_from"} <= read <= index["insigma_claim_assignment"]["properties"].keys()
    assert "ON insigma_key" in detection.query
    assert "insigma_key" in index
