"""Runs the program: in this process, which is quick and can be measured, or as a process of its own, as a user does.

A `Place` is a folder to work in. `pack` makes a copy of the insurance pack, or a small one that is quick to build.
"""

from __future__ import annotations

import contextlib
import io
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock

import jsonschema
from referencing import Registry, Resource

from insigma.cli.main import main
from insigma.schemas import NAMES, load

ROOT = Path(__file__).resolve().parents[2]
SOURCES = ROOT / "src"
SMALL = (
    "claims/claims_system_access_denied",
    "claims/potential_repeated_unauthorised_claim_access_attempts",
    "claims/suspicious_access_to_restricted_claim_file",
)
"""An event rule that alerts, a base rule, and a correlation on it."""


@dataclass(frozen=True, slots=True)
class Ran:
    """How a run ended: exit code, and what it wrote."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def lines(self) -> list[str]:
        return self.out.splitlines()


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


def insigma(*arguments: str | Path, cwd: Path, stdin: bytes = b"", env: Mapping[str, str] | None = None, terminal: bool = False) -> Ran:
    """Run a command in this process. No stream is a terminal, unless `terminal` says that standard output and error are."""
    out, err = ((Terminal if terminal else io.TextIOWrapper)(io.BytesIO(), encoding="utf-8") for _ in range(2))
    code: Any = None
    with (
        contextlib.chdir(cwd),
        mock.patch.dict(os.environ, env or {}),
        mock.patch.object(sys, "argv", ["insigma", *map(str, arguments)]),
        mock.patch.object(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin), encoding="utf-8")),
        contextlib.redirect_stdout(out),
        contextlib.redirect_stderr(err),
    ):
        interrupt = signal.getsignal(signal.SIGINT)
        try:
            main()
        except SystemExit as ended:
            code = ended.code
        finally:
            signal.signal(signal.SIGINT, interrupt)
        out.flush()
        err.flush()
    assert code is not None, "the program always ends with an exit code"
    return Ran(int(code), *(_text(stream) for stream in (out, err)))


def _text(stream: io.TextIOWrapper) -> str:
    binary = stream.buffer
    assert isinstance(binary, io.BytesIO)
    return binary.getvalue().decode("utf-8")


def command(*arguments: str | Path, python: str | Path = sys.executable) -> list[str]:
    """The command line of a process of its own."""
    return [str(python), "-m", "insigma", *map(str, arguments)]


def environment(**extra: str) -> dict[str, str]:
    """What a process of its own needs, and nothing that steers its output."""
    kept = {name: value for name, value in os.environ.items() if name not in {"NO_COLOR", "INSIGMA_DEBUG", "FORCE_COLOR"}}
    return {**kept, "PYTHONPATH": str(SOURCES), **extra}


def spawn(
    *arguments: str | Path, cwd: Path, env: Mapping[str, str] | None = None, python: str | Path = sys.executable, wrap: Sequence[str] = ()
) -> Ran:
    """Run a command as a process of its own, its output piped; `wrap` is put before it."""
    ran = subprocess.run(
        [*wrap, *command(*arguments, python=python)],
        cwd=cwd,
        env=environment(**(env or {})),
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )
    return Ran(ran.returncode, ran.stdout, ran.stderr)


def whole_pack(folder: Path) -> Path:
    """A copy of the insurance pack in the folder."""
    for part in ("rules", "mappings", "proofs", "tests/fixtures"):
        shutil.copytree(ROOT / part, folder / part)
    shutil.copy(ROOT / "insigma.yml", folder / "insigma.yml")
    return folder


def small_pack(folder: Path, rules: Sequence[str] = SMALL) -> Path:
    """A pack of a few rules of the insurance pack, with their fixtures and all mappings, but without the example tenants' profiles.

    Those name rules, thresholds and lists that are not here.
    """
    shutil.copytree(ROOT / "mappings", folder / "mappings")
    for profile in (folder / "mappings/tenants").glob("*.yml"):
        if profile.stem != "default":
            profile.unlink()
    shutil.copy(ROOT / "insigma.yml", folder / "insigma.yml")
    for name in rules:
        for part in ("rules", "tests/fixtures"):
            source = ROOT / part / f"{name}.yml"
            if source.exists():
                target = folder / part / f"{name}.yml"
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(source, target)
    return folder


def edit(path: Path, old: str, new: str) -> None:
    """Replace the first occurrence of a text that must be there."""
    text = path.read_text(encoding="utf-8")
    assert old in text, f"{path} has no {old!r}"
    path.write_text(text.replace(old, new, 1), encoding="utf-8")


def files_of(folder: Path) -> dict[str, bytes]:
    """Every file below the folder, by its path."""
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()}


def number_of_files(folder: Path) -> int:
    """How many YAML files there are below the folder."""
    return len(list(folder.rglob("*.yml")))


def siblings(folder: Path) -> list[str]:
    """What else stands beside the folder that bears its name: temporary folders of a build."""
    return sorted(path.name for path in folder.parent.iterdir() if folder.name in path.name and path != folder)


@cache
def _registry() -> Registry[Any]:
    schemas = [load(name) for name in NAMES]
    return Registry().with_resources((schema["$id"], Resource.from_contents(schema)) for schema in schemas)


def assert_valid(instance: Any, schema: str) -> None:
    """The instance is what one of our schemas asks for."""
    jsonschema.Draft202012Validator(load(schema), registry=_registry()).validate(instance)


def findings(text: str) -> Iterator[tuple[str, int, str]]:
    """Path, line and code of each finding in text form."""
    for line in text.splitlines():
        head, _, rest = line.partition(": ")
        path, _, place = head.partition(":")
        if rest.startswith(("error INS", "warning INS", "note INS")):
            yield path, int(place.split(":")[0]), rest.split()[1]
