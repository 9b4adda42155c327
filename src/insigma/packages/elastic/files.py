"""The packager of Elastic: a query and a Kibana rule for each rule, insigma.ndjson, and the templates."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.model import Header
from insigma.packages.base import Files, Packed
from insigma.packages.elastic.rules import KibanaContext, kibana_rule, ndjson
from insigma.packages.elastic.template import event_id_pipeline, index_template
from insigma.targets.base import Detection


class ElasticPackager:
    """Writes below dist/elastic/."""

    def __init__(self, context: KibanaContext) -> None:
        self._context = context

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
            "elastic/insigma.ndjson": ndjson(kibana_rule(entry.header, entry.detection, self._context) for entry in packed),
            "elastic/component-template.json": _json(index_template(mapping)),
            "elastic/ingest-pipeline.json": _json(event_id_pipeline(mapping)),
        }


def _json(value: Mapping[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
