"""What a command works on: the pack that paths lie in, or loose rules, or the pack that the program carries."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import click

from insigma import __version__
from insigma.cli.errors import UsageError
from insigma.content.files import shown_path
from insigma.content.model import AnyRule
from insigma.content.pack import PACK_FILE, Loaded, bundled_root, find_root, load_loose, load_pack
from insigma.diagnostics.model import Diagnostic

PARTS = (("rules",), ("mappings",), ("tests", "fixtures"), (PACK_FILE,))
"""What belongs to a pack; other files in its folder are none of it."""


@dataclass(frozen=True, slots=True)
class Workplace:
    """What was loaded, and which of it was asked for. `selected` is empty where all was."""

    loaded: Loaded
    root: Path | None
    selected: tuple[str, ...]

    def concerns(self, path: str) -> bool:
        """Whether a file is among what was asked for."""
        return not self.selected or any(path == chosen or path.startswith(f"{chosen}/") for chosen in self.selected)

    def of_interest(self, diagnostics: Sequence[Diagnostic]) -> tuple[Diagnostic, ...]:
        return tuple(found for found in diagnostics if self.concerns(found.place.path))

    @property
    def rules(self) -> tuple[AnyRule, ...]:
        return tuple(rule for rule in self.loaded.pack.rules if self.concerns(rule.header.path))


def open_workplace(paths: Sequence[Path], *, mixed: bool = False) -> Workplace:
    """The workplace of the paths; without paths, the pack around the working folder, else the program's own.

    Paths in different packs, or in one and outside, are read together as loose rules if `mixed`.
    Raises `UsageError` if they may not be mixed, and for paths that do not exist or hold no YAML.
    """
    for path in paths:
        if not path.exists() and not path.is_symlink():
            raise UsageError(f"{path}: no such file or folder")
    roots = {_root_of(path) for path in paths} or {_root_here()}
    if len(roots) > 1 and not mixed:
        raise UsageError("the paths lie in different packs, or some in none", "give one pack at a time")
    root = roots.pop() if len(roots) == 1 else None
    if root is None:
        loaded = load_loose(paths, bundled_root())
        if not loaded.pack.documents and not loaded.diagnostics:
            raise _nothing(paths)
        return Workplace(loaded, None, ())
    loaded = load_pack(root)
    if not paths or any(_parts(path, root) == () for path in paths):
        return Workplace(loaded, root, ())
    workplace = Workplace(loaded, root, tuple(shown_path(path) for path in paths))
    if not any(workplace.concerns(document.path) for document in loaded.pack.documents) and not workplace.of_interest(loaded.diagnostics):
        raise _nothing(paths)
    return workplace


def _root_here() -> Path:
    """The pack around the working folder; if there is none, the program's own, which is said."""
    root = find_root(Path.cwd())
    if root is None:
        click.echo(f"insigma: no insigma.yml here or above: working on the pack that came with insigma {__version__}", err=True)
        return bundled_root()
    return root


def _nothing(paths: Sequence[Path]) -> UsageError:
    return UsageError(f"no .yml or .yaml files in {', '.join(map(str, paths))}", "give a rule, a folder of rules or a pack")


def _root_of(path: Path) -> Path | None:
    """The pack that the path is a part of; None also for a file that only lies about in a pack's folder."""
    root = find_root(path)
    if root is None:
        return None
    parts = _parts(path, root)
    return root if any(parts[: len(part)] == part[: len(parts)] for part in PARTS) else None


def _parts(path: Path, root: Path) -> tuple[str, ...]:
    """The way from the root of a pack to a path in it."""
    return Path(os.path.abspath(path)).relative_to(root).parts  # noqa: PTH100 - `..` is taken out, links are not followed
