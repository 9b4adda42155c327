"""What came of a proof, for people and for the pack: findings, closing lines, a table, and the files under proofs/."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from insigma.cli.errors import UsageError
from insigma.cli.output import counted
from insigma.content.model import Pack
from insigma.content.pack import PACK_FILE
from insigma.diagnostics.model import Diagnostic, Place, Severity
from insigma.release.proofs import GRADES, ProofRow, as_document, proofs_folder
from insigma_prove.engines import ENGINES
from insigma_prove.prove import Proof
from insigma_prove.schedules import DayProof
from insigma_prove.stands import STANDS

MOST_TOLD = 5
"""Faults of one detection that are told one by one."""


def place_of(pack: Pack) -> Place:
    """Where findings stand that concern no rule: at the head of the pack's own file."""
    return next((document.place() for document in pack.documents if pack.relative(document.path) == PACK_FILE), Place(PACK_FILE))


def absences(absent: Mapping[str, str], pack: Pack) -> list[Diagnostic]:
    """INS803 for each engine that is not there."""
    needed = {spec.name: spec.needed for spec in ENGINES}
    place = place_of(pack)
    return [
        Diagnostic(
            place,
            "INS803",
            f"SKIPPED: engine {name}: {why}",
            "run insigma prove --install" + ("" if needed[name] else f" --engine {name}"),
            severity=Severity.WARNING,
        )
        for name, why in sorted(absent.items())
    ]


def findings(proof: Proof, tenant: str = "") -> Iterable[Diagnostic]:
    """INS801 for what an engine disagrees about, INS802 for what none has judged. `tenant` is named where it is a customer's."""
    place, label = proof.rule.header.document.place(), proof.rule.header.label
    asked = f"{tenant}: {proof.target} {proof.language}" if tenant else f"{proof.target} {proof.language}"
    for case, message in proof.faults[:MOST_TOLD]:
        yield Diagnostic(place, "INS801", f"{asked} on {proof.engine}: case '{case}': {message}", "see docs/fidelity.md", rule=label)
    if len(proof.faults) > MOST_TOLD:
        yield Diagnostic(
            place, "INS801", f"{asked} on {proof.engine}: and {len(proof.faults) - MOST_TOLD} more", "see docs/fidelity.md", rule=label
        )
    if proof.grade == "unchecked" and not proof.refused:
        hint = "" if proof.engine or "fixture" in proof.reason else "run insigma prove --install"
        yield Diagnostic(place, "INS802", f"{asked} is unchecked: {proof.reason}", hint, Severity.WARNING, label)


def day_findings(days: Sequence[DayProof]) -> Iterable[Diagnostic]:
    """INS801 for what a replayed day shows."""
    for proof in days:
        place, label = proof.rule.header.document.place(), proof.rule.header.label
        for message in proof.faults[:MOST_TOLD]:
            yield Diagnostic(place, "INS801", f"{proof.target} {proof.language} over a day: {message}", "see docs/fidelity.md", rule=label)


def day_closing(days: Sequence[DayProof], seed: int) -> str:
    """The closing line of a replay."""
    held, runs, alerts = sum(not proof.faults for proof in days), sum(proof.runs for proof in days), sum(proof.alerts for proof in days)
    told = f"{counted(runs, 'run')} that saw events delivered {counted(alerts, 'alert')}"
    return f"{held:,} of {counted(len(days), 'schedule')} hold over a day; {told} (seed {seed})"


def keep(proofs: Sequence[Proof], root: Path, tenant: str | None = None) -> None:
    """One file for each target, in the folder of the pack or of a customer; a query that any engine disproves has no row."""
    folder = root / proofs_folder(tenant)
    folder.mkdir(parents=True, exist_ok=True)
    disproved = {proof.query for proof in proofs if proof.faults}
    for target in dict.fromkeys(proof.target for proof in proofs if proof.target in STANDS):
        rows = [_row(proof) for proof in proofs if proof.target == target and proof.grade in GRADES and proof.query not in disproved]
        (folder / f"{target}.json").write_text(as_document(rows), encoding="utf-8")


def check_whole(absent: Mapping[str, str], unread: Sequence[Diagnostic]) -> None:
    """Raises `UsageError` where an engine or a file is missing: what was shown before would be lost."""
    if any(found.severity is Severity.ERROR for found in unread):
        raise UsageError("--write keeps the proof of a whole pack, and some of its files cannot be read", "run insigma check")
    gone = [f"engine {spec.name}: {absent[spec.name]}" for spec in ENGINES if spec.needed and spec.name in absent]
    if gone:
        raise UsageError(f"--write keeps the proof of a whole pack, but {'; '.join(gone)}", "run insigma prove --install")


def _row(proof: Proof) -> ProofRow:
    label = proof.rule.header.label
    return ProofRow(label, proof.target, proof.language, proof.grade, proof.engine, proof.query, proof.events, proof.cases)


def closing(proofs: Sequence[Proof]) -> str:
    """The closing line of a proof."""
    asked = [proof for proof in proofs if not proof.refused]
    held = sum(proof.grade in GRADES and not proof.faults for proof in asked)
    cases = sum(proof.cases for proof in asked)
    refused = len(proofs) - len(asked)
    return f"{held:,} of {counted(len(asked), 'proof')} hold, over {counted(cases, 'case')}; {refused} refused by the compiler"


def table(proofs: Sequence[Proof], before: str = "") -> Iterator[str]:
    """For each language and engine how the detections ended. `before` begins each line."""
    counts: Counter[tuple[str, str, str, str]] = Counter()
    for proof in proofs:
        state = "refused" if proof.refused else "disproved" if proof.faults else proof.grade
        counts[proof.target, proof.language, "" if proof.refused else proof.engine or "none", state] += 1
    for (target, language, engine, state), number in sorted(counts.items()):
        yield f"{before}{target:9} {language:7} {number:4} {state:10} {engine}".rstrip()
