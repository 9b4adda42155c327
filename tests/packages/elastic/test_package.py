"""The package of a whole pack: every object is one that Kibana or Elasticsearch takes, stable, and the tenant's own."""

from __future__ import annotations

import copy
import json
import random
from collections import Counter
from dataclasses import replace
from typing import Any

import jsonschema
import pytest

from insigma.content.attack import load_attack
from insigma.content.lookups import Found, Lookup
from insigma.content.model import TargetField
from insigma.packages.base import Packed
from insigma.packages.elastic.rules import rule_id
from insigma.schemas import load
from insigma.targets.base import Refused
from tests.packages.elastic.packaged import (
    TABLES,
    context_of,
    elastic_mapping,
    everything,
    faults,
    package,
    packager_of,
    packed_rule,
    rules_of,
    the_pack,
    whole_pack,
    with_indices,
)
from tests.targets.elastic_harness import compiled, correlated

EVENT = compiled("s: {event.action: claim-export}\ncondition: s")
SCHEMAS = {
    "elastic/component-template.json": "component-template",
    "elastic/index-template.json": "index-template",
    "elastic/ingest-pipeline.json": "ingest-pipeline",
    "elastic/ingest-pipeline-insurance.json": "ingest-pipeline",
    "elastic/data-view.ndjson": "data-view",
    **{f"elastic/lookups/insigma-{table.name}.index.json": "lookup-index" for table in TABLES},
    **{f"elastic/lookups/insigma-{table.name}.pipeline.json": "ingest-pipeline" for table in TABLES},
}


def test_all_rules_are_in_the_package() -> None:
    assert len(rules_of(everything())) == len(the_pack().rules) == 130


@pytest.mark.parametrize("name", sorted({*SCHEMAS.values(), "detection-rule"}))
def test_the_schemas_are_schemas_that_name_their_sources(name: str) -> None:
    schema = load(f"vendor/elastic-{name}")
    jsonschema.Draft202012Validator.check_schema(schema)
    assert schema["$id"].endswith(f"/vendor/elastic-{name}.schema.json")
    assert schema["$comment"].startswith("Sources: ")


def test_every_rule_is_one_that_kibana_imports() -> None:
    found = {rule["name"]: wrong for rule in rules_of(everything()) if (wrong := faults("detection-rule", rule))}
    assert found == {}


@pytest.mark.parametrize(("path", "schema"), sorted(SCHEMAS.items()))
def test_every_object_is_of_its_form(path: str, schema: str) -> None:
    assert faults(schema, json.loads(everything()[path])) == []


@pytest.mark.parametrize(
    "change",
    [
        {"severity": "informational"},
        {"risk_score": 101},
        {"risk_score": 47.5},
        {"interval": "5 minutes"},
        {"from": "now-10"},
        {"max_signals": 1001},
        {"type": "threshold"},
        {"type": "esql", "language": "esql"},
        {"language": "eql"},
        {"index": []},
        {"version": 0},
        {"name": ""},
        {"description": ""},
        {"building_block_type": "signal"},
        {"alert_suppression": {"group_by": []}},
        {"alert_suppression": {"group_by": ["a", "b", "c", "d"]}},
        {"alert_suppression": {"group_by": ["a"], "duration": {"value": 1, "unit": "d"}}},
        {"required_fields": [{"name": "a"}]},
        {"investigation_fields": {"field_names": []}},
        {
            "threat": [
                {
                    "framework": "MITRE ATT&CK",
                    "tactic": {"id": "TA40", "name": "Impact", "reference": "https://attack.mitre.org/tactics/TA0040/"},
                }
            ]
        },
        {"threats": []},
    ],
)
def test_the_rule_schema_refuses_what_kibana_does(change: dict[str, Any]) -> None:
    (rule,) = rules_of(package(packed_rule(EVENT)))
    assert faults("detection-rule", rule) == []
    assert faults("detection-rule", {**rule, **change})


@pytest.mark.parametrize("key", sorted(load("vendor/elastic-detection-rule")["required"]))
def test_the_rule_schema_asks_for_what_kibana_needs(key: str) -> None:
    (rule,) = rules_of(package(packed_rule(EVENT)))
    del rule[key]
    assert faults("detection-rule", rule)


def test_ids_are_unique_stable_and_of_one_tenant() -> None:
    ours = [rule["rule_id"] for rule in rules_of(everything())]
    theirs = [rule["rule_id"] for rule in rules_of(package(*whole_pack(), context=context_of("other")))]
    assert Counter(ours).most_common(1)[0][1] == 1
    assert not set(ours) & set(theirs)
    assert ours == [rule_id(packed.header, "acme") for packed in sorted(whole_pack(), key=lambda each: each.header.label)]


def test_a_package_is_the_same_bytes_in_whatever_order_rules_and_tables_come() -> None:
    shuffled, tables = list(whole_pack()), list(TABLES)
    random.Random(5).shuffle(shuffled)
    again = package(
        *shuffled, context=context_of(tables=tuple(reversed(tables)), settings={"space": "soc"}, legal_entity="ACME Versicherung AG")
    )
    assert {path: text.encode() for path, text in again.items()} == {path: text.encode() for path, text in everything().items()}


def test_every_file_ends_its_last_line_and_no_more() -> None:
    for path, text in everything().items():
        assert text.endswith("\n"), path
        assert not text.endswith("\n\n"), path


def test_versions_come_from_the_lock() -> None:
    packed = (packed_rule(EVENT, "first", id="5d1a4f0e-0000-4000-8000-000000000001"), packed_rule(EVENT, "second"))
    made = rules_of(package(*packed, context=context_of(versions={"second": 7})))
    assert {rule["name"]: rule["version"] for rule in made} == {"Rule first": 1, "Rule second": 7}


def test_what_the_profile_switches_off_comes_switched_off() -> None:
    packed = (
        packed_rule(EVENT, "on"),
        packed_rule(EVENT, "off", enabled=False),
        packed_rule(EVENT, "base", insurance={"role": "base"}),
        packed_rule(EVENT, "signal", insurance={"role": "signal"}, enabled=False),
    )
    files = package(*packed)
    assert {rule["name"]: rule["enabled"] for rule in rules_of(files)} == {
        "Rule on": True,
        "Rule off": False,
        "Rule base": False,
        "Rule signal": False,
    }
    page = files["elastic/README.md"]
    switched, bases = page.split("## Switched off by the profile")[1].split("## Switched off because correlations")
    assert ("`off`" in switched, "`signal`" in switched, "`base`" in switched, "`base`" in bases) == (True, True, False, True)
    assert "`on`" not in page


def test_threats_are_tactics_and_techniques_of_attack_v19() -> None:
    table = load_attack()
    tactics = {tactic.id: tactic.name for tactic in table.tactics.values()}
    seen: set[str] = set()
    for rule in rules_of(everything()):
        named = {tag.removeprefix("attack.").upper() for tag in rule["tags"] if tag.startswith("attack.t")}
        placed: set[str] = set()
        for entry in rule["threat"]:
            assert tactics[entry["tactic"]["id"]] == entry["tactic"]["name"]
            for technique in entry.get("technique", []):
                parts = technique.get("subtechnique", [])
                for each in (technique, *parts):
                    known = table.techniques[each["id"]]
                    assert (known.name, known.current) == (each["name"], True)
                assert all(part["id"].startswith(f"{technique['id']}.") for part in parts)
                placed |= {technique["id"], *(part["id"] for part in parts)}
        assert named <= placed, rule["name"]
        seen |= placed
    assert any("." in identity for identity in seen)


def test_a_rule_looks_where_its_log_source_is_stored_and_overlaps_its_runs() -> None:
    for rule, packed in zip(rules_of(everything()), sorted(whole_pack(), key=lambda each: each.header.label), strict=True):
        if rule["type"] != "esql":
            assert rule["index"] == packed.detection.scope["index"].split(",")
        schedule = packed.detection.schedule
        assert rule["from"] == f"now-{schedule.lookback_ms // 1000}s"
        assert schedule.lookback_ms > schedule.interval_ms
        assert "timestamp_override" not in rule


def test_required_fields_are_what_the_query_reads() -> None:
    lucene = compiled(
        r"s: {event.action: 'source.ip:x', user.name|cased: 'A/b', insurance.record_count|gt: 5, user.id|re|i: 'host\.name:x'}"
        "\ncondition: s"
    )
    sequence = correlated("type: temporal_ordered\nrules: [view, pay]\ngroup-by: [insurance.claim.id]\ntimespan: 1h")
    hopping = correlated("type: value_count\nrules: [view]\ngroup-by: [user.name]\ntimespan: 1h\ncondition: {field: source.ip, gte: 3}")
    assert (lucene.language, sequence.language, hopping.language) == ("lucene", "eql", "esql")
    found = {
        rule["name"]: [(field["name"], field["type"]) for field in rule["required_fields"]]
        for rule in rules_of(package(packed_rule(lucene, "a"), packed_rule(sequence, "b"), packed_rule(hopping, "c")))
    }
    keyword = "keyword"
    assert found["Rule a"] == [
        ("event.action", keyword),
        ("insurance.logsource", keyword),
        ("insurance.record_count", "long"),
        ("user.id", keyword),
        ("user.name.cased", keyword),
    ]
    assert found["Rule b"] == [("event.action", keyword), ("insurance.claim.id", keyword), ("insurance.logsource", keyword)]
    assert found["Rule c"] == [
        ("@timestamp", "date"),
        ("event.action", keyword),
        ("insurance.logsource", keyword),
        ("source.ip", "ip"),
        ("user.name", keyword),
    ]


def test_required_fields_of_the_pack_are_all_that_its_rules_name() -> None:
    """Each field of a selection is asked of by the compiled query, whatever its language."""
    for packed, rule in zip(sorted(whole_pack(), key=lambda each: each.header.label), rules_of(everything()), strict=True):
        names = {field["name"] for field in rule["required_fields"]}
        detection = packed.header.document.data.get("detection", {})
        items = [item for part in detection.values() for item in (part if isinstance(part, list) else [part]) if isinstance(item, dict)]
        asked = {key.split("|")[0] for item in items for key in item}
        assert all(elastic_mapping().fields[name].name in names or f"{name}.cased" in names for name in asked), packed.header.label


def test_a_rule_that_joins_says_which_lookup_index_it_needs() -> None:
    joined = replace(
        compiled("s: {event.action: claim-export}\ncondition: s", "esql"),
        query='FROM logs-x METADATA _id\n| WHERE user.name == "LOOKUP JOIN insigma-not_this ON x"\n'
        "| LOOKUP JOIN insigma-claim_assignment ON insigma_key\n| LIMIT 10",
    )
    (rule,) = rules_of(package(packed_rule(joined)))
    assert rule["setup"].endswith("It looks events up in insigma-claim_assignment.")
    assert "insigma-not_this" not in rule["setup"]


def test_looked_up_fields_are_not_stored() -> None:
    mapping = elastic_mapping()
    name = "insurance.context.assigned_to_actor"
    lookup = Lookup(name, "claim_assignment", (("claim", "insurance.claim.id"),), Found())
    looked = replace(mapping, fields={**mapping.fields, name: TargetField("assigned_to_actor", "keyword", "lower", lookup=lookup)})
    plain = package(packed_rule(EVENT, fields=[name, "user.name"]), mapping=mapping)
    files = package(packed_rule(EVENT, fields=[name, "user.name"]), mapping=looked)
    assert name.rsplit(".", 1)[1] in plain["elastic/component-template.json"]
    assert "assigned_to_actor" not in files["elastic/component-template.json"]
    assert "assigned_to_actor" in plain["elastic/ingest-pipeline-insurance.json"]
    assert "assigned_to_actor" not in files["elastic/ingest-pipeline-insurance.json"]
    (rule,) = rules_of(files)
    assert rule["investigation_fields"] == {"field_names": ["user.name"]}
    joins = replace(EVENT, query=f"{EVENT.query} assigned_to_actor")
    (rule,) = rules_of(package(packed_rule(joins, fields=[name]), mapping=looked))
    assert rule["investigation_fields"] == {"field_names": ["assigned_to_actor"]}
    assert "assigned_to_actor" not in str(rule["required_fields"])


def test_rule_files_are_the_rules_of_the_package() -> None:
    packager = packager_of(context_of())
    (packed,) = [each for each in whole_pack() if each.header.label == "ins-clm-c03"]
    files = packager.rule_files(packed.header, packed.detection)
    text = files[f"elastic/rules/{packed.header.slug}.json"]
    assert isinstance(text, str)
    (rule,) = rules_of(package(packed))
    assert json.loads(text) == rule


def test_two_rules_with_one_id_are_an_error() -> None:
    packed = packed_rule(EVENT)
    with pytest.raises(ValueError, match="two rules"):
        package(packed, copy.copy(packed))


def test_a_pattern_that_is_none_is_refused() -> None:
    with pytest.raises(Refused, match="is not one"):
        package(mapping=with_indices(insurance_claims='logs-" | DELETE'))


def test_data_streams_and_indices_have_a_template_each() -> None:
    mapping = with_indices(
        insurance_claims="logs-insurance.claims-*,logs-insurance.claims2-prod",
        insurance_payment="payments-2026,remote:logs-insurance.payment-*",
        insurance_policy="logs-insurance.policy-eu-*",
    )
    files = package(mapping=mapping)
    streams = json.loads(files["elastic/index-template.json"])
    others = json.loads(files["elastic/index-template-indices.json"])
    assert streams["index_patterns"] == ["logs-insurance.claims-*", "logs-insurance.claims2-prod"]
    assert (streams["data_stream"], "data_stream" in others) == ({}, False)
    assert others["index_patterns"] == ["logs-insurance.policy-eu-*", "payments-2026"]
    for template in (streams, others):
        assert template["composed_of"][0] == "insigma-fields"
        assert template["priority"] > 500
        assert template["template"]["settings"]["index"]["final_pipeline"] == "insigma-insurance"
        assert faults("index-template", template) == []
    page = files["elastic/README.md"]
    assert "remote:logs-insurance.payment-*" in page
    assert "_index_template/insigma-indices" in page
    (view,) = (json.loads(files["elastic/data-view.ndjson"]),)
    assert view["attributes"]["title"].split(",") == sorted(
        [*streams["index_patterns"], *others["index_patterns"], "remote:logs-insurance.payment-*"]
    )


def test_without_local_indices_there_is_no_template() -> None:
    files = package(mapping=with_indices(insurance_claims="remote:logs-insurance.claims-*"))
    assert not [path for path in files if "index-template" in path]
    assert "_index_template/" not in files["elastic/README.md"]


def test_the_index_template_leaves_a_field_of_the_mapping_as_it_is() -> None:
    mapping = with_indices(insurance_claims="logs-insurance.claims-*")
    own = replace(mapping, fields={**mapping.fields, "event.ingested": TargetField("event.ingested", "date", "any")})
    properties = json.loads(package(mapping=own)["elastic/index-template.json"])["template"]["mappings"]["properties"]
    assert properties == {"error": {"properties": {"message": {"type": "match_only_text"}}}}


def test_the_data_view_is_of_one_tenant() -> None:
    ours, theirs = (json.loads(package(context=context_of(tenant))["elastic/data-view.ndjson"]) for tenant in ("acme", "other"))
    assert ours["id"] == json.loads(everything()["elastic/data-view.ndjson"])["id"] != theirs["id"]
    assert ours["attributes"]["timeFieldName"] == "@timestamp"


def test_packed_is_enabled_unless_said_otherwise() -> None:
    assert Packed(whole_pack()[0].header, EVENT, {}).enabled
