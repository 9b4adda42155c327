"""What ingest makes of events: their log source, what is absent, their identity, and what it says of what failed."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from insigma.content.model import TargetField, TargetMapping
from insigma.packages.elastic.pipelines import event_id_pipeline, insurance_pipeline
from tests.packages.elastic.ingest import ingest, read
from tests.packages.elastic.packaged import elastic_mapping, everything, faults, the_pack, with_indices


def stored(document: dict[str, Any], index: str = "logs-insurance.claims-default", mapping: TargetMapping | None = None) -> dict[str, Any]:
    mapping = mapping or elastic_mapping()
    made = insurance_pipeline(mapping, the_pack().taxonomy)
    assert faults("ingest-pipeline", made) == []
    return ingest({"insigma-insurance": made, "insigma-event-id": event_id_pipeline(mapping)}, "insigma-insurance", index, document)


def indices_of_pack() -> dict[str, str]:
    return {name: source.settings["index"].replace("*", "default") for name, source in elastic_mapping().logsources.items()}


@pytest.mark.parametrize(("logsource", "index"), sorted(indices_of_pack().items()))
def test_the_data_stream_tells_the_log_source(logsource: str, index: str) -> None:
    found = stored({"event": {"action": "x"}}, index)
    assert read(found, "insurance.logsource") == logsource
    assert read(found, "error.message") is None


def test_an_event_keeps_the_log_source_that_it_names_in_lower_case() -> None:
    found = stored({"insurance": {"logsource": "Insurance_Payment"}})
    assert read(found, "insurance.logsource") == "insurance_payment"


@pytest.mark.parametrize("logsource", sorted(the_pack().taxonomy.logsources))
def test_an_event_lacks_no_field_that_has_a_default(logsource: str) -> None:
    """As `Taxonomy.nullable` says, by which rules are bound: a field of the log source with a default is never absent."""
    taxonomy = the_pack().taxonomy
    found = stored({"insurance.logsource": logsource})
    for name, known in taxonomy.fields.items():
        if name == "insurance.logsource":
            continue
        expected = known.null_default if name in taxonomy.logsources[logsource].fields else None
        assert read(found, elastic_mapping().fields[name].name) == expected, name


def test_defaults_touch_nothing_that_is_there() -> None:
    found = stored({"insurance": {"context": {"on_cat_duty": "yes", "surge": None}}, "insurance.actor.role": "adjuster"})
    assert read(found, "insurance.context.on_cat_duty") == "yes"
    assert read(found, "insurance.context.surge") == the_pack().taxonomy.fields["insurance.context.surge"].null_default
    assert read(found, "insurance.actor.role") == "adjuster"


def test_an_event_of_no_known_log_source_says_so() -> None:
    found = stored({"event": {"action": "x"}}, "something-else")
    assert read(found, "insurance") is None
    assert read(found, "error.message") == [
        "insigma-insurance: the event names no log source (insurance.logsource), and its index does not tell: no rule reads it"
    ]
    assert read(found, "event.action") == "x"


def test_the_identity_is_made_last_and_knows_the_log_source() -> None:
    found = stored({"event.id": "7", "organization": {"id": "acme"}, "event.dataset": "claims"})
    assert found["_id"] == ["claims", "7", "insurance_claims", "acme"]
    assert "_id" not in stored({"event": {"id": ""}})


def test_a_failure_is_told_and_the_event_kept() -> None:
    found = stored({"insurance": {"logsource": 7, "claim": {"id": "C-1"}}, "event": {"id": "9"}, "error": {"message": "their own"}})
    assert read(found, "insurance.claim.id") == "C-1"
    own, ours = read(found, "error.message")
    assert own == "their own"
    assert ours.startswith("insigma-insurance: lowercase (case of the log source): field [insurance.logsource] of type [int]")
    assert found["_id"][1] == "9"


def test_the_time_of_ingest_is_written_once() -> None:
    assert read(stored({}), "event.ingested") == "2026-02-14T10:00:00Z"
    assert read(stored({"event": {"ingested": "2026-01-01T00:00:00Z"}}), "event.ingested") == "2026-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("patterns", "told"),
    [
        ({"insurance_claims": "shared-*", "insurance_payment": "shared-*"}, []),
        ({"insurance_claims": "shared-*", "insurance_payment": "shared-payment-*"}, []),
        ({"insurance_claims": "pay*", "insurance_payment": "pay-*"}, []),
        ({"insurance_claims": "claims-*-eu", "insurance_payment": "pay-*"}, ["insurance_payment"]),
        ({"insurance_claims": "claims-1,claims-2-*", "insurance_payment": "pay"}, ["insurance_claims", "insurance_payment"]),
        ({"insurance_claims": "remote:claims-*", "insurance_payment": "pay-*"}, ["insurance_payment"]),
    ],
)
def test_an_index_that_may_hold_several_log_sources_tells_none(patterns: dict[str, str], told: list[str]) -> None:
    made = insurance_pipeline(with_indices(**patterns), the_pack().taxonomy)
    named = [each["set"]["value"] for each in made["processors"] if each.get("set", {}).get("field") == "insurance.logsource"]
    assert named == told


def test_an_exact_index_and_a_pattern() -> None:
    mapping = with_indices(insurance_claims="claims-1,claims-2-*", insurance_payment="pay")
    where = {
        index: read(stored({}, index, mapping), "insurance.logsource") for index in ("claims-1", "claims-10", "claims-2-a", "pay", "pays")
    }
    assert where == {
        "claims-1": "insurance_claims",
        "claims-10": None,
        "claims-2-a": "insurance_claims",
        "pay": "insurance_payment",
        "pays": None,
    }


def test_other_names_of_fields_are_paths_of_painless() -> None:
    mapping = elastic_mapping()
    renamed = {
        "insurance.logsource": TargetField("@own-log.source-1.name", "keyword", "lower"),
        "insurance.context.surge": TargetField("surge", "keyword", "lower"),
    }
    mapping = replace(mapping, fields={**mapping.fields, **renamed})
    found = stored({}, mapping=mapping)
    assert found["@own-log"]["source-1"]["name"] == "insurance_claims"
    assert found["surge"] == the_pack().taxonomy.fields["insurance.context.surge"].null_default
    conditions = {each["set"].get("if", "") for each in insurance_pipeline(mapping, the_pack().taxonomy)["processors"] if "set" in each}
    assert any(condition.endswith(".contains(ctx['@own-log']?.get('source-1')?.name)") for condition in conditions)


def test_without_a_taxonomy_or_a_log_source_there_are_no_defaults() -> None:
    mapping = elastic_mapping()
    without = replace(mapping, fields={name: field for name, field in mapping.fields.items() if name != "insurance.logsource"})
    for made in (insurance_pipeline(mapping), insurance_pipeline(without, the_pack().taxonomy)):
        assert not [each for each in made["processors"] if "default of" in str(each)]
        assert faults("ingest-pipeline", made) == []


def test_the_package_holds_both_pipelines() -> None:
    assert json.loads(everything()["elastic/ingest-pipeline.json"]) == event_id_pipeline(elastic_mapping())
    assert json.loads(everything()["elastic/ingest-pipeline-insurance.json"]) == insurance_pipeline(elastic_mapping(), the_pack().taxonomy)
