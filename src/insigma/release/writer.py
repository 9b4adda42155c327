"""Writing dist/ at once: a temporary sibling is filled, then exchanged with the old folder.

Where the system can exchange two folders atomically, it does; elsewhere two renames do, and the next start repairs what
an interruption between them left. Whatever happens before the exchange, the old folder stays whole.
"""

from __future__ import annotations

import ctypes
import errno
import os
import shutil
import sys
from collections.abc import Mapping
from pathlib import Path

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_RENAME_SWAP = 2


OURS = frozenset({"elastic", "splunk", "sentinel", "pysigma", "ledger", "ledger.json", "ledger.md", "manifest.json"})
OURS |= {"queries", "filters", "sbom.cdx.json", "manifest.json.sig", ".DS_Store"}
"""All that may stand at the top of a folder that is replaced, with what file managers leave there."""


class ForeignFolder(Exception):
    """What stands in place of the folder to be written was not built by this program: its path, and what gives it away."""

    def __init__(self, path: str, foreign: str) -> None:
        super().__init__(path)
        self.path = path
        self.foreign = foreign


def write_tree(out: Path, files: Mapping[str, str | bytes]) -> None:
    """Make `out` hold exactly `files`. Raises `ForeignFolder`, or `OSError` that names `out`; either way nothing has changed."""
    shown, out = str(out), Path(os.path.realpath(out))
    if not out.name:
        raise ForeignFolder(shown, "it is the root of the file system")
    old, fresh = out.with_name(f".{out.name}.old"), out.with_name(f".{out.name}.new-{os.getpid()}")
    try:
        recover(out)
        if (foreign := _foreign(out)) is not None:
            raise ForeignFolder(shown, foreign)
        out.parent.mkdir(parents=True, exist_ok=True)
        try:
            for path, content in files.items():
                _write(fresh / path, content)
            fresh.mkdir(exist_ok=True)
            _exchange(fresh, out, old)
        finally:
            _clear(fresh)
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), shown) from error


def _clear(folder: Path) -> None:
    """Remove a folder, also where Ctrl-C comes while that is done."""
    try:
        shutil.rmtree(folder, ignore_errors=True)
    except KeyboardInterrupt:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def recover(out: Path) -> None:
    """Put back what a build that was interrupted between its two renames left, and clear temporary folders of dead builds."""
    old = out.with_name(f".{out.name}.old")
    if old.is_dir():
        if out.exists():
            shutil.rmtree(old)
        else:
            old.rename(out)
    for leftover in out.parent.glob(f".{out.name}.new-*"):
        pid = leftover.name.rpartition("-")[2]
        if pid.isdigit() and int(pid) != os.getpid() and not _alive(int(pid)):
            shutil.rmtree(leftover, ignore_errors=True)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _foreign(out: Path) -> str | None:
    """What shows that the folder is not one that this program built (and a commit may hold only a part of); None if nothing does."""
    if not out.exists():
        return None
    if not out.is_dir():
        return "it is a file"
    names = sorted(entry.name for entry in out.iterdir())
    foreign = next((name for name in names if name not in OURS), None)
    if foreign is not None:
        return f"it holds {foreign}"
    built = not names or "manifest.json" in names or "ledger" in names
    return None if built else "it has neither manifest.json nor a ledger"


def _write(path: Path, content: str | bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode("utf-8"))


def _exchange(fresh: Path, out: Path, old: Path) -> None:
    if not out.exists():
        fresh.rename(out)
    elif not _swapped(fresh, out):
        out.rename(old)
        try:
            fresh.rename(out)
        except BaseException:
            if not out.exists():
                old.rename(out)
            raise
        _clear(old)


def _swapped(left: Path, right: Path) -> bool:
    """Exchange two folders in one step, if this system can."""
    try:
        library = ctypes.CDLL(None, use_errno=True)
        if sys.platform == "linux":
            result = library.renameat2(_AT_FDCWD, os.fsencode(left), _AT_FDCWD, os.fsencode(right), _RENAME_EXCHANGE)
        elif sys.platform == "darwin":
            result = library.renamex_np(os.fsencode(left), os.fsencode(right), _RENAME_SWAP)
        else:
            return False
    except (AttributeError, OSError):
        return False
    if result == 0:
        return True
    code = ctypes.get_errno()
    if code in (errno.ENOSYS, errno.EINVAL, errno.ENOTSUP):
        return False
    raise OSError(code, os.strerror(code), str(right))
