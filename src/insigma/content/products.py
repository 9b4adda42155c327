"""Adapters: what turns a product's raw events into canonical ones, from mappings/products/<product>.yml.

Input: a document. Output: a `ProductMapping` of everything that could be read, and a diagnostic for each part that could
not: INS509 where the shape is wrong, INS525 where a path, an expression or a time format cannot be read. Whether the names
in it mean something is for the checks INS520 to INS528.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, tzinfo
from enum import Enum
from functools import lru_cache
from types import MappingProxyType
from typing import Any, TypeVar

import re2

from insigma.content.predicate import Regex
from insigma.content.raw_paths import BadPath, RawPath, plain_text, read_path
from insigma.content.regexes import re2_pattern
from insigma.content.yaml_reader import Document, Key
from insigma.diagnostics.model import Diagnostic, Place

FOLDER = "mappings/products"
EXPRESSION = "INS525"
EPOCHS: Mapping[str, int] = MappingProxyType({"epoch_s": 1_000_000, "epoch_ms": 1_000, "epoch_us": 1})
"""Formats of times that are numbers: their unit in microseconds."""
ISO = "iso8601"
DIRECTIVES = frozenset("YmdHMSfz")
"""What a written time format may use: parts that mean the same under every locale."""

T = TypeVar("T")


class InputKind(Enum):
    NDJSON = "ndjson"
    CSV = "csv"


class Unmapped(Enum):
    """What becomes of a code that a value map or a table lacks; it is counted in any case.

    `ABSENT`: the event is given without the field. `KEEP`: the field gets the code as it came, where the field is open.
    Where nothing is said, value maps leave the field out and tables keep the value.
    """

    ABSENT = "absent"
    KEEP = "keep"


class HashForm(Enum):
    """What is hashed: `ACCOUNT` letters and digits only, in upper case, so that spaces in an IBAN change nothing; `TEXT` as it came."""

    ACCOUNT = "account"
    TEXT = "text"


@dataclass(frozen=True, slots=True)
class Expression:
    """An RE2 expression, compiled. `pattern` is as written."""

    pattern: str
    compiled: Any = field(compare=False, repr=False)

    def first(self, text: str) -> str | None:
        """The first group of the first match (the match itself where there is no group), or None."""
        match = self.compiled.search(text)
        if match is None:
            return None
        found: str | None = match.group(1) if self.compiled.groups else match.group(0)
        return found

    def found(self, text: str) -> bool:
        return self.compiled.search(text) is not None


@dataclass(frozen=True, slots=True)
class Input:
    """The form of the raw feed. `columns` and `header` are for CSV; `each` is the list in every object whose elements are
    the events; texts in `absent` mean that there is no value.
    """

    kind: InputKind
    columns: tuple[str, ...] = ()
    header: bool = False
    delimiter: str = ","
    each: RawPath | None = None
    absent: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Derived:
    """A part of the raw event that is text of its own: read as JSON, or as one line of CSV with `columns`, under a new key."""

    name: str
    source: RawPath
    extract: Expression | None
    columns: tuple[str, ...] | None


@dataclass(frozen=True, slots=True)
class Condition:
    """One condition on a raw event: what stands at the path is one of `words`, matches, or is there (or is not)."""

    source: RawPath
    words: frozenset[str] | None = None
    matches: Expression | None = None
    exists: bool | None = None


@dataclass(frozen=True, slots=True)
class TimeFormat:
    """How a time is written; `zone` is the time zone of times that name none: an IANA name, or a setting's name."""

    form: str
    zone: str | None = None
    zone_setting: str | None = None


@dataclass(frozen=True, slots=True)
class FieldBinding:
    """Where a canonical field comes from, and what is done on the way, in the order of the attributes."""

    name: str
    place: Place
    sources: tuple[RawPath, ...] = ()
    join: str | None = None
    constant: Any = None
    setting: str | None = None
    extract: Expression | None = None
    split: str | None = None
    time: TimeFormat | None = None
    multiply: int | None = None
    table: str | None = None
    values: Mapping[str, str | None] | None = None
    unmapped: Unmapped | None = None
    otherwise: str | None = None
    hash: HashForm | None = None
    default: Any = None


@dataclass(frozen=True, slots=True)
class Binding:
    """The raw events of one canonical log source. `unfilled`: required fields that the source does not give, each with why."""

    name: str
    logsource: str
    place: Place
    when: tuple[Condition, ...]
    fields: tuple[FieldBinding, ...]
    unfilled: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class ProductMapping:
    """An adapter.

    `settings` are values that a run must give, with a default or None; `tables` are look-ups that a run may give, with
    entries of their own; `code` is what an event is called where no binding takes it, `ignored` the codes that nobody misses.
    """

    product: str
    title: str
    document: Document
    input: Input
    settings: Mapping[str, str | None]
    tables: Mapping[str, Mapping[str, str]]
    derived: tuple[Derived, ...]
    bindings: tuple[Binding, ...]
    code: RawPath | None
    ignored: Mapping[str, str]

    @property
    def hashes(self) -> bool:
        """Whether a key is needed."""
        return any(bound.hash is not None for binding in self.bindings for bound in binding.fields)


def is_product(document: Document) -> bool:
    """Whether a document outside of mappings/products is an adapter, by its keys."""
    return isinstance(document.data, dict) and {"product", "bindings"} <= document.data.keys()


@lru_cache(maxsize=64)
def read_product(document: Document) -> tuple[ProductMapping | None, tuple[Diagnostic, ...]]:
    """The adapter, as far as it could be read, or None with what keeps it from being one. Many checks ask, so it is kept."""
    reader = _Reader(document)
    product, bindings = document.data.get("product"), document.data.get("bindings")
    if not isinstance(product, str) or not isinstance(bindings, list):
        missing = "product" if not isinstance(product, str) else "bindings"
        reader.fault((missing,), f"the adapter has no '{missing}'", "an adapter names its product and lists bindings")
        return None, tuple(reader.found)
    mapping = ProductMapping(
        product=product,
        title=str(document.data.get("title") or product),
        document=document,
        input=reader.input(),
        settings=MappingProxyType(reader.settings()),
        tables=MappingProxyType(reader.tables()),
        derived=tuple(reader.derived()),
        bindings=tuple(reader.bindings(len(bindings))),
        code=reader.path(("code",)),
        ignored=MappingProxyType(reader.words(("ignored",))),
    )
    return mapping, tuple(reader.found)


class _Reader:
    """Reads typed parts out of one document and keeps what is wrong with them."""

    def __init__(self, document: Document) -> None:
        self._document = document
        self.found: list[Diagnostic] = []

    def fault(self, key: Key, message: str, hint: str, code: str = "INS509") -> None:
        self.found.append(Diagnostic(self._document.place(*key), code, message, hint))

    def get(self, key: Key) -> Any:
        node: Any = self._document.data
        for step in key:
            if isinstance(node, Mapping) and isinstance(step, str):
                node = node.get(step)
            elif isinstance(node, list) and isinstance(step, int):
                node = node[step] if step < len(node) else None
            else:
                return None
        return node

    def mapping(self, key: Key) -> Mapping[str, Any]:
        value = self.get(key)
        if value is None or isinstance(value, Mapping):
            return value or {}
        self.fault(key, f"'{key[-1]}' is not a mapping", "write 'key: value' pairs below it")
        return {}

    def text(self, key: Key) -> str | None:
        value = self.get(key)
        if value is None or isinstance(value, str):
            return value
        self.fault(key, f"'{key[-1]}' is not text", "put it in quotes")
        return None

    def texts(self, key: Key) -> tuple[str, ...]:
        value = self.get(key)
        if value is None:
            return ()
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return tuple(value)
        self.fault(key, f"'{key[-1]}' is not a list of texts", "write a list, its entries in quotes where YAML needs them")
        return ()

    def words(self, key: Key) -> dict[str, str]:
        return {name: value for name, value in self.mapping(key).items() if isinstance(value, str)}

    def word(self, key: Key, kind: Callable[[Any], T], default: T) -> T:
        """The member of an enumeration that stands at `key`; the schema tells of others."""
        value = self.get(key)
        try:
            return default if value is None else kind(value)
        except ValueError:
            return default

    def path(self, key: Key) -> RawPath | None:
        text = self.text(key)
        return None if text is None else self._path(text, key)

    def _path(self, text: str, key: Key, *, at_key: bool = False) -> RawPath | None:
        try:
            return read_path(text)
        except BadPath as error:
            place = self._document.key_place(*key) if at_key else self._document.place(*key)
            hint = 'keys joined by dots, in double quotes where they hold dots: request.headers."x.y"'
            self.found.append(Diagnostic(place, EXPRESSION, f"'{text}' is no path: {error}", hint))
            return None

    def expression(self, key: Key) -> Expression | None:
        text = self.text(key)
        if text is None:
            return None
        try:
            return Expression(text, re2_pattern(Regex(text)))
        except re2.error as error:
            said = error.args[0] if error.args else ""
            reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
            self.fault(key, f"'{text}' is no RE2 expression: {reason}", "RE2 has no look-around and no back references", EXPRESSION)
            return None

    def input(self) -> Input:
        kind = self.word(("input", "format"), InputKind, InputKind.NDJSON)
        columns = self.texts(("input", "columns"))
        header = self.get(("input", "header")) is True
        if kind is InputKind.CSV and not columns and not header:
            self.fault(("input",), "nothing says what the columns are called", "add 'columns', or 'header: true'")
        absent = self.get(("input", "absent"))
        texts = self.texts(("input", "absent")) if absent is not None else ("",) if kind is InputKind.CSV else ()
        delimiter = self.text(("input", "delimiter")) or ","
        return Input(kind, columns, header, delimiter, self.path(("input", "each")), frozenset(texts))

    def settings(self) -> dict[str, str | None]:
        return {name: self.text(("settings", name, "default")) for name in self.mapping(("settings",))}

    def tables(self) -> dict[str, Mapping[str, str]]:
        return {name: MappingProxyType(self.words(("tables", name, "values"))) for name in self.mapping(("tables",))}

    def derived(self) -> Iterator[Derived]:
        for name in self.mapping(("derive",)):
            at = ("derive", name)
            source, extract = self.path((*at, "from")), self.expression((*at, "extract"))
            columns = self.texts((*at, "csv")) if self.get((*at, "csv")) is not None else None
            if source is not None:
                yield Derived(name, source, extract, columns)

    def bindings(self, count: int) -> Iterator[Binding]:
        for number in range(count):
            at: Key = ("bindings", number)
            name, logsource = self.get((*at, "name")), self.get((*at, "logsource"))
            if not isinstance(name, str) or not isinstance(logsource, str):
                self.fault(at, "the binding has no name or no log source", "write {name: ..., logsource: ..., when: ..., fields: ...}")
                continue
            conditions = (self._condition(path, (*at, "when", path)) for path in self.mapping((*at, "when")))
            fields = (self._field(field_name, (*at, "fields", field_name)) for field_name in self.mapping((*at, "fields")))
            yield Binding(
                name,
                logsource,
                self._document.place(*at),
                tuple(condition for condition in conditions if condition is not None),
                tuple(bound for bound in fields if bound is not None),
                MappingProxyType(self.words((*at, "unfilled"))),
            )

    def _condition(self, path: str, at: Key) -> Condition | None:
        source, value = self._path(path, at, at_key=True), self.get(at)
        if source is None:
            return None
        if not isinstance(value, Mapping):
            words = [plain_text(word) for word in (value if isinstance(value, list) else [value])]
            return Condition(source, words=frozenset(word for word in words if word is not None))
        exists = self.get((*at, "exists"))
        return Condition(source, matches=self.expression((*at, "matches")), exists=exists if isinstance(exists, bool) else None)

    def _field(self, name: str, at: Key) -> FieldBinding | None:
        place, value = self._document.place(*at), self.get(at)
        if isinstance(value, str):
            path = self._path(value, at)
            return None if path is None else FieldBinding(name, place, (path,))
        if not isinstance(value, Mapping):
            self.fault(at, f"nothing says where {name} comes from", "write a path, or {constant: ...}, {setting: ...}, {from: ...}")
            return None
        values = self.get((*at, "values"))
        multiply = self.get((*at, "multiply"))
        return FieldBinding(
            name,
            place,
            tuple(self._sources((*at, "from"))),
            self.text((*at, "join")),
            value.get("constant"),
            self.text((*at, "setting")),
            self.expression((*at, "extract")),
            self.text((*at, "split")),
            self._time(at),
            multiply if isinstance(multiply, int) and not isinstance(multiply, bool) else None,
            self.text((*at, "table")),
            MappingProxyType({code: word if isinstance(word, str) else None for code, word in values.items()})
            if isinstance(values, Mapping)
            else None,
            self.word((*at, "unmapped"), Unmapped, None) if self.get((*at, "unmapped")) is not None else None,
            self.text((*at, "otherwise")),
            self.word((*at, "hash"), HashForm, None) if self.get((*at, "hash")) is not None else None,
            value.get("default"),
        )

    def _sources(self, at: Key) -> Iterator[RawPath]:
        value = self.get(at)
        places = [(item, (*at, number)) for number, item in enumerate(value)] if isinstance(value, list) else [(value, at)]
        for text, key in places:
            if isinstance(text, str):
                path = self._path(text, key)
                if path is not None:
                    yield path

    def _time(self, at: Key) -> TimeFormat | None:
        form, zone, setting = (self.text((*at, key)) for key in ("time", "zone", "zone_setting"))
        if form is None:
            return None
        if form != ISO and form not in EPOCHS:
            fault = _time_fault(form, zoned=zone is not None or setting is not None)
            if fault is not None:
                self.fault((*at, "time"), *fault, EXPRESSION)
                return None
        if zone is not None and zone_of(zone) is None:
            self.fault((*at, "zone"), f"'{zone}' is no time zone", "write UTC, or an IANA name such as Europe/Warsaw", EXPRESSION)
            return None
        return TimeFormat(form, zone, setting)


def _time_fault(form: str, *, zoned: bool) -> tuple[str, str] | None:
    known = f"write {ISO}, {', '.join(EPOCHS)}, or a pattern of %Y %m %d %H %M %S %f %z"
    used = re.findall(r"%(.?)", form)
    if not used or not set(used) <= DIRECTIVES or not {"Y", "m", "d"} <= set(used):
        return f"'{form}' is no time format", known
    if "z" not in used and not zoned:
        return f"'{form}' leaves the time zone open", "add 'zone: UTC', or another zone, or 'zone_setting'"
    return None


def zone_of(name: str) -> tzinfo | None:
    """The time zone, or None where there is none of that name (or the system has no time zone data)."""
    if name == "UTC":
        return UTC
    from zoneinfo import ZoneInfo

    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):  # ZoneInfoNotFoundError is a KeyError
        return None
