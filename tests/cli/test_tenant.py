"""`insigma tenant`: check, show, diff and measure, and `insigma coverage --tenant`."""

from __future__ import annotations

import gzip
import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.cli.harness import edit, findings, insigma
from tests.cli.tenants import ONE, tenants_pack

DAY = ("--at", "2026-11-22")
SURGE = ("--at", "2026-08-01")


@pytest.fixture(scope="module")
def pack(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pack, for tests that change nothing in it."""
    return tenants_pack(tmp_path_factory.mktemp("tenants"))


@pytest.fixture
def own(pack: Path, tmp_path: Path) -> Path:
    """A copy of the pack, to change."""
    shutil.copytree(pack, tmp_path / "pack")
    return tmp_path / "pack"


def profile(folder: Path, name: str = "one") -> Path:
    return folder / f"mappings/tenants/{name}.yml"


def shown(folder: Path, *arguments: str) -> Any:
    ran = insigma("tenant", "show", *arguments, "--json", cwd=folder)
    assert ran.code == 0, ran.err
    return ran.json


def logs(folder: Path, *events: dict[str, Any], name: str = "events.ndjson") -> Path:
    path = folder / name
    path.write_text("".join(json.dumps(event) + "\n" for event in events), encoding="utf-8")
    return path


def claim(number: int, **other: Any) -> dict[str, Any]:
    return {
        "@timestamp": "2026-08-01T10:00:00Z",
        "insurance.logsource": "insurance_claims",
        "event.action": "claim-view",
        "event.outcome": "success",
        "event.dataset": "claims",
        "organization.id": "one",
        "service.name": "claims-app",
        "user.name": "ann",
        "insurance.actor.type": "human",
        "insurance.claim.id": f"C-{number}",
        "insurance.claim.status": "open",
        **other,
    }


class TestCheck:
    def test_sound_profiles_have_no_findings(self, pack: Path) -> None:
        ran = insigma("tenant", "check", "one", "two", *DAY, cwd=pack)
        assert (ran.code, ran.lines) == (0, ["no findings in 2 profiles"])

    def test_only_the_findings_of_the_profiles_that_are_named_are_told(self, own: Path) -> None:
        for name in ("one", "two"):
            edit(profile(own, name), "lists:", "nonsense: 1\nlists:")
        ran = insigma("tenant", "check", "two", *DAY, cwd=own)
        assert ran.code == 1
        assert {path for path, _, _ in findings(ran.out)} == {"mappings/tenants/two.yml"}
        everyone = insigma("tenant", "check", *DAY, cwd=own)
        assert {path for path, _, _ in findings(everyone.out)} >= {"mappings/tenants/one.yml", "mappings/tenants/two.yml"}

    def test_an_exception_that_hollows_a_rule_out_is_found(self, own: Path) -> None:
        edit(profile(own), "where: {user.name: [audit.one]}", "where: {insurance.logsource: insurance_claims}")
        ran = insigma("tenant", "check", "one", *DAY, cwd=own)
        line = ONE.splitlines().index("    where: {user.name: [audit.one]}") + 1
        assert (ran.code, list(findings(ran.out))) == (1, [("mappings/tenants/one.yml", line, "INS550")])

    def test_a_rule_that_a_target_cannot_say_so_is_found(self, own: Path) -> None:
        edit(profile(own), "elastic: {}", "elastic: {field_overrides: {event.risk_score: {name: score, type: keyword}}}")
        ran = insigma("tenant", "check", "one", *DAY, cwd=own)
        assert (ran.code, [code for _, _, code in findings(ran.out)]) == (1, ["INS703"])
        assert "elastic refuses ins-inf-001 for one" in ran.out

    def test_a_fault_in_an_exception_is_told_once_at_its_line(self, own: Path) -> None:
        edit(profile(own), "where: {user.name: [audit.one]}", "where: {user.name|nonsense: [audit.one]}")
        ran = insigma("tenant", "check", "one", *DAY, cwd=own)
        line = ONE.splitlines().index("    where: {user.name: [audit.one]}") + 1
        assert [(at, path) for path, at, _ in findings(ran.out)] == [(line, "mappings/tenants/one.yml")]
        assert ran.code != 0

    def test_a_faulty_pack_keeps_profiles_from_being_built_on_trial_and_says_so(self, own: Path) -> None:
        rule = next((own / "rules").rglob("suspicious_access_to_restricted_claim_file.yml"))
        edit(rule, "level: ", "level: huge # ")
        ran = insigma("tenant", "check", "one", *DAY, cwd=own)
        assert ran.code == 1
        assert "not built on trial, as the pack itself has 1 error" in ran.lines[-1]

    def test_a_profile_that_cannot_be_read_is_told_also_by_its_name(self, own: Path) -> None:
        profile(own).write_text("tenant: {id: one\nlists: [", encoding="utf-8")
        for arguments in ((), ("one",)):
            ran = insigma("tenant", "check", *arguments, *DAY, cwd=own)
            assert ran.code == 2
            assert "mappings/tenants/one.yml" in ran.out

    @pytest.mark.parametrize("form", ["json", "sarif", "junit", "github"])
    def test_every_form_of_findings_is_there(self, pack: Path, form: str) -> None:
        ran = insigma("tenant", "check", "two", *DAY, "--format", form, cwd=pack)
        assert ran.code == 0
        assert ran.err.endswith("no findings in 1 profile\n")


class TestNames:
    @pytest.mark.parametrize("command", [("check", "oen"), ("show", "oen"), ("diff", "one", "oen"), ("measure", "oen", "x.ndjson")])
    def test_a_misspelt_tenant_is_told_with_the_nearest(self, pack: Path, command: tuple[str, ...]) -> None:
        ran = insigma("tenant", *command, cwd=pack)
        assert (ran.code, ran.out) == (3, "")
        assert "no tenant 'oen'" in ran.err
        assert "did you mean 'one'?" in ran.err

    def test_a_misspelt_command_is_told_with_the_nearest(self, pack: Path) -> None:
        ran = insigma("tenant", "shwo", cwd=pack)
        assert ran.code == 3
        assert "no command 'tenant shwo'; did you mean 'show'?" in ran.err

    def test_help_names_every_command_and_loads_none(self, pack: Path) -> None:
        ran = insigma("tenant", "--help", cwd=pack)
        assert ran.code == 0
        assert all(f"\n  {name} " in ran.out for name in ("check", "show", "diff", "measure"))

    def test_a_profile_that_cannot_be_read_is_told_where_it_is_broken(self, own: Path) -> None:
        profile(own).write_text("tenant: {id: one\nlists: [", encoding="utf-8")
        ran = insigma("tenant", "show", "one", cwd=own)
        assert ran.code == 3
        assert "the profile of 'one' cannot be read: mappings/tenants/one.yml:" in ran.err


class TestShow:
    def test_everything_that_differs_from_the_pack(self, pack: Path) -> None:
        found = shown(pack, "one", *SURGE)
        assert found["rules"] == {"active": 5, "lacking": 2, "disabled": 1, "total": 8}
        assert list(found["targets"]) == ["elastic", "splunk"]
        assert [(entry["threshold"], entry["pack"], entry["profile"], entry["here"], entry["surge"]) for entry in found["thresholds"]] == [
            ("clm_unassigned_claims_per_hour", 60, 45, 90, "CAT-1")
        ]
        assert [(entry["rule"], entry["pack"], entry["here"]) for entry in found["severities"]] == [("ins-inf-001", "medium", "high")]
        assert [(entry["rule"], entry["owner"], entry["review"]) for entry in found["disabled"]] == [
            ("ins-clm-c04", "soc.lead", "2027-03-31")
        ]
        assert {entry["flag"]: entry["table"] for entry in found["context"]["lookup"]} == {
            "insurance.context.assigned_to_actor": "claim_assignment"
        }
        assert [entry["without"] for entry in found["context"]["absent"]] == [{"lacking": ["ins-ins-002"]}]
        assert {entry["table"]: entry["filled_by"] for entry in found["tables"]} == {"claim_assignment": "customer", "core_apps": "build"}
        assert {entry["list"]: (entry["mode"], entry["values"]) for entry in found["lists"]} == {
            "core_apps": ("lookup", 2),
            "served_countries": ("inline", 2),
        }

    @pytest.mark.parametrize(("day", "number"), [("2026-07-13", 45), ("2026-07-14", 90), ("2026-09-30", 90), ("2026-10-01", 45)])
    def test_a_surge_counts_from_its_first_day_to_its_last(self, pack: Path, day: str, number: int) -> None:
        assert [entry["here"] for entry in shown(pack, "one", "--at", day)["thresholds"]] == [number]

    @pytest.mark.parametrize(("day", "left"), [("2027-03-31", 1), ("2027-04-01", 0), ("2027-04-02", -1)])
    def test_what_is_left_of_an_exception(self, pack: Path, day: str, left: int) -> None:
        assert [entry["days_left"] for entry in shown(pack, "one", "--at", day)["exceptions"]] == [left]

    def test_text_says_the_same_in_lines_that_fit(self, pack: Path) -> None:
        ran = insigma("tenant", "show", "one", *DAY, cwd=pack)
        assert (ran.code, ran.err) == (0, "")
        assert max(map(len, ran.lines)) <= 118
        assert "  rules       5 of 8 run, 2 cannot (--needs says what is missing), 1 switched off" in ran.lines
        assert "  ins-clm-c01  clm_unassigned_claims_per_hour    60       45    45  20-180" in ran.lines

    def test_a_profile_with_nothing_in_it_differs_in_nothing(self, pack: Path) -> None:
        found = shown(pack, "default", *DAY)
        assert found["rules"]["active"] == found["rules"]["total"] == 8
        assert not any(found[key] for key in ("thresholds", "timespans", "severities", "exceptions", "disabled", "tables", "feeds"))

    def test_needs_begin_with_the_one_that_wins_most(self, own: Path) -> None:
        edit(profile(own), "insurance_telematics: {absent: true, because: no telematics}", "insurance_claims: {absent: true}")
        found = shown(own, "one", "--needs")
        first = found["needs"][0]
        assert first["need"] == "deliver log source insurance_claims"
        assert first["wins"] == ["ins-clm-001", "ins-clm-010", "ins-clm-012", "ins-clm-c01", "ins-ins-002"]
        assert [entry["rule"] for entry in found["rules"]] == sorted(entry["rule"] for entry in found["rules"])
        text = insigma("tenant", "show", "one", "--needs", cwd=own).lines
        assert text[2:4] == ["deliver log source insurance_claims", "  wins 5 rules"]

    def test_a_rule_that_needs_two_things_is_won_by_neither_alone(self, own: Path) -> None:
        edit(profile(own), "  served_countries: {mode: inline, values: [DE, AT]}\n", "")
        edit(profile(own), "  core_apps: {mode: lookup, values: [claims-app, policy-app]", "  other: {mode: lookup, values: []")
        needs = {entry["need"]: entry for entry in shown(own, "one", "--needs")["needs"]}
        for name in ("served_countries", "core_apps"):
            assert needs[f"give list '{name}'"]["helps"] == ["ins-inf-001"]
            assert needs[f"give list '{name}'"]["wins"] == []

    def test_a_tenant_that_has_everything_is_told_so(self, pack: Path) -> None:
        assert insigma("tenant", "show", "two", "--needs", cwd=pack).lines == ["two has what every rule needs"]

    def test_a_rule_in_words_beside_the_pack_s(self, pack: Path) -> None:
        (found,) = shown(pack, "one", "ins-clm-c01", *SURGE)["rules"]
        own, base = found["words"]
        assert "At least 60 different" in own["pack"][0]
        assert "At least 90 different" in own["here"][0]
        assert [line for line in base["here"] if line not in base["pack"]] == ["  `user.name` is `audit.one`"]
        assert [entry["table"] for entry in found["lookups"]] == ["claim_assignment"]
        text = insigma("tenant", "show", "one", "ins-clm-c01", *SURGE, cwd=pack).lines
        assert any(line.startswith("  At least 60 different") and "| At least 90 different" in line for line in text)

    def test_a_list_that_is_looked_up_is_called_by_its_name(self, pack: Path) -> None:
        (found,) = shown(pack, "one", "ins-inf-001", *DAY)["rules"]
        assert "    `service.name` is on the list *core_apps*" in found["words"][0]["here"]

    def test_a_rule_that_can_match_nothing_says_so(self, pack: Path) -> None:
        (found,) = shown(pack, "one", "ins-ins-002", *DAY)["rules"]
        assert (found["state"], found["needs"]) == ("lacking", ["deliver insurance.context.related_party"])
        assert found["words"][0]["here"] == ["Never: nothing that this customer delivers can match"]

    def test_a_rule_as_in_the_pack_is_told_once(self, pack: Path) -> None:
        lines = insigma("tenant", "show", "two", "claims_system_access_denied", cwd=pack).lines
        assert "As in the pack:" in lines
        assert not any(" | " in line for line in lines)

    def test_several_rules_at_once_and_by_any_name(self, pack: Path) -> None:
        found = shown(pack, "one", "ins-clm-001", "claim_file_viewed_outside_assignment.yml", "ins-clm-c01", *DAY)
        assert [entry["rule"] for entry in found["rules"]] == ["ins-clm-001", "ins-clm-c01"]

    def test_the_query_is_the_one_that_a_build_delivers(self, own: Path) -> None:
        (found,) = shown(own, "one", "ins-clm-c01", "-t", "splunk", *DAY)["rules"]
        assert "index=ins_x" in found["query"]
        assert ">=45" in found["query"]
        assert insigma("build", "--tenant", "one", "-t", "splunk", *DAY, "--out", str(own / "out"), cwd=own).code == 0
        built = own / "out/one/queries/splunk/suspicious_mass_claim_file_access_outside_assignment.spl"
        assert built.read_text(encoding="utf-8") == f"{found['query']}\n"

    def test_a_rule_that_cannot_run_has_no_query_and_says_why(self, pack: Path) -> None:
        ran = insigma("tenant", "show", "one", "ins-ins-002", "-t", "elastic", *DAY, cwd=pack)
        assert ran.code == 0
        assert any(line.startswith("elastic has no query: ") and "customer's data" in line for line in ran.lines)

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            (("one", "-t", "splunk"), "-t goes with a rule"),
            (("one", "ins-clm-001", "-t", "sentinel"), "one has no target 'sentinel'"),
            (("one", "ins-clm-0O1"), "did you mean 'ins-clm-c01'?"),
            (("one", "ins-clm-001", "--needs"), "--needs is about all rules"),
        ],
    )
    def test_what_cannot_be_shown_is_a_usage_error(self, pack: Path, arguments: tuple[str, ...], told: str) -> None:
        ran = insigma("tenant", "show", *arguments, cwd=pack)
        assert ran.code == 3
        assert told in ran.err

    def test_a_faulty_profile_is_shown_with_a_warning_but_not_compiled(self, own: Path) -> None:
        edit(profile(own), "expires: 2027-04-01", "expires: 2026-11-20")
        ran = insigma("tenant", "show", "one", *DAY, cwd=own)
        assert ran.code == 0
        assert "insigma: the profile has 1 error, so nothing is built for one: insigma tenant check one" in ran.err
        compiled = insigma("tenant", "show", "one", "ins-clm-001", "-t", "splunk", *DAY, cwd=own)
        assert (compiled.code, compiled.out) == (1, "")
        assert "nothing is compiled because of this" in compiled.err

    def test_hostile_words_of_a_profile_do_not_reach_the_terminal(self, own: Path) -> None:
        edit(profile(own), "legal_entity: One Insurance SE", 'legal_entity: "One\\e[31m\\u202eInsurance\\nforged line"')
        edit(profile(own), "reason: audit\n", 'reason: "au\\edit\\nforged"\n')
        for arguments in ((), ("--needs",), ("ins-clm-c01",)):
            out = insigma("tenant", "show", "one", *arguments, *DAY, cwd=own).out
            assert "\x1b" not in out
            assert "\u202e" not in out
            assert "\nforged" not in out


class TestDiff:
    def test_each_difference_with_both_sides(self, pack: Path) -> None:
        found = insigma("tenant", "diff", "one", "two", "--json", cwd=pack).json
        rules = {entry["rule"]: {change["what"]: (change["a"], change["b"]) for change in entry["changes"]} for entry in found["rules"]}
        assert rules["ins-clm-c01"] == {
            "threshold clm_unassigned_claims_per_hour": (45, 60),
            "exception EXC-1": ("until 2027-04-01", None),
        }
        assert rules["ins-inf-001"]["severity"] == ("high", "medium")
        assert rules["ins-inf-001"]["list core_apps"] == ("lookup, 2 values, every 24h", "inline, 1 value")
        assert rules["ins-clm-c04"] == {"state": ("disabled: pilot", "active")}
        assert rules["ins-clm-001"] == {"flag insurance.context.assigned_to_actor": ("lookup claim_assignment, at most 15m old", "ingest")}
        assert "ins-clm-010" not in rules
        assert [(entry["list"], entry["only_a"], entry["only_b"]) for entry in found["lists"]] == [("core_apps", ["policy-app"], [])]
        splunk = found["targets"]["splunk"]
        assert [(entry["logsource"], entry["a"], entry["b"]) for entry in splunk["places"]] == [("insurance_claims", "ins_x", "ins_claims")]
        assert (splunk["queries"]["only_a"], splunk["queries"]["only_b"]) == ([], ["ins-inf-006", "ins-ins-002"])
        assert found["targets"]["elastic"] == {"only": "one"}

    def test_a_correlation_on_a_rule_that_differs_differs(self, own: Path) -> None:
        edit(profile(own), "thresholds: {clm_unassigned_claims_per_hour: 45}\n", "")
        edit(profile(own), "rules: [ins-clm-c01]", "rules: [ins-clm-001]")
        found = insigma("tenant", "diff", "one", "two", "--json", cwd=own).json
        entry = next(entry for entry in found["rules"] if entry["rule"] == "ins-clm-c01")
        assert (entry["changes"], entry["built_on"]) == ([], ["ins-clm-001"])

    def test_the_order_of_the_two_turns_the_sides_round(self, pack: Path) -> None:
        one, other = (insigma("tenant", "diff", *names, "--json", cwd=pack).json for names in (("one", "two"), ("two", "one")))
        sides = [
            {entry["rule"]: [(c["what"], c[a], c[b]) for c in entry["changes"]] for entry in found["rules"]}
            for found, a, b in ((one, "a", "b"), (other, "b", "a"))
        ]
        assert sides[0] == sides[1]

    def test_a_tenant_and_itself_differ_in_nothing(self, pack: Path) -> None:
        ran = insigma("tenant", "diff", "one", "one", cwd=pack)
        assert ran.lines[0] == "one and one, on a day without surges: 8 of 8 rules hold alike for both"
        assert "elastic: 0 of 6 rules have another query" in ran.lines
        assert len(ran.lines) == 5

    def test_a_surge_counts_on_its_day(self, pack: Path) -> None:
        found = insigma("tenant", "diff", "default", "one", *SURGE, "--json", cwd=pack)
        assert found.code == 1, "on that day the exception had not been granted"
        found = insigma("tenant", "diff", "default", "one", "--json", cwd=pack)
        numbers = [c["b"] for entry in found.json["rules"] for c in entry["changes"] if c["what"].startswith("threshold")]
        assert numbers == [45]

    def test_text_fits(self, pack: Path) -> None:
        ran = insigma("tenant", "diff", "one", "default", cwd=pack)
        assert (ran.code, ran.err) == (0, "")
        assert max(map(len, ran.lines)) <= 118

    def test_a_query_differs_only_where_something_that_it_rests_on_does(self, own: Path) -> None:
        """What the profiles say must explain every difference."""
        edit(profile(own), "index: {insurance_claims: ins_x}", "index: {authentication: ins_y}")
        found = insigma("tenant", "diff", "one", "two", "--json", cwd=own).json
        differing = set(found["targets"]["splunk"]["queries"]["differ"])
        assert differing == {"ins-clm-001", "ins-clm-c01", "ins-inf-001"}
        assert differing <= {entry["rule"] for entry in found["rules"]}

    def test_lists_of_one_size_with_other_values_differ(self, own: Path) -> None:
        edit(profile(own, "two"), "values: [DE, AT]", "values: [DE, CH]")
        found = insigma("tenant", "diff", "one", "two", "--json", cwd=own).json
        changes = {(entry["rule"], change["what"]) for entry in found["rules"] for change in entry["changes"]}
        assert ("ins-inf-001", "list served_countries") in changes
        assert ("served_countries", ["AT"], ["CH"]) in [(entry["list"], entry["only_a"], entry["only_b"]) for entry in found["lists"]]

    def test_a_flag_from_the_pack_s_own_table_is_the_same_however_it_is_written(self, own: Path) -> None:
        edit(profile(own), "{mode: lookup, table: claim_assignment, max_age: 15m}", "{mode: lookup}")
        edit(profile(own, "two"), "lists:", "context: {insurance.context.assigned_to_actor: {mode: lookup, max_age: 15m}}\nlists:")
        found = insigma("tenant", "diff", "one", "two", "--json", cwd=own).json
        assert [entry["flag"] for entry in found["context"]] == ["insurance.context.related_party"]

    def test_faulty_profiles_are_not_compared(self, own: Path) -> None:
        edit(profile(own), "lists:", "nonsense: 1\nlists:")
        ran = insigma("tenant", "diff", "one", "two", cwd=own)
        assert (ran.code, ran.out) == (1, "")
        assert "nothing is compared because of this" in ran.err


class TestMeasure:
    def test_a_field_that_is_filled_too_rarely_is_told_with_the_rules_that_suffer(self, pack: Path, tmp_path: Path) -> None:
        events = [claim(number, **({"user.name": None} if number % 4 == 0 else {})) for number in range(100)]
        ran = insigma("tenant", "measure", "one", "--logs", logs(tmp_path, *events), cwd=pack)
        assert ran.code == 1
        row = next(line for line in ran.lines if line.strip().startswith("user.name"))
        assert row.split()[:4] == ["user.name", "always", "75", "%"]
        assert "ins-clm-c01" in row

    def test_what_is_complete_passes(self, pack: Path, tmp_path: Path) -> None:
        ran = insigma("tenant", "measure", "two", "--logs", logs(tmp_path, *map(claim, range(50))), cwd=pack)
        assert (ran.code, ran.err) == (0, "")

    def test_no_event_at_all_does_not_pass(self, pack: Path, tmp_path: Path) -> None:
        assert insigma("tenant", "measure", "two", "--logs", logs(tmp_path), cwd=pack).code == 1

    def test_several_files_packed_ones_and_standard_input(self, pack: Path, tmp_path: Path) -> None:
        packed = tmp_path / "more.ndjson.gz"
        packed.write_bytes(gzip.compress(json.dumps(claim(1)).encode()))
        stdin = json.dumps(claim(2)).encode()
        ran = insigma("tenant", "measure", "two", "--logs", logs(tmp_path, claim(0)), packed, "-", "--json", cwd=pack, stdin=stdin)
        assert (ran.json["events"], ran.json["logsources"]["insurance_claims"]["events"]) == (3, 3)

    def test_lines_that_cannot_be_read_are_counted_and_told(self, pack: Path, tmp_path: Path) -> None:
        path = logs(tmp_path, claim(0))
        path.write_text(f"{path.read_text()}{{no\n[1]\n{json.dumps(claim(1))}\n", encoding="utf-8")
        ran = insigma("tenant", "measure", "two", str(path), "--json", cwd=pack)
        assert (ran.code, ran.json["events"], ran.json["unread"]) == (1, 2, 2)
        assert "line 2 is not JSON" in ran.err
        assert "2 events could not be read" in ran.err

    def test_the_block_for_the_profile_makes_the_rules_wait(self, own: Path, tmp_path: Path) -> None:
        events = [claim(number, **({"user.name": None} if number % 4 == 0 else {})) for number in range(100)]
        block = insigma("tenant", "measure", "one", logs(tmp_path, *events), "--write-yaml", cwd=own).out
        feeds = yaml.safe_load(block)["feeds"]
        assert feeds == {
            "insurance_claims": {"fill": {"user.name": 0.75}},
            "insurance_telematics": {"absent": True, "because": "no telematics"},
        }
        edit(profile(own), "feeds:\n  insurance_telematics: {absent: true, because: no telematics}\n", block)
        assert insigma("tenant", "check", "one", *DAY, cwd=own).code == 0
        assert [entry["need"] for entry in shown(own, "one", "--needs", *DAY)["needs"] if "ins-clm-c01" in entry["wins"]] == [
            "fill user.name in insurance_claims: 75 % of events have it, 95 % are needed to group or count by it"
        ]

    def test_delays_are_compared_with_what_the_targets_accept(self, pack: Path, tmp_path: Path) -> None:
        events = [claim(number, **{"event.ingested": f"2026-08-01T10:{number % 10:02d}:00Z"}) for number in range(100)]
        path = logs(tmp_path, *events)
        ran = insigma("tenant", "measure", "one", path, "-t", "splunk", cwd=pack)
        assert "  later than splunk accepts, so that searches miss events: insurance_claims" in ran.lines
        delay = insigma("tenant", "measure", "one", path, "--json", cwd=pack).json["logsources"]["insurance_claims"]["delay"]
        assert delay["longest_ms"] == 540_000
        assert 540_000 * 0.95 <= delay["late_ms"] <= 540_000
        block = yaml.safe_load(insigma("tenant", "measure", "one", path, "--write-yaml", cwd=pack).out)
        assert block["feeds"]["insurance_claims"]["delay"] == "9m"

    @pytest.mark.parametrize(
        ("arguments", "told"),
        [
            ((), "no events are given"),
            (("x.ndjson", "-t", "sentinel"), "one has no target 'sentinel'"),
            (("x.ndjson", "--json", "--write-yaml"), "two ways to write the result"),
            (("x.ndjson",), "No such file"),
        ],
    )
    def test_what_cannot_be_measured_is_a_usage_error(self, pack: Path, arguments: tuple[str, ...], told: str) -> None:
        ran = insigma("tenant", "measure", "one", *arguments, cwd=pack)
        assert ran.code == 3
        assert told in ran.err


JUNK = """\
tenant: {id: one, legal_entity: [1]}
targets: {splunk: [x], elastic: {index: 3, field_overrides: {user.name: {name: 7, type: [x]}}, hops: many, interval: soon}}
calendar: {default: {timezone: Nowhere/Else, hours: '25:00-99:99', weekdays: monday, holidays: XX-YY}, overrides: [1, {group: []}]}
thresholds: {clm_unassigned_claims_per_hour: .nan, other: [1]}
timespans: {ins-clm-c01: 0s, ins-clm-001: 5m}
surge: [{id: a, type: b, from: 2026-09-99, to: 2026-01-01, multipliers: {clm_unassigned_claims_per_hour: -1e308}}, 7]
lists: {core_apps: {mode: lookup, values: [1, null]}, served_countries: nonsense}
context: {insurance.context.assigned_to_actor: {mode: lookup, table: [x]}, nonsense: {mode: lookup}}
feeds: {nonsense: {fill: {x: 7}}, insurance_claims: {fill: {user.name: -3}, lacks: [7, user.name], delay: -5m}, insurance_portal: null}
rules: {disabled: [{id: [x]}, {id: ins-clm-001}], severity_overrides: [{id: ins-clm-010, level: huge}]}
exceptions: [{id: E, rules: [ins-clm-c01, 7], where: {user.name|nonsense: [[1]]}, expires: soon}, {id: E, where: {}}]
critical_functions: {f: {services: 7, logsources: [nonsense, 7]}, g: {services: [x], logsources: {a: 1}}}
regulators: {dora: 7}
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ("tenant", "check", "one"),
        ("tenant", "show", "one"),
        ("tenant", "show", "one", "--needs"),
        ("tenant", "show", "one", "ins-clm-c01", "ins-clm-010"),
        ("tenant", "show", "one", "ins-clm-c01", "-t", "elastic"),
        ("tenant", "diff", "one", "two"),
        ("tenant", "measure", "one", "events.ndjson"),
        ("tenant", "measure", "one", "events.ndjson", "--write-yaml"),
        ("coverage", "--tenant", "one"),
    ],
    ids=" ".join,
)
def test_a_profile_of_nonsense_is_no_fault_of_the_program(own: Path, arguments: tuple[str, ...]) -> None:
    profile(own).write_text(JUNK, encoding="utf-8")
    logs(own, *map(claim, range(30)))
    ran = insigma(*arguments, *(DAY if arguments[1] in ("check", "show") else ()), cwd=own)
    assert "a fault of the program" not in ran.err
    assert ran.code in (0, 1, 2)


class TestCoverage:
    def test_only_rules_that_run_for_the_tenant_count(self, pack: Path) -> None:
        found = insigma("coverage", "--tenant", "one", "--format", "json", "--by", "log-sources", cwd=pack).json
        assert found["running"] == ["ins-clm-001", "ins-clm-010", "ins-clm-012", "ins-clm-c01", "ins-inf-001"]
        assert found["rules"] == 5
        claims = next(item for item in found["sections"]["log-sources"] if item["id"] == "insurance_claims")
        assert (claims["alerting"], claims["supporting"]) == (["ins-clm-010", "ins-clm-c01"], ["ins-clm-001", "ins-clm-012"])
        assert "critical_systems" not in found

    def test_the_share_of_critical_systems_with_what_is_missing(self, pack: Path) -> None:
        found = insigma("coverage", "--tenant", "one", "--format", "json", "--by", "critical-systems", cwd=pack).json["critical_systems"]
        assert (found["monitored"], found["total"], found["share"]) == (1, 3, 0.3333)
        assert {system["system"]: system["monitored"] for system in found["systems"]} == {
            "claims-app": True,
            "fnol-api": False,
            "telematics-hub": False,
        }
        assert found["systems"][2]["missing"][0] == "insurance_telematics is absent (no telematics)"

    def test_text_has_the_formula_with_its_numbers(self, pack: Path) -> None:
        ran = insigma("coverage", "--tenant", "one", "--by", "critical-systems", cwd=pack)
        assert ran.code == 0
        assert ran.lines[0] == "one: 5 of 8 rules run on elastic, splunk; only they count here"
        assert "Critical systems: 1 of 3 monitored" in ran.lines
        assert "                  = 1 / 3 = 33.3 %" in ran.lines
        assert max(map(len, ran.lines)) <= 118

    def test_strict_asks_for_every_critical_system(self, own: Path) -> None:
        asked = ("coverage", "--tenant", "one", "--by", "critical-systems", "--strict")
        assert insigma(*asked, cwd=own).code == 1
        edit(profile(own), "  driving: {services: [telematics-hub, fnol-api], logsources: [insurance_telematics]}\n", "")
        assert insigma(*asked, cwd=own).code == 0

    def test_a_rule_whose_fixture_fails_watches_nothing(self, own: Path) -> None:
        edit(own / "tests/fixtures/claims/suspicious_access_to_restricted_claim_file.yml", "expect: match", "expect: none")
        fixture = own / "tests/fixtures/claims/suspicious_mass_claim_file_access_outside_assignment.yml"
        edit(fixture, "expect: none", "expect: {alerts: [{user.name: nobody}]}")
        found = insigma("coverage", "--tenant", "one", "--format", "json", "--by", "critical-systems", cwd=own).json["critical_systems"]
        assert found["monitored"] == 0
        assert found["functions"][0]["missing"] == ["no fixture of its P1 rules passes: ins-clm-010, ins-clm-c01"]
        assert found["functions"][0]["ladder"] == {"collected": 1.0, "parsed": 1.0, "detected": 1.0, "tested": 0.0}

    def test_critical_systems_need_a_tenant(self, pack: Path) -> None:
        ran = insigma("coverage", "--by", "critical-systems", cwd=pack)
        assert ran.code == 3
        assert "--tenant" in ran.err

    def test_a_layer_is_named_after_the_tenant(self, pack: Path) -> None:
        ran = insigma("coverage", "--tenant", "two", "--format", "navigator", cwd=pack)
        assert ran.json["name"].endswith("for two")

    def test_a_faulty_profile_counts_nothing(self, own: Path) -> None:
        edit(profile(own), "lists:", "nonsense: 1\nlists:")
        ran = insigma("coverage", "--tenant", "one", cwd=own)
        assert (ran.code, ran.out) == (1, "")
        assert "nothing is counted because of this" in ran.err
