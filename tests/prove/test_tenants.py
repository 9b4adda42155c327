"""The proof of customers' detections: as they are delivered, on events as the customer stores them, against the specialised rules."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import AnyRule, Pack
from insigma.content.pack import load_pack
from insigma.evaluate.lookups import Enricher
from insigma.release.proofs import digest_of_query, proofs_folder, read_proofs
from insigma.release.tenants import Workbench, build_tenant, targets_of
from insigma.specialise.mapping import tenant_mapping
from insigma.specialise.tenant import Specialiser
from insigma_prove import prove, tenants
from insigma_prove.prove import Bench
from insigma_prove.stands import open_stand
from insigma_prove.stores import sentinel, splunk
from insigma_prove.tables import Kept
from insigma_prove.tenants import Known, TenantProof, prove_tenant
from tests.cli.harness import SMALL, edit, findings, insigma, small_pack
from tests.engines import seat
from tests.prove.broken import Broken, everything, only, silent
from tests.prove.fakes import Fake

CALENDAR = {"default": {"timezone": "Europe/Berlin", "weekdays": ["mon"], "hours": "08:00-16:00"}, "years": [2026]}
RESTRICTED, DENIED, TRIES = "ins-clm-010", "ins-clm-012", "ins-clm-c04"
PROFILE: Mapping[str, Any] = {
    "tenant": {"id": "one"},
    "thresholds": {"clm_denials_30m": 12},
    "context": {
        "insurance.context.restricted_party": {"mode": "lookup", "table": "restricted_party"},
        "insurance.context.entitled": {"mode": "lookup", "table": "entitlement"},
    },
    "targets": {"splunk": {"index": {"insurance_claims": "hl_x"}, "field_overrides": {"user.name": {"name": "who", "case": "lower"}}}},
}


def write(folder: Path, profile: Mapping[str, Any] = PROFILE, name: str = "one") -> None:
    """The profile, with the default profile's lists."""
    lists = yaml.safe_load((folder / "mappings/tenants/default.yml").read_text("utf-8"))["lists"]
    data = {"lists": lists, **profile, "tenant": {"id": name}}
    (folder / f"mappings/tenants/{name}.yml").write_text(yaml.safe_dump(data, sort_keys=False), "utf-8")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "pack").mkdir()
    found = small_pack(tmp_path / "pack", SMALL)
    write(found)
    return found


@pytest.fixture
def spl(bench: Bench) -> Bench:
    """The engines, with that of SPL there."""
    seat(bench, "splunk", "spl")
    return bench


def proved(folder: Path, bench: Bench, name: str = "one", concerns: Callable[[AnyRule], bool] = everything) -> TenantProof:
    pack = load_pack(folder).pack
    return prove_tenant(pack, pack.tenants[name], ["splunk"], bench, concerns, silent)


def of(found: TenantProof, label: str) -> prove.Proof:
    (proof,) = (proof for proof in found.proofs if proof.rule.header.label == label)
    return proof


def test_every_detection_is_proved_as_it_holds_for_the_customer(folder: Path, spl: Bench) -> None:
    found = proved(folder, spl)
    assert {(proof.target, proof.rule.header.label) for proof in found.proofs} == {
        ("splunk", label) for label in (RESTRICTED, DENIED, TRIES)
    }
    for proof in found.proofs:
        assert (proof.faults, proof.grade, proof.reason) == ((), "executed", "")
        assert 0 < proof.telling < proof.cases
    assert found.lacking == ()
    assert found.flags.same > 0.9 * found.flags.carried > 10


def test_the_verdict_is_that_of_the_specialised_rule(folder: Path, spl: Bench) -> None:
    plain = of(proved(folder, spl, DEFAULT_TENANT, concerns=only(TRIES)), TRIES)
    strict = of(proved(folder, spl, concerns=only(TRIES)), TRIES)
    assert (plain.faults, strict.faults) == ((), ())
    assert strict.telling < plain.telling
    assert strict.query != plain.query


def test_flags_are_looked_up_by_the_query(folder: Path, spl: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[Any] = []
    original = open_stand

    def kept(target: str, pack: Pack) -> Any:
        opened.append(original(target, pack))
        return opened[-1]

    monkeypatch.setattr(tenants, "open_stand", kept)
    assert of(proved(folder, spl, concerns=only(RESTRICTED)), RESTRICTED).faults == ()
    (stand,) = opened
    assert stand.lookups.keys() == {"restricted_party", "entitlement"}
    assert len(stand.lookups["entitlement"]) > 1


@pytest.mark.parametrize(
    ("rule", "old", "new", "told"),
    [
        (RESTRICTED, "lookup entitlement", "lookup restricted_party", "the engine rejects the query"),
        (RESTRICTED, r"""'insigma_entitled'\)?="yes\"""", "1=1", "does not find it"),
        (RESTRICTED, "hl_x", "ins_claims", "does not find it"),
        (TRIES, "insigma_value>=12", "insigma_value>=10", "by the query, but not by the rule"),
        (TRIES, r"\bwho\b", "user.name", ""),
    ],
)
def test_a_query_that_is_broken_is_disproved(
    rule: str, old: str, new: str, told: str, folder: Path, spl: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tenants, "open_stand", lambda target, pack: Broken(pack, old, new))
    proof = of(proved(folder, spl, concerns=only(rule)), rule)
    assert proof.faults
    assert any(told in message for _, message in proof.faults), proof.faults[:3]


def test_tables_that_say_something_else_are_found_out(folder: Path, spl: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    """The engine does read the tables: with others than the reference has, its verdict is another."""
    monkeypatch.setattr(tenants, "Enricher", lambda lookups, tables: Enricher(lookups, {name: rows[:1] for name, rows in tables.items()}))
    assert of(proved(folder, spl, concerns=only(RESTRICTED)), RESTRICTED).faults


def test_rules_that_cannot_run_are_told_and_those_switched_off_are_proved(folder: Path, spl: Bench) -> None:
    write(folder, {**PROFILE, "rules": {"disabled": [{"id": TRIES, "reason": "pilot"}]}})
    assert of(proved(folder, spl, concerns=only(TRIES)), TRIES).grade == "executed"
    write(folder, {**PROFILE, "feeds": {"insurance_claims": {"absent": True, "because": "none"}}})
    found = proved(folder, spl)
    assert found.proofs == ()
    assert {special.rule.header.label for special in found.lacking} == {RESTRICTED, DENIED, TRIES}
    assert found.flags == Kept()


def test_the_engine_is_given_what_the_customer_has(folder: Path) -> None:
    lacking = {"feeds": {"insurance_claims": {"lacks": ["insurance.actor.role", "insurance.data.class"]}}}
    given: list[set[str]] = []
    for profile in (PROFILE, {**PROFILE, **lacking}):
        write(folder, profile)
        client = Fake(lambda query: {"hits": []})
        with Bench(lambda spec: False) as bench:
            bench.add("spl", client)
            proved(folder, bench, concerns=only(RESTRICTED))
        given.append({name for events in client.opened for event in events for name in event["fields"]})
        assert {event["index"] for events in client.opened for event in events} == {"hl_x"}
    assert {name for names in given for name in names if name.startswith("insurance.context.")} & set(PROFILE["context"]) == set()
    assert given[0] - given[1] == {"insurance.actor.role", "insurance.data.class"}, "a key that is lacking is not put back"


def test_what_was_shown_for_one_customer_is_not_asked_again(folder: Path) -> None:
    client = Fake(lambda query: {"hits": [], "rows": []})
    write(folder, {**PROFILE, "thresholds": {"clm_denials_30m": 11}}, "two")
    write(folder, {**PROFILE, "targets": {"splunk": {"index": {"insurance_claims": "other"}}}}, "three")
    pack, known, asked = load_pack(folder).pack, Known(), []
    with Bench(lambda spec: False) as bench:
        bench.add("spl", client)
        for name in ("one", "two", "three"):
            before = len(client.opened)
            found = prove_tenant(pack, pack.tenants[name], ["splunk", "elastic"], bench, everything, silent, known=known)
            assert [proof.target for proof in found.proofs] == ["splunk"] * 3, "the profile has no other target"
            asked.append(len(client.opened) - before)
    cases = {fixture.rule: len(fixture.cases) for fixture in pack.fixtures}
    assert asked == [sum(cases.values()), cases[TRIES], sum(cases.values())]


EXAMPLES = ("acme-pc-de", "polska-moto", "heartland-health")
SOME = (
    "ins-clm-c01",
    "ins-clm-008",
    "ins-clm-010",
    "ins-inf-001",
    "ins-cat-c02",
    "ins-ran-c02",
    "ins-afr-c04",
    "ins-pay-006",
    "ins-uw-009",
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_is_proved_is_what_is_delivered(name: str, pack: Pack) -> None:
    tenant = pack.tenants[name]
    specialiser = Specialiser(pack, tenant)
    build = build_tenant(specialiser, pack, targets_of(tenant, pack), Workbench(), {})
    delivered = {
        (outcome.target, outcome.rule.header.label): (outcome.packed.detection.language, digest_of_query(outcome.packed.detection))
        for outcome in build.outcomes
        if outcome.packed is not None and outcome.rule.header.label in SOME
    }
    with Bench(lambda spec: False) as nobody:
        found = prove_tenant(pack, tenant, targets_of(tenant, pack), nobody, lambda rule: rule.header.label in SOME, silent)
    assert {(proof.target, proof.rule.header.label): (proof.language, proof.query) for proof in found.proofs} == delivered
    assert len(delivered) >= len(SOME) - 2


def test_events_are_stored_as_the_customer_names_and_spells_them(folder: Path) -> None:
    overrides = {"user.name": {"name": "Who", "case": "lower"}, "user.roles": {"name": "Roles"}}
    at_splunk = {**overrides, "user.roles": {"name": "roles{}"}}
    write(folder, {"targets": {"splunk": {"field_overrides": at_splunk}, "sentinel": {"field_overrides": overrides}}})
    pack = load_pack(folder).pack
    mappings = {target: tenant_mapping(pack.mappings[target], pack.tenants["one"]) for target in ("splunk", "sentinel")}
    event = {"@timestamp": "2026-02-14T10:00:00Z", "insurance.logsource": "insurance_claims", "user.name": "ÄNNE", "user.roles": "Desk"}
    (stored,) = splunk.stored_events([event], mappings["splunk"])
    assert (stored["fields"]["Who"], stored["fields"]["roles{}"]) == (["änne"], ["Desk"])
    assert "user.name" not in stored["_raw"]
    assert json.loads(stored["_raw"])["roles"] == ["Desk"]
    (row,) = sentinel.stored([event], mappings["sentinel"])
    assert (row["Who"], row["Roles"]) == ("änne", ["Desk"])


class TestCommand:
    def test_tenants_are_proved_and_what_came_of_it_is_told(self, folder: Path, spl: Bench) -> None:
        write(folder, PROFILE, "two")
        ran = insigma("prove", "--all-tenants", "-t", "splunk", cwd=folder)
        assert (ran.code, ran.err) == (0, "")
        assert ran.lines[0].startswith("6 of 6 proofs hold for 2 tenants, over ")
        assert ran.lines[0].endswith("of them with alerts; 0 refused by the compiler")
        assert ran.lines[1].split(maxsplit=5)[:5] == ["one", "splunk", "spl", "3", "executed"]
        assert "flags come out of the lookup tables as they were" in ran.lines[2]
        assert ran.lines[3].startswith("two  splunk")

    def test_a_rule_asked_for_is_told_by_itself(self, folder: Path, spl: Bench) -> None:
        ran = insigma("prove", RESTRICTED, "--tenant", "one", "--engine", "spl", cwd=folder)
        assert ran.code == 0
        cases = next(len(fixture.cases) for fixture in load_pack(folder).pack.fixtures if fixture.rule == RESTRICTED)
        assert any(f"{RESTRICTED}  {cases} cases, " in line and line.endswith(" with alerts") for line in ran.lines)

    def test_silence_is_told_but_is_no_fault(self, folder: Path, spl: Bench) -> None:
        write(folder, {**PROFILE, "context": {"insurance.context.restricted_party": {"mode": "ingest"}}, "exceptions": [EVERYBODY]})
        ran = insigma("prove", TRIES, "--tenant", "one", "--engine", "spl", cwd=folder)
        assert [code for _, _, code in findings(ran.out)] == ["INS804"]
        assert "one: splunk spl is proved on " in ran.out
        assert ran.code == 0

    def test_a_wrong_query_is_an_error_that_names_the_tenant(self, folder: Path, spl: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(tenants, "open_stand", lambda target, pack: Broken(pack, "hl_x", "nowhere"))
        ran = insigma("prove", RESTRICTED, "--tenant", "one", "-t", "splunk", cwd=folder)
        assert ran.code == 1
        assert {code for _, _, code in findings(ran.out)} == {"INS801"}
        assert "INS801 one: splunk spl on insigma's SPL interpreter" in ran.out
        assert "0 of 1 proof hold for 1 tenant" in ran.out

    def test_a_profile_that_cannot_be_read_is_told(self, folder: Path, spl: Bench) -> None:
        write(folder, {**PROFILE, "exceptions": [{**EVERYBODY, "where": {"user.name|nosuch": "x"}}]})
        ran = insigma("prove", TRIES, "--tenant", "one", "-t", "splunk", cwd=folder)
        assert ran.code != 0
        assert "mappings/tenants/one.yml" in ran.out

    def test_the_ledger_of_the_tenant_says_what_was_shown(self, folder: Path, spl: Bench) -> None:
        assert insigma("prove", "--tenant", "one", "-t", "splunk", "--write", cwd=folder).code == 0
        rows = read_proofs(folder, "one")
        assert {(row.rule, row.target, row.language, row.grade) for row in rows} == {
            (label, "splunk", "spl", "executed") for label in (RESTRICTED, DENIED, TRIES)
        }
        assert read_proofs(folder) == (), "the pack's own proofs are others"
        assert proofs_shown(folder) == {RESTRICTED: "executed", DENIED: "executed", TRIES: "executed"}
        write(folder, {**PROFILE, "thresholds": {"clm_denials_30m": 13}})
        assert proofs_shown(folder) == {RESTRICTED: "executed", DENIED: "executed", TRIES: "unchecked"}
        write(folder, PROFILE, "two")
        assert set(proofs_shown(folder, "two").values()) == {"unchecked"}, "each tenant has proofs of its own"

    def test_proofs_that_are_broken_stop_the_build(self, folder: Path) -> None:
        (folder / proofs_folder("one")).mkdir(parents=True)
        (folder / proofs_folder("one") / "splunk.json").write_text("{}", "utf-8")
        ran = insigma("build", "--tenant", "one", cwd=folder)
        assert ran.code == 3
        assert "proofs/tenants/one/splunk.json is not as insigma prove writes it" in ran.err

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("--tenant", "onee"), ("no tenant 'onee'", "did you mean 'one'?")),
            (("--tenant", "one", "--schedules"), ("tenants are proved on fixtures",)),
            (("--tenant", "one", "--generated", "2"), ("tenants are proved on fixtures",)),
            (("--tenant", "one", "-t", "pysigma:sqlite"), ("not proved for stock backends",)),
            (("--tenant", "one", RESTRICTED, "--write"), ("--write keeps the proof of a whole pack",)),
            (("--tenant", "one", "--at", "tomorrow"), ("'tomorrow' is no day",)),
        ],
    )
    def test_what_makes_no_sense_is_an_error_with_a_hint(self, arguments: tuple[str, ...], told: tuple[str, ...], folder: Path) -> None:
        ran = insigma("prove", *arguments, cwd=folder)
        assert (ran.code, ran.out) == (3, "")
        assert all(piece in ran.err for piece in told), ran.err

    def test_a_surge_holds_on_its_day(self, folder: Path, spl: Bench) -> None:
        rule = folder / f"rules/{SMALL[1]}.yml"
        edit(rule, "surge_relaxable: false", "surge_relaxable: true")
        surge = {"id": "CAT-1", "type": "cat", "from": "2026-07-14", "to": "2026-09-30", "lobs": ["any"]}
        write(folder, {**PROFILE, "surge": [{**surge, "multipliers": {"clm_denials_30m": 2.0}}]})
        told = {day: insigma("prove", TRIES, "--tenant", "one", "-t", "splunk", "--at", day, cwd=folder) for day in DAYS}
        assert all("1 of 1 proof hold" in ran.out for ran in told.values())
        assert ["INS804" in told[day].out for day in DAYS] == [True, False], "with twice the threshold no case alerts"


DAYS = ("2026-08-01", "2026-10-01")
EVERYBODY = {
    "id": "EXC-1",
    "rules": [TRIES],
    "where": {"insurance.logsource": "insurance_claims"},
    "reason": "a test",
    "owner": "x",
    "approved_by": "y",
    "granted": "2026-01-01",
    "expires": "2026-12-31",
}


def proofs_shown(folder: Path, name: str = "one") -> dict[str, str]:
    """The proof of each rule on Splunk in the tenant's ledger."""
    ran = insigma("build", "--tenant", name, "-t", "splunk", cwd=folder)
    assert (folder / "dist-tenants" / name / "ledger.json").exists(), ran.out
    rows = json.loads((folder / "dist-tenants" / name / "ledger.json").read_text("utf-8"))["rows"]
    return {row["rule"]: row["proof"] for row in rows if row["target"] == "splunk"}
