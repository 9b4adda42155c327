"""`insigma show` on public rules, with nothing around them."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.harness import findings, insigma

RULE = """title: Failed Logon
id: 8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11
status: test
level: low
logsource: {product: windows, service: security}
detection:
  selection: {EventID: 4625, SubjectUserName|startswith: adm}
  condition: selection
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "rule.yml").write_text(RULE)
    return tmp_path


def test_a_rule_needs_nothing_but_a_target(folder: Path) -> None:
    ran = insigma("show", "rule.yml", "-t", "elastic", "--part", "query", cwd=folder)
    assert (ran.code, " ".join(ran.out.split())) == (0, 'any where ?EventID == "4625" and ?SubjectUserName like~ "adm*"')
    assert "note: no log source is asked for: the rule means product windows, service security" in ran.err


def test_a_pipeline_names_the_fields_and_the_channel(folder: Path) -> None:
    ran = insigma("show", "rule.yml", "-t", "splunk", "--pipeline", "splunk_windows", "--part", "query", cwd=folder)
    assert ran.out.splitlines()[0] == 'index=* source="wineventlog:security" EventCode="4625"'
    assert "no log source" not in ran.err


def test_pipelines_are_applied_by_priority_not_by_order(folder: Path) -> None:
    (folder / "late.yml").write_text("name: late\npriority: 90\ntransformations:\n  - {type: field_name_prefix, prefix: win.}\n")
    first, second = (
        insigma("show", "rule.yml", "-t", "splunk", "--part", "query", "--pipeline", one, "--pipeline", other, cwd=folder)
        for one, other in (("late.yml", "splunk_windows"), ("splunk_windows", "late.yml"))
    )
    assert first.code == 0
    assert first.out == second.out
    assert "win.EventCode" in first.out


def test_the_native_object_is_shown_too(folder: Path) -> None:
    ran = insigma("show", "rule.yml", "-t", "splunk", "--part", "native", "--pipeline", "splunk_windows", cwd=folder)
    assert (ran.code, ran.out.splitlines()[0]) == (0, "[Failed Logon]")


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["-t", "splunk", "--pipeline", "splunk_window"], "did you mean 'splunk_windows'?"),
        (["-t", "splunk", "--pipeline", "nothing.yml"], "no pipeline 'nothing.yml'"),
        (["-t", "splunk", "--pipeline", "ecs_windows"], "is not for splunk"),
        (["-t", "pysigma:splunk", "--pipeline", "splunk_windows"], "--pipeline goes with our own targets"),
    ],
)
def test_a_pipeline_that_cannot_be_used_is_told_at_once(options: list[str], said: str, folder: Path) -> None:
    ran = insigma("show", "rule.yml", *options, cwd=folder)
    assert (ran.code, ran.out) == (3, "")
    assert said in ran.err


def test_a_refusal_of_a_pipeline_is_one_of_the_rule(folder: Path) -> None:
    (folder / "strict.yml").write_text("name: s\ntransformations:\n  - {type: rule_failure, message: not collected here}\n")
    ran = insigma("show", "rule.yml", "-t", "splunk", "--pipeline", "strict.yml", cwd=folder)
    assert (ran.code, ran.out) == (2, "")
    assert "splunk refuses the rule: a pipeline refuses the rule: not collected here" in ran.err
    assert ran.err.splitlines()[1] == "    see docs/public_rules.md"
    assert [code for _, _, code in findings(ran.err)] == ["INS701"]


def test_pipelines_are_for_the_default_taxonomy(folder: Path) -> None:
    ran = insigma("show", "ins-clm-001", "-t", "splunk", "--pipeline", "splunk_windows", cwd=folder)
    assert ran.code == 2
    assert "pipelines map Sigma's default taxonomy, and the rule is written in 'insurance'" in ran.err
