"""The packager of Sentinel.

For review, as a rule's own files: <slug>.kql, <slug>.yaml, and what a rule needs beside it as <slug>.function.kql or
<slug>.rollup.kql. For a customer: templates for Azure Resource Manager, in an order that README.md gives.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.attack import AttackTable
from insigma.content.model import Header, TargetMapping
from insigma.packages.base import Files, PackContext, Packed
from insigma.packages.sentinel.arm import Resource, in_sentinel, in_workspace, literal, templates, workspace_parameter
from insigma.packages.sentinel.jobs import companion_text, job_files, rollups
from insigma.packages.sentinel.readme import Contents, readme
from insigma.packages.sentinel.rules import analytics_rule, rule_id, scheduled_rule
from insigma.packages.sentinel.tables import collection_template, own_tables, table_template
from insigma.packages.sentinel.watchlists import csv_text, is_large, watchlist, watchlist_id
from insigma.targets.base import Companion, Detection
from insigma.targets.sentinel.layout import tables

RULES_API_VERSION = "2025-07-01-preview"
"""The alert rules of the stable versions have no sub-techniques; Sentinel's own export of rules uses a preview version too."""
FUNCTIONS_API_VERSION = "2025-07-01"

_FOLDER = "sentinel/rules"


class SentinelPackager:
    """Writes below sentinel/. Without a `mapping` rules name no entities, and there are no tables."""

    def __init__(self, context: PackContext, attack: AttackTable, mapping: TargetMapping | None = None) -> None:
        self._context = context
        self._attack = attack
        self._mapping = mapping

    def rule_files(self, header: Header, detection: Detection) -> Files:
        return {
            f"{_FOLDER}/{header.slug}.kql": f"{detection.query}\n",
            f"{_FOLDER}/{header.slug}.yaml": self.native(header, detection),
            **{f"{_FOLDER}/{header.slug}.{companion.kind}.kql": companion_text(companion) for companion in detection.companions},
        }

    def native(self, header: Header, detection: Detection) -> str:
        return analytics_rule(header, self._scheduled(header, detection), self._context)

    def bundle(self, packed: Sequence[Packed]) -> Files:  # noqa: ARG002 - all that a customer loads is made by `package`
        return {}

    def package(self, packed: Sequence[Packed]) -> Files:
        rules = [self._scheduled(entry.header, entry.detection, enabled=entry.enabled) for entry in packed]
        made = list(zip(packed, rules, strict=True))
        resources = [(self._rule(entry, rule), bool(rollups(entry))) for entry, rule in made]
        beside = [*_functions(packed).values(), *(watchlist(table) for table in self._context.tables)]
        main = self._templates("mainTemplate.json", "rules-{}.json", [*beside, *(rule for rule, lake in resources if not lake)])
        lake = self._templates("lake.json", "lake-{}.json", [rule for rule, lake in resources if lake])
        reviewed = {f"rules/{entry.header.slug}.yaml": analytics_rule(entry.header, rule, self._context) for entry, rule in made}
        jobs = {path: text for entry in packed for path, text in job_files(entry, self._context.tenant).items()}
        text = readme(self._contents(packed, rules, tuple(main), tuple(lake)), self._context)
        files = {"README.md": text, **reviewed, **main, **lake, **jobs, **self._data_files(), **self._headers()}
        return {f"sentinel/{path}": content for path, content in files.items()}

    def _scheduled(self, header: Header, detection: Detection, *, enabled: bool = True) -> dict[str, Any]:
        return scheduled_rule(header, detection, self._context, self._attack, self._mapping, enabled=enabled)

    def _rule(self, packed: Packed, rule: Mapping[str, Any]) -> Resource:
        """An alert rule, which waits for the functions that it calls and the watchlists that it reads."""
        name, identity = in_sentinel("alertRules", rule_id(packed.header, self._context.tenant))
        detection = packed.detection
        text = "\n".join((detection.query, *(companion.query for companion in detection.companions)))
        needs = [_function_id(companion) for companion in detection.companions if companion.kind == "function"]
        needs += [watchlist_id(table) for table in self._context.tables if f'_GetWatchlist("{table.name}")' in text]
        body = {
            "type": "Microsoft.OperationalInsights/workspaces/providers/alertRules",
            "apiVersion": RULES_API_VERSION,
            "name": name,
            "kind": "Scheduled",
            "properties": literal(rule),
        }
        return Resource(identity, body, tuple(needs))

    def _templates(self, first: str, more: str, resources: Sequence[Resource]) -> Files:
        written = templates(workspace_parameter(self._context.settings), resources)
        return {(more.format(number) if number > 1 else first): text for number, text in enumerate(written, 1)}

    def _data_files(self) -> Files:
        """Custom tables and how events get into them."""
        found = own_tables(self._mapping) if self._mapping is not None else {}
        settings = self._context.settings
        files = {f"tables/{name}.json": table_template(name, columns, settings) for name, columns in found.items()}
        return {**files, **({"dcr.json": collection_template(found, self._context.tenant, settings)} if found else {})}

    def _headers(self) -> Files:
        """What the customer fills, or uploads: the header of each watchlist, and its rows where they do not fit into a template."""
        return {f"watchlists/{table.name}.csv": csv_text(table) for table in self._context.tables if table.rows is None or is_large(table)}

    def _contents(self, packed: Sequence[Packed], rules: Sequence[Mapping[str, Any]], main: Sequence[str], lake: Sequence[str]) -> Contents:
        names = tuple(tables(self._mapping)) if self._mapping is not None else ()
        own = tuple(name for name in names if name.endswith("_CL"))
        return Contents(
            packed=packed,
            enabled=sum(bool(rule["enabled"]) for rule in rules),
            own_tables=own,
            other_tables=tuple(name for name in names if name not in own),
            templates=main,
            lake_templates=lake,
        )


def _function_id(companion: Companion) -> str:
    return in_workspace("savedSearches", companion.name)[1]


def _functions(packed: Sequence[Packed]) -> dict[str, Resource]:
    """The saved functions of all rules, by name (Microsoft.OperationalInsights/workspaces/savedSearches)."""
    found: dict[str, Resource] = {}
    for entry in packed:
        for companion in entry.detection.companions:
            if companion.kind == "function":
                properties = {
                    "category": "Insigma",
                    "displayName": companion.name,
                    "query": companion.query,
                    "functionAlias": companion.name,
                    "version": 2,
                }
                body = {
                    "type": "Microsoft.OperationalInsights/workspaces/savedSearches",
                    "apiVersion": FUNCTIONS_API_VERSION,
                    "name": in_workspace("savedSearches", companion.name)[0],
                    "etag": "*",
                    "properties": literal(properties),
                }
                found[companion.name] = Resource(_function_id(companion), body)
    return found
