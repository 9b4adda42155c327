"""What came of generated sets, for people: findings, a table and a closing line."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from insigma.diagnostics.model import Diagnostic, Place, Severity
from insigma_prove.generate.runner import Outcome, Tally

MOST_REFUSED: Mapping[tuple[str, str, str], float] = {
    ("elastic", "lucene", "event rules"): 0.50,  # measured over some hundreds of sets: 0.38 to 0.41
    ("elastic", "eql", "event rules"): 0.60,  # 0.51, 0.52
    ("elastic", "esql", "event rules"): 0.50,  # 0.30 to 0.42
    ("elastic", "lucene", "correlations"): 1.0,  # it has none
    ("elastic", "eql", "correlations"): 0.92,  # 0.83: few correlations are sequences, and simultaneous events are set aside
    ("elastic", "esql", "correlations"): 0.55,  # 0.42, most of it set aside: conditions that further events undo
    ("splunk", "spl", "event rules"): 0.30,  # 0.13 to 0.23
    ("splunk", "spl", "correlations"): 0.15,  # 0.02 to 0.09
    ("sentinel", "kql", "event rules"): 0.35,  # 0.09 to 0.20
    ("sentinel", "kql", "correlations"): 0.35,
}
"""The largest share of sets that may be refused or set aside. Made-up rules ask for far more than written ones do, and one item
that a language cannot say is enough to refuse a rule."""

ENOUGH = 200
"""So many sets, and a share means something."""


def findings(outcomes: Sequence[Outcome], place: Place) -> Iterator[Diagnostic]:
    """A finding for each disagreement, and for each language that refuses more than it is known to."""
    for outcome in outcomes:
        found = outcome.disagreement
        if found is not None:
            message = f"{outcome.target} {found.language}: a generated set is judged otherwise than by the evaluator: {found.message}"
            yield Diagnostic(place, "INS801", message, f"the set stands below; seed {outcome.seed}")
        for language, tally in outcome.tallies.items():
            share, bound = refused_share(tally), MOST_REFUSED.get((outcome.target, language, outcome.kind), 0.5)
            if tally.tried >= ENOUGH and share > bound:
                message = f"{outcome.target} {language} refuses {share:.0%} of the generated {outcome.kind}, more than {bound:.0%}"
                yield Diagnostic(place, "INS802", message, "a refusal too many hides what would be proved", severity=Severity.ERROR)


def refused_share(tally: Tally) -> float:
    """The share of the sets that no engine judged, whatever the reason."""
    return 1 - tally.agreed / tally.tried if tally.tried else 0.0


def table(outcomes: Sequence[Outcome], reasons: int = 3) -> Iterator[str]:
    """For each target, kind and language how the sets ended, the commonest reasons of refusals, and what was set aside."""
    for outcome in outcomes:
        told = f"{outcome.generated:,} {outcome.kind}, {outcome.positive:,} with a match, {outcome.negative:,} with a miss"
        yield f"{outcome.target}: {told}" + (f", {outcome.unread.total():,} unreadable" if outcome.unread else "")
        for language, tally in outcome.tallies.items():
            judged = f"{tally.agreed:6,} agreed, {tally.refused.total():5,} refused"
            aside = f", {tally.excluded.total():,} set aside" if tally.excluded else ""
            beyond = f", {tally.unsupported.total():,} beyond the engine's adapter" if tally.unsupported else ""
            yield f"  {language:7}{judged}{aside}{beyond}"
            yield from (f"{number:12,} {reason}" for reason, number in tally.refused.most_common(reasons))
            yield from (f"{number:12,} set aside: {name}" for name, number in tally.excluded.most_common())
            yield from (f"{number:12,} beyond the adapter: {reason}" for reason, number in tally.unsupported.most_common(reasons))
        if outcome.disagreement is not None:
            yield ""
            yield outcome.disagreement.report


def closing(outcomes: Sequence[Outcome], seed: int) -> str:
    """One line: how many judgements agreed, were refused, set aside, and how many sets disagree."""
    tallies = [tally for outcome in outcomes for tally in outcome.tallies.values()]
    agreed, refused = sum(tally.agreed for tally in tallies), sum(tally.refused.total() for tally in tallies)
    aside = sum(tally.excluded.total() + tally.unsupported.total() for tally in tallies)
    disagreed = sum(outcome.disagreement is not None for outcome in outcomes)
    sets = sum(outcome.generated for outcome in outcomes)
    judged = f"{agreed:,} verdicts agree, {disagreed:,} disagree; {refused:,} refused, {aside:,} set aside"
    return f"{sets:,} generated sets: {judged} (seed {seed})"
