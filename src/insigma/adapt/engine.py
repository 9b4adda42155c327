"""Running an adapter: one raw event in, a canonical event for each binding that takes it out, and everything counted."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import tzinfo
from types import MappingProxyType
from typing import Any

from insigma.adapt.reading import Raw, Unread
from insigma.adapt.summary import BindingTally, Summary, tallies
from insigma.adapt.values import Unusable, canonical, hashed, moment, number, text
from insigma.content.folding import fold
from insigma.content.json_values import BROKEN, loads
from insigma.content.model import Field, FieldType, Taxonomy, TaxonomyLogSource
from insigma.content.products import ISO, Binding, Condition, Derived, FieldBinding, ProductMapping, TimeFormat, Unmapped, zone_of
from insigma.content.raw_paths import follow, plain_text
from insigma.content.taxonomy import ACTION_FIELD, LOGSOURCE_FIELD

TIME_FIELD = "@timestamp"
HIDDEN = "(not shown)"
"""Stands for a value of a field that may be personal: reports hold none."""


@dataclass(frozen=True, slots=True)
class Given:
    """What a run gives an adapter: settings, tables, and the key of hashes."""

    settings: Mapping[str, str] = field(default_factory=dict)
    tables: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    key: bytes = field(default=b"", repr=False)


class NotGiven(Exception):
    """A run lacks something that the adapter needs. The message names it, the hint says how to give it."""

    def __init__(self, message: str, hint: str) -> None:
        super().__init__(message)
        self.hint = hint


class _Unmapped(Exception):
    """A code that no map has; None where the value may not be shown."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Adapter:
    """An adapter at work. `summary` counts as long as events are fed. Raises `NotGiven` if the run lacks something."""

    def __init__(self, mapping: ProductMapping, taxonomy: Taxonomy, given: Given) -> None:
        self._mapping = mapping
        self._given = given
        self._settings = _settings(mapping, given)
        self._tables = {name: {**entries, **given.tables.get(name, {})} for name, entries in mapping.tables.items()}
        if mapping.hashes and not given.key:
            raise NotGiven(f"{mapping.product} hashes account numbers, and there is no key", "set INSIGMA_HMAC_KEY, or give --key-file")
        required = {source.name: source.required for source in taxonomy.logsources.values()}
        defaults = {name: value for name, value in self._settings.items() if name not in given.settings}
        self.summary = Summary(mapping, tuple(tallies(mapping, required)), defaults)
        self._desks = tuple(self._desk(tally, taxonomy) for tally in self.summary.tallies if tally.binding.logsource in taxonomy.logsources)

    def _desk(self, tally: BindingTally, taxonomy: Taxonomy) -> _Desk:
        source = taxonomy.logsources[tally.binding.logsource]
        known = [bound for bound in tally.binding.fields if bound.name in source.fields and bound.name in taxonomy.fields]
        zones = {bound.name: self._zone(bound.time) for bound in known}
        defaults = {name: default for name in source.fields if (default := _default(taxonomy.fields.get(name))) is not None}
        constants = {bound.name: canonical(bound.constant, taxonomy.fields[bound.name]) for bound in known if bound.constant is not None}
        fixed = {LOGSOURCE_FIELD: source.name, **constants}
        moving = (bound for bound in known if bound.constant is None)
        fields = tuple(_Line(bound, taxonomy.fields[bound.name], _words(taxonomy.fields[bound.name], source)) for bound in moving)
        return _Desk(tally, tally.binding, MappingProxyType(fixed), fields, MappingProxyType(zones), MappingProxyType(defaults))

    def _zone(self, time: TimeFormat | None) -> tzinfo | None:
        if time is None or (time.zone is None and time.zone_setting is None):
            return None
        name = time.zone or self._settings.get(time.zone_setting or "", "")
        zone = zone_of(name)
        if zone is None:
            raise NotGiven(f"'{name}' is no time zone", "give UTC, or an IANA name such as Europe/Warsaw")
        return zone

    def feed(self, raws: Iterable[Raw | Unread]) -> Iterator[dict[str, Any]]:
        """The canonical events of raw ones, as they come."""
        for raw in raws:
            self.summary.read += 1
            if isinstance(raw, Unread):
                self.summary.reject(raw.line, raw.reason)
            else:
                yield from self._events(raw)

    def _events(self, raw: Raw) -> Iterator[dict[str, Any]]:
        record = _with_derived(raw.record, self._mapping.derived)
        taken = [desk for desk in self._desks if all(holds(condition, record) for condition in desk.binding.when)]
        if not taken:
            self.summary.leave(follow(self._mapping.code, record) if self._mapping.code is not None else None)
        for desk in taken:
            event = self._event(desk, record)
            if TIME_FIELD not in event:
                self.summary.reject(raw.line, f"no time that could be read (binding {desk.binding.name})")
                continue
            desk.count(event)
            self.summary.written += 1
            yield event

    def _event(self, desk: _Desk, record: Mapping[str, Any]) -> dict[str, Any]:
        event = dict(desk.fixed)
        for line in desk.fields:
            name = line.bound.name
            try:
                value = self._value(line, desk, record)
            except _Unmapped as missing:
                desk.tally.count(desk.tally.unmapped, name, missing.code if line.field.pii == "none" else HIDDEN)
                value = None
            except Unusable as error:
                desk.tally.count(desk.tally.unusable, name, str(error))
                value = None
            if value is None and line.bound.default is not None:
                value = canonical(line.bound.default, line.field)
            if value is not None:
                event[name] = value
        for name, default in desk.defaults.items():
            event.setdefault(name, default)
        return event

    def _value(self, line: _Line, desk: _Desk, record: Mapping[str, Any]) -> Any:
        """The canonical value, or None. Raises `Unusable` and `_Unmapped`."""
        bound = line.bound
        raw = self._settings[bound.setting] if bound.setting is not None else self._raw(bound, record)
        if raw is None:
            return None
        parts = raw if isinstance(raw, list) and line.field.array else [raw]
        if bound.split is not None:
            parts = [piece.strip() for part in parts for piece in text(part).split(bound.split)]
        done = [value for part in parts if (value := self._one(part, line, desk)) is not None]
        if line.field.array:
            return done or None
        return done[0] if done else None

    def _raw(self, bound: FieldBinding, record: Mapping[str, Any]) -> Any:
        absent = self._mapping.input.absent
        present: list[Any] = []
        for path in bound.sources:
            value = follow(path, record)
            if value is None or (isinstance(value, str) and value in absent):
                continue
            if bound.join is None:
                return value
            present.append(value)
        return bound.join.join(map(text, present)) if bound.join is not None and present and len(present) == len(bound.sources) else None

    def _one(self, value: Any, line: _Line, desk: _Desk) -> Any:
        """One value, through the steps in the order of the binding's attributes."""
        bound = line.bound
        if bound.extract is not None:
            value = bound.extract.first(text(value))
        if value is None or (value == "" and bound.extract is not None):
            return None
        if line.field.type is FieldType.DATE:
            form = bound.time or TimeFormat(ISO)
            return moment(value, form.form, desk.zones[bound.name])
        if bound.multiply is not None:
            value = number(value) * bound.multiply
        if bound.table is not None:
            value = self._looked_up(text(value), line, desk)
        if bound.values is not None and value is not None:
            value = _mapped(text(value), bound)
        if bound.hash is not None and value is not None:
            value = hashed(value, bound.hash, self._given.key)
        return None if value is None else _within(canonical(value, line.field), line)

    def _looked_up(self, key: str, line: _Line, desk: _Desk) -> str | None:
        entries = self._tables.get(line.bound.table or "", {})
        told_as_unmapped = line.words is not None and fold(key) not in line.words and line.bound.unmapped is not Unmapped.ABSENT
        if key not in entries and not told_as_unmapped:
            desk.tally.count(desk.tally.unknown, line.bound.name, key if line.field.pii == "none" else HIDDEN)
        return entries.get(key, None if line.bound.unmapped is Unmapped.ABSENT else key)


@dataclass(frozen=True, slots=True)
class _Line:
    """A field's binding with the field itself and, where it is closed, its words."""

    bound: FieldBinding
    field: Field
    words: frozenset[str] | None


@dataclass(frozen=True, slots=True)
class _Desk:
    """A binding at work.

    `fixed` is what every event of it has: the log source and the constants. `zones` are the time zones of its times, `defaults`
    the null defaults of its log source.
    """

    tally: BindingTally
    binding: Binding
    fixed: Mapping[str, Any]
    fields: tuple[_Line, ...]
    zones: Mapping[str, tzinfo | None]
    defaults: Mapping[str, str]

    def count(self, event: Mapping[str, Any]) -> None:
        self.tally.events += 1
        self.tally.filled.update(name for name in self.tally.required if name in event)


def holds(condition: Condition, record: Mapping[str, Any]) -> bool:
    """Whether the condition holds for a raw event. A list satisfies it if one of its elements does."""
    found = follow(condition.source, record)
    if condition.exists is not None:
        return (found is not None and found != "") is condition.exists
    for value in found if isinstance(found, list) else [found]:
        spelt = plain_text(value)
        if spelt is not None and (
            (condition.words is not None and spelt in condition.words) or (condition.matches is not None and condition.matches.found(spelt))
        ):
            return True
    return False


def _settings(mapping: ProductMapping, given: Given) -> dict[str, str]:
    found = {name: given.settings.get(name, default) for name, default in mapping.settings.items()}
    missing = [name for name, value in found.items() if value is None]
    if missing:
        raise NotGiven(f"{mapping.product} needs {', '.join(missing)}", f"give {' '.join(f'--set {name}=...' for name in missing)}")
    return {name: value for name, value in found.items() if value is not None}


def _default(known: Field | None) -> str | None:
    return known.null_default if known is not None else None


def _words(known: Field, source: TaxonomyLogSource) -> frozenset[str] | None:
    words = source.actions if known.name == ACTION_FIELD else known.values
    return None if words is None else frozenset(map(fold, words))


def _within(value: Any, line: _Line) -> Any:
    """The value, if a closed vocabulary has it. Raises `_Unmapped`."""
    if line.words is not None and fold(str(value)) not in line.words:
        raise _Unmapped(str(value))
    return value


def _mapped(code: str, bound: FieldBinding) -> str | None:
    """The word for a code. Raises `_Unmapped` for one that is not mapped and not kept."""
    values = bound.values or {}
    if code in values:
        return values[code]
    if bound.otherwise is not None:
        return bound.otherwise
    if bound.unmapped is Unmapped.KEEP:
        return code
    raise _Unmapped(code)


def _with_derived(record: dict[str, Any], derived: tuple[Derived, ...]) -> dict[str, Any]:
    """The raw event with what is read out of its texts. What cannot be read is left out: conditions and fields find nothing."""
    if not derived:
        return record
    found = dict(record)
    for part in derived:
        spelt = plain_text(follow(part.source, found))
        spelt = part.extract.first(spelt) if spelt is not None and part.extract is not None else spelt
        value = _parsed(spelt, part) if spelt is not None else None
        if value is not None:
            found[part.name] = value
    return found


def _parsed(spelt: str, part: Derived) -> Any:
    if part.columns is None:
        value = loads(spelt.encode("utf-8", "surrogatepass"))
        return None if value is BROKEN else value
    try:
        row = next(csv.reader([spelt.replace("\r", " ").replace("\n", " ")]), [])
    except csv.Error:
        return None
    return dict(zip(part.columns, row, strict=False))
