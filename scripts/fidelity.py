"""The page docs/fidelity.md: what engines have shown, how the stock backends fare on the same events, and what is refused."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from insigma.content.lists import default_lists
from insigma.content.model import AnyRule, Pack
from insigma.content.pack import load_pack
from insigma.release.proofs import FOLDER, digest_of_events, read_proofs
from insigma.specialise.lists import fill_lists
from insigma.targets.base import Refused
from insigma_prove.stands import open_stand

ROOT = Path(__file__).resolve().parent.parent
LANGUAGES = (("elastic", "lucene"), ("elastic", "eql"), ("elastic", "esql"), ("splunk", "spl"), ("sentinel", "kql"))
NAMES = {"lucene": "Lucene", "eql": "EQL", "esql": "ES|QL", "spl": "SPL", "kql": "KQL"}


def fidelity_page(note: str) -> str:
    """The page; what was measured comes from the pack's proofs folder."""
    pack = load_pack(ROOT).pack
    rules = sorted(fill_lists(pack.rules, default_lists(pack)).rules, key=lambda rule: rule.header.label)
    refused = _refused(pack, rules)
    lines = ["# Fidelity", "", note, "", _part("opening"), "", *_proofs(pack, rules, refused), *_refusals(rules, refused)]
    lines += ["", _part("engines"), *_parity("pack"), *_parity("public"), *_public_refusals()]
    return "\n".join(lines).rstrip() + "\n"


Cell = tuple[str, str, str]
"""A rule's label, a target and a language."""


def _refused(pack: Pack, rules: Sequence[AnyRule]) -> Mapping[Cell, str]:
    """Why a language does not say a rule, for those that it does not."""
    found: dict[Cell, str] = {}
    stands = {target: open_stand(target, pack) for target, _ in LANGUAGES}
    for target, language in LANGUAGES:
        for rule in rules:
            try:
                stands[target].compile(rule, language)
            except Refused as refusal:
                found[rule.header.label, target, language] = refusal.reason
    return found


def _proofs(pack: Pack, rules: Sequence[AnyRule], refused: Mapping[Cell, str]) -> Iterator[str]:
    rows = read_proofs(ROOT)
    fixtures = {fixture.rule: digest_of_events(fixture) for fixture in pack.fixtures}
    yield "| target | language | proved | how | engine | cases |"
    yield "|---|---|---|---|---|---|"
    for target, language in LANGUAGES:
        own = [row for row in rows if (row.target, row.language) == (target, language)]
        for engine in dict.fromkeys(row.engine for row in own):
            part = [row for row in own if row.engine == engine]
            grades = ", ".join(dict.fromkeys(row.grade for row in part))
            cases = sum(row.cases for row in part)
            yield f"| {target} | {_cell(NAMES[language])} | {len(part)} of {len(rules)} | {grades} | {_cell(engine)} | {cases} |"
    yield ""
    heads = [_cell(NAMES[language]) for _, language in LANGUAGES]
    yield f"| rule | {' | '.join(heads)} |"
    yield "|---" * (len(heads) + 1) + "|"
    for rule in rules:
        names = {rule.header.name, rule.header.id, rule.header.label}
        current = {digest for name, digest in fixtures.items() if name in names}
        cells = []
        for target, language in LANGUAGES:
            found = [row for row in rows if (row.rule, row.target, row.language) == (rule.header.label, target, language)]
            fresh = [row for row in found if row.events in current]
            cells.append(fresh[0].grade if fresh else "refused" if (rule.header.label, target, language) in refused else "unchecked")
        yield f"| {rule.header.label} | {' | '.join(cells)} |"


def _refusals(rules: Sequence[AnyRule], refused: Mapping[Cell, str]) -> Iterator[str]:
    """Why a language does not say a rule; another language of the target does."""
    yield ""
    yield "| language | reason | rules |"
    yield "|---|---|---|"
    for target, language in LANGUAGES:
        reasons: dict[str, list[str]] = {}
        for rule in rules:
            if reason := refused.get((rule.header.label, target, language)):
                reasons.setdefault(reason, []).append(rule.header.label)
        for reason, labels in sorted(reasons.items()):
            yield f"| {_cell(NAMES[language])} | {_cell(reason)} | {', '.join(labels)} |"


def _part(name: str) -> str:
    """What is written by hand."""
    return (ROOT / "docs" / "parts" / f"fidelity_{name}.md").read_text(encoding="utf-8").rstrip()


def _parity(name: str) -> list[str]:
    known = _measured(name)
    lines = [
        "",
        _part(name),
        "",
        "| language | compiler | compiled | refused | rejected | unsupported | wrong |",
        "|---|---|---|---|---|---|---|",
    ]
    for _, language in LANGUAGES:
        lane = known.get(language)
        if lane is None:
            continue
        head = f"{_cell(NAMES[language])}, {lane['rules']:,} rules"
        for compiler, side in (("insigma", lane["ours"]), (f"pysigma {lane['stock']['backend']}", lane["stock"])):
            refused = sum(side["refused"].values())
            numbers = " | ".join(
                f"{number:,}" for number in (side["compiled"], refused, side["rejected"], side["unsupported"], side["wrong"])
            )
            lines.append(f"| {head} | {compiler} | {numbers} |")
    return lines


def _public_refusals() -> Iterator[str]:
    yield ""
    yield "What we refuse of the public rules, by reason:"
    yield ""
    yield "| language | rules | reason |"
    yield "|---|---|---|"
    known = _measured("public")
    for _, language in LANGUAGES:
        reasons: Counter[str] = Counter(known.get(language, {}).get("ours", {}).get("refused", {}))
        for reason, number in sorted(reasons.items(), key=lambda entry: (-entry[1], entry[0])):
            yield f"| {_cell(NAMES[language])} | {number} | {_cell(reason)} |"


def _measured(name: str) -> Mapping[str, Any]:
    path = ROOT / FOLDER / "parity" / f"{name}.json"
    found: Mapping[str, Any] = json.loads(path.read_text(encoding="utf-8"))["lanes"] if path.is_file() else {}
    return found


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
