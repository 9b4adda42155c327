"""The generated pages: complete, reproducible, and told when stale."""

from __future__ import annotations

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

import pytest

from insigma.cli.main import COMMANDS
from insigma.diagnostics.catalogue import CODES

SCRIPT = Path(__file__).resolve().parent.parent / "scripts" / "generate_docs.py"


@pytest.fixture(scope="module")
def script() -> ModuleType:
    """The script as a module."""
    spec = importlib.util.spec_from_file_location("generate_docs", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def pages(script: ModuleType) -> list[tuple[str, str]]:
    """Every page, worked out once."""
    return list(script.pages())


@pytest.fixture
def generator(script: ModuleType, pages: list[tuple[str, str]], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, writing to a folder of its own."""
    monkeypatch.setattr(script, "pages", lambda: iter(pages))
    monkeypatch.setattr(script, "DOCS", tmp_path / "docs")
    monkeypatch.setattr(sys, "argv", [str(SCRIPT)])
    return script


def test_every_code_and_every_command_has_its_part(generator: ModuleType) -> None:
    codes, commands = generator.codes_page(), generator.cli_page()
    for code, entry in CODES.items():
        assert f"[{code}](#{code.lower()}-{entry.name})" in codes
        assert f"\n## {code} {entry.name}\n" in codes
    for name in COMMANDS:
        assert f"\n## insigma {name}\n\n```text\nUsage: insigma {name} " in commands


def test_no_heading_of_a_page_stands_above_that_of_its_code(generator: ModuleType) -> None:
    headings = [line for line in generator.codes_page().splitlines() if line.startswith("## ")]
    assert headings == [f"## {code} {entry.name}" for code, entry in CODES.items()]


def test_pages_are_written_once_and_then_left_alone(generator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert generator.main() == 0
    written = capsys.readouterr().out.splitlines()
    assert written[:3] == ["docs/codes.md written", "docs/cli.md written", "docs/fidelity.md written"]
    others = ("lists.md", "context_tables.md", "coverage.md", "coverage.svg", "rules/README.md")
    assert {f"docs/{name} written" for name in others} <= set(written)
    rules = list((SCRIPT.parent.parent / "rules").rglob("*.yml"))
    assert len(written) == 8 + len(rules)
    assert generator.main() == 0
    assert capsys.readouterr().out == ""


def test_a_stale_page_is_told_and_not_written(
    generator: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    generator.main()
    monkeypatch.setattr(sys, "argv", [str(SCRIPT), "--check"])
    assert generator.main() == 0
    page = generator.DOCS / "cli.md"
    page.write_text("old\n")
    capsys.readouterr()
    assert generator.main() == 1
    assert "docs/cli.md is stale" in capsys.readouterr().out
    assert page.read_text() == "old\n"


def test_a_page_of_a_rule_that_is_gone_is_removed(generator: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    generator.main()
    old = generator.DOCS / "rules" / "claims" / "long_gone.md"
    old.write_text("old\n")
    capsys.readouterr()
    assert generator.main() == 0
    assert capsys.readouterr().out == "docs/rules/claims/long_gone.md removed\n"
    assert not old.exists()


def test_the_width_of_the_terminal_does_not_change_the_pages(generator: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    page = generator.cli_page()
    for width in ("20", "300"):
        monkeypatch.setenv("COLUMNS", width)
        assert generator.cli_page() == page
