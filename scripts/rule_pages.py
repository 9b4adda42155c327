"""The pages under docs/rules/: one a rule and an index, from the rules, their fixtures and what was built of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from insigma.assure.coverage import dug, techniques
from insigma.assure.mutation import fixtures_of
from insigma.content.attack import AttackTable, load_attack
from insigma.content.domains import DOMAIN_CODES
from insigma.content.f3 import load_f3
from insigma.content.model import AnyRule, Correlation, Fixture, Pack, Rule
from insigma.content.use_cases import load_use_cases
from insigma.content.words import in_words, markdown
from insigma.specialise.lists import placeholder_names

ROOT = Path(__file__).resolve().parent.parent
_FENCES = {".lucene": "text", ".eql": "eql", ".esql": "sql", ".spl": "text", ".kql": "kusto"}
_TARGETS = {"elastic": "Elastic", "splunk": "Splunk", "sentinel": "Microsoft Sentinel"}
_MODES = {
    "auto": "by itself",
    "auto_reversible": "by itself, can be undone",
    "human_approval": "on approval",
    "human": "by a person",
    "none": "",
}
_DOMAINS = {
    "portal_contact_centre": "Portal and contact centre",
    "policy_admin": "Policy administration",
    "billing_payments": "Billing and payments",
    "antifraud_fusion": "Anti-fraud fusion",
    "partner_medical_exchange": "Partners and medical exchange",
    "phishing_ransomware": "Phishing and ransomware",
    "third_party_ict": "Third-party ICT",
    "privileged_database": "Privileged access and databases",
    "infrastructure_identity": "Infrastructure and identity",
}


def rule_pages(pack: Pack, note: str) -> Iterator[tuple[str, str]]:
    """The path below docs/ and the text of every page, the index first."""
    yield "rules/README.md", _index(pack, note)
    attack = load_attack()
    for rule in pack.rules:
        yield f"rules/{_domain(rule)}/{rule.header.slug}.md", "\n".join(_page(rule, pack, attack, note)) + "\n"


def domain_title(domain: str) -> str:
    """A domain as a heading."""
    return _DOMAINS.get(domain) or domain.replace("_", " ").capitalize()


def _domain(rule: AnyRule) -> str:
    return str(dug(rule, "domain"))


def _index(pack: Pack, note: str) -> str:
    lines = ["# Rules", "", note, "", f"{len(pack.rules)} rules. What they cover is in [coverage.md](../coverage.md)."]
    for domain in DOMAIN_CODES:
        rules = sorted((rule for rule in pack.rules if _domain(rule) == domain), key=lambda rule: rule.header.label)
        if rules:
            lines += ["", f"## {domain_title(domain)}", "", "| rule | what | role | level |", "|---|---|---|---|"]
        for rule in rules:
            link = f"[{rule.header.title}]({domain}/{rule.header.slug}.md)"
            lines.append(f"| {rule.header.label} | {link} | {dug(rule, 'role')} | {rule.header.level} |")
    return "\n".join(lines) + "\n"


def _page(rule: AnyRule, pack: Pack, attack: AttackTable, note: str) -> Iterator[str]:
    header = rule.header
    yield from (f"# {header.title}", "", note, "")
    yield from ("| | |", "|---|---|")
    for name, value in _facts(rule, attack):
        yield f"| {name} | {value} |"
    yield from ("", "## What it finds", "", str(header.document.data.get("description", "")).strip())
    yield from ("", "## Logic in words", "", *markdown(in_words(rule)))
    yield from _false_positives(rule)
    yield from _tuning(rule)
    yield from _response(rule)
    yield from _regulation(rule)
    for fixture in fixtures_of(rule, pack):
        yield from _examples(fixture)
    yield from _queries(rule)


def _facts(rule: AnyRule, attack: AttackTable) -> Iterator[tuple[str, str]]:
    header = rule.header
    yield "rule", f"`{header.label}`, [{header.slug}.yml](../../../{header.path})"
    yield "role and level", f"{dug(rule, 'role')}, {header.level}"
    cases = load_use_cases()
    yield "use cases", "; ".join(f"{name} {cases[name].name}" for name in dug(rule, "use_cases") or ())
    found = (
        f"[{name}](https://attack.mitre.org/techniques/{name.replace('.', '/')}/) {_technique(name, attack)}" for name in techniques(rule)
    )
    yield "ATT&CK", ", ".join(found) or "none"
    f3 = load_f3()
    yield "F3", ", ".join(f"{name} {f3.get(name, '')}" for name in dug(rule, "f3") or ()) or "none"
    if isinstance(rule, Rule):
        yield "log source", f"{rule.logsource}"
    else:
        yield "base rules", ", ".join(f"[{member.header.label}](../{_domain(member)}/{member.header.slug}.md)" for member in rule.members)


def _technique(name: str, attack: AttackTable) -> str:
    technique = attack.techniques.get(name)
    return technique.name if technique is not None else ""


def _false_positives(rule: AnyRule) -> Iterator[str]:
    found = rule.header.document.data.get("falsepositives") or ()
    if found:
        yield from ("", "## False positives", "")
    for entry in found:
        yield f"- {_one_line(entry)}"


def _tuning(rule: AnyRule) -> Iterator[str]:
    thresholds, context = dug(rule, "thresholds") or {}, dug(rule, "context") or {}
    bases = rule.base_rules if isinstance(rule, Correlation) else (rule,)
    lists = tuple(dict.fromkeys(name for base in bases for name in placeholder_names(base)))
    if not (thresholds or context or lists):
        return
    yield from ("", "## Tuning", "")
    if thresholds:
        yield from ("| threshold | default | lowest | highest | in a surge |", "|---|---|---|---|---|")
    for name, entry in thresholds.items():
        surge = "may be relaxed" if entry.get("surge_relaxable") else "stays"
        yield f"| `{name}` | {entry['default']} | {entry.get('min', '')} | {entry.get('max', '')} | {surge} |"
    if thresholds and (context or lists):
        yield ""
    if context:
        fields = ", ".join(f"`{name}`" for name in context.get("requires", ()))
        yield f"- Context: {fields}. Where it is unknown: {context.get('if_unknown', 'downgrade')}."
    if lists:
        yield f"- Lists of the customer's profile: {', '.join(f'`{name}`' for name in lists)}."


def _response(rule: AnyRule) -> Iterator[str]:
    actions = [entry for entry in dug(rule, "response", "actions") or () if entry.get("code") != "none"]
    if not actions:
        return
    sla = dug(rule, "response", "sla") or {}
    times = ", ".join(f"{name} within {value}" for name, value in sla.items())
    yield from ("", "## Response", "")
    if times:
        yield from (f"{times[0].upper()}{times[1:]}.", "")
    yield from ("| action | how | for at most | who approves |", "|---|---|---|---|")
    for entry in actions:
        mode = _MODES.get(entry["mode"], entry["mode"])
        yield f"| {entry['code']} | {mode} | {entry.get('max_hold', '')} | {str(entry.get('approver', '')).replace('_', ' ')} |"


def _regulation(rule: AnyRule) -> Iterator[str]:
    found = dug(rule, "regulatory") or {}
    dora = found.get("dora") or {}
    if not (found.get("clocks") or dora.get("criteria")):
        return
    yield from ("", "## Regulation", "", "Proposed to the handler; people decide.", "", "| | |", "|---|---|")
    rows: dict[str, Any] = {
        "clocks that may start": found.get("clocks"),
        "awareness": found.get("awareness"),
        "DORA function": dora.get("function"),
        "DORA criteria": dora.get("criteria"),
        **{f"DORA template {name}": value for name, value in (dora.get("its") or {}).items()},
        "recurrence key": dora.get("recurrence_key"),
        "personal data": (found.get("privacy") or {}).get("data"),
    }
    for name, value in rows.items():
        if value:
            yield f"| {name} | {', '.join(map(str, value)) if isinstance(value, list) else value} |"


def _examples(fixture: Fixture) -> Iterator[str]:
    yield from ("", "## Examples", "", f"From [its fixture](../../../{fixture.document.path}).", "")
    yield from ("| case | kind | verdict | because |", "|---|---|---|---|")
    for case in fixture.cases:
        yield f"| {_cell(case.name)} | {case.kind} | {_verdict(case.expect)} | {_cell(case.because)} |"
    first = next((case for case in fixture.cases if case.kind == "match" and case.events), None)
    if first is not None:
        yield from ("", f"An event of the case *{_one_line(first.name)}*:", "")
        yield from ("```json", json.dumps(first.events[0], indent=2, ensure_ascii=False), "```")


def _verdict(expect: Any) -> str:
    if isinstance(expect, Mapping):
        alerts: Sequence[Any] = expect.get("alerts") or expect.get("events") or ()
        noun = "alert" if "alerts" in expect else "event"
        return f"{len(alerts)} {noun}{'' if len(alerts) == 1 else 's'}"
    return "no alert" if expect == "none" else "alert"


def _queries(rule: AnyRule) -> Iterator[str]:
    ledger = ROOT / "dist" / "ledger" / f"{rule.header.slug}.json"
    rows = json.loads(ledger.read_text(encoding="utf-8"))["rows"] if ledger.is_file() else []
    if rows:
        yield from ("", "## Queries")
    for row in sorted(rows, key=lambda row: list(_TARGETS).index(row["target"])):
        yield from ("", f"### {_TARGETS[row['target']]}", "")
        if row["outcome"] != "compiled":
            yield f"{row['outcome']}: {row['reason']}"
            continue
        proof = f"{row['proof']} ({row['engine']})" if row["engine"] else row["proof"]
        yield f"{row['language']}, window {row['window']}; proof: {proof}"
        yield from ("", *(f"- {text}" for text in row["notes"])) if row["notes"] else ()
        path = next(path for path in (ROOT / "dist" / row["target"] / "rules").glob(f"{rule.header.slug}.*") if path.suffix in _FENCES)
        yield from ("", f"```{_FENCES[path.suffix]}", path.read_text(encoding="utf-8").rstrip("\n"), "```")


def _cell(text: str) -> str:
    return _one_line(text).replace("|", "\\|")


def _one_line(text: object) -> str:
    return " ".join(str(text).split())
