"""Opening a file that may have been put there by somebody else: it is a plain file, or it is not opened."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


class NoPlainFile(OSError):
    """It is a folder, a pipe, a socket or a device."""

    def __init__(self) -> None:
        super().__init__("no plain file")
        self.strerror = "no plain file"


def open_plain(path: Path, *, follow: bool) -> BinaryIO:
    """The file, for reading. A pipe without a writer does not make it wait; a link is an error unless `follow`.

    Raises `NoPlainFile`, another OSError, or ValueError for a path that holds a zero byte.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)
    descriptor = os.open(path, flags if follow else flags | getattr(os, "O_NOFOLLOW", 0))
    try:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise NoPlainFile
        return os.fdopen(descriptor, "rb")
    except OSError:
        os.close(descriptor)
        raise
