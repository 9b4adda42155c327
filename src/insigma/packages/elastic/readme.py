"""README.md of a tenant's package: in which order its files are loaded, which tables the customer fills, what is switched off.

Sources: the API reference of Elasticsearch 8.18 (ingest pipelines, component and index templates, indices, bulk, delete by
query, rollover) and of Kibana (import saved objects, import detection rules); "Spaces" for what a space may be called.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from insigma.packages.base import Packed, Table
from insigma.packages.elastic.indices import COMPONENT, CUSTOM_COMPONENT, TEMPLATE_FILES, index_templates, remote_patterns
from insigma.packages.elastic.lookups import index_name, pipeline_name
from insigma.packages.elastic.pipelines import EVENT_ID_PIPELINE, INSURANCE_PIPELINE
from insigma.packages.elastic.rules import KibanaContext
from insigma.targets.base import Refused

_SPACE = re.compile(r"[a-z0-9_-]+", re.ASCII)
_MARKUP = re.compile(r"([\\`*_{}\[\]()<>#!|~$&])")
_UNSEEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]")


def readme(packed: Sequence[Packed], context: KibanaContext) -> str:
    """The page. Raises `Refused` for a space that Kibana cannot have, and for index patterns and tables that are none."""
    pack = context.pack
    parts = [
        [f"# Insigma for Elastic: {_text(pack.legal_entity or pack.tenant)}"],
        [f"Tenant `{_code(pack.tenant)}`, pack {_text(pack.pack)} {_text(pack.version)}. Elasticsearch and Kibana 8.18 or later."],
        _before(context),
        _loading(context),
        _tables(pack.tables),
        _off(packed),
    ]
    return "\n\n".join(line for part in parts for line in part) + "\n"


def _before(context: KibanaContext) -> list[str]:
    cluster = "manage_ingest_pipelines and manage_index_templates"
    return [
        "## Before",
        f"The API key needs the cluster privileges {cluster}, on `insigma-*` the index privileges create_index, write, delete and read, "
        "and in Kibana all of Security, Data View Management and Saved Objects Management. The rules go on running under the key that "
        "they are imported with, and stop when it is deleted: it also has to read the indices of the events.",
        _block(
            [
                "export ELASTICSEARCH_URL=https://...  # without a slash at the end",
                "export KIBANA_URL=https://...",
                "export ELASTIC_API_KEY=...",
                f'export KIBANA_SPACE="${{KIBANA_URL}}{_space(context)}"',
                "es() { curl --fail-with-body --silent --show-error"
                ' -H "Authorization: ApiKey ${ELASTIC_API_KEY}" -H "Content-Type: application/json" "$@"; }',
                "kb() { curl --fail-with-body --silent --show-error"
                ' -H "Authorization: ApiKey ${ELASTIC_API_KEY}" -H "kbn-xsrf: insigma" "$@"; }',
            ]
        ),
    ]


def _space(context: KibanaContext) -> str:
    space = context.pack.settings.get("space")
    if space in (None, "", "default"):
        return ""
    if not isinstance(space, str) or not _SPACE.fullmatch(space):
        raise Refused(f"'{space}' is no space of Kibana: lower-case letters, digits, hyphens and underscores")
    return f"/s/{space}"


def _loading(context: KibanaContext) -> list[str]:
    templates = index_templates(context.mapping, context.pack.tenant)
    remote = remote_patterns(context.mapping)
    parts = [
        "## Loading",
        "In this order, from this folder. Everything may be loaded again; nothing is doubled. What is loaded is called the same for every "
        "tenant: a cluster holds one.",
        "1. Pipelines, component template and index templates.",
        _block(
            [
                _put(f"_ingest/pipeline/{EVENT_ID_PIPELINE}", "ingest-pipeline.json"),
                _put(f"_ingest/pipeline/{INSURANCE_PIPELINE}", "ingest-pipeline-insurance.json"),
                _put(f"_component_template/{COMPONENT}", "component-template.json"),
                *(_put(f"_index_template/{name}", TEMPLATE_FILES[name]) for name in templates),
            ]
        ),
        f"Lifecycle, shards and other settings of your own go into a component template `{CUSTOM_COMPONENT}`. Templates hold for new "
        'indices: roll an existing data stream over with `es -X POST "${ELASTICSEARCH_URL}/<data stream>/_rollover"`.',
    ]
    if remote:
        shown = ", ".join(f"`{pattern}`" for pattern in remote)
        parts.append(f"Indices of other clusters ({shown}) need pipelines, component template and index templates there.")
    parts += [*_lookup_step(context.pack.tables), *_kibana_step(bool(context.pack.tables))]
    return parts


def _lookup_step(tables: Sequence[Table]) -> list[str]:
    if not tables:
        return []
    lines = [line for table in sorted(tables, key=lambda each: each.name) for line in _lookup_lines(table)]
    return [
        "2. Lookup indices. An index that is there already answers `resource_already_exists_exception`, which is well; if its columns have "
        'changed, delete it first. `_bulk` has to answer `"errors":false`.',
        _block(lines),
    ]


def _lookup_lines(table: Table) -> Iterable[str]:
    index = index_name(table)
    yield _put(f"_ingest/pipeline/{pipeline_name(table)}", f"lookups/{index}.pipeline.json")
    yield _put(index, f"lookups/{index}.index.json")
    if table.rows:
        yield (f'es -X POST "${{ELASTICSEARCH_URL}}/{index}/_bulk?refresh=true" --data-binary @lookups/{index}.bulk.ndjson')
    if table.rows is not None:
        yield (
            f'es -X POST "${{ELASTICSEARCH_URL}}/{index}/_delete_by_query?refresh=true&conflicts=proceed"'
            f" --data-binary @lookups/{index}.prune.json"
        )


def _kibana_step(tables: bool) -> list[str]:
    first = 3 if tables else 2
    return [
        f'{first}. The data view, then the rules. Both answers have to say `"success":true`.',
        _block(
            [
                'kb -X POST "${KIBANA_SPACE}/api/saved_objects/_import?overwrite=true" --form file=@data-view.ndjson',
                'kb -X POST "${KIBANA_SPACE}/api/detection_engine/rules/_import?overwrite=true" --form file=@rules.ndjson',
            ]
        ),
        "`overwrite=true` makes each rule what the file says, switched on or off, with nothing kept of changes made in Kibana. "
        "That goes for actions and exception lists too, of which the file has none: exceptions belong into the profile, and actions are "
        "attached again after an import (Rules, filter by the tag `Insigma`, Bulk actions). Rules that the package no longer holds stay "
        "in Kibana until somebody deletes them.",
    ]


def _tables(tables: Sequence[Table]) -> list[str]:
    own = [table for table in sorted(tables, key=lambda each: each.name) if table.rows is None]
    if not own:
        return []
    example = own[0]
    given = ", ".join(f'"{name}": {"..." if kind == "string" else "0"}' for name, kind in example.columns).replace("...", '"..."')
    return [
        "## Tables that you fill",
        "A job of yours keeps these up to date; an empty table looks to the rules as if nobody were in it. A row is a document whose "
        "fields are the plain columns; times are milliseconds since 1970 in UTC. The pipeline of the index makes the key of the key "
        "columns, without regard to case, and puts it into `_id`: give an `_id` of any text, so that a row that comes again takes the "
        "place of the old one. Delete rows that no longer hold.",
        "\n".join(
            [
                "| index | keys | columns | refresh | owner | source | holds |",
                "|---|---|---|---|---|---|---|",
                *(_table_row(table) for table in own),
            ]
        ),
        _block([f'{{"index":{{"_id":"1"}}}}\n{{{given}}}'], "json"),
    ]


def _table_row(table: Table) -> str:
    columns = ", ".join(f"`{name}` {kind}" for name, kind in table.columns)
    keys = ", ".join(f"`{name}`" for name in table.keys)
    told = (table.refresh, table.owner, table.source, table.description)
    return "| " + " | ".join([f"`{index_name(table)}`", keys, columns, *map(_text, told)]) + " |"


def _off(packed: Sequence[Packed]) -> list[str]:
    """The rules that come switched off, and why."""
    switched = [entry for entry in packed if not entry.enabled]
    bases = [entry for entry in packed if entry.enabled and entry.header.insurance.get("role") == "base"]
    parts = []
    if switched:
        parts += ["## Switched off by the profile", _listed(switched)]
    if bases:
        parts += ["## Switched off because correlations hold what they look for", _listed(bases)]
    return parts


def _listed(entries: Iterable[Packed]) -> str:
    return "\n".join(f"- `{_code(entry.header.label)}`: {_text(entry.header.title)}" for entry in entries)


def _put(path: str, file: str) -> str:
    return f'es -X PUT "${{ELASTICSEARCH_URL}}/{path}" --data-binary @{file}'


def _block(lines: Sequence[str], language: str = "sh") -> str:
    return "\n".join((f"```{language}", *lines, "```"))


def _text(text: str) -> str:
    """The text on one line of Markdown: no character is markup, and what cannot be seen or turns the line is told by its number."""
    shown = _UNSEEN.sub(lambda found: f"(U+{ord(found.group()):04X})", " ".join(text.split()))
    return _MARKUP.sub(r"\\\1", shown)


def _code(text: str) -> str:
    return _UNSEEN.sub("", " ".join(text.split())).replace("`", "'")
