"""Reading raw feeds: lines of JSON, one JSON array, or CSV. A line that cannot be read is told, and the next one is read.

Lines are numbered as in the file, from 1. Memory is bounded by the longest line (but for a JSON array, which is one value).
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from typing import IO, Any

from insigma.content.json_values import BROKEN, loads
from insigma.content.products import Input, InputKind
from insigma.content.raw_paths import follow

MAX_LINE = 16 << 20
"""Bytes in one line; longer ones are told and skipped."""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Raw:
    """One raw event and the line that it began on."""

    line: int
    record: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Unread:
    """A line that gives no event, and why."""

    line: int
    reason: str


def read(stream: IO[bytes], source: Input) -> Iterator[Raw | Unread]:
    """Every raw event of the stream, and every line that could not be read."""
    return _read_csv(stream, source) if source.kind is InputKind.CSV else _read_json(stream, source)


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes | None]]:
    """Number and text of each line; None for one that is too long."""
    number = 0
    while line := stream.readline(MAX_LINE + 1):
        number += 1
        if number == 1:
            line = line.removeprefix(_BOM)
        if len(line) <= MAX_LINE:
            yield number, line
            continue
        while line and not line.endswith(b"\n"):
            line = stream.readline(MAX_LINE + 1)
        yield number, None


def _too_long(number: int) -> Unread:
    return Unread(number, f"longer than {MAX_LINE >> 20} MiB")


def _read_json(stream: IO[bytes], source: Input) -> Iterator[Raw | Unread]:
    first = True
    for number, line in _lines(stream):
        text = line.strip() if line is not None else None
        if text == b"":
            continue
        if text is None:
            yield _too_long(number)
        elif first and text.startswith(b"["):
            value = loads(text + b"\n" + stream.read())
            if not isinstance(value, list):
                yield Unread(number, "begins like a JSON array and is none")
                return
            for element in value:
                yield from _records(element, number, source)
            return
        else:
            yield from _records(loads(text), number, source)
        first = False


def _records(value: Any, line: int, source: Input) -> Iterator[Raw | Unread]:
    if value is BROKEN:
        yield Unread(line, "not JSON")
    elif not isinstance(value, dict):
        yield Unread(line, "not a JSON object")
    else:
        elements = follow(source.each, value) if source.each is not None else None
        for element in elements if isinstance(elements, list) else [value]:
            yield Raw(line, element) if isinstance(element, dict) else Unread(line, "not a JSON object")


class _NotText(Exception):
    """A line of CSV is not UTF-8, or too long. The message says so."""


class _TextLines:
    """The lines of a stream as text. After a line that is none, which raises `_NotText`, the next can be asked for."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._lines = _lines(stream)
        self.number = 0

    def __iter__(self) -> _TextLines:
        return self

    def __next__(self) -> str:
        self.number, line = next(self._lines)
        if line is None:
            raise _NotText(_too_long(self.number).reason)
        try:
            return line.decode("utf-8")
        except UnicodeDecodeError as error:
            raise _NotText("not UTF-8") from error


def _read_csv(stream: IO[bytes], source: Input) -> Iterator[Raw | Unread]:
    csv.field_size_limit(MAX_LINE)  # the default, 128 KiB, would refuse a long statement, and who writes it would not be seen
    lines = _TextLines(stream)
    rows = csv.reader(lines, delimiter=source.delimiter)
    columns = source.columns
    header = source.header
    while True:
        began = lines.number + 1
        try:
            row = next(rows)
        except StopIteration:
            return
        except (_NotText, csv.Error) as error:
            yield Unread(began, str(error))
            continue
        if header:
            columns = columns or tuple(row)
            header = False
        elif len(row) > len(columns):
            yield Unread(began, f"{len(row)} values, but {len(columns)} columns")
        elif row:
            yield Raw(began, dict(zip(columns, row, strict=False)))
