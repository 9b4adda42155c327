"""A difference in sentences: what the text, the Markdown and the JSON form have in common."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence

from insigma.diff.data import shown
from insigma.diff.model import ABSENT, CaseDiff, Change, Compiled, Difference, Given, Kind, QueryDiff, RuleDiff, SideName, TenantsDiff
from insigma.diff.queries import changed_facts
from insigma.release.outcomes import COMPILED

LONG = 100
"""From how many characters on a text counts as prose: that it was reworded is told, and not how."""
LEVELS = ("informational", "low", "medium", "high", "critical")
NO_RULE = "none"


def side_said(side: SideName) -> str:
    """ "main (0123456789ab)", "working tree"."""
    return f"{side.name} ({side.commit[:12]})" if side.commit and not side.commit.startswith(side.name) else side.name


def change_said(change: Change, *, lines: bool = False) -> str:
    """One change of data in a line; with `lines`, where it stands."""
    return f"{change.path}{_what(change)}" + (f" ({_where(change)})" if lines else "")


def _what(change: Change) -> str:
    if change.before is ABSENT:
        return f" added: {_brief(change.after)}"
    if change.after is ABSENT:
        return f" removed: {_brief(change.before)}"
    if isinstance(change.before, list) and isinstance(change.after, list):
        signs = [f"+ {_brief(value)}" for value in change.added] + [f"- {_brief(value)}" for value in change.removed]
        return f" {' '.join(signs)}" if signs else f": order {shown(change.before)} -> {shown(change.after)}"
    if _prose(change.before) or _prose(change.after):
        return ": reworded"
    return f": {shown(change.before)} -> {shown(change.after)}"


def _prose(value: object) -> bool:
    return isinstance(value, str) and ("\n" in value or len(value) > LONG)


def _brief(value: object) -> str:
    text = shown(value)
    return text if len(text) <= LONG else f"{text[:LONG]}…"


def _where(change: Change) -> str:
    if not change.line_after:
        return f"was line {change.line_before}"
    return f"line {change.line_after}"


def level_said(diff: RuleDiff) -> str:
    """ "high -> medium (lowered)"; empty where nothing changed."""
    before, after = diff.level
    if before == after or not before or not after:
        return ""
    known = before in LEVELS and after in LEVELS
    direction = (" (raised)" if LEVELS.index(after) > LEVELS.index(before) else " (lowered)") if known else ""
    return f"{before} -> {after}{direction}"


def status_said(diff: RuleDiff) -> str:
    before, after = diff.status
    return f"{before or 'none'} -> {after or 'none'}" if before != after and diff.kind in (Kind.CHANGED, Kind.RENAMED) else ""


def ended_said(compiled: Compiled) -> str:
    """How a rule ended on a target, such as "compiled (esql, exact)" or "refused: why"."""
    if compiled.state == COMPILED and compiled.facts is not None:
        return f"compiled ({compiled.facts['language']}, {compiled.facts['window']})"
    return f"{compiled.state}: {compiled.reason}" if compiled.reason else compiled.state


def query_said(diff: QueryDiff) -> Iterator[str]:
    """What happened on one target, a statement each: how the rule ends, its facts, notes and proof."""
    before, after = diff.before, diff.after
    if before.state != after.state or before.reason != after.reason:
        yield " -> ".join(ended_said(side) for side in (before, after) if side.state != NO_RULE) + (
            " (gone)" if after.state == NO_RULE else ""
        )
    elif before.text != after.text:
        yield "query changed"
    for name, was, now in changed_facts(diff):
        yield f"{name}: {was or 'none'} -> {now or 'none'}"
    if before.state == after.state:
        yield from (f"note added: {note}" for note in after.notes if note not in before.notes)
        yield from (f"note gone: {note}" for note in before.notes if note not in after.notes)
    if after.proof and (before.proof, before.text) != (after.proof, after.text):
        yield f"proof: {before.proof} -> {after.proof}" if before.proof and before.proof != after.proof else f"proof: {after.proof}"


def query_lines(diff: QueryDiff) -> tuple[str, ...]:
    """The query as a unified diff, all new where there was none; empty where it is the same, or gone."""
    if diff.before.text == diff.after.text or not diff.after.text:
        return ()
    return unified(diff.before.text.split("\n") if diff.before.text else (), diff.after.text.split("\n"))


def unified(before: Sequence[str], after: Sequence[str], context: int = 2) -> tuple[str, ...]:
    """Two lists of lines as a unified diff without its head."""
    return tuple(difflib.unified_diff(before, after, lineterm="", n=context))[2:]


def words_lines(diff: RuleDiff) -> tuple[str, ...]:
    """The logic in words as lines with a sign; a rule that is gone needs none."""
    if diff.words.before == diff.words.after or diff.kind is Kind.REMOVED:
        return ()
    return tuple(f"{line[0]} {line[1:]}" for line in unified(diff.words.before, diff.words.after, 1) if not line.startswith("@@"))


def given_said(given: Given) -> str:
    """What a rule gives on a case, in words."""
    if given.alerts is None:
        if not given.matches:
            return "no match"
        if len(given.matches) == given.events:
            return "the event matches" if given.events == 1 else f"all {given.events} events match"
        shown_events = ", ".join(map(str, given.matches[:10])) + (", …" if len(given.matches) > 10 else "")
        return f"{len(given.matches)} of {given.events} events match ({shown_events})"
    if not given.alerts:
        return "no alert"
    told = []
    for alert in given.alerts[:3]:
        group = ", ".join(f"{name} {value}" for name, value in alert.group.items()) or "all events"
        told.append(f"{group}: value {shown(alert.value)}, {alert.events} events from {alert.first} to {alert.last}")
    more = f"; and {len(given.alerts) - 3} more" if len(given.alerts) > 3 else ""
    return f"alert for {'; '.join(told)}{more}"


def verdicts_said(cases: Sequence[CaseDiff]) -> list[str]:
    """The cases on which the rules differ, those that only alert at other instants last."""
    return [_verdict(case) for case in sorted(cases, key=_only_instants)]


def _only_instants(case: CaseDiff) -> bool:
    return given_said(case.before) == given_said(case.after)


def _verdict(case: CaseDiff) -> str:
    """What a case gave, what it gives, and whether that is expected."""
    whose = {"both": "", "head": " (as HEAD has it)", "base": " (as BASE has it)"}[case.version]
    expected = "as expected" if case.wanted_after else "NOT as expected"
    if _only_instants(case):
        said = f"the same alerts at other instants ({_instants(case.before)} -> {_instants(case.after)})"
    else:
        said = f"{given_said(case.before)} -> {given_said(case.after)}"
    return f"'{case.name}'{whose}: {said}; {expected}"


def _instants(given: Given) -> int:
    return sum(len(alert.instants) for alert in given.alerts or ())


def cases_said(diff: RuleDiff) -> Iterator[str]:
    """What became of the fixture, a statement each; verdicts are told apart."""
    cases = diff.cases
    for what, names in (("added", cases.added), ("removed", cases.removed), ("rewritten", cases.rewritten)):
        if names and diff.kind in (Kind.CHANGED, Kind.RENAMED):
            yield f"{_counted(len(names), 'case')} {what}: {', '.join(repr_name(name) for name in names)}"
    if diff.kind is Kind.ADDED:
        yield f"{_counted(cases.after, 'case')}" if cases.after else "no fixture"
    elif cases.compared and not cases.verdicts:
        yield f"{_counted(cases.compared, 'case')} run on both sides, none tells them apart"
    elif cases.compared:
        yield f"{_counted(len(cases.verdicts), 'verdict')} of {cases.compared} changed"


def repr_name(name: str) -> str:
    return f"'{name}'"


def tenants_said(tenants: TenantsDiff) -> Iterator[str]:
    """The customers: for whom the rule is another, for whom not, and whose profile says something new of it."""
    if tenants.affected:
        yield f"affected: {', '.join(tenants.affected)}"
    spared = [name for name in tenants.enabled if name not in tenants.affected]
    if spared:
        yield f"{'not affected' if tenants.affected else 'runs unchanged for'}: {', '.join(spared)}".replace("for: ", "for ")
    for what, found in (("runs now for", tenants.on), ("no longer runs for", tenants.off)):
        yield from (f"{what} {name}" + (f" ({reason})" if reason else "") for name, reason in found.items())
    for name, paths in tenants.profiles.items():
        yield f"profile {name}: {', '.join(paths)}"


def kind_said(diff: RuleDiff) -> str:
    """ "changed", "renamed and changed", "cannot be read in main"."""
    if diff.kind is Kind.UNREADABLE:
        return f"cannot be read in {diff.unread}"
    changed = diff.logic or diff.through or diff.metadata or diff.queries or diff.cases.changed or level_said(diff) or status_said(diff)
    return "renamed and changed" if diff.kind is Kind.RENAMED and changed else diff.kind.value


def parts_said(diff: RuleDiff) -> tuple[str, ...]:
    """Which parts of the rule are touched: words for a summary."""
    if diff.kind not in (Kind.CHANGED, Kind.RENAMED):
        return ()
    parts = {
        "logic": bool(diff.logic or words_lines(diff)),
        "underneath": bool(diff.through),
        "metadata": bool(diff.metadata),
        "tests": diff.cases.changed,
        "tenants": diff.tenants.changed,
    }
    return tuple(part for part, told in parts.items() if told)


def in_order(rules: Sequence[RuleDiff]) -> list[RuleDiff]:
    """The rules as a reader wants them: what cannot be read, what changed itself, then what changed only with something underneath."""

    def rank(diff: RuleDiff) -> int:
        if diff.kind is Kind.UNREADABLE:
            return 0
        own = diff.kind is not Kind.CHANGED or diff.logic or diff.metadata or level_said(diff) or status_said(diff)
        return 1 if own else 2

    return sorted(rules, key=rank)


def counts_said(difference: Difference) -> str:
    """How many rules were added, removed and so on, in one line."""
    counts = [(kind, sum(diff.kind is kind for diff in difference.rules)) for kind in Kind]
    told = [f"{number} {kind.value}" for kind, number in counts if number]
    files = f"; {_counted(len(difference.files), 'file')} beside them" if difference.files else ""
    return (f"{_counted(len(difference.rules), 'rule')}: {', '.join(told)}" if told else "no rule touched") + files


def _counted(number: int, noun: str) -> str:
    return f"{number:,} {noun}" + ("" if number == 1 else "s")
