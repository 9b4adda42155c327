"""A search from its text to its rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from insigma_prove.workers.serve import QueryFault
from insigma_prove.workers.spl import filtering, searching
from insigma_prove.workers.spl.commands import COMMANDS, Run
from insigma_prove.workers.spl.events import Row, Store
from insigma_prove.workers.spl.inline import made
from insigma_prove.workers.spl.limits import SUBSEARCH_RESULTS
from insigma_prove.workers.spl.pipeline import Command, commands, subsearches

TABULAR = frozenset({"stats", "makeresults"})
"""Commands whose rows are no events any more."""

_STREAMING = frozenset({"search", "where", "eval", "regex", "rex", "fields", "rename", "spath", "lookup"})
"""What may stand inside multisearch (SR multisearch, "Usage": purely streaming commands), of the commands known here."""


@dataclass(frozen=True, slots=True)
class Search:
    """A search taken apart. `tabular` says that it makes a table; else each of its rows is one of the events."""

    commands: tuple[Command, ...]
    tabular: bool


def parse(query: str) -> Search:
    """The commands of a search, all of them known. Raises `QueryFault`."""
    found = commands(query)
    tabular = False
    for place, command in enumerate(found):
        if command.name == "multisearch" or command.name == "append":
            inner = [parse(text) for text in subsearches(command.argument)]
            tabular = tabular or any(search.tabular for search in inner)
            _nested(command, inner, place)
        elif command.name == "makeresults":
            if place:
                raise QueryFault("parse", "'makeresults' must be the first command of a search")
        elif command.name not in COMMANDS:
            raise QueryFault("unsupported", f"the command '{command.name}' is not run here")
        tabular = tabular or command.name in TABULAR
    return Search(found, tabular)


def _nested(command: Command, inner: Sequence[Search], place: int) -> None:
    if command.name == "append":
        if len(inner) != 1:
            raise QueryFault("parse", "append takes one subsearch")
    elif place:
        raise QueryFault("parse", "'multisearch' must be the first command of a search")
    elif len(inner) < 2:
        raise QueryFault("parse", "multisearch takes two searches or more")
    elif any(one.name not in _STREAMING for search in inner for one in search.commands):
        raise QueryFault("type", "multisearch takes searches of streaming commands alone")


def checked(search: Search, run: Run) -> None:
    """Compile every command without running it. Raises `QueryFault`."""
    for place, command in enumerate(search.commands):
        if command.name in ("multisearch", "append"):
            for text in subsearches(command.argument):
                checked(parse(text), run)
        elif command.name == "makeresults":
            made(command.argument, run.runtime)
        elif place or command.name != "search":
            COMMANDS[command.name](command.argument, run)
        else:
            filtering.compiled(searching.parse(command.argument), run.runtime.readings, indexed=True)


def rows(search: Search, store: Store, run: Run) -> list[Row]:
    """What the search finds. Raises `QueryFault`."""
    found = _first(search.commands[0], store, run)
    for command in search.commands[1:]:
        if command.name == "append":
            (inner,) = subsearches(command.argument)
            found += rows(parse(inner), store, run)[:SUBSEARCH_RESULTS]
        else:
            found = COMMANDS[command.name](command.argument, run)(found)
    return found


def _first(command: Command, store: Store, run: Run) -> list[Row]:
    match command.name:
        case "makeresults":
            return made(command.argument, run.runtime)
        case "multisearch":
            found = [row for text in subsearches(command.argument) for row in rows(parse(text), store, run)]
            return sorted(found, key=lambda row: -_time(row))
    test = filtering.compiled(searching.parse(command.argument), run.runtime.readings, indexed=True)
    return [row for row in store.rows(run.earliest, run.latest) if test(row)]


def _time(row: Row) -> float:
    time = row.fields.get("_time")
    return time if isinstance(time, float) else 0.0
