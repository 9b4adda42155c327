"""The engines that judge: which target's languages each takes, and what it needs to run."""

from __future__ import annotations

import hashlib
import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from insigma.content.pack import bundled_root

WORKERS = Path(__file__).parent / "workers"


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine adapter.

    `name` is its package below `workers/`; it judges `languages` of `target`. `python` is the least Python its packages
    need. `needed` engines come from PyPI and npm in seconds: the tests want them, and CI fails without them.
    """

    name: str
    target: str
    languages: tuple[str, ...]
    python: tuple[int, int] = (3, 11)
    needed: bool = True


ENGINES = (
    Engine("elastic", "elastic", ("lucene", "eql", "esql"), python=(3, 12)),
    Engine("spl", "splunk", ("spl",)),
    Engine("kusto", "sentinel", ("kql",)),
    Engine("opensearch", "elastic", ("lucene",), needed=False),
    Engine("sqlite", "pysigma:sqlite", ("sqlite",)),
    Engine("logql", "pysigma:loki", ("loki",), python=(3, 13), needed=False),
)


def engine(name: str) -> Engine:
    """The engine of that name. Raises KeyError."""
    return {entry.name: entry for entry in ENGINES}[name]


def engines_for(target: str, language: str) -> tuple[Engine, ...]:
    """The engines that judge a language of a target, the most trusted first."""
    return tuple(entry for entry in ENGINES if entry.target == target and language in entry.languages)


def home() -> Path:
    """Where engines are installed: INSIGMA_ENGINES, `.engines` of a source checkout, else the user's cache folder."""
    if chosen := os.environ.get("INSIGMA_ENGINES"):
        return Path(chosen)
    root = bundled_root()
    if (root / "pyproject.toml").is_file():
        return root / ".engines"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "insigma" / "engines"


RECIPES = ("requirements.txt", "package.json", "pom.xml")
"""What an adapter's folder may hold to say what it needs: packages of PyPI, npm and Maven, each with its exact version."""


def recipes(spec: Engine) -> Iterator[Path]:
    """The files that say what the engine needs."""
    return (path for name in RECIPES if (path := WORKERS / spec.name / name).is_file())


def fingerprint(spec: Engine) -> str:
    """A digest of everything the engine needs, kept beside what was installed."""
    digest = hashlib.sha256()
    for path in recipes(spec):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()


def stamp(spec: Engine) -> Path:
    """The file that holds the fingerprint of what was installed."""
    return home() / spec.name / "installed"


def python_of(spec: Engine) -> Path:
    """The Python that runs the engine's adapter: that of its own environment, or this one where it needs no packages."""
    if not (WORKERS / spec.name / "requirements.txt").is_file():
        return Path(sys.executable)
    return home() / spec.name / "bin" / "python"


def missing(spec: Engine) -> str:
    """Why the engine cannot run, or nothing if it can."""
    if not any(recipes(spec)):
        return ""
    if not stamp(spec).is_file():
        return "it is not installed"
    if stamp(spec).read_text(encoding="utf-8", errors="replace").strip() != fingerprint(spec):
        return "what is installed is not what this version of insigma needs"
    if not python_of(spec).exists():
        return "the Python that it was installed for is gone"
    return ""
