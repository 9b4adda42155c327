"""What a customer would have to deliver so that more rules run: the single need that wins most of them first."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from insigma.cli.output import counted
from insigma.cli.tenant_tables import cut
from insigma.diagnostics.render.hostile import visible
from insigma.specialise.tenant import ACTIVE, Special


def needs_of(specials: Sequence[Special]) -> dict[str, Any]:
    """The rules that cannot run, with what is missing; and each need with the rules that it wins by itself, or with others."""
    waiting = sorted((special for special in specials if special.needs and special.state != ACTIVE), key=_label)
    by_need: dict[str, list[Special]] = {}
    for special in waiting:
        for need in special.needs:
            by_need.setdefault(need, []).append(special)
    grouped = [
        {
            "need": need,
            "wins": [_label(special) for special in concerned if len(special.needs) == 1],
            "helps": [_label(special) for special in concerned if len(special.needs) > 1],
        }
        for need, concerned in by_need.items()
    ]
    grouped.sort(key=lambda entry: (-len(entry["wins"]), -len(entry["helps"]), entry["need"]))
    return {"needs": grouped, "rules": [_told(special) for special in waiting]}


def _label(special: Special) -> str:
    return special.rule.header.label


def _told(special: Special) -> dict[str, Any]:
    header = special.rule.header
    return {
        "rule": header.label,
        "title": header.title,
        "level": header.level,
        "state": special.state,
        "reason": special.reason,
        "needs": list(special.needs),
    }


def needs_text(found: dict[str, Any], tenant: str) -> Iterator[str]:
    """A block for each need: how many rules it wins, and which."""
    rules = {entry["rule"]: entry for entry in found["rules"]}
    if not rules:
        yield visible(f"{tenant} has what every rule needs")
        return
    yield visible(f"{counted(len(rules), 'rule')} cannot run for {tenant}. What would win them, the most first:")
    for entry in found["needs"]:
        wins, helps = entry["wins"], entry["helps"]
        yield ""
        yield cut(visible(entry["need"]))
        if wins:
            yield f"  wins {counted(len(wins), 'rule')}"
            yield from (cut(visible(f"    {name}  {rules[name]['level']:<13}  {rules[name]['title']}")) for name in wins)
        if helps:
            yield f"  {'and ' if wins else ''}is one of the things that {counted(len(helps), 'rule')} {_verb(helps)}"
            for name in helps:
                others = [need for need in rules[name]["needs"] if need != entry["need"]]
                yield cut(visible(f"    {name}  also: {'; '.join(others)}"))


def _verb(names: Sequence[str]) -> str:
    return "needs" if len(names) == 1 else "need"
