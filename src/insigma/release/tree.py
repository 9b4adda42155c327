"""Everything that dist/ holds, as text by path."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from insigma import __version__
from insigma.content.model import Pack
from insigma.packages.base import Files, Packed
from insigma.release.ledger import markdown, row, rows
from insigma.release.outcomes import Outcome
from insigma.release.proofs import Proofs
from insigma.release.sbom import PROGRAM, SBOM_FILE, sbom
from insigma.release.tenants import TenantBuild, filter_files, package_files
from insigma.release.workshops import Workshop

READER = "pysigma"
BACKENDS = ("pysigma-backend-elasticsearch", "pysigma-backend-splunk")


class PathClash(Exception):
    """Two artefacts would be one file."""


def tree(outcomes: Sequence[Outcome], workshops: Sequence[Workshop], pack: Pack, proofs: Proofs) -> Mapping[str, str | bytes]:
    """The files of dist/ by path. Raises `LedgerGap`, `PathClash`, or `Refused` from a bundle."""
    entries = rows(outcomes, pack, [workshop.name for workshop in workshops], proofs)
    files: dict[str, str | bytes] = {}
    for outcome in outcomes:
        if outcome.packed is not None:
            _add(files, outcome.packed.files)
    for workshop in workshops:
        packed = [outcome.packed for outcome in outcomes if outcome.target == workshop.name and outcome.packed is not None]
        _add(files, workshop.packager.bundle(sorted(packed, key=_order)))
    _add(files, _ledger_files(outcomes, pack, proofs))
    _add(files, {"ledger.json": as_json({"rows": entries}), "ledger.md": markdown(entries)})
    stock = any(not workshop.verified for workshop in workshops)
    described = _manifest(files, [workshop.name for workshop in workshops], pack, stock=stock)
    _add(files, {"manifest.json": as_json(described)})
    return files


def tenant_tree(
    build: TenantBuild, pack: Pack, proofs: Proofs, versions: Mapping[str, int], hashes: Mapping[str, str]
) -> dict[str, str | bytes]:
    """The files of one customer's folder by path; `hashes` are those of the rules' files.

    Raises `LedgerGap`, `PathClash`, or `Refused` from a package.
    """
    entries = rows(build.outcomes, pack, build.targets, proofs)
    files: dict[str, str | bytes] = {}
    _add(files, dict(package_files(build)))
    _add(files, dict(filter_files(build)))
    _add(files, {SBOM_FILE: _bill(build, pack, versions, hashes)})
    _add(files, {"ledger.json": as_json({"rows": entries}), "ledger.md": markdown(entries)})
    described = _manifest(files, build.targets, pack, stock=False) | {"tenant": build.tenant.id}
    _add(files, {"manifest.json": as_json(described)})
    return files


def _order(packed: Packed) -> tuple[str, str]:
    return packed.header.label, packed.header.slug


def _add(files: dict[str, str | bytes], more: Files) -> None:
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


def _manifest(files: Files, targets: Sequence[str], pack: Pack, *, stock: bool) -> dict[str, Any]:
    """sha256 of every file, and the versions of what went in: pySigma, which reads every rule, and stock backends that wrote."""
    return {
        "files": {path: hashlib.sha256(as_bytes(content)).hexdigest() for path, content in files.items()},
        "pack": {"name": pack.name, "version": pack.version},
        "taxonomy": {"name": pack.taxonomy.name, "version": pack.taxonomy.version},
        "targets": list(targets),
        "versions": {"insigma": __version__, **{name: _version(name) for name in (READER, *(BACKENDS if stock else ()))}},
    }


def _bill(build: TenantBuild, pack: Pack, versions: Mapping[str, int], hashes: Mapping[str, str]) -> str:
    """The bill of materials of a customer's folder."""
    rules = [special.rule for special in build.specials]
    programs = {PROGRAM: __version__, READER: _version(READER)}
    return sbom(pack, rules, hashes, versions, programs, build.tenant.id)


def as_bytes(content: str | bytes) -> bytes:
    """A file's content as it is written."""
    return content.encode("utf-8") if isinstance(content, str) else content


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "unknown"


def as_json(value: Any) -> str:
    """Stable JSON: sorted keys, two spaces, UTF-8 as it is, a line break at the end."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=False) + "\n"
