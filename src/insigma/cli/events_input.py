"""Reading event files: a JSON array or one JSON object a line, gzip by suffix, `-` for standard input."""

from __future__ import annotations

import gzip
import sys
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, cast

from insigma.cli.errors import UsageError
from insigma.content.json_values import BROKEN, loads

SHOWN_FAULTS = 5
_GZIP = b"\x1f\x8b"


@dataclass(slots=True)
class EventSource:
    """The events of one file. Every object or line takes a position, also a faulty one, which is told in `faults`."""

    path: str
    faults: list[str] = field(default_factory=list)
    faulty: int = 0
    _started: bool = False

    def events(self) -> Iterator[dict[str, Any] | None]:
        """Every event in order; None stands for one that cannot be read. Raises `UsageError` if the file cannot be read."""
        try:
            with self._open() as stream:
                yield from self._parsed(stream)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise UsageError(f"{self.path}: not readable as gzip: {error}") from error

    def _open(self) -> IO[bytes]:
        if self.path == "-":
            return sys.stdin.buffer
        if self.path.endswith(".gz"):
            return cast(IO[bytes], gzip.open(self.path, "rb"))
        return Path(self.path).open("rb")

    def _parsed(self, stream: IO[bytes]) -> Iterator[dict[str, Any] | None]:
        for number, line in enumerate(stream, 1):
            if number == 1 and line.startswith(_GZIP):
                shown = "standard input" if self.path == "-" else self.path
                raise UsageError(f"{shown} looks like gzip: unpack it first")
            text = line.removeprefix(b"\xef\xbb\xbf").strip() if number == 1 else line.strip()
            if not text:
                continue
            if text.startswith(b"[") and not self._started:
                yield from self._array(text + b"\n" + stream.read())
                return
            self._started = True
            yield self._object(text, f"line {number}")

    def _array(self, text: bytes) -> Iterator[dict[str, Any] | None]:
        value = loads(text)
        if not isinstance(value, list):
            raise UsageError(f"{self.path}: begins like a JSON array and is none", "give a JSON array, or one object a line")
        for position, element in enumerate(value):
            if isinstance(element, dict):
                yield element
            else:
                self._fault(f"element {position} is no object")
                yield None

    def _object(self, text: bytes, where: str) -> dict[str, Any] | None:
        value = loads(text)
        if isinstance(value, dict):
            return value
        self._fault(f"{where} is not JSON" if value is BROKEN else f"{where} is no object")
        return None

    def _fault(self, message: str) -> None:
        self.faulty += 1
        if len(self.faults) < SHOWN_FAULTS:
            self.faults.append(f"{self.path}: {message}")
