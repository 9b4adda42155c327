"""The wheel: what it holds, and that it works from an empty folder, with the pack that it carries."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from insigma import __version__
from tests.cli.harness import ROOT, Ran, files_of, insigma

PACK = ("insigma.lock", "insigma.yml", "mappings", "rules", "tests/fixtures")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel of this repository, built with what is installed and no network."""
    folder = tmp_path_factory.mktemp("wheel")
    build = [
        sys.executable,
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-build-isolation",
        "--no-deps",
        "--no-index",
        "--wheel-dir",
        str(folder),
        str(ROOT),
    ]
    ran = subprocess.run(build, capture_output=True, text=True, check=False, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    assert ran.returncode == 0, ran.stderr
    (found,) = folder.glob("*.whl")
    return found


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the program as pip installs it, its dependencies apart."""
    target = tmp_path_factory.mktemp("installed")
    install = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index", "--target", str(target), str(wheel)]
    ran = subprocess.run(install, capture_output=True, text=True, check=False, env={**os.environ, "PIP_DISABLE_PIP_VERSION_CHECK": "1"})
    assert ran.returncode == 0, ran.stderr
    return target


def run(installed: Path, *arguments: str, cwd: Path, stdin: str = "") -> Ran:
    """The installed program: its own start script, and none of the repository's sources."""
    environment = {**os.environ, "PYTHONPATH": str(installed)}
    ran = subprocess.run(
        [sys.executable, str(installed / "bin" / "insigma"), *arguments],
        cwd=cwd,
        env=environment,
        input=stdin,
        capture_output=True,
        text=True,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def tracked(folder: Path) -> set[str]:
    """The files of a folder that are no tool's cache."""
    return {path for path in files_of(folder) if not any(part == "__pycache__" or part.startswith(".") for part in path.split("/"))}


def test_wheel_holds_the_pack_and_every_file_of_the_program(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    for part in PACK:
        here = {part} if (ROOT / part).is_file() else {f"{part}/{path}" for path in tracked(ROOT / part)}
        assert here
        assert {f"insigma/pack/{path}" for path in here} <= names
    assert {f"insigma/{path}" for path in tracked(ROOT / "src" / "insigma")} <= names
    for kind in ("schemas/rule.schema.json", "diagnostics/pages/INS005.md", "data/attack_v19_techniques.tsv", "py.typed"):
        assert f"insigma/{kind}" in names


def test_wheel_holds_nothing_else(wheel: Path) -> None:
    names = set(zipfile.ZipFile(wheel).namelist())
    assert {name.split("/")[0] for name in names} == {"insigma", "insigma_prove", f"insigma-{__version__}.dist-info"}
    assert {name.split("/")[2] for name in names if name.startswith("insigma/pack/")} == {
        "insigma.lock",
        "insigma.yml",
        "mappings",
        "proofs",
        "rules",
        "tests",
    }
    assert {name.split("/")[3] for name in names if name.startswith("insigma/pack/tests/")} == {"fixtures"}
    assert not [name for name in names if name.endswith(".pyc")]
    assert {"insigma_prove/workers/kusto/check.js", "insigma_prove/workers/elastic/requirements.txt"} <= names


def test_wheel_names_its_licences_and_needs_no_development_tools(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        folder = f"insigma-{__version__}.dist-info"
        metadata = archive.read(f"{folder}/METADATA").decode()
        licences = {name for name in archive.namelist() if name.startswith(f"{folder}/licenses/")}
    assert {f"{folder}/licenses/LICENSE", f"{folder}/licenses/rules/LICENSE.md"} <= licences
    needed = [line for line in metadata.splitlines() if line.startswith("Requires-Dist:") and "extra ==" not in line]
    assert not [line for line in needed if any(tool in line for tool in ("pytest", "mypy", "ruff", "hatchling"))]


def test_installed_program_checks_tests_and_builds_the_pack_it_carries_from_an_empty_folder(installed: Path, tmp_path: Path) -> None:
    assert run(installed, "--version", cwd=tmp_path).out == f"insigma {__version__}\n"
    assert run(installed, "check", cwd=tmp_path).out == insigma("check", cwd=ROOT).out
    assert run(installed, "test", cwd=tmp_path).out == insigma("test", cwd=ROOT).out
    ran = run(installed, "build", "--out", "x", cwd=tmp_path)
    told = f"insigma: no insigma.yml here or above: working on the pack that came with insigma {__version__}\n"
    assert (ran.code, ran.err) == (0, told)
    assert insigma("build", "--out", tmp_path / "ours", cwd=ROOT).code == 0
    assert files_of(tmp_path / "x") == files_of(tmp_path / "ours")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["ours", "x"]


def test_installed_program_evaluates_shows_and_explains(installed: Path, tmp_path: Path) -> None:
    rule = "title: Any\nid: 8a5d6ac9-94b4-4a0b-9d4f-2c8b5a3c6c11\nlogsource: {category: dns}\ndetection: {a: {b: c}, condition: a}\n"
    (tmp_path / "rule.yml").write_text(rule)
    ran = run(installed, "eval", "rule.yml", "--events", "-", "--json", cwd=tmp_path, stdin='{"b": "C"}\n{"b": "d"}\n')
    assert (ran.code, json.loads(ran.out)["indexes"]) == (0, [0])
    assert run(installed, "show", "ins-clm-c04", "-t", "splunk", cwd=tmp_path).code == 0
    assert run(installed, "explain", "INS005", cwd=tmp_path).lines[0] == "# INS005: yaml-syntax"


def test_installed_program_is_what_was_tested(installed: Path, tmp_path: Path) -> None:
    script = "import insigma, insigma.content.pack as pack; print(insigma.__file__); print(pack.bundled_root())"
    ran = subprocess.run(
        [sys.executable, "-c", script],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(installed)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert ran.stdout.splitlines() == [str(installed / "insigma" / "__init__.py"), str(installed / "insigma" / "pack")]
