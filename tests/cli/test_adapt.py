"""`insigma adapt`: raw events in, canonical events out, and everything told."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import pytest

from tests.cli.harness import ROOT, Ran, insigma

SAMPLES = ROOT / "tests" / "adapt" / "samples"
KEY = "0123456789abcdef0123456789abcdef"


def adapt(*arguments: str, cwd: Path = ROOT, stdin: str = "", env: dict[str, str] | None = None) -> Ran:
    return insigma("adapt", *arguments, cwd=cwd, stdin=stdin.encode(), env=env)


def raw(name: str) -> str:
    return (SAMPLES / name).read_text(encoding="utf-8")


def test_list_names_every_adapter() -> None:
    ran = adapt("--list")
    assert ran.code == 0
    assert {line.split()[0] for line in ran.out.splitlines()} == {path.stem for path in (ROOT / "mappings" / "products").glob("*.yml")}


def test_events_go_out_and_the_summary_to_standard_error() -> None:
    ran = adapt("kong", "--set", "organization=acme", stdin=raw("kong.ndjson"))
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert ran.code == 0
    assert len(events) == 26
    assert {event["insurance.logsource"] for event in events} == {"api_gateway", "insurance_claims"}
    assert ran.err.startswith("insigma: 15 raw events, 26 canonical events (kong)")
    assert "insurance.claim.status is never filled: The gateway sees the request and not the claim." in ran.err
    assert "not in the table of service.name: broker-api (2), status-page (1)" in ran.err


def test_what_nobody_gave_is_taken_and_told() -> None:
    ran = adapt("okta", stdin=raw("okta.ndjson"))
    assert ran.code == 0
    assert {json.loads(line)["organization.id"] for line in ran.out.splitlines()} == {"default"}
    assert "not given, taken as: organization (default); say --set organization=..." in ran.err


def test_strictly_gaps_are_findings() -> None:
    assert adapt("kong", "--strict", "--set", "organization=acme", stdin=raw("kong.ndjson")).code == 1


def test_lines_that_give_no_event_are_findings() -> None:
    ran = adapt("pgaudit", "--set", "organization=acme", stdin=raw("pgaudit.csv"))
    assert ran.code == 1
    assert "line 7 gave no event: no time that could be read" in ran.err


def test_the_summary_as_json() -> None:
    ran = adapt("okta", "--set", "organization=acme", "--format", "json", stdin=raw("okta.ndjson"))
    summary = json.loads(ran.err)
    assert (summary["read"], summary["written"], summary["not_taken"]) == (15, 12, {"user.lifecycle.create": 1})
    assert summary["bindings"][0]["fill_rate"]["user.name"] == 100


def test_input_from_a_file_and_from_gzip(tmp_path: Path) -> None:
    packed = tmp_path / "okta.ndjson.gz"
    packed.write_bytes(gzip.compress(raw("okta.ndjson").encode()))
    plain = adapt("okta", "--set", "organization=acme", "--input", str(SAMPLES / "okta.ndjson"))
    assert plain.out == adapt("okta", "--set", "organization=acme", "--input", str(packed)).out
    (tmp_path / "broken.gz").write_bytes(b"no gzip")
    ran = adapt("okta", "--set", "organization=acme", "--input", str(tmp_path / "broken.gz"))
    assert (ran.code, "not readable as gzip" in ran.err) == (3, True)


def test_tables_settings_and_the_key(tmp_path: Path) -> None:
    table = tmp_path / "actions.csv"
    table.write_text("claim.payee.changed,claim-payee-change\n", encoding="utf-8")
    settings = ["--set", "organization=acme", "--set", "service=cc", "--table", f"actions={table}"]
    ran = adapt("guidewire_app_events", *settings, stdin=raw("guidewire_app_events.ndjson"), env={"INSIGMA_HMAC_KEY": KEY})
    events = [json.loads(line) for line in ran.out.splitlines()]
    assert [event.get("event.action") for event in events].count("claim-payee-change") == 1
    assert "DE89" not in ran.out + ran.err
    assert KEY not in ran.out + ran.err
    (tmp_path / "key").write_text(KEY + "\n", encoding="utf-8")
    again = adapt("guidewire_app_events", *settings, "--key-file", str(tmp_path / "key"), stdin=raw("guidewire_app_events.ndjson"))
    assert again.out == ran.out


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "no product is named"),
        (["konk"], "did you mean 'kong'?"),
        (["kong", "--set", "organisation=acme"], "did you mean 'organization'?"),
        (["kong", "--set", "organization"], "write --set NAME=VALUE"),
        (["kong", "--set", "organization=a", "--table", "services=nowhere.csv"], "nowhere.csv"),
        (["guidewire_app_events", "--set", "organization=a", "--set", "service=b"], "there is no key"),
        (["sap_audit_log", "--set", "organization=a", "--set", "zone=Mars"], "'Mars' is no time zone"),
        (["insigma.yml"], "is no adapter"),
        (["nowhere.yml"], "cannot be read"),
    ],
)
def test_usage(arguments: list[str], told: str) -> None:
    ran = adapt(*arguments)
    assert ran.code == 3
    assert told in ran.err
    assert ran.out == ""


def test_a_short_key_is_refused_and_not_shown() -> None:
    ran = adapt("guidewire_app_events", "--set", "organization=a", "--set", "service=b", env={"INSIGMA_HMAC_KEY": "hunter2"})
    assert ran.code == 3
    assert "too short" in ran.err
    assert "hunter2" not in ran.err


def test_a_table_of_another_shape(tmp_path: Path) -> None:
    for content in (b"one,two,three\n", b"\xff,a\n"):
        (tmp_path / "t.csv").write_bytes(content)
        ran = adapt("kong", "--set", "organization=a", "--table", f"services={tmp_path / 't.csv'}")
        assert (ran.code, "t.csv" in ran.err) == (3, True)


def test_the_template_is_a_sound_adapter(tmp_path: Path) -> None:
    path = tmp_path / "template.yml"
    path.write_text((ROOT / "mappings" / "products" / "template.yml.example").read_text(encoding="utf-8"), encoding="utf-8")
    event = {
        "eventCode": "CLM_XLS",
        "object": "CLAIM",
        "eventDate": "2026-02-14",
        "eventTime": "10:40:00",
        "result": "OK",
        "eventId": "e1",
        "login": "ACME\\\\J.Kowalska@acme.example".replace("\\\\", "\\"),
        "objectId": "CLM-1",
        "detailText": '{"status":"APPR","rows":4200,"iban":"DE89 3704"}',
    }
    settings = ["--set", "organization=acme", "--set", "service=x", "--set", "zone=UTC", "--strict"]
    ran = adapt(str(path), *settings, cwd=tmp_path, stdin=json.dumps(event), env={"INSIGMA_HMAC_KEY": KEY})
    assert ran.code == 0, ran.err
    found = json.loads(ran.out)
    assert (found["event.action"], found["user.name"], found["insurance.claim.status"]) == ("claim-export", "j.kowalska", "approved")


def test_a_faulty_adapter_is_not_run(tmp_path: Path) -> None:
    path = tmp_path / "kong.yml"
    text = (ROOT / "mappings" / "products" / "kong.yml").read_text(encoding="utf-8")
    path.write_text(text.replace("url.path:", "url.pth:").replace("title: Kong", "titel: Kong"), encoding="utf-8")
    ran = adapt(str(path), "--set", "organization=a", cwd=tmp_path, stdin=raw("kong.ndjson"))
    assert (ran.code, ran.out) == (2, "")
    assert "INS520" in ran.err
    assert "did you mean 'url.path'?" in ran.err
    assert "INS509" in ran.err
    assert "INS523" in ran.err


def test_an_adapter_of_the_pack_around_comes_first(tmp_path: Path) -> None:
    products = tmp_path / "mappings" / "products"
    products.mkdir(parents=True)
    (tmp_path / "insigma.yml").write_text("name: own\nversion: 1.0.0\nextends: [insurance]\n", encoding="utf-8")
    text = (ROOT / "mappings" / "products" / "kong.yml").read_text(encoding="utf-8")
    (products / "kong.yml").write_text(text.replace("title: Kong Gateway,", "title: Our own"), encoding="utf-8")
    listed = adapt("--list", cwd=tmp_path).out
    assert "Our own" in listed
    assert "okta" in listed


def test_terminal_escapes_are_not_passed_on() -> None:
    line = json.dumps({"eventType": "\x1b[31mevil\u202e", "published": "2026-02-14T10:40:00Z"})
    ran = adapt("okta", "--set", "organization=acme", stdin=line)
    assert "\x1b" not in ran.err
    assert "\u202e" not in ran.err
    assert r"\x1b[31mevil" in ran.err
