"""`insigma tenant show`: what holds for a customer, what it lacks, and how a rule holds for it."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import click

from insigma.cli.days import DAY, today
from insigma.cli.errors import UsageError
from insigma.cli.output import counted, did_you_mean
from insigma.cli.tenant_needs import needs_of, needs_text
from insigma.cli.tenant_profiles import faults_of, profile_named, refuse_faulty
from insigma.cli.tenant_summary import hours_text, summary, tenant_targets
from insigma.cli.tenant_tables import WIDTH, cut, listed, table
from insigma.cli.workplace import Workplace, open_workplace
from insigma.content.model import AnyRule, Pack
from insigma.diagnostics.model import ExitCode, Severity
from insigma.diagnostics.render.hostile import visible
from insigma.specialise.tenant import LACKING, Special, Specialiser, specialise_all


@click.command("show")
@click.argument("tenant")
@click.argument("rules", nargs=-1)
@click.option("--at", "day", type=DAY, help="The day that chooses surges and counts what is left, YYYY-MM-DD.  [default: today]")
@click.option("--needs", is_flag=True, help="Only the rules that cannot run, and what would win them.")
@click.option("-t", "--target", help="With RULES: also the compiled query for this target of the tenant.")
@click.option("--json", "as_json", is_flag=True, help="Write one JSON object.")
def command(tenant: str, rules: tuple[str, ...], day: str | None, needs: bool, target: str | None, as_json: bool) -> int:
    """Tell what holds for TENANT: its targets, and everything that differs from the pack.

    With RULES (names, ids or file names) tell each rule as it holds for the tenant, beside the pack's. With --needs tell
    what the tenant would have to deliver so that more rules run, the single delivery that wins most of them first.
    """
    if target is not None and not rules:
        raise UsageError("-t goes with a rule", f"insigma tenant show {tenant} RULE -t {target}")
    if needs and rules:
        raise UsageError("--needs is about all rules", "leave the rules out, or --needs")
    workplace = open_workplace(())
    pack = workplace.loaded.pack
    profile = profile_named(tenant, workplace)
    chosen = tuple({id(rule): rule for rule in (_rule(name, pack) for name in rules)}.values())
    if target is not None and target not in tenant_targets(profile, pack):
        known = tenant_targets(profile, pack)
        there_are = f"it has {', '.join(known) or 'none'}"
        raise UsageError(visible(f"{tenant} has no target '{target}'"), did_you_mean(target, known, there_are))
    day = day or today()
    if target is not None and (code := refuse_faulty((profile,), workplace, day, "nothing is compiled")) is not None:
        return code
    specialiser = Specialiser(pack, profile, day)
    if chosen:
        _write_rules(specialiser, chosen, pack, day, target, as_json)
    else:
        _write_tenant(specialiser, specialise_all(specialiser, pack.rules), pack, day, needs, as_json)
    if target is None:
        _tell_faults(workplace, specialiser, day)
    return ExitCode.OK


def _rule(name: str, pack: Pack) -> AnyRule:
    """The rule of that name, id or file name. Raises `UsageError`."""
    for rule in pack.rules:
        header = rule.header
        if name in (header.name, header.id, header.slug, f"{header.slug}.yml"):
            return rule
    known = [known for rule in pack.rules for known in (rule.header.name, rule.header.slug) if known]
    raise UsageError(
        visible(f"no rule '{name}' in the pack"), did_you_mean(name, known, "give a name such as ins-clm-001, an id or a file name")
    )


def _write_rules(specialiser: Specialiser, chosen: Sequence[AnyRule], pack: Pack, day: str, target: str | None, as_json: bool) -> None:
    from insigma.cli.tenant_rule import compiled, rule_object, rule_text

    queries = compiled(specialiser, chosen, pack, target) if target is not None else {}
    found = [rule_object(specialiser, rule, pack) | queries.get(rule.header.label, {}) for rule in chosen]
    if as_json:
        _write_json({"tenant": specialiser.tenant.id, "day": day, "rules": found})
        return
    for number, entry in enumerate(found):
        if number:
            click.echo("")
        for line in rule_text(entry, specialiser.tenant.id):
            click.echo(line)


def _write_tenant(specialiser: Specialiser, specials: Sequence[Special], pack: Pack, day: str, needs: bool, as_json: bool) -> None:
    lacking = needs_of(specials)
    if needs:
        if as_json:
            _write_json({"tenant": specialiser.tenant.id, "day": day, **lacking})
        else:
            click.echo("\n".join(needs_text(lacking, specialiser.tenant.id)))
        return
    found = summary(specialiser, specials, pack, day)
    if as_json:
        _write_json({**found, **lacking, "rules": {**found["rules"], "total": len(pack.rules)}, "waiting": lacking["rules"]})
    else:
        click.echo("\n".join(_text(found)))


def _write_json(found: Mapping[str, Any]) -> None:
    import json

    click.echo(json.dumps(found, indent=2, ensure_ascii=False, sort_keys=True, default=str))


def _tell_faults(workplace: Workplace, specialiser: Specialiser, day: str) -> None:
    """That the profile has faults, on standard error: what is shown is then not what is delivered."""
    tenant = specialiser.tenant
    found = {*faults_of((tenant,), workplace, day), *specialiser.diagnostics}
    errors = sum(one.severity is Severity.ERROR for one in found)
    if errors:
        message = (
            f"insigma: the profile has {counted(errors, 'error')}, so nothing is built for {tenant.id}: insigma tenant check {tenant.id}"
        )
        click.echo(visible(message), err=True)


def _text(found: Mapping[str, Any]) -> Iterator[str]:
    yield from _head(found)
    for title, lines in (
        ("Thresholds", _thresholds(found["thresholds"])),
        ("Timespans", _timespans(found["timespans"])),
        ("Severities", _severities(found["severities"])),
        ("Exceptions", _exceptions(found["exceptions"])),
        ("Switched off", _disabled(found["disabled"])),
        ("Context flags", _context(found["context"])),
        ("Lists", _lists(found["lists"])),
        ("Tables for the customer's own jobs to fill", _tables(found["tables"])),
        ("Log sources", _feeds(found["feeds"])),
    ):
        shown = list(lines)
        if shown:
            yield from ("", title, *shown)


def _head(found: Mapping[str, Any]) -> Iterator[str]:
    rules = found["rules"]
    total = sum(rules.values())
    yield visible(f"{found['tenant']}: {found['legal_entity']}" if found["legal_entity"] else found["tenant"])
    facts = [("profile", found["profile"]), ("day", found["day"])]
    facts.append(("targets", "; ".join(_target(name, block) for name, block in found["targets"].items()) or "none"))
    lacking = f", {rules['lacking']:,} cannot (--needs says what is missing)" if rules["lacking"] else ""
    facts.append(("rules", f"{rules['active']:,} of {total:,} run{lacking}, {rules['disabled']:,} switched off"))
    applying = [name for name, applies in found["regulators"].items() if applies]
    if found["regulators"]:
        facts.append(("regulators", ", ".join(applying) or "none applies"))
    facts += (("surge", _surge(entry)) for entry in found["surges"])
    if found["calendar"] is not None:
        facts.append(("calendar", f"{hours_text(found['calendar']['default'])}; years {', '.join(map(str, found['calendar']['years']))}"))
        facts += (("", f"{entry['group']} ({entry['field']}): {hours_text(entry)}") for entry in found["calendar"]["groups"])
    if found["intervals"]["all"]:
        facts.append(("searches", f"every {found['intervals']['all']}"))
    facts += (("", f"{name} every {interval}") for name, interval in found["intervals"]["rules"].items())
    width = max(len(name) for name, _ in facts)
    yield from (cut(visible(f"  {name:<{width}}  {said}")) for name, said in facts)


def _target(name: str, block: Mapping[str, Any]) -> str:
    return f"{name} ({', '.join(f'{key} {value}' for key, value in block.items())})" if block else name


def _surge(entry: Mapping[str, Any]) -> str:
    when = f"{entry['id']} ({entry['type']}) {entry['from']} to {entry['to']}: {entry['state']}"
    return f"{when}; insigma build --at DAY delivers it" if entry["state"] == "in force" and entry["multipliers"] else when


def _thresholds(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            entry["rule"],
            entry["threshold"],
            entry["pack"],
            entry["profile"],
            entry["here"],
            f"{entry['min']}-{entry['max']}",
            entry["surge"],
        )
        for entry in entries
    ]
    return table(("rule", "threshold", "pack", "profile", "here", "bounds", "surge"), rows, right={2, 3, 4, 5})


def _timespans(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [(entry["rule"], entry["pack"], entry["here"], f"{entry['min']}-{entry['max']}") for entry in entries]
    return table(("rule", "pack", "here", "bounds"), rows, right={1, 2, 3})


def _severities(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [(entry["rule"], entry["pack"], entry["here"], entry["because"]) for entry in entries]
    return table(("rule", "pack", "here", "because"), rows)


def _exceptions(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            entry["id"],
            entry["expires"],
            "" if entry["days_left"] is None else "over" if entry["days_left"] < 0 else entry["days_left"],
            entry["owner"],
            listed(entry["rules"], 4),
        )
        for entry in entries
    ]
    head, *lines = (*table(("exception", "until", "days left", "owner", "rules"), rows, right={2}), "")[: len(rows) + 1]
    yield from (head,) if rows else ()
    for line, entry in zip(lines, entries, strict=False):
        yield line
        yield cut(visible(f"    leaves out {_where(entry['where'])}: {entry['reason']}"))


def _where(where: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {listed([str(one) for one in value], 3) if isinstance(value, list) else value}" for name, value in where.items()
    )


def _disabled(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [(entry["rule"], entry["owner"] or "-", entry["review"] or "-", entry["reason"]) for entry in entries]
    return table(("rule", "owner", "review", "reason"), rows)


def _context(found: Mapping[str, Any]) -> Iterator[str]:
    rows = []
    for mode in ("lookup", "absent"):
        for entry in found[mode]:
            source = f"{entry['table']}, at most {entry['max_age']} old" if mode == "lookup" else "-"
            effect = ", ".join(f"{len(names)} {_EFFECTS[word]}" for word, names in sorted(entry["without"].items()))
            rows.append((_short(entry["flag"]), mode, len(entry["rules"]), source, effect))
    if found["ingest"]:
        come = f"{counted(len(found['ingest']), 'flag')} with each event: {', '.join(_short(entry['flag']) for entry in found['ingest'])}"
        yield from textwrap.wrap(come, WIDTH, initial_indent="  ", subsequent_indent="    ", break_on_hyphens=False)
    yield from table(("flag", "delivery", "rules", "table", "rules without it"), rows, right={2})


_EFFECTS = {
    "alert": "at full severity",
    "downgrade": "one level lower",
    "suppress": "switched off",
    LACKING: "cannot run",
}


def _short(flag: str) -> str:
    return flag.removeprefix("insurance.context.")


def _lists(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            entry["list"],
            entry["mode"],
            "-" if entry["values"] is None else entry["values"],
            entry["refresh"],
            entry["owner"],
            listed(entry["rules"], 4) or "no rule uses it",
        )
        for entry in entries
    ]
    return table(("list", "delivery", "values", "refresh", "owner", "rules"), rows, right={2})


def _tables(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    rows = [
        (
            entry["table"],
            entry["refresh"],
            len(entry["rules"]),
            ", ".join(entry["keys"]),
            ", ".join(f"{name} ({kind})" for name, kind in entry["columns"].items() if name not in entry["keys"]) or "-",
        )
        for entry in entries
        if entry["filled_by"] == "customer"
    ]
    yield from table(("table", "at most old", "rules", "keys", "other columns"), rows, right={2})
    built = [entry["table"] for entry in entries if entry["filled_by"] == "build"]
    if built:
        yield cut(f"  filled by the build: {', '.join(built)}")


def _feeds(entries: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for entry in entries:
        said = []
        if entry["absent"]:
            said.append("not there" + (f" ({entry['because']})" if entry["because"] else ""))
        if entry["lacks"]:
            said.append(f"never carries {', '.join(entry['lacks'])}")
        said += (f"{field} in {share:.0%} of events" for field, share in entry["filled_too_rarely"].items())
        if entry["delay"]:
            said.append(f"up to {entry['delay']} late")
        if entry["products"]:
            said.append(f"from {', '.join(entry['products'])}")
        yield cut(visible(f"  {entry['logsource']}: {'; '.join(said) or 'complete'}"))
