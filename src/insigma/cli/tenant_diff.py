"""`insigma tenant diff`: what two customers get differently."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from insigma.cli.days import DAY
from insigma.cli.output import counted
from insigma.cli.tenant_comparison import compared, sides
from insigma.cli.tenant_profiles import profile_named, refuse_faulty
from insigma.cli.tenant_tables import WIDTH, cut, listed, table
from insigma.cli.workplace import open_workplace
from insigma.diagnostics.model import ExitCode
from insigma.diagnostics.render.hostile import visible

_SHARED = ("list ", "flag ", "log source ")
"""What a rule has in common with others: told once, in a table of its own."""


@click.command("diff")
@click.argument("a")
@click.argument("b")
@click.option("--at", "day", type=DAY, help="The day that chooses surges, YYYY-MM-DD.  [default: a day without surges]")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(a: str, b: str, day: str | None, as_json: bool) -> int:
    """Tell what tenants A and B get differently; `default` may be one of them.

    Rule by rule, then lists, context flags and log sources, then for each target places, fields and how many queries
    differ. Both are compiled as their builds do it; nothing is written.
    """
    workplace = open_workplace(())
    pack = workplace.loaded.pack
    tenants = [profile_named(name, workplace) for name in (a, b)]
    if (code := refuse_faulty(tenants, workplace, day, "nothing is compared")) is not None:
        return code
    one, other = sides(tenants, pack, day)
    found = compared(one, other, pack, day)
    if as_json:
        click.echo(json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True, default=str))
    else:
        click.echo("\n".join(_text(found)))
    return ExitCode.OK


def _text(found: Mapping[str, Any]) -> Iterator[str]:
    names = (found["a"], found["b"])
    when = f"on {found['day']}" if found["day"] else "on a day without surges"
    yield visible(f"{names[0]} and {names[1]}, {when}: {found['of'] - len(found['rules'])} of {found['of']} rules hold alike for both")
    for title, lines in (
        ("Rules", _rules(found["rules"], names)),
        ("Lists", _lists(found["lists"], names)),
        ("Context flags", _context(found["context"], names)),
        ("Log sources", _feeds(found["feeds"], names)),
        ("Profile", _changes(found["profile"], names)),
    ):
        shown = list(lines)
        if shown:
            yield from ("", title, *shown)
    for target, entry in found["targets"].items():
        yield from ("", *_target(target, entry, names))


def _shown(value: Any) -> str:
    match value:
        case None | "":
            return "-"
        case bool():
            return "yes" if value else "no"
        case dict() | list():
            return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)
        case _:
            return str(value)


def _short(text: str, most: int = 38) -> str:
    return text if len(text) <= most else f"{text[: most - 2].rsplit(' ', 1)[0]} …"


def _rules(entries: Sequence[Mapping[str, Any]], names: tuple[str, str]) -> Iterator[str]:
    """What is about the rule alone, then in a line those that differ in what they have in common with others."""
    rows: list[tuple[str, ...]] = []
    shared: list[str] = []
    under: list[str] = []
    for entry in entries:
        label = entry["rule"]
        own = [change for change in entry["changes"] if not change["what"].startswith(_SHARED)]
        for change in own:
            rows.append((label, change["what"], _short(_shown(change["a"])), _short(_shown(change["b"]))))
            label = ""
        if not own:
            (shared if entry["changes"] else under).append(label)
    yield from table(("rule", "what", *names), rows)
    if shared:
        yield from _wrapped(f"only in lists, flags or log sources, told below: {', '.join(shared)}")
    if under:
        yield from _wrapped(f"only in rules that they build on: {', '.join(under)}")


def _wrapped(text: str) -> list[str]:
    return textwrap.wrap(visible(text), WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)


def _lists(entries: Sequence[Mapping[str, Any]], names: tuple[str, str]) -> Iterator[str]:
    rows = [(entry["list"], _shown(entry["a"]), _shown(entry["b"]), len(entry["rules"])) for entry in entries]
    yield from table(("list", *names, "rules"), rows, right={3})
    for entry in entries:
        for key, name in (("only_a", names[0]), ("only_b", names[1])):
            if entry[key] and entry["a" if key == "only_b" else "b"] is not None:
                yield cut(visible(f"    {entry['list']}, only {name}: {listed(entry[key])}"))


def _context(entries: Sequence[Mapping[str, Any]], names: tuple[str, str]) -> Iterator[str]:
    rows = [
        (entry["flag"].removeprefix("insurance.context."), _short(entry["a"]), _short(entry["b"]), listed(entry["rules"], 3) or "-")
        for entry in entries
    ]
    return table(("flag", *names, "rules"), rows)


def _feeds(entries: Sequence[Mapping[str, Any]], names: tuple[str, str]) -> Iterator[str]:
    return table(("log source", *names), [(entry["logsource"], _short(entry["a"]), _short(entry["b"])) for entry in entries])


def _changes(entries: Sequence[Mapping[str, Any]], names: tuple[str, str]) -> Iterator[str]:
    return table(("what", *names), [(entry["what"], _short(_shown(entry["a"])), _short(_shown(entry["b"]))) for entry in entries])


def _target(target: str, entry: Mapping[str, Any], names: tuple[str, str]) -> Iterator[str]:
    if "only" in entry:
        yield visible(f"{target}: only {entry['only']} has it")
        return
    queries = entry["queries"]
    yield f"{target}: {len(queries['differ']):,} of {counted(_compared(queries), 'rule')} have another query"
    for key, said in (
        ("differ", "another query"),
        ("other_schedule", "another schedule or look-back"),
        ("only_a", f"only {names[0]} has a query"),
        ("only_b", f"only {names[1]} has a query"),
    ):
        if queries[key]:
            yield cut(visible(f"  {said}: {listed(queries[key], 7)}"))
    yield from table(("setting", *names), [(each["what"], _shown(each["a"]), _shown(each["b"])) for each in entry["settings"]])
    places = [(each["logsource"], each["setting"], _shown(each["a"]), _shown(each["b"])) for each in entry["places"]]
    yield from table(("log source", "place", *names), places)
    yield from table(("field", *names), [(each["field"], each["a"], each["b"]) for each in entry["fields"]])


def _compared(queries: Mapping[str, Any]) -> int:
    return int(queries["same"]) + len(queries["differ"])
