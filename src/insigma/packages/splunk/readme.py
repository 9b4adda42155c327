"""README.md of an app: what whoever installs it has to know and to do."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from insigma.content.model import TargetMapping
from insigma.diagnostics.render.hostile import visible
from insigma.packages.base import PackContext, Packed, Table
from insigma.packages.splunk import app, conf
from insigma.packages.splunk.catalogue import RULES, state_of
from insigma.packages.splunk.lookups import by_rows, columns_of, file_of

_INDEX = re.compile(r"\bindex=([A-Za-z0-9_][A-Za-z0-9_:.-]*)", re.ASCII)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>|#&$~])")
_TYPES = {"string": "text", "number": "number", "time": "time (milliseconds since 1970)"}


def readme(packed: Sequence[Packed], context: PackContext, mapping: TargetMapping | None) -> str:
    """The page. Text of the profile is escaped as Markdown. Raises `Refused` for a table's name that is none."""
    sections = (
        _opening(packed, context),
        _installing(context),
        _indexes(packed, mapping),
        _tables(context.tables),
        _enterprise(context),
        _off(packed),
        _licences(packed),
    )
    return "\n".join(f"{section.strip()}\n" for section in sections if section)


def text(value: str) -> str:
    """People's text as Markdown: on one line, with nothing in it that Markdown or HTML would take for its own."""
    return _SPECIAL.sub(r"\\\1", visible(conf.line(value)))


def _opening(packed: Sequence[Packed], context: PackContext) -> str:
    counts = {state: sum(state_of(entry) == state for entry in packed) for state in ("on", "off", "building block")}
    return f"""
# {text(app.label(context))}

{text(app.description(context))}

{counts["on"]} searches run, {counts["off"]} are delivered switched off, {counts["building block"]} are building blocks of others.
The app runs no script, calls no other machine and has no index of its own.
"""


def _installing(context: PackContext) -> str:
    filled = (
        "- An update replaces the files under lookups/ and so empties the tables that your jobs fill: run those jobs right after it.\n"
        "  A search head cluster keeps all tables with `splunk apply shcluster-bundle -preserve-lookups true`; then load the tables that\n"
        "  this app ships by hand.\n"
        if any(table.rows is None for table in context.tables)
        else ""
    )
    return f"""
## Install

- Splunk Enterprise or Cloud Platform 9.2 or later, on search heads only. Events are JSON with `KV_MODE = json`.
- App id `{app.app_id(context)}`, version {app.app_version(context)}. Change settings in local/: an update replaces default/.
- Roles admin, power and sc_admin read the app, admin and sc_admin write. Give others access in metadata/local.meta.
- The dashboard reads the indexes \\_audit and \\_internal, which by default only administrators may search.
- limits.conf: `[spath] extraction_cutoff` and `[kv]` have to cover the longest event, for a field that is not extracted is absent;
  `[scheduler] max_per_result_alerts = 0` where more than 500 groups may alert in one run.
{filled}"""


def _indexes(packed: Sequence[Packed], mapping: TargetMapping | None) -> str:
    used: dict[str, int] = {}
    for entry in packed:
        for index in set(_INDEX.findall(entry.detection.query)):
            used[index] = used.get(index, 0) + 1
    if not used:
        return ""
    sources = mapping.logsources.values() if mapping is not None else ()
    named = {index: sorted(source.name for source in sources if source.settings.get("index") == index) for index in used}
    lines = _table(("index", "log sources", "rules"), ([f"`{index}`", ", ".join(named[index]), str(used[index])] for index in sorted(used)))
    return f"## Indexes\n\nThese have to exist and to hold the events in the canonical form.\n\n{lines}"


def _tables(tables: Sequence[Table]) -> str:
    if not tables:
        return ""
    parts = by_rows(tables)
    shipped = "".join(f"- `{table.name}`: {len(table.rows or ())} rows. {text(table.description)}\n" for table in parts[True])
    filled = "\n".join(map(_filled, parts[False]))
    told = (
        "The app brings their columns only: what is not in a table does not exist for the rules, so fill them before the searches run.\n"
        "A row is unique by its keys, which are compared in any case. Whoever writes a table needs write access to the app's lookups\n"
        "(metadata/local.meta).\n"
    )
    return "".join(
        (
            "## Lookup tables\n",
            f"\nShipped with the app, made from the profile; not to be changed here:\n\n{shipped}" if shipped else "",
            f"\nFilled by your own jobs. {told}\n{filled}" if filled else "",
        )
    )


def _filled(table: Table) -> str:
    facts = {"Owner": table.owner, "Source": table.source, "Refresh": table.refresh}
    known = "".join(f"{name}: {text(value)}. " for name, value in facts.items() if value.strip())
    rows = ([f"`{name}`", _TYPES.get(kind, kind), "key" if name in table.keys else ""] for name, kind in columns_of(table))
    names = " ".join(name for name, _ in columns_of(table))
    return (
        f"### `{table.name}`\n\n{text(table.description)}\n{known.strip()}\n\n{_table(('column', 'type', ''), rows)}\n"
        f"File `{file_of(table)}`; a search fills it with `... | table {names} | outputlookup {table.name}`.\n"
    )


def _enterprise(context: PackContext) -> str:
    if not app.enterprise_security(context):
        return ""
    return """
## Enterprise Security

Every search that runs is a correlation search: an alert makes a notable, and risk for the entities in its result (5, 20, 40, 60 or
80 by level). A signal makes risk alone. Saved searches and lookups are shared with all apps, as ES calls them from its own.
"""


def _off(packed: Sequence[Packed]) -> str:
    reasons = {
        "off": "Switched off by the profile; to switch one on, change the profile and build again",
        "building block": "Building blocks: a match alone alerts nobody, and correlations hold the logic themselves",
    }
    parts = []
    for state, reason in reasons.items():
        found = sorted((entry.header.label, entry.header.title) for entry in packed if state_of(entry) == state)
        if found:
            parts.append(f"{reason}:\n\n" + "".join(f"- {text(label)}: {text(title)}\n" for label, title in found))
    return "## What does not run\n\n" + "\n".join(parts) if parts else ""


def _licences(packed: Sequence[Packed]) -> str:
    """Who wrote the rules and on what terms: a detection rule licence wants both to stay with the rule."""
    found: dict[tuple[str, str], int] = {}
    for entry in packed:
        data = entry.header.document.data if isinstance(entry.header.document.data, dict) else {}
        terms = str(data.get("license") or "no licence named"), str(data.get("author") or "no author named")
        found[terms] = found.get(terms, 0) + 1
    lines = "".join(f"- {text(licence)}, by {text(author)}: {count} rules\n" for (licence, author), count in sorted(found.items()))
    return f"## Licences\n\n{lines}The rules by name: `| inputlookup {RULES}`\n" if lines else ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(cells)} |\n" for cells in lines)
