"""Setting engines up: each in a folder of its own, from PyPI, npm or Maven. This is the only part that uses the network."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from insigma_prove.engines import WORKERS, Engine, fingerprint, home, missing, stamp


class InstallFailed(Exception):
    """An engine could not be set up: why, in one line."""


def install(spec: Engine, tell: Callable[[str], None]) -> None:
    """Set one engine up; nothing is done where it is already there. Raises `InstallFailed`."""
    if not missing(spec):
        tell(f"{spec.name}: up to date")
        return
    try:
        _set_up(spec, tell)
    except OSError as error:
        raise InstallFailed(f"{error.strerror}: {error.filename}") from error


def _set_up(spec: Engine, tell: Callable[[str], None]) -> None:
    folder, recipe = home() / spec.name, WORKERS / spec.name
    shutil.rmtree(folder, ignore_errors=True)
    folder.parent.mkdir(parents=True, exist_ok=True)
    if (recipe / "requirements.txt").is_file():
        python = _python(spec)
        tell(f"{spec.name}: packages of PyPI, for {python}")
        _call([python, "-m", "venv", str(folder)])
        pip = [str(folder / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-input"]
        _call([*pip, "-r", str(recipe / "requirements.txt")])
    folder.mkdir(exist_ok=True)
    if (recipe / "package.json").is_file():
        tell(f"{spec.name}: packages of npm")
        shutil.copyfile(recipe / "package.json", folder / "package.json")
        _call([_program("npm"), "install", "--prefix", str(folder), "--no-audit", "--no-fund", "--ignore-scripts", "--loglevel=error"])
    if (recipe / "pom.xml").is_file():
        tell(f"{spec.name}: jars of Maven Central")
        goal = ["dependency:copy-dependencies", f"-DoutputDirectory={folder / 'jars'}"]
        _call([_program("mvn"), "--quiet", "--batch-mode", "-f", str(recipe / "pom.xml"), *goal])
    stamp(spec).write_text(fingerprint(spec) + "\n", encoding="ascii")


def _call(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    if done.returncode:
        said = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()]
        told = next((line for line in said if "error" in line.lower()), said[-1] if said else "")
        raise InstallFailed(f"{Path(command[0]).name} failed: {told.strip()[:400]}")


def _program(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise InstallFailed(f"{name} is not on the PATH")
    return found


def _python(spec: Engine) -> str:
    """A Python that the engine's packages run on: this one if it is new enough, else one on the PATH or of pyenv."""
    if sys.version_info[:2] >= spec.python:
        return getattr(sys, "_base_executable", sys.executable)
    for candidate in _pythons():
        said = subprocess.run(
            [candidate, "-c", "import sys; print(*sys.version_info[:2])"], capture_output=True, text=True, check=False
        ).stdout.split()
        if len(said) == 2 and (int(said[0]), int(said[1])) >= spec.python:
            return candidate
    wanted = ".".join(map(str, spec.python))
    raise InstallFailed(f"its packages need Python {wanted} or later, and none is on the PATH (python{wanted}) or in pyenv")


def _pythons() -> Iterator[str]:
    """Other Pythons of this machine, the older first: packages lag behind Python."""
    versions = Path(os.environ.get("PYENV_ROOT") or Path.home() / ".pyenv") / "versions"
    for minor in range(12, 20):
        if found := shutil.which(f"python3.{minor}"):
            yield found
        yield from sorted(str(path) for path in versions.glob(f"3.{minor}.*/bin/python3"))
