"""The commands of the pipeline, each as a function from its argument to what it does with the rows (SR, one page each)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl import expressions, filtering, searching, statistics
from insigma_prove.workers.spl.aggregates import write
from insigma_prove.workers.spl.arguments import Item, boolean, items, names, options, unescaped, whole
from insigma_prove.workers.spl.clock import binned
from insigma_prove.workers.spl.evaluation import compiled, condition
from insigma_prove.workers.spl.events import Row
from insigma_prove.workers.spl.functions import Runtime
from insigma_prove.workers.spl.inline import extracted
from insigma_prove.workers.spl.kinds import checked
from insigma_prove.workers.spl.lookups import Tables, lookup
from insigma_prove.workers.spl.ordering import sort
from insigma_prove.workers.spl.statistics import Rows, Stage
from insigma_prove.workers.spl.templates import foreach
from insigma_prove.workers.spl.values import FieldText, multivalue, number, singles, text


@dataclass(frozen=True, slots=True)
class Run:
    """What commands know of the search: its time range in seconds since 1970 (None: open), what functions need, lookup tables."""

    runtime: Runtime
    earliest: float | None = None
    latest: float | None = None
    tables: Tables = field(default_factory=dict)


def _search(argument: str, run: Run) -> Stage:
    """SR search: here, behind a pipe, a filter over results."""
    test = filtering.compiled(searching.parse(argument), run.runtime.readings, indexed=False)
    return lambda rows: [row for row in rows if test(row)]


def _where(argument: str, run: Run) -> Stage:
    holds = condition(expressions.parse(argument), run.runtime)
    return lambda rows: [row for row in rows if holds(row.fields)]


def _eval(argument: str, run: Run) -> Stage:
    """SR eval: assignments from left to right; null takes the field away; a boolean cannot be assigned ("Usage")."""
    assigned = []
    for name, node in expressions.parse_assignments(argument):
        if checked(node) == "boolean":
            raise QueryFault("type", f"a boolean cannot be assigned to '{name}'")
        assigned.append((name, compiled(node, run.runtime)))

    def apply(rows: Rows) -> Rows:
        for row in rows:
            for name, evaluate in assigned:
                value = evaluate(row.fields)
                if isinstance(value, bool):
                    raise QueryFault("type", f"a boolean cannot be assigned to '{name}'")
                write(row.fields, name, value)
        return rows

    return apply


def _regex(argument: str, run: Run) -> Stage:
    """SR regex: `field=` keeps what matches, `field!=` what does not, a missing field included (assumed); else _raw is read.

    The command takes one of two backslashes away before PCRE reads the expression, as of any argument (SM "Backslashes", SM
    "SPL and regular expressions": four for one in a path).
    """
    found = re.fullmatch(r'(?:(?P<field>"(?:[^"\\]|\\.)*"|[^\s"=!]+)\s*(?P<sign>!?=)\s*)?"(?P<regex>(?:[^"\\]|\\.)*)"', argument, re.DOTALL)
    if found is None:
        raise QueryFault("parse", f'regex wants field="expression", not {argument[:60]!r}')
    name, wanted = (found["field"] or "_raw").strip('"'), found["sign"] != "!="
    pattern = unescaped(found["regex"])
    run.runtime.regexes.check(pattern)

    def keeps(row: Row) -> bool:
        value = row.fields.get(name)
        if isinstance(value, tuple):
            raise QueryFault("unsupported", "how regex reads a multivalue field is not documented")
        return (value is not None and run.runtime.regexes.finds(pattern, text(value))) is wanted

    return lambda rows: [row for row in rows if keeps(row)]


def _rex(argument: str, run: Run) -> Stage:
    """SR rex: the named groups of the first match become fields. sed mode and several matches are not run here."""
    found, rest = options(items(argument), frozenset({"field", "max_match"}))
    if len(rest) != 1 or rest[0].kind != "string" or whole(found, "max_match", 1) != 1:
        raise QueryFault("unsupported", f"rex with {argument[:60]!r} is not run here")
    name, pattern = found.get("field", "_raw"), unescaped(rest[0].text)
    if not run.runtime.regexes.names(pattern):
        raise QueryFault("run", "the expression of rex has no named group")

    def apply(rows: Rows) -> Rows:
        for row in rows:
            value = row.fields.get(name)
            if isinstance(value, tuple):
                raise QueryFault("unsupported", "how rex reads a multivalue field is not documented")
            groups = run.runtime.regexes.groups(pattern, text(value)) if value is not None else None
            row.fields.update({group: FieldText(part) for group, part in (groups or {}).items()})
        return rows

    return apply


def _dedup(argument: str, _: Run) -> Stage:
    """SR dedup: the first N rows of each combination of values; a row without one of the fields goes, unless keepempty."""
    found, rest = options(items(argument), frozenset({"keepempty"}))
    named = names(rest)
    count = int(named.pop(0)) if named and named[0].isascii() and named[0].isdigit() else 1
    if not named or not count:
        raise QueryFault("parse", "dedup wants a field")
    keepempty = boolean(found, "keepempty", False)

    def apply(rows: Rows) -> Rows:
        seen: dict[tuple[object, ...], int] = {}
        kept = []
        for row in rows:
            values = [row.fields.get(name) for name in named]
            if any(value is None for value in values):
                kept += [row] if keepempty else []
                continue
            key = tuple(tuple(text(one) for one in singles(value)) for value in values)
            seen[key] = seen.get(key, 0) + 1
            kept += [row] if seen[key] <= count else []
        return kept

    return apply


def _mvexpand(argument: str, _: Run) -> Stage:
    """SR mvexpand: a row for each value; a row without the field stays (measured). Its memory limit is not modelled."""
    found, rest = options(items(argument), frozenset({"limit"}))
    named = names(rest)
    if len(named) != 1:
        raise QueryFault("parse", "mvexpand takes one field")
    limit = whole(found, "limit", 0) or None

    def apply(rows: Rows) -> Rows:
        expanded = []
        for row in rows:
            for value in singles(row.fields.get(named[0]))[:limit] or (None,):
                copy = row.copy()
                write(copy.fields, named[0], value)
                expanded.append(copy)
        return expanded

    return apply


def _table(argument: str, _: Run) -> Stage:
    """SR table: the fields named, `*` standing for any characters; a row with none of them goes (measured)."""
    named = _some_names(argument, "table")

    def apply(rows: Rows) -> Rows:
        for row in rows:
            row.fields = {name: value for name, value in row.fields.items() if _named(name, named)}
        return [row for row in rows if row.fields]

    return apply


def _fields(argument: str, _: Run) -> Stage:
    """SR fields: keeps the fields named, and _raw and _time unless they are taken away; with `-` takes them away."""
    minus = argument.startswith("-")
    named = _some_names(argument.removeprefix("-").removeprefix("+"), "fields")

    def keeps(name: str) -> bool:
        return not _named(name, named) if minus else _named(name, named) or name in ("_raw", "_time")

    def apply(rows: Rows) -> Rows:
        for row in rows:
            row.fields = {name: value for name, value in row.fields.items() if keeps(name)}
        return rows

    return apply


def _some_names(argument: str, command: str) -> list[str]:
    found = names(argument)
    if not found:
        raise QueryFault("parse", f"{command} wants a field")
    return found


def _named(name: str, named: list[str]) -> bool:
    return any(name == one or ("*" in one and fnmatchcase(name, re.sub(r"([?\[])", r"[\1]", one))) for one in named)


def _rename(argument: str, _: Run) -> Stage:
    """SR rename: `old as new`, several apart by commas or spaces. Wildcards are not run here."""
    pieces = [item for item in items(argument) if item.kind != "comma"]
    if not pieces or len(pieces) % 3 or any(item.text.lower() != "as" for item in pieces[1::3]):
        raise QueryFault("parse", "rename wants field as field")
    pairs = [(_plain(old), _plain(new)) for old, new in zip(pieces[::3], pieces[2::3], strict=True)]
    if any("*" in name for pair in pairs for name in pair):
        raise QueryFault("unsupported", "rename with wildcards is not run here")

    def apply(rows: Rows) -> Rows:
        for row in rows:
            for old, new in pairs:
                write(row.fields, new, row.fields.pop(old, None))
        return rows

    return apply


def _plain(item: Item) -> str:
    if item.kind == "group":
        raise QueryFault("parse", f"a field name is expected, not ({item.text})")
    return unescaped(item.text) if item.kind == "string" else item.text


def _bin(argument: str, _: Run) -> Stage:
    """SR bin: times to the start of their span, in UTC. Only spans of time over _time are run here."""
    found, rest = options(items(argument), frozenset({"span"}))
    named = names(rest)
    target = named[2] if len(named) == 3 and named[1].lower() == "as" else "_time"
    if "span" not in found or named[:1] != ["_time"] or len(named) not in (1, 3):
        raise QueryFault("unsupported", f"bin with {argument[:60]!r} is not run here")
    binned(0.0, found["span"])

    def apply(rows: Rows) -> Rows:
        for row in rows:
            moment = number(row.fields.get("_time"))
            if moment is not None:
                row.fields[target] = binned(moment, found["span"])
        return rows

    return apply


def _addinfo(argument: str, run: Run) -> Stage:
    """SR addinfo: the time range of the search; an open end is "+Infinity"."""
    if argument:
        raise QueryFault("parse", "addinfo takes no arguments")

    def apply(rows: Rows) -> Rows:
        for row in rows:
            row.fields["info_min_time"] = run.earliest or 0.0
            row.fields["info_max_time"] = FieldText("+Infinity") if run.latest is None else run.latest
        return rows

    return apply


def _head(argument: str, _: Run) -> Stage:
    """SR head: the first rows, ten unless a number says how many."""
    if not re.fullmatch(r"[0-9]*", argument, re.ASCII):
        raise QueryFault("unsupported", f"head with {argument[:60]!r} is not run here")
    count = int(argument or 10)
    return lambda rows: rows[:count]


def _spath(argument: str, _: Run) -> Stage:
    """SR spath: without arguments all fields of the JSON text in _raw, of its first 5,000 characters."""
    if argument:
        raise QueryFault("unsupported", f"spath with {argument[:60]!r} is not run here")

    def apply(rows: Rows) -> Rows:
        for row in rows:
            raw = row.fields.get("_raw")
            if isinstance(raw, str):
                row.fields.update({name: multivalue(map(FieldText, values)) for name, values in extracted(raw).items()})
        return rows

    return apply


Maker = Callable[[str, Run], Stage]

COMMANDS: Mapping[str, Maker] = {
    "search": _search,
    "where": _where,
    "eval": _eval,
    "regex": _regex,
    "rex": _rex,
    "stats": lambda argument, run: statistics.stats(argument, run.runtime),
    "eventstats": lambda argument, run: statistics.eventstats(argument, run.runtime),
    "streamstats": lambda argument, run: statistics.streamstats(argument, run.runtime),
    "sort": lambda argument, run: sort(argument, run.runtime.readings),
    "foreach": lambda argument, run: foreach(argument, run.runtime),
    "lookup": lambda argument, run: lookup(argument, run.runtime.readings, run.tables),
    "dedup": _dedup,
    "mvexpand": _mvexpand,
    "table": _table,
    "fields": _fields,
    "rename": _rename,
    "bin": _bin,
    "bucket": _bin,
    "addinfo": _addinfo,
    "head": _head,
    "spath": _spath,
}
"""The commands by name, but for those that make rows (`search` at the start, `makeresults`, `multisearch`, `append`)."""
