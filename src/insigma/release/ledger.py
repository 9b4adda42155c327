"""The ledger: one row for each rule, target and tenant. Its counts add up or nothing is written."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

from insigma.content.model import AnyRule, Pack
from insigma.diagnostics.model import Place
from insigma.diagnostics.render.hostile import as_markdown
from insigma.release.outcomes import COMPILED, Outcome
from insigma.release.proofs import Proofs

UNVERIFIED = "unverified"
STOCK = "a stock backend wrote it: its meaning is not ours to answer for"


class LedgerGap(Exception):
    """The rows are not one for each rule and target."""


def rows(outcomes: Sequence[Outcome], pack: Pack, targets: Sequence[str], proofs: Proofs) -> list[dict[str, Any]]:
    """The rows, by rule, then target. Raises `LedgerGap` if a rule of the pack is missing or told twice on one of the targets."""
    told = Counter((_place(outcome.rule), outcome.target) for outcome in outcomes)
    wanted = Counter((_place(rule), target) for rule in pack.rules for target in targets)
    if told != wanted:
        raise LedgerGap(f"{len(outcomes)} outcomes for {len(pack.rules)} rules on {len(targets)} targets")
    found = [row(outcome, pack, proofs) for outcome in outcomes]
    return sorted(found, key=lambda entry: (entry["rule"], entry["title"], entry["target"]))


def _place(rule: AnyRule) -> Place:
    """What tells a rule from every other, also after its lists were filled in."""
    return rule.header.document.place()


def row(outcome: Outcome, pack: Pack, proofs: Proofs) -> dict[str, Any]:
    """One row, in the shape of schemas/ledger.schema.json. `proof` says what an engine has shown, `engine` which one, or why none has."""
    header, packed = outcome.rule.header, outcome.packed
    reason = outcome.reason
    if outcome.place is not None:
        reason = f"{reason} ({pack.relative(outcome.place.path)}:{outcome.place.line})"
    proof, engine = "", ""
    if packed is not None:
        proof, engine = proofs.of(header.label, packed.detection) if outcome.verified else (UNVERIFIED, STOCK)
    return {
        "rule": header.label,
        "title": header.title,
        "target": outcome.target,
        "tenant": outcome.tenant,
        "outcome": outcome.state,
        "language": packed.detection.language if packed else "",
        "window": packed.detection.window if packed else "",
        "proof": proof,
        "engine": engine,
        "reason": reason,
        "notes": list(packed.detection.notes) if packed else [],
        **({"needs": list(outcome.needs)} if outcome.needs else {}),
    }


def markdown(entries: Sequence[Mapping[str, Any]]) -> str:
    """The ledger as a page for people."""
    counts = Counter((entry["target"], entry["outcome"]) for entry in entries)
    lines = ["# Ledger", "", "| target | compiled | refused | disabled |", "|---|---|---|---|"]
    for target in sorted({entry["target"] for entry in entries}):
        numbers = " | ".join(str(counts[target, state]) for state in (COMPILED, "refused", "disabled"))
        lines.append(f"| {target} | {numbers} |")
    lines += [
        "",
        "| rule | title | target | tenant | outcome | language | window | proof | engine | reason and notes |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    for entry in entries:
        told = "; ".join(text for text in (entry["reason"], *entry.get("needs", ()), *entry["notes"]) if text)
        cells = [*(entry[key] for key in ("rule", "title", "target", "tenant", "outcome", "language", "window", "proof", "engine")), told]
        lines.append("| " + " | ".join(as_markdown(str(cell)) for cell in cells) + " |")
    return "\n".join(lines) + "\n"
