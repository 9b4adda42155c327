"""Several files of a pack written at once: each is written aside and checked to be on disk before the first is put in place."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path


class LeavesPack(Exception):
    """A file of the pack is a link to somewhere else: its name."""


def write_at_once(root: Path, files: Mapping[str, str]) -> None:
    """Put the texts in place below `root`, in their order: who is interrupted has the first of them new, and each is whole.

    Raises `LeavesPack`, or `OSError` with nothing changed unless the disk fails between two renames.
    """
    base = Path(os.path.realpath(root))
    places = {name: Path(os.path.realpath(base / name)) for name in files}
    for name, place in places.items():
        if not place.is_relative_to(base):
            raise LeavesPack(name)
    aside: dict[Path, Path] = {}
    try:
        for name, text in files.items():
            place = places[name]
            aside[place] = place.with_name(f".{place.name}.new-{os.getpid()}")
            _write(aside[place], text, place)
        for place, fresh in aside.items():
            fresh.replace(place)
    finally:
        for fresh in aside.values():
            fresh.unlink(missing_ok=True)


def _write(fresh: Path, text: str, like: Path) -> None:
    """The text on disk, with the permissions of the file that it will replace."""
    with fresh.open("w", encoding="utf-8", newline="") as stream:
        stream.write(text)
        stream.flush()
        os.fsync(stream.fileno())
    if like.exists():
        fresh.chmod(like.stat().st_mode & 0o777)
