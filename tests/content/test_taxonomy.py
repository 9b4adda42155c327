"""The taxonomy of the repository, and what its reader says of a broken one."""

from __future__ import annotations

from pathlib import Path

import pytest

from insigma.content.model import Case, FieldType, LogSource, Taxonomy
from insigma.content.taxonomy import LOGSOURCE_FIELD, read_taxonomy
from insigma.content.yaml_reader import Document, read_bytes, read_file
from insigma.diagnostics.model import Diagnostic

FOLDER = Path(__file__).resolve().parents[2] / "mappings" / "taxonomy"

FIELDS = """\
name: insurance
version: 0.1.0
fields:
  insurance.logsource: {type: keyword, case: lower, values: [a], pii: none, description: source, example: a}
  event.action: {type: keyword, case: lower, pii: none, description: action, example: go}
  user.name: {type: keyword, pii: personal, description: user, example: j.kowalska}
"""
LOGSOURCES = """\
logsources:
  a:
    category: a
    description: source a
    actions: [go]
    required: [insurance.logsource, event.action]
    optional: [user.name]
"""


def document(text: str, path: str = "fields.yml") -> Document:
    return read_bytes(text.encode(), path).documents[0]


def read(fields: str = FIELDS, logsources: str = LOGSOURCES) -> tuple[Taxonomy, tuple[Diagnostic, ...]]:
    return read_taxonomy(document(fields), document(logsources, "logsources.yml"))


def told(diagnostics: tuple[Diagnostic, ...]) -> list[tuple[int, int, str]]:
    assert {one.code for one in diagnostics} <= {"INS509"}
    return [(one.place.line, one.place.column, one.message) for one in diagnostics]


@pytest.fixture(scope="module")
def taxonomy() -> Taxonomy:
    fields, logsources = (read_file(FOLDER / name, name) for name in ("fields.yml", "logsources.yml"))
    assert (fields.diagnostics, logsources.diagnostics) == ((), ())
    assert not fields.documents[0].ambiguous
    assert not logsources.documents[0].ambiguous
    found, faults = read_taxonomy(fields.documents[0], logsources.documents[0])
    assert faults == ()
    return found


def test_it_is_the_whole_taxonomy(taxonomy: Taxonomy) -> None:
    assert (taxonomy.name, taxonomy.version) == ("insurance", "0.1.0")
    assert len(taxonomy.logsources) == 28
    assert len(taxonomy.fields) == 138 + 1  # and insurance.logsource


def test_every_event_names_its_log_source_and_time(taxonomy: Taxonomy) -> None:
    for source in taxonomy.logsources.values():
        assert {LOGSOURCE_FIELD, "@timestamp"} <= set(source.required)
    assert taxonomy.fields[LOGSOURCE_FIELD].values == tuple(taxonomy.logsources)


def test_every_field_is_carried_somewhere(taxonomy: Taxonomy) -> None:
    carried = {name for source in taxonomy.logsources.values() for name in source.fields}
    assert carried == set(taxonomy.fields)


def test_closed_values_are_lower_case_but_for_those_of_ecs(taxonomy: Taxonomy) -> None:
    mixed = [field.name for field in taxonomy.fields.values() if field.values and field.case is not Case.LOWER]
    assert mixed == ["threat.indicator.confidence"]
    for field in taxonomy.fields.values():
        if field.case is Case.LOWER:
            assert field.type is FieldType.KEYWORD
            assert field.values is None or [value.lower() for value in field.values] == list(field.values)
            assert field.example == field.example.lower()


def test_flags_are_three_words_with_unknown_as_default(taxonomy: Taxonomy) -> None:
    flags = [field for field in taxonomy.fields.values() if field.values == ("yes", "no", "unknown")]
    assert len(flags) == 23
    assert {field.null_default for field in flags} == {"unknown"}
    assert all(name in taxonomy.fields for name in ("insurance.context.off_hours", "insurance.payment.payee.verified"))


def test_what_is_an_array(taxonomy: Taxonomy) -> None:
    assert {field.name for field in taxonomy.fields.values() if field.array} == {
        "event.category",
        "event.type",
        "user.roles",
        "user.target.roles",
        "email.to.address",
        "email.attachments.file.extension",
    }


def test_nullability_is_of_the_log_source(taxonomy: Taxonomy) -> None:
    assert not taxonomy.nullable("user.name", "insurance_claims")
    assert taxonomy.nullable("user.name", "api_gateway")
    assert taxonomy.nullable("source.ip", "insurance_claims")
    assert not taxonomy.nullable("insurance.context.off_hours", "insurance_claims")


def test_a_rule_finds_its_log_source(taxonomy: Taxonomy) -> None:
    found = taxonomy.find(LogSource("process_creation", "windows"))
    assert found is not None
    assert found.name == "process_creation"
    assert taxonomy.find(LogSource("webserver")) is None


def test_a_small_one() -> None:
    taxonomy, faults = read()
    assert faults == ()
    assert taxonomy.fields["user.name"].case is Case.ANY
    assert taxonomy.logsources["a"].actions == ("go",)
    assert taxonomy.logsources["a"].fields == (LOGSOURCE_FIELD, "event.action", "user.name")


def test_a_faulty_field_is_told_and_left_out() -> None:
    more = """\
  number: {type: number, case: lower, pii: none, description: d, example: 1}
  upper: {type: keyword, case: UPPER, pii: none, description: d, example: a}
  notype: {case: any, pii: none, description: d, example: a}
  word: keyword
"""
    taxonomy, faults = read(FIELDS + more)
    assert [name for name in ("number", "upper", "notype", "word") if name in taxonomy.fields] == []
    assert told(faults) == [
        (7, 18, "type 'number' is unknown"),
        (8, 32, "case 'UPPER' is unknown"),
        (9, 11, "type is missing"),
        (10, 9, "'word' is not a mapping"),
    ]


def test_small_faults_of_a_field() -> None:
    more = """\
  words: {type: keyword, case: lower, array: 'yes', null_default: none, values: [a, a, 5], pii: none, description: d, example: c}
  texts: {type: keyword, case: lower, null_default: 5, values: a, example: 5}
  count: {type: long, case: any, pii: none, description: d, example: '5'}
  rate: {type: double, case: any, pii: none, description: d, example: 5.50}
  flag: {type: boolean, case: any, pii: none, description: d, example: true}
  when: {type: date, case: any, pii: none, description: d}
"""
    taxonomy, faults = read(FIELDS + more)
    assert told(faults) == [
        (7, 46, "'array' is neither true nor false"),
        (7, 85, "'a' stands twice in 'values'"),
        (7, 88, "'values' holds something that is not a string"),
        (7, 67, "'none' is not among the values of words"),
        (7, 128, "'c' is not among the values of words"),
        (8, 53, "'null_default' is not a string"),
        (8, 64, "'values' is not a list"),
        (8, 10, "'pii' is missing"),
        (8, 10, "'description' is missing"),
        (8, 76, "the example is no keyword"),
        (9, 70, "the example is no long"),
        (12, 9, "the example is missing"),
    ]
    assert taxonomy.fields["words"].values == ("a",)
    assert taxonomy.fields["rate"].example == "5.5"
    assert taxonomy.fields["flag"].example == "true"


def test_faults_of_log_sources() -> None:
    logsources = """\
logsources:
  a:
    category: a
    description: source a
    actions: [go]
    required: [insurance.logsource, event.action, nope]
    optional: [user.name, event.action]
  b:
    description: source b
    required: [event.action]
  c: words
"""
    _, faults = read(logsources=logsources)
    assert told(faults) == [
        (4, 53, "'b' is missing here"),
        (6, 51, "field 'nope' is not in fields.yml"),
        (7, 27, "field 'event.action' is both required and optional"),
        (10, 15, "log source 'b' does not require insurance.logsource"),
        (8, 3, "log source 'b' has only one of event.action and 'actions'"),
        (9, 5, "'category' is missing"),
        (11, 6, "'c' is not a mapping"),
    ]


def test_documents_of_no_shape() -> None:
    taxonomy, faults = read_taxonomy(document("fields: []\nname: 5\n"), document("other: 1\n"))
    assert (taxonomy.name, taxonomy.version, dict(taxonomy.fields), dict(taxonomy.logsources)) == ("", "", {}, {})
    assert told(faults) == [
        (2, 7, "'name' is not a string"),
        (1, 1, "'version' is missing"),
        (1, 9, "'fields' is not a mapping"),
        (1, 9, "field 'insurance.logsource' is missing"),
        (1, 1, "'logsources' is not a mapping"),
    ]


def test_a_log_source_that_events_may_name_but_nobody_defines() -> None:
    _, faults = read(FIELDS.replace("values: [a]", "values: [a, z]"))
    assert told(faults) == [(4, 53, "'z' has no entry in logsources.yml")]
