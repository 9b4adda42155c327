"""`temporal_ordered` where one event may match several of the rules: a sequence is made of distinct events.

Events of different times are distinct, so only those of one instant need care. Whether steps i to k can be done at one instant
by an event each is a question of matching, which Hall's theorem answers by counting: for each choice of these steps, at
least as many events match one of them as there are steps chosen.

For each step the latest start of a sequence that has come that far is kept. An instant carries sequences on from what was
reached before it (`streamstats current=f`, Search Reference, `streamstats`), by as many steps as it can do; the longest
part that it can do by itself gives the latest start, as a start is never later for more steps done. On a group's first row there
is nothing before it; whether `count` is then 0 or null the manual does not say, so that row is not taken for one cut short.
"""

from __future__ import annotations

from itertools import combinations

from insigma.bind.model import BoundCorrelation, Refused
from insigma.targets.splunk.working import Working

MOST_STEPS = 4
"""Steps are counted in every choice of them: 15 columns for four."""


def overlapping(bound: BoundCorrelation, rows: Working) -> list[str]:
    """The lines up to `insigma_start`, the latest start of a whole sequence, and `insigma_truncated`. Raises `Refused`."""
    steps = len(bound.members)
    if steps > MOST_STEPS:
        raise Refused(f"one event may match two of its rules, and they are more than {MOST_STEPS}", ("correlation", "rules"))
    choices = [choice for size in range(1, steps + 1) for choice in combinations(range(1, steps + 1), size)]
    counts = " ".join(f"sum(eval(if({_matches_one(choice)}, 1, 0))) as {_column(choice)}" for choice in choices)
    lines = [f"| stats {counts} by {' '.join((*rows.groups, 'insigma_ms'))}", "| sort 0 insigma_ms"]
    lines.append(f"| streamstats count as insigma_row{rows.by}")
    for step in range(1, steps):
        lines.append(f"| eval insigma_reached={_reached(step)}")
        lines.append(f"| streamstats current=f count as insigma_rows_{step} max(insigma_reached) as insigma_before_{step}{rows.by}")
    lines.append(f"| eval insigma_reached={_reached(steps)}")
    lines.append(f"| streamstats count as insigma_rows_{steps} max(insigma_reached) as insigma_start{rows.by}")
    before = " OR ".join(f"isnull(insigma_rows_{step})" for step in range(1, steps))
    cut = f"isnull(insigma_row) OR isnull(insigma_rows_{steps}) OR (insigma_row>1 AND ({before}))"
    return [*lines, f"| eval insigma_truncated=if({cut}, 1, 0)"]


def _matches_one(choice: tuple[int, ...]) -> str:
    return " OR ".join(f"isnotnull(insigma_rule_{step})" for step in choice)


def _column(choice: tuple[int, ...]) -> str:
    return "insigma_any_" + "_".join(map(str, choice))


def _reached(step: int) -> str:
    """The latest start of a sequence that does this step at this instant: all of it here, or the last so many steps."""
    cases = [f"{_done_here(first, step)}, {'insigma_ms' if first == 1 else f'insigma_before_{first - 1}'}" for first in range(1, step + 1)]
    return f"case({', '.join(cases)})"


def _done_here(first: int, last: int) -> str:
    """That the steps from `first` to `last` can be done by distinct events of the instant."""
    steps = range(first, last + 1)
    return " AND ".join(f"{_column(choice)}>={size}" for size in range(1, len(steps) + 1) for choice in combinations(steps, size))
