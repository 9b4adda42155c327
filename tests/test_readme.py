"""The README shows real output: what its tour prints is what the commands print."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"```console\n\$ insigma (?P<arguments>[^\n]+)\n(?P<output>.*?)```", re.DOTALL)
TOUR = [(found["arguments"], found["output"]) for found in BLOCK.finditer((ROOT / "README.md").read_text(encoding="utf-8"))]
WHOLE = [entry for entry in TOUR if entry[0].split()[0] in {"build", "show", "eval"}]


def run(arguments: list[str]) -> str:
    command = [sys.executable, "-m", "insigma", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout


def test_the_tour_has_output_to_compare() -> None:
    assert [arguments.split()[0] for arguments, _ in WHOLE] == ["build", "show", "eval", "build"]


@pytest.mark.parametrize(("arguments", "output"), WHOLE, ids=[arguments for arguments, _ in WHOLE])
def test_a_command_of_the_tour_prints_what_the_readme_says(arguments: str, output: str, tmp_path: Path) -> None:
    words = arguments.split()
    if words[0] == "build":
        out = tmp_path / ("dist-tenants" if "--all-tenants" in words else "dist")
        assert run([*words, "--out", str(out)]).replace(str(out), out.name) == output
    else:
        assert run(words) == output
