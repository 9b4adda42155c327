"""The set-up: what scripts/setup_venv.sh says when something is missing, and that the lock pins what pyproject.toml asks for."""

from __future__ import annotations

import os
import re
import shutil
import socket
import subprocess
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from pytest_socket import SocketConnectBlockedError

TOOLS = ("sh", "cat", "cksum", "dirname", "grep", "rm", "sed", "tail", "tee", "awk")


class Project:
    """A copy of what the set-up reads, in a folder with a space in its path, and a PATH with nothing but what is put there."""

    def __init__(self, root: Path, folder: Path) -> None:
        self.folder = folder / "a project"
        self.bin = folder / "bin"
        (self.folder / "scripts").mkdir(parents=True)
        self.bin.mkdir()
        for name in ("requirements.lock", "pyproject.toml", "scripts/setup_venv.sh"):
            shutil.copy(root / name, self.folder / name)
        for tool in TOOLS:
            found = shutil.which(tool)
            assert found is not None
            (self.bin / tool).symlink_to(found)

    def program(self, path: Path, script: str) -> Path:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        return path

    def run(self, python: str | None = None) -> subprocess.CompletedProcess[str]:
        environment = {"PATH": str(self.bin)} | ({"PYTHON": python} if python else {})
        command = [str(self.bin / "sh"), "scripts/setup_venv.sh"]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True, check=False)


@pytest.fixture
def project(root: Path, tmp_path: Path) -> Project:
    return Project(root, tmp_path)


def one_line(ran: subprocess.CompletedProcess[str]) -> str:
    assert ran.returncode == 3
    assert ran.stdout == ""
    (line,) = ran.stderr.splitlines()
    return line


def test_no_python(project: Project) -> None:
    assert "no Python 3.11 or later on PATH" in one_line(project.run())
    assert not (project.folder / ".venv").exists()


def test_python_too_old_and_a_shim_that_does_not_run_are_no_python(project: Project) -> None:
    project.program(project.bin / "python3", "echo version")
    project.program(project.bin / "python3.12", "echo 'pyenv: python3.12: command not found' >&2; exit 127")
    assert "no Python 3.11 or later on PATH" in one_line(project.run())


def test_no_venv_module(project: Project) -> None:
    project.program(project.bin / "python3.11", "echo venv")
    assert "python3.11 has no venv module" in one_line(project.run())


@pytest.mark.parametrize(
    ("script", "message"),
    [("echo version", "is older than Python 3.11"), ("echo venv", "has no venv module"), ("exit 127", "does not run")],
)
def test_chosen_python_is_the_only_one_tried(project: Project, script: str, message: str) -> None:
    project.program(project.bin / "python3", "exit 0")
    chosen = project.program(project.folder / "my python", script)
    line = one_line(project.run(str(chosen)))
    assert f"PYTHON={chosen}" in line
    assert message in line


def fake_python(project: Project, pip: str) -> Path:
    """A Python that says it is fine, and makes a .venv whose pip does what `pip` says."""
    inner = f"case \"$*\" in *'pip install'*) {pip} ;; esac"
    made = project.program(project.folder.parent / "inner", inner)
    make = f"mkdir -p .venv/bin && cp '{made}' .venv/bin/python"
    for tool in ("mkdir", "cp"):
        found = shutil.which(tool)
        assert found is not None
        (project.bin / tool).symlink_to(found)
    return project.program(project.bin / "python3", f"case \"$*\" in *'-m venv'*) {make} ;; *platform*) echo 3.11.9 ;; esac")


def test_failed_install_leaves_no_stamp_and_says_why(project: Project) -> None:
    fake_python(project, "echo 'ERROR: no route to host'; exit 1")
    ran = project.run()
    assert ran.returncode == 3
    assert "ERROR: no route to host" in ran.stderr
    assert "installing the packages failed" in ran.stderr.splitlines()[-1]
    assert not (project.folder / ".venv" / "insigma-stamp").exists()


def test_second_run_does_nothing_until_something_changed(project: Project) -> None:
    calls = project.folder.parent / "calls"
    fake_python(project, f"echo run >>'{calls}'")
    assert project.run().returncode == 0
    first = calls.read_text()
    assert first
    again = project.run()
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert calls.read_text() == first
    with (project.folder / "requirements.lock").open("a") as lock:
        lock.write("# changed\n")
    assert project.run().returncode == 0
    assert calls.read_text() == first * 2


def test_copied_folder_is_set_up_anew(project: Project) -> None:
    fake_python(project, "true")
    assert project.run().returncode == 0
    project.folder = Path(shutil.copytree(project.folder, project.folder.parent / "copy", symlinks=True))
    assert "setting up .venv" in project.run().stdout


def test_lock_pins_every_dependency_with_hashes_and_names_no_host(root: Path) -> None:
    settings = tomllib.loads((root / "pyproject.toml").read_text())["project"]
    wanted = [Requirement(text) for text in (*settings["dependencies"], *settings["optional-dependencies"]["dev"])]
    lock = (root / "requirements.lock").read_text()
    pins = dict(re.findall(r"^([a-z0-9-]+)==([^ ]+) (?:; .*)?\\\n    --hash=sha256:[0-9a-f]{64}", lock, re.MULTILINE))
    assert len(pins) == len(re.findall(r"^[a-z0-9]", lock, re.MULTILINE))
    assert "://" not in lock
    for requirement in wanted:
        assert requirement.specifier.contains(pins[canonicalize_name(requirement.name)]), requirement
        assert any(part.operator in {"<", "<="} for part in requirement.specifier), f"{requirement} has no upper bound"


@pytest.mark.filterwarnings("ignore:A test tried to use socket")
def test_sockets_beyond_loopback_are_blocked() -> None:
    with socket.socket() as outside, pytest.raises(SocketConnectBlockedError):
        outside.connect(("127.0.0.2", 80))  # blocked by its name; were it not, nothing would leave the machine
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname(), timeout=5) as inside:
            assert inside.getpeername()[0] == "127.0.0.1"


def test_ci_script_is_executable(root: Path) -> None:
    assert os.access(root / ".ci" / "run", os.X_OK)
