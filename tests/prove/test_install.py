"""Setting engines up, with recipes of the test's own and no network: programs of pip, npm and Maven are played by scripts."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from insigma_prove import engines, install
from insigma_prove.engines import Engine, fingerprint, missing, stamp
from insigma_prove.install import InstallFailed

FAKE = Engine("fake", "splunk", ("spl",))
PYTHON = """#!/bin/sh
echo "python $*" >> {log}
case "$*" in
  *"-m venv "*) mkdir -p "$3/bin"; cp "$0" "$3/bin/python" ;;
  *"-m pip "*) {pip} ;;
  *version_info*) echo "{version}" ;;
esac
"""


class Machine:
    """A machine with a few programs, its recipes, and a log of what was called."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self._folder = folder
        self._patch = monkeypatch
        self.log = folder / "log"
        self.bin = folder / "bin"
        self.bin.mkdir()
        self.recipes = folder / "workers" / "fake"
        self.recipes.mkdir(parents=True)
        for module in (engines, install):
            monkeypatch.setattr(module, "WORKERS", folder / "workers")
        monkeypatch.setenv("INSIGMA_ENGINES", str(folder / "engines"))
        monkeypatch.setenv("PATH", f"{self.bin}:/usr/bin:/bin")
        monkeypatch.setenv("PYENV_ROOT", str(folder / "pyenv"))
        self.python()

    def program(self, name: str, source: str) -> Path:
        path = self.bin / name
        path.write_text(source, encoding="utf-8")
        path.chmod(0o755)
        return path

    def python(self, pip: str = "exit 0") -> None:
        """What makes environments and fetches packages."""
        path = self.program("base-python", PYTHON.format(log=self.log, pip=pip, version="3 11"))
        self._patch.setattr(sys, "_base_executable", str(path))

    def needs(self, name: str, text: str = "a==1\n") -> None:
        (self.recipes / name).write_text(text, encoding="utf-8")

    @property
    def called(self) -> str:
        return self.log.read_text("utf-8") if self.log.exists() else ""


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    return Machine(tmp_path, monkeypatch)


def set_up(spec: Engine = FAKE) -> list[str]:
    told: list[str] = []
    install.install(spec, told.append)
    return told


def test_packages_of_pypi_go_into_an_environment_of_their_own(machine: Machine) -> None:
    machine.needs("requirements.txt")
    told = set_up()
    assert len(told) == 1
    assert "fake: packages of PyPI" in told[0]
    assert missing(FAKE) == ""
    assert f"-m venv {stamp(FAKE).parent}" in machine.called
    assert f"-r {machine.recipes / 'requirements.txt'}" in machine.called
    assert stamp(FAKE).read_text("ascii").strip() == fingerprint(FAKE)


def test_what_is_there_is_left_alone_and_what_has_changed_is_set_up_anew(machine: Machine) -> None:
    machine.needs("requirements.txt")
    set_up()
    calls = machine.called
    assert set_up() == ["fake: up to date"]
    assert machine.called == calls
    relic = stamp(FAKE).parent / "relic"
    relic.touch()
    machine.needs("requirements.txt", "a==2\n")
    assert "packages of PyPI" in set_up()[0]
    assert not relic.exists()
    assert missing(FAKE) == ""


def test_packages_of_npm_and_maven_are_fetched_by_those(machine: Machine) -> None:
    for name in ("npm", "mvn"):
        machine.program(name, f'#!/bin/sh\necho "{name} $*" >> {machine.log}\n')
    machine.needs("package.json", "{}")
    machine.needs("pom.xml", "<project/>")
    assert set_up() == ["fake: packages of npm", "fake: jars of Maven Central"]
    assert (stamp(FAKE).parent / "package.json").read_text("utf-8") == "{}"
    assert "--ignore-scripts" in machine.called
    assert f"-DoutputDirectory={stamp(FAKE).parent / 'jars'}" in machine.called
    assert "python" not in machine.called
    assert missing(FAKE) == ""


@pytest.mark.parametrize(("recipe", "program"), [("package.json", "npm"), ("pom.xml", "mvn")])
def test_a_program_that_is_missing_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch, recipe: str, program: str) -> None:
    monkeypatch.setenv("PATH", str(machine.bin))
    machine.needs(recipe, "{}")
    with pytest.raises(InstallFailed, match=f"^{program} is not on the PATH$"):
        set_up()
    assert missing(FAKE) == "it is not installed"


@pytest.mark.parametrize(
    ("pip", "told"),
    [
        (
            "echo noise; echo 'ERROR: No matching distribution found for a==1' >&2; echo 'more noise' >&2; exit 1",
            "No matching distribution",
        ),
        ("echo 'what went wrong' >&2; exit 1", "what went wrong"),
        ("exit 7", "python failed: $"),
        (r"printf '\377\376 error \n' >&2; exit 1", "error"),
    ],
)
def test_a_failing_pip_is_one_line_and_leaves_the_engine_missing(machine: Machine, pip: str, told: str) -> None:
    machine.needs("requirements.txt")
    machine.python(pip)
    with pytest.raises(InstallFailed, match=told) as raised:
        set_up()
    assert "\n" not in str(raised.value)
    assert missing(FAKE) == "it is not installed"
    machine.python()
    set_up()
    assert missing(FAKE) == ""


def test_a_failure_after_success_does_not_leave_the_old_one_for_new(machine: Machine) -> None:
    machine.needs("requirements.txt")
    set_up()
    machine.needs("requirements.txt", "a==2\n")
    machine.python("exit 1")
    with pytest.raises(InstallFailed):
        set_up()
    assert missing(FAKE) == "it is not installed"


def test_a_folder_that_cannot_be_written_is_told(machine: Machine, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    machine.needs("requirements.txt")
    (tmp_path / "file").touch()
    monkeypatch.setenv("INSIGMA_ENGINES", str(tmp_path / "file" / "engines"))
    with pytest.raises(InstallFailed, match="Not a directory"):
        set_up()


def later(machine: Machine, name: str, version: str) -> Path:
    path = machine.program("later", PYTHON.format(log=machine.log, pip="exit 0", version=version))
    target = machine.bin.parent / name
    target.parent.mkdir(parents=True, exist_ok=True)
    return path.rename(target)


@pytest.mark.parametrize(
    ("name", "version", "found"),
    [
        ("bin/python3.19", "3 19", True),
        ("pyenv/versions/3.17.2/bin/python3", "3 17", True),
        ("bin/python3.19", "pyenv: no such version", False),
        ("bin/python3.19", "3 15", False),  # not what its name says
    ],
)
def test_a_later_python_is_looked_for_where_packages_need_one(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, name: str, version: str, found: bool
) -> None:
    monkeypatch.setenv("PATH", f"{machine.bin}:/bin")
    spec = Engine("fake", "splunk", ("spl",), python=(3, 17))
    machine.needs("requirements.txt")
    path = later(machine, name, version)
    if found:
        assert str(path) in set_up(spec)[0]
        assert missing(spec) == ""
    else:
        with pytest.raises(InstallFailed, match=r"Python 3\.17 or later, and none is on the PATH \(python3\.17\) or in pyenv"):
            set_up(spec)
