"""Everything that dist/ holds, as text by path."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from insigma import __version__
from insigma.content.model import Pack
from insigma.packages.base import Packed
from insigma.release.ledger import markdown, row, rows
from insigma.release.outcomes import Outcome
from insigma.release.proofs import Proofs
from insigma.release.workshops import Workshop

READER = "pysigma"
BACKENDS = ("pysigma-backend-elasticsearch", "pysigma-backend-splunk")


class PathClash(Exception):
    """Two artefacts would be one file."""


def tree(outcomes: Sequence[Outcome], workshops: Sequence[Workshop], pack: Pack, proofs: Proofs) -> Mapping[str, str]:
    """The files of dist/ by path. Raises `LedgerGap`, `PathClash`, or `Refused` from a bundle."""
    entries = rows(outcomes, pack, [workshop.name for workshop in workshops], proofs)
    files: dict[str, str] = {}
    for outcome in outcomes:
        if outcome.packed is not None:
            _add(files, outcome.packed.files)
    for workshop in workshops:
        packed = [outcome.packed for outcome in outcomes if outcome.target == workshop.name and outcome.packed is not None]
        _add(files, workshop.packager.bundle(sorted(packed, key=_order)))
    _add(files, _ledger_files(outcomes, pack, proofs))
    _add(files, {"ledger.json": as_json({"rows": entries}), "ledger.md": markdown(entries)})
    _add(files, {"manifest.json": as_json(_manifest(files, workshops, pack))})
    return files


def _order(packed: Packed) -> tuple[str, str]:
    return packed.header.label, packed.header.slug


def _add(files: dict[str, str], more: Mapping[str, str]) -> None:
    for path, text in more.items():
        if path in files:
            raise PathClash(path)
        files[path] = text


def _ledger_files(outcomes: Sequence[Outcome], pack: Pack, proofs: Proofs) -> dict[str, str]:
    by_slug: dict[str, list[Outcome]] = {}
    for outcome in outcomes:
        by_slug.setdefault(outcome.rule.header.slug, []).append(outcome)
    return {
        f"ledger/{slug}.json": as_json(
            {"rows": sorted((row(outcome, pack, proofs) for outcome in found), key=lambda entry: str(entry["target"]))}
        )
        for slug, found in by_slug.items()
    }


def _manifest(files: Mapping[str, str], workshops: Sequence[Workshop], pack: Pack) -> dict[str, Any]:
    """sha256 of every file, and the versions of what went in: pySigma, which reads every rule, and stock backends that wrote."""
    stock = any(not workshop.verified for workshop in workshops)
    return {
        "files": {path: hashlib.sha256(text.encode("utf-8")).hexdigest() for path, text in files.items()},
        "pack": {"name": pack.name, "version": pack.version},
        "taxonomy": {"name": pack.taxonomy.name, "version": pack.taxonomy.version},
        "targets": [workshop.name for workshop in workshops],
        "versions": {"insigma": __version__, **{name: _version(name) for name in (READER, *(BACKENDS if stock else ()))}},
    }


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def as_json(value: Any) -> str:
    """Stable JSON: sorted keys, two spaces, UTF-8 as it is, a line break at the end."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
