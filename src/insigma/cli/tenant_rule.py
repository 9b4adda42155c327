"""One rule as it holds for a customer: in words beside the pack's, with everything that differs, and its query."""

from __future__ import annotations

import difflib
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from insigma.cli.tenant_tables import cut
from insigma.content.durations import duration_text
from insigma.content.lookups import YES, Lookup
from insigma.content.model import AnyRule, Correlation, Pack
from insigma.content.predicate import Constant, Keyword, Match, Name, Placeholder, Predicate, Text
from insigma.content.words import Line, in_words
from insigma.diagnostics.render.hostile import visible
from insigma.specialise.simplify import replaced
from insigma.specialise.tenant import Specialiser

COLUMN = 56
"""Characters of each of the two columns of words."""


NEVER = "Never: nothing that this customer delivers can match"


def rule_object(specialiser: Specialiser, rule: AnyRule, pack: Pack) -> dict[str, Any]:
    """The rule as JSON has it. `words` pairs the pack's with the customer's, for the rule and each rule that it builds on."""
    special = specialiser.special(rule)
    header = rule.header
    here = {part.header.label: part for part in _parts(special.rule)}
    return {
        "rule": header.label,
        "title": header.title,
        "file": pack.relative(header.path),
        "state": special.state,
        "reason": special.reason,
        "needs": list(special.needs),
        "level": {"pack": header.level, "here": special.rule.header.level},
        "notes": list(special.notes),
        "lookups": [_lookup(lookup, pack) for lookup in special.lookups],
        "words": [_words(part, here[part.header.label], special.lookups) for part in _parts(rule)],
    }


def _lookup(lookup: Lookup, pack: Pack) -> dict[str, Any]:
    known = pack.context.tables.get(lookup.table)
    return {
        "field": lookup.field,
        "table": lookup.table,
        "list": known is None,
        "by": list(lookup.reads),
        "refresh": lookup.refresh,
        "values": None if lookup.values is None else len(lookup.values),
    }


def _parts(rule: AnyRule) -> Iterator[AnyRule]:
    """The rule, then everything that it builds on, each once."""
    found: dict[str, AnyRule] = {}
    waiting = [rule]
    while waiting:
        part = waiting.pop(0)
        if part.header.label not in found:
            found[part.header.label] = part
            waiting += part.members if isinstance(part, Correlation) else ()
    return iter(found.values())


def _words(rule: AnyRule, made: AnyRule, lookups: Sequence[Lookup]) -> dict[str, Any]:
    """The rule in the pack's words and in the customer's."""
    dead = not isinstance(made, Correlation) and made.predicate == Constant(False)
    here = [NEVER] if dead else list(_lines(in_words(_as_written(made, lookups))))
    return {"rule": rule.header.label, "title": rule.header.title, "pack": list(_lines(in_words(rule))), "here": here}


def _as_written(rule: AnyRule, lookups: Sequence[Lookup]) -> AnyRule:
    """The rule with lists that are looked up called by their names again, as people know them."""
    lists = {lookup.field: (lookup.table, lookup.reads[0]) for lookup in lookups if lookup.field.startswith("insigma.list.")}
    if isinstance(rule, Correlation) or not lists:
        return rule

    def leaf(node: Match | Keyword) -> Predicate:
        if not isinstance(node, Match) or node.field not in lists or node.value != Text((YES,)):
            return node
        name, field = lists[node.field]
        return Match(field, Placeholder((Name(name),)))

    return replace(rule, predicate=replaced(rule.predicate, leaf))


def _lines(lines: Sequence[Line], depth: int = 0) -> Iterator[str]:
    for line in lines:
        yield "  " * depth + line.text
        yield from _lines(line.inner, depth + 1)


def compiled(specialiser: Specialiser, chosen: Sequence[AnyRule], pack: Pack, target: str) -> dict[str, dict[str, Any]]:
    """By label the query of each rule for the target, or why there is none."""
    from insigma.release.tenants import Workbench, build_tenant

    build = build_tenant(specialiser, replace(pack, rules=tuple(chosen)), (target,), Workbench(), {})
    found: dict[str, dict[str, Any]] = {}
    for outcome in build.outcomes:
        if outcome.packed is None:
            found[outcome.rule.header.label] = {"query": None, "target": target, "refused": outcome.reason}
            continue
        detection = outcome.packed.detection
        found[outcome.rule.header.label] = {
            "target": target,
            "query": detection.query,
            "language": detection.language,
            "window": detection.window,
            "schedule": {
                "interval": duration_text(detection.schedule.interval_ms),
                "lookback": duration_text(detection.schedule.lookback_ms),
            },
            "target_notes": [note for note in detection.notes if note not in specialiser.special(_of(outcome.rule, chosen)).notes],
        }
    return found


def _of(rule: AnyRule, chosen: Sequence[AnyRule]) -> AnyRule:
    return next(each for each in chosen if each.header.label == rule.header.label)


_STATES = {"active": "runs", "disabled": "is switched off", "lacking": "cannot run"}


def rule_text(found: Mapping[str, Any], tenant: str) -> Iterator[str]:
    """The rule for people."""
    yield cut(visible(f"{found['rule']}: {found['title']}"))
    level = found["level"]
    said = f"  {_STATES[found['state']]} for {tenant}" + (f": {found['reason']}" if found["reason"] else "")
    yield cut(visible(said))
    yield f"  severity {level['here']}" + (f" (pack: {level['pack']})" if level["here"] != level["pack"] else "")
    told = (*(f"needs: {need}" for need in found["needs"]), *found["notes"], *map(_told_lookup, found["lookups"]))
    yield from (f"  {line}" for text in told for line in _wrapped(text, 2 * COLUMN))
    for part in found["words"]:
        yield ""
        name = "" if part["rule"] == found["rule"] else f"{part['rule']}: {part['title']}"
        if part["pack"] == part["here"]:
            yield cut(visible(f"{name} (as in the pack)" if name else "As in the pack:"))
            yield from (f"  {line}" for text in part["here"] for line in _wrapped(text, 2 * COLUMN))
        else:
            if name:
                yield cut(visible(name))
            yield from _beside(part["pack"], part["here"], tenant)
    if "target" in found:
        yield from ("", *_query(found))


def _told_lookup(entry: Mapping[str, Any]) -> str:
    keys, age = ", ".join(entry["by"]), f", at most {entry['refresh']} old" if entry["refresh"] else ""
    if entry["list"]:
        return f"list {entry['table']} is looked up by {keys}{age}"
    return f"{entry['field']} is looked up in {entry['table']} by {keys or 'the time'}{age}"


def _beside(left: Sequence[str], right: Sequence[str], tenant: str) -> Iterator[str]:
    """Two columns; `|` stands between lines that differ, `<` and `>` by a line that only one side has."""
    yield f"  {'pack':<{COLUMN}}   {visible(tenant)}"
    for tag, first, last, begin, end in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        for number in range(max(last - first, end - begin)):
            old = left[first + number] if first + number < last else None
            new = right[begin + number] if begin + number < end else None
            sign = " " if tag == "equal" else "<" if new is None else ">" if old is None else "|"
            yield from _row(old or "", new or "", sign)


def _row(left: str, right: str, sign: str) -> Iterator[str]:
    one, other = list(_wrapped(left, COLUMN)), list(_wrapped(right, COLUMN))
    for number in range(max(len(one), len(other))):
        shown = one[number] if number < len(one) else ""
        beside = other[number] if number < len(other) else ""
        yield f"  {shown:<{COLUMN}} {sign if number == 0 else ' '} {beside}".rstrip()


MOST = 400
"""Characters of one statement that are shown: a list that is written out may be long."""


def _wrapped(text: str, width: int) -> Iterator[str]:
    shown = visible(text)
    if len(shown) > MOST:
        shown = f"{shown[:MOST].rsplit(' ', 1)[0]} … ({len(shown):,} characters)"
    depth = len(shown) - len(shown.lstrip(" "))
    yield from textwrap.wrap(
        shown, width, initial_indent="", subsequent_indent=" " * (depth + 4), break_on_hyphens=False, drop_whitespace=True
    ) or [""]


def _query(found: Mapping[str, Any]) -> Iterator[str]:
    if found["query"] is None:
        yield cut(visible(f"{found['target']} has no query: {found['refused']}"))
        return
    every, back = found["schedule"]["interval"], found["schedule"]["lookback"]
    yield f"{found['target']} ({found['language']}, window {found['window']}, every {every}, looks back {back})"
    yield from (cut(visible(f"  note: {note}")) for note in found["target_notes"])
    yield ""
    yield from str(found["query"]).splitlines()
