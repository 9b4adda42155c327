"""docs/context_tables.md: the tables that customers keep, the flags that are made from them, and the rules that each flag serves."""

from __future__ import annotations

from collections.abc import Iterator

from insigma.assure.coverage import dug
from insigma.content.context import ContextTable
from insigma.content.lookups import TIME, Found, Held, Lookup, RowTest
from insigma.content.model import AnyRule, Pack, Rule
from insigma.content.predicate import fields_of

_OPENING = """\
A customer whose feeds do not carry a flag such as `insurance.context.assigned_to_actor` says `mode: lookup` in the profile
([tenants](tenants.md)). Every detection that reads the flag then joins a table of the customer's own: a lookup of the delivered app in
Splunk, a watchlist in Sentinel, an index in lookup mode in Elastic. This page has the tables as
[context.yml](../mappings/taxonomy/context.yml) describes them.

- A row is unique by its keys; case does not matter.
- Times are milliseconds since 1970 in UTC, numbers are decimal text. An empty column says nothing: a validity without an end has not ended.
- A table holds the state of now. Rows that have ended may be taken out, once the rules' look-back has passed.
- An event that lacks a key or a compared field makes the flag `unknown`, which is worth what the rule's `if_unknown` says.
"""
_FLAGS = """\
A lookup serves a rule only if the rule's log source carries every key of the table and every field that its columns are compared with. For
any other rule the flag is as good as absent: deliver it with the event where those rules matter more.
"""


def context_tables_page(pack: Pack, note: str) -> str:
    """The page."""
    heads = _heads("table", "what", "keys", "other columns", "refresh", "owner, source", "makes")
    tables = [*heads, *(_table(table, pack) for table in pack.context.tables.values())]
    opening = ["# Context tables", "", note, "", _OPENING.rstrip(), ""]
    return "\n".join([*opening, "## Tables", "", *tables, "", "## Flags", "", _FLAGS.rstrip(), "", *_flags(pack)]) + "\n"


def _heads(*names: str) -> list[str]:
    return [f"| {' | '.join(names)} |", "|" + "---|" * len(names)]


def _table(table: ContextTable, pack: Pack) -> str:
    made = [_short(name) for name, lookup in pack.context.flags.items() if lookup.table == table.name]
    keys = ", ".join(f"`{column}` = {field}" for column, field in table.keys) or "`calendar`, `day`"
    others = ", ".join(f"`{column}` ({kind})" for column, kind in table.columns if column not in table.key_columns)
    cells = (
        f"`{table.name}`",
        table.description,
        keys,
        others or "-",
        table.refresh,
        f"{table.owner}, {table.source}",
        ", ".join(made) or "-",
    )
    return f"| {' | '.join(cells)} |"


def _short(flag: str) -> str:
    return f"`{flag.removeprefix('insurance.context.')}`"


def _flags(pack: Pack) -> Iterator[str]:
    """Every flag that rules read, looked up or not."""
    read = sorted({name for rule in pack.rules for name in _read(rule) if name.startswith("insurance.context.")})
    yield from _heads("flag", "table", "is", "without a row", "rules that a lookup serves", "rules that it does not")
    for name in dict.fromkeys((*pack.context.flags, *read)):
        lookup = pack.context.flags.get(name)
        rules = [rule for rule in pack.rules if name in _read(rule)]
        served = [rule for rule in rules if lookup is not None and set(lookup.reads) <= set(_carried(rule, pack))]
        others = [rule for rule in rules if rule not in served]
        words = (f"`{lookup.table}`", _meaning(lookup), _missing(lookup)) if lookup is not None else ("none: with the event only", "", "")
        yield f"| {_short(name)} | {' | '.join(words)} | {_links(served)} | {_links(others)} |"


def _read(rule: AnyRule) -> tuple[str, ...]:
    return fields_of(rule.predicate) if isinstance(rule, Rule) else ()


def _carried(rule: AnyRule, pack: Pack) -> tuple[str, ...]:
    source = pack.taxonomy.find(rule.logsource) if isinstance(rule, Rule) else None
    return source.fields if source is not None else ()


def _links(rules: list[AnyRule]) -> str:
    named = (f"[{rule.header.label.removeprefix('ins-')}](rules/{dug(rule, 'domain')}/{rule.header.slug}.md)" for rule in rules)
    return " ".join(named) or "-"


_WORDS = {"lt": "below", "lte": "at most", "gt": "above", "gte": "at least"}


def _meaning(lookup: Lookup) -> str:
    match lookup.verdict:
        case Held(column):
            return f"what `{column}` holds"
        case Found(tests):
            told = " and ".join(_test(test) for test in tests)
            return f"yes where there is a row{', and' if told else ''} {told}".rstrip() + (", else no" if told else "")
        case _:
            return "no within the hours of the user's group, else yes"


def _test(test: RowTest) -> str:
    factor = "" if test.factor == 1 else f" times {test.factor:g}"
    return f"`{test.column}`{factor} is {_WORDS[test.operator]} {'the time of the event' if test.field == TIME else test.field}"


def _missing(lookup: Lookup) -> str:
    return lookup.verdict.missing if isinstance(lookup.verdict, (Found, Held)) else "unknown"
