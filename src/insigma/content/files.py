"""Finding files: folders walked in a fixed order, links that lead out of the folder told."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from insigma.content.yaml_reader import ReadResult, read_file
from insigma.diagnostics.model import Diagnostic, Place

SUFFIXES = frozenset({".yml", ".yaml"})


def shown_path(path: Path) -> str:
    """The path as people should see it: below the working folder without it, else whole; always with slashes."""
    absolute = Path(os.path.abspath(path))  # noqa: PTH100 - resolve() would follow links
    try:
        return absolute.relative_to(Path.cwd()).as_posix()
    except ValueError:
        return absolute.as_posix()


@dataclass(slots=True)
class Finder:
    """Walks below `root`, which links must not leave; `found` are the diagnostics of the walk."""

    root: Path
    found: list[Diagnostic] = field(default_factory=list)

    def files(self, folder: Path) -> Iterator[Path]:
        """The YAML files below the folder, sorted; a link out of `root` gives INS011 and is not followed."""
        if not self.inside(folder):
            return
        for base, folders, names in os.walk(folder, onerror=self._unreadable):
            folders.sort()
            for name in list(folders):
                if (Path(base) / name).is_symlink():
                    folders.remove(name)
                    self.inside(Path(base) / name)
            for name in sorted(names):
                path = Path(base) / name
                if path.suffix in SUFFIXES and (not path.is_symlink() or self.inside(path)):
                    yield path

    def inside(self, path: Path) -> bool:
        """Whether the path, its links followed, stays below `root`; if not, that is told."""
        real = Path(os.path.realpath(path))  # resolve() raises for links in a circle
        if real.is_relative_to(os.path.realpath(self.root)):
            return True
        hint = "copy the file into the pack"
        self.found.append(
            Diagnostic(Place(shown_path(path)), "INS011", f"a link to {shown_path(real)}, outside of {shown_path(self.root)}", hint)
        )
        return False

    def _unreadable(self, error: OSError) -> None:
        place = Place(shown_path(Path(error.filename or self.root)))
        self.found.append(Diagnostic(place, "INS001", f"cannot be read: {error.strerror}", "check that the folder may be read"))

    def read(self, path: Path) -> ReadResult:
        """Read one file and keep what is wrong with it."""
        result = read_file(path, shown_path(path))
        self.found.extend(result.diagnostics)
        return result
