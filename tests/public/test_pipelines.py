"""pySigma's processing pipelines on our own reading of a rule."""

from __future__ import annotations

from pathlib import Path

import pytest

from insigma.bind.model import Refused
from insigma.content.model import Rule
from insigma.content.predicate import And, FieldRef, Match, Named, Not, Or, Predicate, Regex, Text, children, fields_of, leaves
from insigma.targets.pysigma.discovery import installed_pipelines
from insigma.targets.pysigma.pipelines import Applied, Pipelines, UnknownPipeline
from tests.content.reading import rules_of
from tests.public.opened import public_rules


def applied(detection: str, transformation: str, tmp_path: Path, target: str = "elastic") -> Applied:
    """The rule after a pipeline of one transformation, given as YAML on one line."""
    path = tmp_path / "pipeline.yml"
    path.write_text(f"name: test\npriority: 10\ntransformations:\n  - {transformation}\n")
    (rule,) = public_rules(detection)
    assert isinstance(rule, Rule)
    return Pipelines([str(path)], target).apply(rule)


def shape(predicate: Predicate) -> str:
    match predicate:
        case Named(_, operand):
            return shape(operand)
        case Not(operand):
            return f"not {shape(operand)}"
        case And() | Or():
            word = "&" if isinstance(predicate, And) else "|"
            return "(" + f" {word} ".join(shape(child) for child in children(predicate)) + ")"
        case Match(field, Text(literal=str() as literal)):
            return f"{field}={literal}"
        case Match(field):
            return f"{field}~"
        case _:
            return "~"


@pytest.mark.parametrize(
    ("detection", "transformation", "wanted"),
    [
        ("{s: {a: x, c: w}, condition: s}", "{type: field_name_mapping, mapping: {a: b}}", "(b=x & c=w)"),
        ("{s: {a: [x, z]}, condition: not s}", "{type: field_name_mapping, mapping: {a: b}}", "not (b=x | b=z)"),
        ("{s: {a: x}, f: {c: w}, condition: s and not f}", "{type: field_name_mapping, mapping: {a: [b, d]}}", "((b=x | d=x) & not c=w)"),
        ("{s: {a|neq: x}, condition: s}", "{type: field_name_prefix, prefix: win.}", "not win.a=x"),
        ("{s: {a: x, c: w}, condition: s}", "{type: add_condition, conditions: {index: main}}", "(index=main & (a=x & c=w))"),
        (
            "{s: {a: x}, condition: s}",
            "{type: add_condition, conditions: {index: [m, n]}, negated: true}",
            "(not (index=m | index=n) & a=x)",
        ),
        (
            "{s: {a: x}, condition: s}",
            "{type: add_condition, conditions: {src: 'W:$category'}, template: true}",
            "(src=W:process_creation & a=x)",
        ),
        (
            "{s: {a: x, c: w}, condition: s}",
            "{type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [c]}]}",
            "a=x",
        ),
        (
            "{s: {a: x}, f: {c: w}, condition: s and not f}",
            "{type: drop_detection_item, field_name_conditions: [{type: include_fields, fields: [c]}]}",
            "a=x",
        ),
        ("{s: {a: x1}, condition: s}", "{type: replace_string, regex: 'x(.)', replacement: 'y\\1'}", "a=y1"),
        ("{s: {a: x}, condition: s}", "{type: map_string, mapping: {x: [y, z]}}", "(a=y | a=z)"),
        ("{s: {Hashes: 'MD5=ab'}, condition: s}", "{type: hashes_fields, valid_hash_algos: [MD5], field_prefix: 'f.'}", "f.MD5=ab"),
    ],
)
def test_what_a_pipeline_does_to_a_rule(detection: str, transformation: str, wanted: str, tmp_path: Path) -> None:
    assert shape(applied(detection, transformation, tmp_path).rule.predicate) == wanted


def test_what_a_pipeline_leaves_alone_keeps_our_reading(tmp_path: Path) -> None:
    """pySigma rounds large numbers, forgets `cased` on references, and knows expressions only as Python reads them."""
    detection = r"{s: {a: 9007199254740993, 'b|fieldref|cased': c, 'd|re|i': 'x\d+$', 'e|cased': X*}, condition: s}"
    (rule,) = public_rules(detection)
    assert isinstance(rule, Rule)
    after = applied(detection, "{type: field_name_suffix, suffix: _x}", tmp_path).rule
    values = [leaf.value for leaf in leaves(rule.predicate) if isinstance(leaf, Match)]
    found = [leaf.value for leaf in leaves(after.predicate) if isinstance(leaf, Match)]
    assert [value for value in found if not isinstance(value, FieldRef)] == [value for value in values if not isinstance(value, FieldRef)]
    assert FieldRef("c_x", cased=True) in found
    assert Regex(r"x\d+$", ignore_case=True) in found


def test_filters_are_mapped_with_the_rule(tmp_path: Path) -> None:
    text = """
title: r
name: r
logsource: {category: one}
detection: {s: {a: x}, condition: s}
---
title: f
logsource: {category: one}
filter: {rules: any, selection: {a: quiet}, condition: not selection}
"""
    path = tmp_path / "pipeline.yml"
    path.write_text("name: n\ntransformations:\n  - {type: field_name_mapping, mapping: {a: b}}\n")
    (rule,) = rules_of(text)
    assert isinstance(rule, Rule)
    assert shape(Pipelines([str(path)], "splunk").apply(rule).rule.predicate) == "(b=x & not b=quiet)"


@pytest.mark.parametrize(
    ("target", "transformation", "settings"),
    [
        ("elastic", "{type: set_state, key: index, val: 'winlogbeat-*'}", {"index": "winlogbeat-*"}),
        ("elastic", "{type: set_state, key: index, val: ['a-*', 'b-*']}", {"index": "a-*,b-*"}),
        ("sentinel", "{type: set_state, key: query_table, val: SecurityEvent}", {"table": "SecurityEvent"}),
        ("splunk", "{type: set_state, key: query_table, val: SecurityEvent}", {}),
    ],
)
def test_where_a_pipeline_says_events_are(target: str, transformation: str, settings: dict[str, str], tmp_path: Path) -> None:
    found = applied("{s: {a: x}, condition: s}", transformation, tmp_path, target)
    assert (dict(found.settings), found.scoped) == (settings, False)


def test_a_changed_log_source_is_the_rule_s(tmp_path: Path) -> None:
    found = applied("{s: {a: x}, condition: s}", "{type: change_logsource, product: windows, service: sysmon}", tmp_path)
    assert str(found.rule.logsource) == "product windows, service sysmon"


@pytest.mark.parametrize(
    ("detection", "transformation", "reason"),
    [
        ("{s: {a: x}, condition: s}", "{type: strict_field_mapping_failure}", "a pipeline refuses the rule"),
        ("{s: {a: x}, condition: s}", "{type: rule_failure, message: no such events here}", "no such events here"),
        ("{s: {a: x}, condition: s}", "{type: drop_detection_item}", "drops every condition"),
        ("{s: {'a|expand': '%l%'}, condition: s}", "{type: field_name_prefix, prefix: x}", "placeholder"),
    ],
)
def test_what_a_pipeline_refuses_is_refused_with_its_reason(detection: str, transformation: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(Refused) as refusal:
        applied(detection, transformation, tmp_path)
    assert reason in refusal.value.reason


@pytest.mark.parametrize(
    "transformation",
    [
        "{type: file_placeholders, include: [l], path: /etc/passwd}",
        "{type: http_placeholders, include: [l], url: 'http://127.0.0.1/'}",
        "{type: command_placeholders, include: [l], command: 'touch hacked'}",
    ],
)
def test_nothing_is_fetched_read_or_run(transformation: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not even where the environment would let pySigma do it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PYSIGMA_ALLOW_EXTERNAL_SOURCES", "1")
    monkeypatch.setenv("PYSIGMA_ALLOW_VARS_EXECUTION", "1")
    with pytest.raises(Refused):
        applied("{s: {'a|expand': '%l%'}, condition: s}", transformation, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["pipeline.yml"]


def test_the_pipelines_that_come_with_the_backends_are_known() -> None:
    assert {"ecs_windows", "splunk_windows"} <= set(installed_pipelines())


@pytest.mark.parametrize(
    ("names", "target", "error", "said"),
    [
        (["nothing"], "splunk", UnknownPipeline, "nothing"),
        (["absent.yml"], "splunk", UnknownPipeline, "absent.yml"),
        (["ecs_windows"], "splunk", Refused, "is not for splunk"),
        (["splunk_windows"], "elastic", Refused, "is not for elastic"),
    ],
)
def test_a_pipeline_that_cannot_be_used(names: list[str], target: str, error: type[Exception], said: str) -> None:
    with pytest.raises(error, match=said):
        Pipelines(names, target)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [", "cannot be read"),
        ("name: n\ntransformations:\n  - {type: no_such_thing}\n", "cannot be loaded"),
        ("name: n\npostprocessing:\n  - {type: embed, prefix: 'x'}\n", "changes finished queries"),
        ("- a\n", "cannot be"),
        ("name: n\n---\nname: m\n", "2 documents"),
    ],
)
def test_a_file_that_is_no_pipeline(text: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "p.yml").write_text(text)
    with pytest.raises(Refused, match=said):
        Pipelines([str(tmp_path / "p.yml")], "elastic")


def test_windows_channels_come_with_the_pipelines() -> None:
    (rule,) = public_rules("{s: {EventID: 4625, SubjectUserName: anna}, condition: s}", "{product: windows, service: security}")
    assert isinstance(rule, Rule)
    elastic, splunk = Pipelines(["ecs_windows"], "elastic").apply(rule), Pipelines(["splunk_windows"], "splunk").apply(rule)
    assert (elastic.scoped, splunk.scoped) == (True, True)
    assert fields_of(elastic.rule.predicate) == ("winlog.channel", "event.code", "user.name")
    assert shape(splunk.rule.predicate).startswith("(source=WinEventLog:Security & (EventCode~")
