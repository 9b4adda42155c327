"""Broken input: every fault at its line and column, all of them in one run, and every code of the reader reached."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.content.yaml_reader import read_bytes
from insigma.diagnostics.catalogue import CODES
from tests.content.hostile import TABLE, Hostile
from tests.content.reading import read, shown

CASES: list[dict[str, Any]] = yaml.safe_load((Path(__file__).parent / "cases" / "faults.yml").read_text(encoding="utf-8"))
ELSEWHERE = {
    "INS001": "test_files.py",
    "INS002": "test_files.py",
    "INS011": "test_files.py",
    "INS110": "tests/specialise/test_lists.py",
}
EXPECTED = re.compile(r"(?:(?P<path>\S+):)?(?P<place>\d+:\d+) (?P<code>INS\d{3}) (?P<message>.+)")


def assert_faults(found: list[str], expected: list[str], path: str) -> None:
    wanted = [match for line in expected if (match := EXPECTED.fullmatch(line)) is not None]
    assert len(wanted) == len(expected)
    starts = [f"{want['path'] or path}:{want['place']} {want['code']}" for want in wanted]
    assert [" ".join(line.split(" ", 2)[:2]) for line in found] == starts, "\n".join(found)
    for line, want in zip(found, wanted, strict=True):
        assert want["message"] in line


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_every_fault_of_a_rule_is_told_at_its_place(case: dict[str, Any]) -> None:
    _, faults = read(case.get("files") or {"rule.yml": case["rule"]})
    assert_faults(shown(faults), case["expect"], "rule.yml")


@pytest.mark.parametrize("case", TABLE, ids=lambda case: case.name)
def test_every_hostile_file_is_told_at_its_place(case: Hostile) -> None:
    assert_faults(shown(read_bytes(case.raw, "hostile.yml").diagnostics), list(case.expect), "hostile.yml")


def test_every_code_of_the_reader_is_reached() -> None:
    lines = [line for case in CASES for line in case["expect"]] + [line for case in TABLE for line in case.expect]
    reached = {match["code"] for line in lines if (match := EXPECTED.fullmatch(line)) is not None}
    assert reached | ELSEWHERE.keys() == {code for code in CODES if code < "INS200"}


def test_a_faulty_rule_is_left_out_and_the_others_are_read() -> None:
    good = "title: good\nlogsource: {product: p}\ndetection: {sel: {a: b}, condition: sel}\n"
    assembled, faults = read({"a.yml": "title: bad\n", "b.yml": good, "c.yml": "[x\n", "d.yml": good})
    assert [rule.header.path for rule in assembled.rules] == ["b.yml", "d.yml"]
    assert {fault.place.path for fault in faults} == {"a.yml", "c.yml"}


def test_documents_before_a_broken_one_are_read() -> None:
    result = read_bytes(b"a: b\n---\nc: d\n---\ne: [f\n", "x.yml")
    assert [document.data for document in result.documents] == [{"a": "b"}, {"c": "d"}]
    assert [fault.code for fault in result.diagnostics] == ["INS005"]


def test_a_fault_names_its_rule_and_says_what_to_do() -> None:
    _, faults = read({"rule.yml": "title: t\nname: ins-x\nlogsource: {product: p}\ndetection: {sel: {a|contians: b}, condition: sle}\n"})
    assert {fault.rule for fault in faults} == {"ins-x"}
    assert [fault.hint for fault in faults] == ["did you mean 'contains'?", "did you mean 'sel'?"]
