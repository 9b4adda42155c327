"""YAML files into plain values with the position of every node, hostile input included.

Input: a path or bytes. Output: `Document`s (one a YAML document) and diagnostics; nothing is raised for bad input.
Scalars follow YAML 1.1 as PyYAML reads it where that is unambiguous (true/false, null, decimal numbers); what YAML 1.1
would turn into something a rule author rarely means (yes/no/on/off, dates, octal, hexadecimal, sexagesimal) stays the
text that is written and is remembered in `Document.ambiguous`, for the rule's own reader to judge by place.

Events come from libyaml (`yaml.CSafeLoader`), so nesting costs no recursion and every limit is checked before memory is spent.
"""

from __future__ import annotations

import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from insigma.content.yaml_marks import Mark, columns_in, line_of, mark_after, mark_at
from insigma.content.yaml_scalars import resolve
from insigma.diagnostics.model import Diagnostic, Place

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_NODES = 100_000
MAX_ALIAS_NODES = 1_000

FREE = "|"

Key = tuple[str | int, ...]

_STANDARD = "tag:yaml.org,2002:"
_REPEATED = "\0repeated"


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """One YAML document: its data, and where each node stands. Two are the same only if they were read at once.

    `marks` maps a path of keys and indexes to the node's place, `key_marks` to the place of its key (mappings only);
    `ambiguous` maps a path to what YAML 1.1 would have made of the plain scalar there. `styles` maps the path of a scalar
    to its quote (none for a plain one), or to `FREE` where the text does not stand in the file letter by letter on one
    line after its mark (block scalars, several lines, anchors), so that no column inside it can be told. `columns` maps
    the path of a scalar with escapes to how far into the quotes each of its characters stands.
    """

    path: str
    data: Any
    marks: Mapping[Key, Mark] = field(repr=False)
    key_marks: Mapping[Key, Mark] = field(repr=False)
    ambiguous: Mapping[Key, str] = field(repr=False)
    styles: Mapping[Key, str] = field(repr=False)
    columns: Mapping[Key, tuple[int, ...]] = field(default_factory=dict, repr=False)

    def place(self, *key: str | int) -> Place:
        """Where the value at `key` stands, or the nearest node above it that exists."""
        for length in range(len(key), -1, -1):
            mark = self.marks.get(key[:length])
            if mark is not None:
                return Place(self.path, mark.line, mark.column)
        return Place(self.path)

    def key_place(self, *key: str | int) -> Place:
        """Where the key itself stands (the value's place for list items)."""
        mark = self.key_marks.get(key)
        return Place(self.path, mark.line, mark.column) if mark is not None else self.place(*key)

    def column_in(self, key: Key, offset: int) -> Place:
        """The place `offset` characters into the scalar at `key`, where it is written on one line."""
        start = self.place(*key)
        style = self.styles.get(key, "")
        if style == FREE:
            return start
        offset = self.columns[key][offset] if key in self.columns else offset
        return Place(start.path, start.line, start.column + offset + (1 if style else 0))


@dataclass(frozen=True, slots=True)
class ReadResult:
    """What a file gave: its documents, and the faults found (a file with a fault may still give documents)."""

    documents: tuple[Document, ...]
    diagnostics: tuple[Diagnostic, ...]


def read_file(path: Path, shown: str) -> ReadResult:
    """Read one file. `shown` is the path as the user should see it."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            return _fault(Place(shown), "INS001", "not a regular file", "only plain files are read")
        if status.st_size > MAX_BYTES:
            return _too_large(shown, status.st_size)
        with path.open("rb") as stream:
            raw = stream.read(MAX_BYTES + 1)
    except OSError as error:
        return _fault(Place(shown), "INS001", f"cannot be read: {error.strerror or error}", "check that the file exists and may be read")
    return _too_large(shown, len(raw)) if len(raw) > MAX_BYTES else read_bytes(raw, shown)


def _too_large(shown: str, size: int) -> ReadResult:
    return _fault(Place(shown), "INS002", f"{size:,} bytes; the limit is {MAX_BYTES:,}", "split the file; a rule is a page, not a book")


def _fault(place: Place, code: str, message: str, hint: str = "") -> ReadResult:
    return ReadResult((), (Diagnostic(place, code, message, hint),))


def read_bytes(raw: bytes, shown: str) -> ReadResult:
    """Read YAML from memory; the same contract as `read_file`."""
    try:
        text = raw.decode("utf-8-sig").lstrip("\ufeff")
    except UnicodeDecodeError as error:
        mark = mark_after(error.object[: error.start])
        message = f"byte 0x{error.object[error.start]:02x} is not UTF-8"
        return _fault(Place(shown, mark.line, mark.column), "INS003", message, "save the file as UTF-8")
    builder = _Builder(shown, text)
    try:
        for event in _events(text):
            builder.take(event)
    except _Stop:
        pass
    except yaml.YAMLError as error:
        builder.diagnostics.append(_syntax_fault(error, text, shown))
    if not builder.documents and not builder.diagnostics:
        return _fault(Place(shown), "INS012", "the file holds no document", "delete it, or write a rule")
    return ReadResult(tuple(builder.documents), tuple(builder.diagnostics))


def _events(text: str) -> Iterator[yaml.Event]:
    loader = yaml.CSafeLoader(text)
    try:
        while loader.check_event():
            event = loader.get_event()
            if event is not None:
                yield event
    finally:
        loader.dispose()


def _syntax_fault(error: yaml.YAMLError, text: str, shown: str) -> Diagnostic:
    """A parser's complaint as a diagnostic; a tab before the first word of a line has a code of its own."""
    unfinished = getattr(error, "problem", None) == "found unexpected end of stream"
    mark = getattr(error, "context_mark" if unfinished else "problem_mark", None)
    offset = getattr(error, "position", None)
    at = mark_after(text.encode("utf-8")[:offset]) if mark is None and isinstance(offset, int) else mark_at(mark, text)
    written = line_of(text, at)
    indent = written[: len(written) - len(written.lstrip())]
    if "\t" in indent:
        place = Place(shown, at.line, indent.index("\t") + 1)
        return Diagnostic(place, "INS004", "a tab in the indentation", "indent with spaces")
    problem = getattr(error, "problem", None) or getattr(error, "reason", None) or "not well-formed YAML"
    context = getattr(error, "context", None)
    message = f"{problem} ({context})" if context else str(problem)
    return Diagnostic(Place(shown, at.line, at.column), "INS005", message, "check indentation, quotes and colons around this place")


class _Stop(Exception):
    """Reading of the file ends here; the reason is in the builder's diagnostics."""


@dataclass(slots=True)
class _Node:
    """A collection under construction."""

    path: Key
    value: Any
    anchor: str | None
    size: int = 1
    height: int = 1
    key: str | None = None
    expects_key: bool = False
    repeated: bool = False


class _Builder:
    """Builds documents from events, keeping marks and limits. One builder a file."""

    def __init__(self, shown: str, source: str) -> None:
        self.shown = shown
        self._source = source
        self.documents: list[Document] = []
        self.diagnostics: list[Diagnostic] = []
        self._taken = 0
        self._reset()

    def _reset(self) -> None:
        self._stack: list[_Node] = []
        self._anchors: dict[str, tuple[Any, int, int]] = {}
        self._expanded = 0
        self._root: Any = None
        self._marks: dict[Key, Mark] = {}
        self._key_marks: dict[Key, Mark] = {}
        self._ambiguous: dict[Key, str] = {}
        self._styles: dict[Key, str] = {}
        self._columns: dict[Key, tuple[int, ...]] = {}

    def take(self, event: yaml.Event) -> None:
        """Take the next event. Raises `_Stop` once the file is not worth reading on."""
        self._taken += 1
        if self._taken > MAX_NODES:
            message, hint = f"more than {MAX_NODES:,} nodes", "split the file; the rest of it was not read"
            self._report(self._mark(event), "INS002", message, hint)
            raise _Stop
        match event:
            case yaml.ScalarEvent():
                self._scalar(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.DocumentStartEvent():
                self._reset()
                self._start = self._mark(event)
            case yaml.DocumentEndEvent():
                self._finish()

    def _mark(self, event: yaml.Event) -> Mark:
        return mark_at(event.start_mark, self._source)

    def _finish(self) -> None:
        if not isinstance(self._root, dict):
            if self._root is None:
                return
            kind = "a list" if isinstance(self._root, list) else "a single value"
            mark = self._marks.get((), self._start)
            self._report(mark, "INS009", f"the document is {kind}", "a rule is a mapping of keys to values")
            return
        self.documents.append(Document(self.shown, self._root, self._marks, self._key_marks, self._ambiguous, self._styles, self._columns))

    def _report(self, mark: Mark, code: str, message: str, hint: str) -> None:
        self.diagnostics.append(Diagnostic(Place(self.shown, mark.line, mark.column), code, message, hint))

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        text, mark = event.value, self._mark(event)
        node = self._stack[-1] if self._stack else None
        if node is not None and node.expects_key:
            self._take_key(node, text, mark)
            return
        path = self._next_path()
        plain = event.style is None or event.style == ""
        value: Any = text
        if event.tag not in (None, "!", _STANDARD + "str"):
            self._report(mark, "INS005", f"tag {event.tag} is not read", "leave tags out; quote what should be a string")
        elif plain and event.tag is None:
            value, ambiguous = resolve(text)
            if ambiguous:
                self._ambiguous[path] = ambiguous
        self._note_style(event, path)
        self._put(value, path, mark, event.anchor)

    def _note_style(self, event: yaml.ScalarEvent, path: Key) -> None:
        start, end, style = event.start_mark, event.end_mark, event.style or ""
        if start is None or end is None or start.line != end.line or event.anchor is not None or event.tag is not None:
            self._styles[path] = FREE
        elif style in ("'", '"'):
            self._styles[path] = style
            if end.column - start.column != len(event.value) + 2:
                self._columns[path] = columns_in(self._source[start.index + 1 : end.index], style)
        elif style:
            self._styles[path] = FREE

    def _take_key(self, node: _Node, text: str, mark: Mark) -> None:
        path = (*node.path, text)
        if text in node.value:
            first = self._key_marks[path]
            self._report(
                mark,
                "INS006",
                f"key '{text}' stands here and on line {first.line}",
                "keep one; a later key would silently replace the earlier",
            )
        if text == "<<":
            self._report(mark, "INS005", "merge keys are not read", "write the entries out")
        self._key_marks.setdefault(path, mark)
        node.repeated = text in node.value
        node.key = text
        node.expects_key = False

    def _next_path(self) -> Key:
        if not self._stack:
            return ()
        node = self._stack[-1]
        if isinstance(node.value, list):
            return (*node.path, len(node.value))
        return (*node.path, str(node.key), _REPEATED) if node.repeated else (*node.path, str(node.key))

    def _open(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent) -> None:
        mark = self._mark(event)
        if len(self._stack) >= MAX_DEPTH:
            self._too_deep(mark)
        if self._stack and self._stack[-1].expects_key:
            self._report(mark, "INS005", "a collection stands where a key is meant", "keys are plain words")
            raise _Stop
        mapping = isinstance(event, yaml.MappingStartEvent)
        if event.tag not in (None, "!", _STANDARD + ("map" if mapping else "seq")):
            self._report(mark, "INS005", f"tag {event.tag} is not read", "leave tags out")
        path = self._next_path()
        self._marks[path] = mark
        self._stack.append(_Node(path, {} if mapping else [], event.anchor, expects_key=mapping))

    def _close(self) -> None:
        node = self._stack.pop()
        self._put(node.value, node.path, None, node.anchor, node.size, node.height)

    def _alias(self, event: yaml.AliasEvent) -> None:
        mark = self._mark(event)
        if self._stack and self._stack[-1].expects_key:
            self._report(mark, "INS005", "an alias stands where a key is meant", "write the key out")
            raise _Stop
        if event.anchor not in self._anchors:
            self._report(mark, "INS005", f"alias *{event.anchor} has no anchor before it", "define &" + str(event.anchor) + " first")
            raise _Stop
        value, size, height = self._anchors[event.anchor]
        if len(self._stack) + height > MAX_DEPTH:
            self._too_deep(mark)
        self._expanded += size
        if self._expanded > MAX_ALIAS_NODES:
            message = f"aliases expand to more than {MAX_ALIAS_NODES:,} nodes"
            self._report(mark, "INS007", message, "write the values out; the rest of the file was not read")
            raise _Stop
        self._put(value, self._next_path(), mark, None, size, height)

    def _too_deep(self, mark: Mark) -> NoReturn:
        self._report(mark, "INS008", f"nested more than {MAX_DEPTH} deep", "no rule needs that; the rest of the file was not read")
        raise _Stop

    def _put(self, value: Any, path: Key, mark: Mark | None, anchor: str | None, size: int = 1, height: int = 0) -> None:
        if mark is not None:
            self._marks[path] = mark
        if anchor is not None:
            self._anchors[anchor] = (value, size, height)
        if not self._stack:
            self._root = value
            return
        node = self._stack[-1]
        node.size += size
        node.height = max(node.height, height + 1)
        if isinstance(node.value, list):
            node.value.append(value)
        else:
            node.value.setdefault(node.key, value)
            node.expects_key = True
