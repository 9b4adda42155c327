"""Pages of codes: there, whole, and nothing but the codes that need one."""

from __future__ import annotations

from importlib.resources import files

import pytest

from insigma.diagnostics.catalogue import CODES
from insigma.diagnostics.pages import page

SECTIONS = ["## What it means", "## Why it is bad", "## Example", "## Fix"]
PAGED = [code for code in CODES if code < "INS200" or code >= "INS600" or code == "INS550"]
"""Codes that no check documents; INS550 needs events to be judged, and is found after the checks."""


@pytest.mark.parametrize("code", PAGED)
def test_page_has_its_sections(code: str) -> None:
    text = page(code)
    assert text is not None
    lines = text.splitlines()
    assert lines[0]
    assert not lines[0].startswith("#")
    assert [line for line in lines if line.startswith("## ")] == SECTIONS
    assert text.count("```") % 2 == 0
    for above, below in zip(SECTIONS, [*SECTIONS[1:], None], strict=True):
        body = text.split(above)[1].split(below)[0] if below else text.split(above)[1]
        assert body.strip(), f"{above} says nothing"


def test_each_page_file_is_of_a_code() -> None:
    names = {entry.name for entry in files("insigma.diagnostics").joinpath("pages").iterdir()}
    assert names == {f"{code}.md" for code in PAGED}


@pytest.mark.parametrize("code", ["INS201", "INS999", "", "../catalogue", "INS001/../INS002", "ins001"])
def test_no_page(code: str) -> None:
    assert page(code) is None
