"""`insigma explain`: every code has a page, reached by code or name."""

from __future__ import annotations

from pathlib import Path

import pytest

from insigma.diagnostics.catalogue import CODES
from tests.cli.harness import insigma


@pytest.mark.parametrize("code", CODES)
def test_every_code_has_a_page(code: str, tmp_path: Path) -> None:
    entry = CODES[code]
    ran = insigma("explain", code, cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.lines[0] == f"# {code}: {entry.name}"
    assert ran.lines[-1] == f"Severity: {entry.severity.label}. Exit code: {int(entry.exit)}."
    for part in ("Why it is bad", "Example", "Fix"):
        assert f"## {part}\n" in ran.out, f"the page of {code} has no part {part!r}"


@pytest.mark.parametrize("name", ["ins105", "INS105", "105", "undefined-selection", "Undefined-Selection", "UndefinedSelection"])
def test_a_page_is_found_by_code_or_name_in_any_case(name: str, tmp_path: Path) -> None:
    assert insigma("explain", name, cwd=tmp_path).out == insigma("explain", "INS105", cwd=tmp_path).out


@pytest.mark.parametrize(
    ("wrong", "hint"), [("INS1O5", "lists all"), ("undefined-selction", "did you mean 'undefined-selection'"), ("xyzzy", "lists all")]
)
def test_a_wrong_code_gets_a_hint(wrong: str, hint: str, tmp_path: Path) -> None:
    ran = insigma("explain", wrong, cwd=tmp_path)
    assert ran.code == 3
    assert hint in ran.err


def test_without_a_code_all_are_listed(tmp_path: Path) -> None:
    ran = insigma("explain", cwd=tmp_path)
    assert ran.code == 0
    assert [line.split()[0] for line in ran.lines] == list(CODES)
