"""A .tar.gz whose bytes depend on nothing but its files.

Compressors differ between zlib's versions and replacements, so the gzip holds its data as they are, in stored blocks
(RFC 1951, 3.2.4; RFC 1952): larger, but the same on every machine. The tar is POSIX ustar, with every time, owner and group 0.
"""

from __future__ import annotations

import io
import struct
import tarfile
import zlib
from collections.abc import Mapping

_BLOCK = 0xFFFF
_HEADER = bytes((0x1F, 0x8B, 8, 0, 0, 0, 0, 0, 0, 255))
"""gzip, deflate, no flags, no time, no hint, unknown system."""


def tar_gz(files: Mapping[str, str | bytes]) -> bytes:
    """The archive of the files and of the folders they stand in, by path. Text is UTF-8."""
    found = io.BytesIO()
    with tarfile.open(fileobj=found, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path in sorted({*files, *_folders(files)}):
            entry = tarfile.TarInfo(path)
            if path in files:
                content = files[path]
                data = content.encode("utf-8") if isinstance(content, str) else content
                entry.size, entry.mode = len(data), 0o644
                archive.addfile(entry, io.BytesIO(data))
            else:
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
    return gzip_stored(found.getvalue())


def gzip_stored(data: bytes) -> bytes:
    """The data in a gzip file, not compressed."""
    blocks = [data[start : start + _BLOCK] for start in range(0, len(data), _BLOCK)] or [b""]
    stored = [struct.pack("<BHH", number == len(blocks), len(block), len(block) ^ 0xFFFF) + block for number, block in enumerate(blocks, 1)]
    return b"".join((_HEADER, *stored, struct.pack("<II", zlib.crc32(data), len(data) & 0xFFFFFFFF)))


def _folders(files: Mapping[str, str | bytes]) -> set[str]:
    return {path[:end] for path in files for end, char in enumerate(path) if char == "/"}
