"""The packager of Elastic: the files of one rule, those of the default profile, and everything that one tenant loads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.model import Header, Taxonomy
from insigma.packages.base import Files, Packed, Table
from insigma.packages.elastic.indices import TEMPLATE_FILES, data_view, index_templates
from insigma.packages.elastic.lookups import bulk_rows, index_name, lookup_index, prune_query, row_pipeline
from insigma.packages.elastic.pipelines import event_id_pipeline, insurance_pipeline
from insigma.packages.elastic.readme import readme
from insigma.packages.elastic.rules import KibanaContext, json_line, kibana_rule, ndjson
from insigma.packages.elastic.template import index_template
from insigma.targets.base import Detection


class ElasticPackager:
    """Writes below dist/elastic/. `taxonomy` gives the defaults that ingest writes; without it there are none."""

    def __init__(self, context: KibanaContext, taxonomy: Taxonomy | None = None) -> None:
        self._context = context
        self._taxonomy = taxonomy

    def rule_files(self, header: Header, detection: Detection) -> Files:
        return {
            f"elastic/rules/{header.slug}.{detection.language}": f"{detection.query}\n",
            f"elastic/rules/{header.slug}.json": self.native(header, detection),
        }

    def native(self, header: Header, detection: Detection) -> str:
        return _json(kibana_rule(header, detection, self._context))

    def bundle(self, packed: Sequence[Packed]) -> Files:
        mapping = self._context.mapping
        return {
            "elastic/insigma.ndjson": self._rules(packed),
            "elastic/component-template.json": _json(index_template(mapping)),
            "elastic/ingest-pipeline.json": _json(event_id_pipeline(mapping)),
        }

    def package(self, packed: Sequence[Packed]) -> Files:
        """Everything that the tenant loads: rules, templates, pipelines, data view, lookup indices, and how to load them.

        Raises `Refused` for a schedule that Kibana cannot keep, an index pattern that is none, a lookup table that cannot be an
        index, and a space that Kibana cannot have.
        """
        mapping, pack = self._context.mapping, self._context.pack
        ordered = sorted(packed, key=lambda entry: (entry.header.label, entry.header.slug))
        templates = index_templates(mapping, pack.tenant)
        return {
            "elastic/README.md": readme(ordered, self._context),
            "elastic/component-template.json": _json(index_template(mapping)),
            "elastic/data-view.ndjson": json_line(data_view(mapping, pack.tenant)),
            "elastic/ingest-pipeline.json": _json(event_id_pipeline(mapping)),
            "elastic/ingest-pipeline-insurance.json": _json(insurance_pipeline(mapping, self._taxonomy)),
            "elastic/rules.ndjson": self._rules(ordered),
            **{f"elastic/{TEMPLATE_FILES[name]}": _json(template) for name, template in templates.items()},
            **{path: text for table in pack.tables for path, text in _lookup_files(table).items()},
        }

    def _rules(self, packed: Sequence[Packed]) -> str:
        return ndjson(kibana_rule(entry.header, entry.detection, self._context, enabled=entry.enabled) for entry in packed)


def _lookup_files(table: Table) -> Mapping[str, str]:
    base = f"elastic/lookups/{index_name(table)}"
    files = {f"{base}.index.json": _json(lookup_index(table)), f"{base}.pipeline.json": _json(row_pipeline(table))}
    if table.rows is not None:
        files[f"{base}.prune.json"] = _json(prune_query(table))
    if table.rows:
        files[f"{base}.bulk.ndjson"] = bulk_rows(table)
    return files


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
