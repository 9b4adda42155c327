"""`insigma new`: a rule and its fixture to begin with."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path, PurePosixPath

import click

from insigma.checks.base import Kind, kind_of
from insigma.checks.ins219_file_name import LONGEST, slug_of
from insigma.cli.errors import UsageError
from insigma.content.domains import DOMAIN_CODES
from insigma.content.files import shown_path
from insigma.content.model import FieldType, Pack, TaxonomyLogSource
from insigma.content.pack import Loaded, find_root, load_pack

ACTORS = ("user.name", "User", "service.name")
"""Fields that name who acted, the most telling first."""

_SLUG = re.compile(r"[a-z][a-z0-9]*(?:_[a-z0-9]+)+")


@click.command("new")
@click.argument("name", metavar="DOMAIN/SLUG")
@click.option(
    "--logsource", help="The log source that the rule reads, such as insurance_claims; needed where the domain has none of its own."
)
def command(name: str, logsource: str | None) -> int:
    """Start a rule and its fixture in the pack around the working folder.

    DOMAIN is one of the pack's, SLUG the title in lower-case words joined by underscores. `insigma check` passes on what is
    written and notes each text that you are to replace; `insigma test` says what to write next.
    """
    root = find_root(Path.cwd())
    if root is None:
        raise UsageError("no pack here: no insigma.yml in this folder or above it", "change into the pack")
    domain, slug = _parts(name)
    rule_path, fixture_path = root / "rules" / domain / f"{slug}.yml", root / "tests" / "fixtures" / domain / f"{slug}.yml"
    for path in (rule_path, fixture_path):
        if path.exists():
            raise UsageError(f"{shown_path(path)} exists already")
    loaded = load_pack(root)
    pack = loaded.pack
    _refuse_taken(slug, loaded)
    source = _logsource(pack, domain, logsource)
    pack_id = _next_id(pack, domain)
    start = _start(domain, slug, pack_id, source, pack)
    for path, text in ((rule_path, rule_text(start)), (fixture_path, fixture_text(start))):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8", newline="\n")
        click.echo(f"wrote {shown_path(path)}")
    click.echo(f"next: insigma check {shown_path(rule_path)} && insigma test {shown_path(rule_path)}")
    return 0


def _parts(name: str) -> tuple[str, str]:
    domain, slash, slug = name.partition("/")
    if not slash:
        raise UsageError(f"'{name}' is not DOMAIN/SLUG", "write DOMAIN/SLUG, such as claims/suspicious_reopened_claim")
    if domain not in DOMAIN_CODES:
        raise UsageError(f"'{domain}' is no domain", f"one of {', '.join(DOMAIN_CODES)}")
    if not _SLUG.fullmatch(slug) or not 10 <= len(slug) <= LONGEST:
        raise UsageError(
            f"'{slug}' is no name for a rule",
            f"10 to {LONGEST} characters: lower-case words joined by underscores, such as suspicious_claim_export",
        )
    return domain, slug


def _refuse_taken(slug: str, loaded: Loaded) -> None:
    """Raise `UsageError` if a rule has the file name, in whatever folder and however broken, or the title."""
    pack = loaded.pack
    for path in (*(document.path for document in pack.rule_documents), *(found.place.path for found in loaded.diagnostics)):
        if pack.relative(path).startswith("rules/") and PurePosixPath(path).stem.lower() == slug:
            raise UsageError(
                f"the name is taken by {path}", "folders do not tell rules apart: say in the name what is special about this one"
            )
    for document in pack.rule_documents:
        if kind_of(document) is not Kind.FILTER and slug_of(str(document.data.get("title"))) == slug:
            raise UsageError(f"{document.path} has that title", "say in the name what is special about this rule")


def _logsource(pack: Pack, domain: str, wanted: str | None) -> TaxonomyLogSource:
    known = pack.taxonomy.logsources
    if not known:
        raise UsageError("the taxonomy of the pack has no log sources", "write them in mappings/taxonomy/logsources.yml first")
    if wanted is not None:
        if wanted not in known:
            raise UsageError(f"the taxonomy has no log source '{wanted}'", f"one of {', '.join(known)}")
        return known[wanted]
    usual = {"billing_payments": "insurance_payment", "policy_admin": "insurance_policy", "portal_contact_centre": "insurance_portal"}
    guess = usual.get(domain, f"insurance_{domain}")
    if guess not in known:
        raise UsageError(f"domain {domain} has no log source of its own: choose with --logsource", f"one of {', '.join(known)}")
    return known[guess]


def _next_id(pack: Pack, domain: str) -> str:
    prefix = f"ins-{DOMAIN_CODES[domain]}-"
    taken = {document.data.get("name") for document in pack.rule_documents if isinstance(document.data.get("name"), str)}
    taken |= {rule.header.name for rule in pack.rules if rule.header.name is not None}
    return next(candidate for number in range(1, 1000) if (candidate := f"{prefix}{number:03d}") not in taken)


@dataclass(frozen=True, slots=True)
class Start:
    """What the two files are made of. `actor` is the field that names who acted, `test` the line of the selection."""

    domain: str
    slug: str
    pack_id: str
    source: TaxonomyLogSource
    actor: str
    test: str


def _start(domain: str, slug: str, pack_id: str, source: TaxonomyLogSource, pack: Pack) -> Start:
    actor = next((name for name in ACTORS if name in source.fields), "")
    if source.actions:
        return Start(domain, slug, pack_id, source, actor, f"event.action: {source.actions[0]}")
    known = pack.taxonomy.fields
    words = [name for name in source.fields if known[name].type is FieldType.KEYWORD and known[name].values is None]
    own = [name for name in words if name not in (actor, "organization.id")]
    # The last field that every event has tells most about the log source; where none holds words, any will do.
    chosen = next((name for name in reversed(own) if name in source.required), own[0])
    return Start(domain, slug, pack_id, source, actor, f"{chosen}: 'write here'")


def rule_text(start: Start) -> str:
    """A rule that passes every check and says nothing yet. INS511 finds the texts to replace: they begin with "write here" or "say why"."""
    title = start.slug.replace("_", " ").title()
    fields = "".join(f"  - {_quoted(name)}\n" for name in start.source.required if name != "insurance.logsource")
    entity = "service" if start.actor == "service.name" else "actor"
    return f"""title: {title}
id: {uuid.uuid5(uuid.NAMESPACE_URL, f"insigma:{start.domain}/{start.slug}")}
name: {start.pack_id}
status: experimental
description: |
  Write here what the attacker or insider does, why it matters to an insurer, and what the analyst looks at first.
  Three to six plain sentences that you would want to read at three in the morning.
references:
  - https://attack.mitre.org/techniques/T1213/
author: Insigma
date: {datetime.now(UTC):%Y-%m-%d}
tags:
  - attack.collection
  - attack.t1213
taxonomy: insurance
logsource:
  category: {start.source.logsource.category}
detection:
  selection:
    {start.test}
  condition: selection
fields:
{fields}falsepositives:
  - Write here the honest process that looks the same, and how to tell it apart.
level: medium
license: DRL-1.1
insurance:
  schema: 1
  pack_id: {start.pack_id}
  domain: {start.domain}
  role: alert
  lob: [any]
  f3: []
  evidence:
    entities: {{{entity}: {start.actor}}}
  response:
    sla: {{triage: 1h, contain: 4h}}
    actions:
      - {{code: preserve_evidence, mode: auto}}
  regulatory:
    awareness: candidate
    clocks: []
"""


def fixture_text(start: Start) -> str:
    """A fixture with every kind of case that the rule needs; the first fails until it is written."""
    actions = start.source.actions or ()
    other = f"event.action: {actions[1]}, " if len(actions) > 1 else ""
    defaults = "defaults: {organization.id: acme}\n" if "organization.id" in start.source.fields else ""
    return f"""rule: {start.pack_id}
{defaults}cases:
  - name: write here what must alert
    kind: match
    expect: match
    events:
      - {{at: "2026-02-14T10:40:00Z", {start.actor}: j.kowalska}}    # add the fields of the selection, such as {start.test}
  - name: write here the honest twin
    kind: lookalike
    expect: none
    because: say why this is honest work
    events:
      - {{at: "2026-02-14T10:40:00Z", {other}{start.actor}: j.kowalska}}
  - name: the action is missing
    kind: absent
    expect: none
    because: an event that says nothing cannot match
    events:
      - {{at: "2026-02-14T10:40:00Z", {start.actor}: j.kowalska}}
  - name: write here an event that only just does not match
    kind: miss
    expect: none
    because: say why, as one condition is not met
    events:
      - {{at: "2026-02-14T10:40:00Z", {other}{start.actor}: h.lopez}}
  - name: write here another near miss
    kind: miss
    expect: none
    because: say why, as one condition is not met
    events:
      - {{at: "2026-02-14T10:40:00Z", {other}{start.actor}: s.meyer}}
"""


def _quoted(name: str) -> str:
    return f"'{name}'" if name.startswith("@") else name
