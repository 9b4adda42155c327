"""What every build begins with: the pack checked and tested, the proofs read, the key to sign with."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from insigma.assure.fixtures import CaseResult
from insigma.checks.runner import check_all
from insigma.cli.errors import UsageError
from insigma.cli.keys import signing_key
from insigma.cli.locks import locked_versions
from insigma.cli.progress import Progress
from insigma.cli.test_command import as_errors, run_cases
from insigma.cli.workplace import Workplace
from insigma.content.pack import bundled_root
from insigma.content.tenants import Tenant
from insigma.diagnostics.model import Diagnostic
from insigma.release.proofs import ProofRow, Proofs, read_proofs
from insigma.release.signing import sign

Signer = Callable[[bytes], str]


def examined(workplace: Workplace, progress: Progress, day: str | None = None) -> tuple[tuple[CaseResult, ...], list[Diagnostic]]:
    """The results of every fixture case, and all findings of checks and cases, each once."""
    progress.step("checking", 1)
    findings = list(check_all(workplace.loaded, day))
    progress.advance()
    progress.step("testing", len(workplace.loaded.pack.fixtures))
    cases = run_cases(workplace, findings, progress.advance).results
    findings.extend(found for result in cases for found in result.diagnostics)
    return cases, list(dict.fromkeys(as_errors(findings)))


def proofs_of(workplace: Workplace) -> Proofs:
    """What engines have shown of the pack's detections."""
    pack = workplace.loaded.pack
    labels = {name: rule.header.label for rule in pack.rules for name in (rule.header.id, rule.header.name) if name is not None}
    try:
        below = read_proofs(bundled_root()) if pack.base_root else ()
        own = read_proofs(workplace.root) if workplace.root is not None else ()
        return Proofs((*below, *own), pack.fixtures, labels)
    except ValueError as error:
        raise UsageError(str(error)) from error


def shown_of(workplace: Workplace, tenants: Sequence[Tenant]) -> Mapping[str, Sequence[ProofRow]]:
    """What engines have shown of the tenants' own detections, by tenant. Raises `UsageError` for a file that is none of ours."""
    if workplace.root is None:
        return {}
    try:
        return {tenant.id: read_proofs(workplace.root, tenant.id) for tenant in tenants}
    except ValueError as error:
        raise UsageError(str(error)) from error


def signer(key_file: Path | None) -> Signer | None:
    """What signs manifests, with the key of the file or of the environment; None where there is neither. Raises `UsageError`."""
    key = signing_key(key_file)
    return None if key is None else lambda manifest: sign(manifest, key)


def versions_for(workplace: Workplace) -> Mapping[str, int]:
    """The versions of the pack's rules by label, and of those of the pack that it extends. Raises `UsageError` for a broken lock."""
    below = locked_versions(bundled_root()) if workplace.loaded.pack.base_root else {}
    return {**below, **locked_versions(workplace.root)}
