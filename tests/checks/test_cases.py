"""Every check does what its cases say, and every check has cases and a page."""

from __future__ import annotations

import pytest

from insigma.diagnostics.catalogue import CODES
from tests.checks.harness import Case, case_files, check_module, read_cases, run_case

ALL_CASES = [case for path in case_files() for case in read_cases(path)]
FOUND_ELSEWHERE = frozenset({"INS550"})
"""Codes among those of the checks that another stage finds: it needs to judge events."""
CHECKED_CODES = sorted(code for code in CODES if "INS201" <= code < "INS601" and code not in FOUND_ELSEWHERE)
PACK_CODES = [code for code in CHECKED_CODES if code > "INS400" and code != "INS509"]
FAILING = [case for case in ALL_CASES if case.expect is not None]
SECTIONS = ("## What it does", "## Why it is bad", "## Example", "## Fix")


@pytest.mark.parametrize("case", ALL_CASES, ids=lambda case: case.label)
def test_case(case: Case) -> None:
    found = run_case(case.files, case.code, in_pack=case.in_pack, day=case.day)
    if case.expect is None:
        assert found == []
        return
    assert [(one.place.line, one.place.column) for one in found] == [(want["line"], want["column"]) for want in case.expect], found
    for one, want in zip(found, case.expect, strict=True):
        assert want["message"] in one.message
        assert want.get("hint", "") in one.hint
        assert one.place.path == want.get("path", one.place.path)
        assert one.severity.label == want.get("severity", CODES[case.code].severity.label)


@pytest.mark.parametrize("case", [case for case in FAILING if case.code in PACK_CODES], ids=lambda case: case.label)
def test_conventions_of_the_pack_do_not_bind_loose_rules(case: Case) -> None:
    assert run_case(case.files, case.code, in_pack=False, day=case.day) == []


@pytest.mark.parametrize(
    "case", [case for case in FAILING if case.code.startswith("INS3") and case.code != "INS311"], ids=lambda case: case.label
)
def test_the_taxonomy_binds_only_rules_that_name_it(case: Case) -> None:
    files = {path: text.replace("taxonomy: insurance\n", "") for path, text in case.files.items()}
    assert run_case(files, case.code, in_pack=case.in_pack) == []


@pytest.mark.parametrize("code", CHECKED_CODES)
def test_check_has_cases_of_both_kinds(code: str) -> None:
    outcomes = {case.expect is None for case in ALL_CASES if case.code == code}
    assert outcomes == {True, False}


@pytest.mark.parametrize("code", CHECKED_CODES)
def test_check_has_its_page(code: str) -> None:
    module = check_module(code)
    page = module.__doc__ or ""
    assert code == module.CODE
    assert module.__name__.endswith(CODES[code].name.replace("-", "_"))
    places = [page.find(section) for section in SECTIONS]
    assert places == sorted(places)
    assert -1 not in places
    assert "```yaml" in page


def test_case_files_are_named_after_their_code() -> None:
    for path in case_files():
        assert {case.code for case in read_cases(path)} == {path.stem}
