"""Every mistake in a profile is told at once, each at its own place, by the program as a user runs it."""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.diagnostics.catalogue import CODES
from tests.cli.harness import Ran, insigma

DATA = Path(__file__).parent / "data"
PROFILE = (DATA / "mistakes.yml").read_text(encoding="utf-8")
EXPECTED: list[dict[str, Any]] = yaml.safe_load((DATA / "mistakes.expected.yml").read_text(encoding="utf-8"))
SECRET = PROFILE.rpartition("hmac_key_ref: ")[2].strip(" }\n")
PATH = "mappings/tenants/firma.yml"


def checked(folder: Path, *options: str) -> Ran:
    """`insigma check` of the profile, in a pack that extends the insurance pack."""
    (folder / "insigma.yml").write_text("name: our-soc\nversion: 1.0.0\nextends: [insurance]\n", encoding="utf-8")
    profile = folder / PATH
    profile.parent.mkdir(parents=True)
    profile.write_text(PROFILE, encoding="utf-8")
    return insigma("check", *options, "--at", "2026-11-22", PATH, cwd=folder)


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> list[dict[str, Any]]:
    """What is found, as JSON."""
    ran = checked(tmp_path_factory.mktemp("pack"), "--format", "json")
    assert ran.code == 1
    found: list[dict[str, Any]] = json.loads(ran.out)["diagnostics"]
    return found


def test_twenty_mistakes_are_twenty_findings(told: list[dict[str, Any]]) -> None:
    assert len(EXPECTED) == 20
    places = [(PATH, want["line"], want["column"], want["code"]) for want in EXPECTED]
    assert [(one["path"], one["line"], one["column"], one["code"]) for one in told] == places


@pytest.mark.parametrize("index", range(20), ids=[want["mistake"] for want in EXPECTED])
def test_a_mistake_is_told_in_words(told: list[dict[str, Any]], index: int) -> None:
    found, want = told[index], EXPECTED[index]
    assert want["message"] in found["message"]
    assert want.get("hint", "") in found["hint"]
    assert found["hint"], "whoever reads it has to know what to do"


def test_each_mistake_stands_on_a_line_of_its_own() -> None:
    assert max(Counter(want["line"] for want in EXPECTED).values()) == 1


def test_text_names_file_line_column_and_code_and_never_the_secret(tmp_path: Path) -> None:
    ran = checked(tmp_path)
    assert ran.code == 1
    for want in EXPECTED:
        severity = CODES[want["code"]].severity.label
        assert f"{PATH}:{want['line']}:{want['column']}: {severity} {want['code']} " in ran.out
    assert ran.lines[-1] == "20 findings in 1 file (0 rules)"
    assert len(SECRET) == 64
    assert SECRET[:12] not in ran.out + ran.err


def test_a_day_before_the_exception_expired_it_is_no_mistake(tmp_path: Path) -> None:
    (tmp_path / "insigma.yml").write_text("name: our-soc\nversion: 1.0.0\nextends: [insurance]\n", encoding="utf-8")
    profile = tmp_path / PATH
    profile.parent.mkdir(parents=True)
    profile.write_text(PROFILE, encoding="utf-8")
    ran = insigma("check", "--at", "2026-10-28", PATH, cwd=tmp_path)
    assert "EXC-2026-014 expires today" in ran.out
    assert "expired" not in ran.out


def test_a_customer_with_mistakes_is_not_built_and_the_pack_is_not_hurt(tmp_path: Path) -> None:
    checked(tmp_path)
    ran = insigma("build", "--tenant", "firma-pc-de", "--at", "2026-11-22", cwd=tmp_path)
    assert ran.code == 1
    assert not (tmp_path / "dist-tenants").exists()
    assert SECRET[:12] not in ran.out + ran.err
