"""Roll-ups as KQL jobs of the data lake. Jobs have no API, so a job is described: the query to paste, and its settings as JSON.

Names of jobs hold no `#` and no `-` and are unique in an Entra tenant; a job makes its table when it first runs (Create KQL jobs in the
Microsoft Sentinel data lake).
"""

from __future__ import annotations

import json
import re

from insigma.content.durations import duration_text
from insigma.content.model import Header
from insigma.packages.base import Files, Packed
from insigma.targets.base import Companion

LONGEST_NAME = 256


def rollups(packed: Packed) -> tuple[Companion, ...]:
    """The roll-ups of a detection."""
    return tuple(companion for companion in packed.detection.companions if companion.kind == "rollup")


def job_files(packed: Packed, tenant: str) -> Files:
    """Below sentinel/: `jobs/<rule>.kql` to paste, `jobs/<rule>.json` with the name, schedule and table of a roll-up and its columns."""
    files: dict[str, str] = {}
    for companion in rollups(packed):
        settings = {
            "name": job_name(packed.header, tenant),
            "description": f"Feeds the analytics rule {packed.header.label}",
            "destinationTable": companion.name,
            "columns": [{"name": name, "type": kind} for name, kind in companion.columns.items()],
            "repeatEvery": duration_text(companion.interval_ms),
            "query": companion.query,
        }
        files[f"jobs/{packed.header.slug}.kql"] = companion_text(companion)
        files[f"jobs/{packed.header.slug}.json"] = json.dumps(settings, ensure_ascii=False, indent=2, sort_keys=True) + "\n"
    return files


def job_name(header: Header, tenant: str) -> str:
    return re.sub(r"[#-]", "_", f"Insigma {tenant} {header.label}")[:LONGEST_NAME]


def companion_text(companion: Companion) -> str:
    """The query under comment lines that say what to set up."""
    if companion.kind == "function":
        head = [f"// Save as a function with the alias {companion.name}, without parameters."]
    else:
        columns = ", ".join(f"{name}:{kind}" for name, kind in companion.columns.items())
        head = [
            f"// Schedule as a KQL job of the data lake, every {duration_text(companion.interval_ms)}, into the table {companion.name}.",
            f"// Columns: {columns}",
        ]
    return "\n".join((*head, companion.query)) + "\n"
