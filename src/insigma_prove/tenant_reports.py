"""What came of the proof of customers' detections, for people."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from insigma.cli.output import counted
from insigma.diagnostics.model import Diagnostic, Severity
from insigma.release.proofs import GRADES
from insigma_prove import reports
from insigma_prove.prove import Proof
from insigma_prove.tenants import TenantProof


def findings(found: TenantProof) -> Iterator[Diagnostic]:
    """INS801 and INS802 as for the pack, INS804 for each detection that was proved on silence, and what of the profile cannot be read."""
    yield from found.unread
    for proof in found.proofs:
        yield from reports.findings(proof, found.tenant.id)
        if _holds(proof) and not proof.telling:
            told = f"{found.tenant.id}: {proof.target} {proof.language} is proved on {counted(proof.cases, 'case')}, of which none alerts"
            hint = "do its lists and thresholds let any case of the fixture alert?"
            header = proof.rule.header
            yield Diagnostic(header.document.place(), "INS804", told, hint, Severity.NOTE, header.label)


def closing(proved: Sequence[TenantProof]) -> str:
    """The closing line."""
    proofs = [proof for found in proved for proof in found.proofs]
    asked = [proof for proof in proofs if not proof.refused]
    held, cases, telling = sum(map(_holds, asked)), sum(proof.cases for proof in asked), sum(proof.telling for proof in asked)
    told = f"{counted(cases, 'case')}, {telling:,} of them with alerts; {len(proofs) - len(asked)} refused by the compiler"
    return f"{held:,} of {counted(len(asked), 'proof')} hold for {counted(len(proved), 'tenant')}, over {told}"


def table(proved: Sequence[TenantProof], each: bool) -> Iterator[str]:
    """For each tenant how its detections ended, `each` by itself too; what cannot run, and how many flags the tables give again."""
    width = max((len(found.tenant.id) for found in proved), default=0)
    for found in proved:
        before = f"{found.tenant.id:{width}}  "
        yield from reports.table(found.proofs, before)
        for proof in found.proofs if each else ():
            told = "refused" if proof.refused else f"{counted(proof.cases, 'case')}, {proof.telling:,} with alerts"
            yield f"{before}{proof.target:9} {proof.rule.header.label}  {told}"
        if found.flags.carried:
            yield f"{before}{found.flags.same:,} of {counted(found.flags.carried, 'flag')} come out of the lookup tables as they were"
        if found.lacking:
            yield f"{before}{counted(len(found.lacking), 'rule')} cannot run with this customer's data"


def _holds(proof: Proof) -> bool:
    return proof.grade in GRADES and not proof.faults
