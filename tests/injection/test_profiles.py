"""A customer's profile is data too: what is written in it is refused at its line, or stays text in everything that is built."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.yaml_reader import read_bytes
from insigma.diagnostics.model import Severity
from insigma.diagnostics.render import Format, Report, render
from insigma.diagnostics.render.hostile import visible
from insigma_prove.generate.drafts import escaped
from tests.cli.harness import files_of, findings, insigma, small_pack
from tests.injection.profiles import DAY, PROFILE, RULES, Bench, Built, Steps, as_yaml, cells, skeleton, texts, with_key, with_texts
from tests.injection.rules import ATTACKS, SETTINGS, hostile
from tests.injection.test_values import HARMLESS

PAYLOADS = (
    "=cmd|'/C calc'!A0", "@SUM(1)", "[concat('a', parameters('workspace'))]", "[[x]]", "{{ 7*7 }}", "{{#context}} %{x} ${x}",
    "$result.user$ | delete", "%PATH%", "!!python/object/apply:os.system [x]", "&a *a", "<script>alert(1)</script>", "&lt;b&gt;",
    "a\n[everything]\nsearch = | delete", "x\r\n[default]\ndisabled = 1", "x\n# y\n\n| a |\n|---|\n", "a\u2028| delete", "a | b || c",
    "../../x", "/etc/passwd", "..\\..\\x", "C:\\x", "con", "default", "x" * 2_000, "a\\", "a\"\"b,'c", "`macro(1)`",
    "[x](javascript:x)", "![x](http://evil.example/x.png)", "!{investigate{}}", "*x* _y_ __z__ ~~z~~ `q`", "```\nx",
    "\u202evil", "a\u200bb", "\ufeffa", "a\x00b", "\x1b[2J", "\U0001f600", "\t", "::add-mask::x", "##[error]x",
)  # fmt: skip
"""Whole attacks on what a profile becomes beside queries: .conf, CSV, templates, YAML, Markdown, paths, logs of a build."""
FREE: tuple[Steps, ...] = (
    ("tenant", "legal_entity"),
    ("tenant", "description"),
    ("tenant", "entity_type"),
    ("tenant", "group_parent", "name"),
    ("tenant", "group_parent", "lei"),
    ("operating_model", "tier1"),
    ("operating_model", "tier2"),
    ("operating_model", "off_hours"),
    ("contacts", "dora_primary", "name"),
    ("contacts", "dora_primary", "email"),
    ("contacts", "dora_primary", "phone"),
    ("contacts", "dora_secondary", "name"),
    ("contacts", "dora_secondary", "email"),
    ("contacts", "dora_secondary", "phone"),
    ("contacts", "duty_officers", "claims"),
    ("surge", 0, "id"),
    ("surge", 0, "regions", 0),
    ("surge", 0, "source"),
    ("lists", "claims_batch_accounts", "source"),
    ("lists", "claims_batch_accounts", "owner"),
    ("lists", "claims_batch_accounts", "description"),
    ("feeds", "insurance_claims", "products", 0),
    ("feeds", "insurance_portal", "because"),
    ("products", "insurance_claims", 0),
    ("rules", "disabled", 0, "reason"),
    ("rules", "disabled", 0, "owner"),
    ("rules", "severity_overrides", 0, "reason"),
    ("exceptions", 0, "reason"),
    ("exceptions", 0, "owner"),
    ("regulators", "dora", "competent_authority"),
    ("regulators", "gdpr", "note"),
    ("critical_functions", "claims_handling", "services", 0),
    ("privacy", "works_council_approval"),
)
"""Where people write what they like."""
VALUE, WHERE = ("lists", "claims_batch_accounts", "values", 0), ("exceptions", 0, "where", "user.name", 0)
"""Values of events."""
APPROVER = ("exceptions", 0, "approved_by")
NAMES = tuple(place for place in texts() if place not in (*FREE, APPROVER) and not {"values", "where"} & set(place))
"""Names, words and days, of which each has a form."""
OWN_KEYS: tuple[Steps, ...] = (
    ("contacts", "duty_officers", "claims"),
    ("critical_functions", "claims_handling"),
)
"""Where a key may be any text: it is for people."""
KEYS: tuple[Steps, ...] = (
    ("surge", 0, "multipliers", "clm_unassigned_claims_per_hour"),
    ("thresholds", "clm_denials_30m"),
    ("timespans", "ins-clm-c04"),
    ("schedules", "rules", "ins-clm-010"),
    ("lists", "claims_batch_accounts"),
    ("context", "insurance.context.entitled"),
    ("feeds", "insurance_claims", "fill", "device.id"),
    ("feeds", "insurance_portal"),
    ("targets", "elastic", "data_stream", "insurance_claims"),
    *(("targets", "splunk", part, "insurance_claims") for part in ("index", "sourcetype")),
    ("targets", "sentinel", "table", "insurance_claims"),
    *(("targets", target, "delay", "insurance_claims") for target in ("elastic", "splunk", "sentinel")),
    *(("targets", target, "field_overrides", "insurance.claim.id") for target in ("elastic", "splunk", "sentinel")),
    ("exceptions", 0, "where", "device.id|startswith"),
    ("products", "insurance_claims"),
    ("regulators", "dora"),
)
"""Where a key is the name of something in the pack."""
NUMBERS: tuple[Steps, ...] = (
    ("calendar", "years", 0),
    ("surge", 0, "multipliers", "clm_unassigned_claims_per_hour"),
    ("thresholds", "clm_denials_30m"),
    ("feeds", "insurance_claims", "fill", "device.id"),
    ("targets", "elastic", "hops"),
    ("exceptions", 0, "max_days"),
    ("exceptions", 0, "where", "insurance.record_count|gte"),
    ("exceptions", 0, "where", "insurance.record_count"),
    ("critical_functions", "claims_handling", "clients_total"),
    ("critical_functions", "claims_handling", "tx_daily_avg"),
)
BRACKETED = re.compile(rb'"\[(?:[^"\\]|\\.)*\]"')
"""A text of JSON that Resource Manager reads as an expression, if it does not begin with two brackets."""
OUR_EXPRESSION = re.compile(
    r"\[(?:concat\(parameters\('workspace'\), '[A-Za-z0-9/._-]+'\)|parameters\('[a-z]+'\)|resourceGroup\(\)\.location"
    r"|resourceId\([A-Za-z0-9/._,'() -]+\)|reference\(resourceId\([A-Za-z0-9/.',_ -]+\), '[0-9-]+'\)\.[A-Za-z.]+)\]"
)


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Bench:
    return Bench(tmp_path_factory.mktemp("customers"))


@pytest.fixture(scope="module")
def plain(bench: Bench) -> Built:
    """The profile as it stands."""
    built = bench.build(as_yaml(PROFILE))
    assert built.findings == ()
    assert_sound(built)
    return built


@pytest.fixture(scope="module")
def harmless(bench: Bench) -> Mapping[str, Any]:
    """The shapes of each query with harmless values in the profile."""
    shapes: dict[str, Any] = {}
    for word in (*HARMLESS, 'a "quoted" word', "a\\b", "a*b", "a\u00adb"):
        data = with_texts(word, [VALUE])
        data["exceptions"][0]["where"]["user.name"][0] = escaped(word)
        for path, content in bench.build(as_yaml(data)).files.items():
            if path.startswith("queries/"):
                shapes.setdefault(path, set()).add(skeleton(path, content))
    return shapes


def assert_sound(built: Built) -> None:
    """There is an error and no file, or there are files in order: each is what its name says, and holds no expression but ours."""
    failed = any(found.severity is Severity.ERROR for found in built.findings)
    assert failed != bool(built.files)
    assert all(found.place.path.endswith(".yml") and found.message for found in built.findings)
    shown = render(Report.of(built.findings), Format.TEXT)
    assert visible(shown.replace("\n", "")) == shown.replace("\n", ""), "nothing that is found steers a terminal"
    for path, content in built.files.items():
        assert re.fullmatch(r"[A-Za-z0-9_.-]+(?:/[A-Za-z0-9_.-]+)*", path), path
        assert ".." not in path
        if path.startswith("sentinel/") and path.endswith(".json"):
            bracketed = [json.loads(text) for text in BRACKETED.findall(content)]
            assert [text for text in bracketed if not text.startswith("[[") and not OUR_EXPRESSION.fullmatch(text)] == [], path


def strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from strings(part)


def assert_same(built: Built, plain: Built) -> None:
    """The files are those of the plain profile, and differ from them in nothing but text outside of queries."""
    assert_sound(built)
    assert built.files.keys() == plain.files.keys()
    for path, content in built.files.items():
        if content != plain.files[path]:
            assert not path.startswith("queries/"), path
            assert skeleton(path, content) == skeleton(path, plain.files[path]), path


@pytest.mark.parametrize("text", PAYLOADS)
def test_what_people_write_is_text_wherever_it_is_shown(text: str, bench: Bench, plain: Built) -> None:
    built = bench.build(as_yaml(with_texts(text, FREE)))
    if not text.strip():
        return assert_sound(built)
    assert [found.message for found in built.findings if found.severity is Severity.ERROR] == []
    assert_same(built, plain)
    written = yaml.safe_load(built.files["filters/EXC-1.yml"])
    assert (written["description"], written["owner"]) == (text.strip(), text.strip())
    assert not any(char in built.files["ledger.md"].decode() for char in "\u202e\u200b\ufeff\x1b\x00")
    return None


def test_free_text_of_any_kind_is_text(bench: Bench, plain: Built) -> None:
    @settings(SETTINGS, max_examples=6)
    @given(st.lists(hostile().filter(str.strip), min_size=len(FREE), max_size=len(FREE)))
    def same(written: list[str]) -> None:
        data = with_texts("", ())
        for place, text in zip(FREE, written, strict=True):
            node: Any = data
            for step in place[:-1]:
                node = node[step]
            node[place[-1]] = text
        built = bench.build(as_yaml(data))
        if built.files:
            assert_same(built, plain)

    same()


@pytest.mark.parametrize("text", ATTACKS)
def test_a_value_is_a_literal_or_refused(text: str, bench: Bench, harmless: Mapping[str, Any]) -> None:
    data = with_texts(text, [VALUE])
    data["exceptions"][0]["where"]["user.name"][0] = escaped(text)
    built = bench.build(as_yaml(data))
    assert_sound(built)
    if not built.files:
        data["lists"]["claims_batch_accounts"]["values"][0] = "word"
        built = bench.build(as_yaml(data))
        assert_sound(built)
    assert built.files
    for path, content in built.files.items():
        if path.startswith("queries/"):
            assert skeleton(path, content) in harmless[path], content.decode()


def test_a_list_has_its_entries_as_they_are_written(bench: Bench) -> None:
    """What spreadsheets make of them is not for the target to say: a table that is changed finds nothing."""
    entries = [text for text in dict.fromkeys((*PAYLOADS, *ATTACKS)) if text.isprintable() and len(text) < 100]
    data = with_texts("", ())
    data["lists"]["claims_batch_accounts"]["values"] = entries
    built = bench.build(as_yaml(data))
    assert_sound(built)
    assert cells(built.files["splunk/SA-firma/lookups/claims_batch_accounts.csv"])[1:] == [[text, "yes"] for text in entries]
    rows = [json.loads(line) for line in built.files["elastic/lookups/insigma-claims_batch_accounts.bulk.ndjson"].decode().split("\n")[:-1]]
    assert set(entries) <= set(strings(rows))
    resources = json.loads(built.files["sentinel/mainTemplate.json"])["resources"]
    (raw,) = (one["properties"]["rawContent"] for one in resources if one["properties"].get("displayName") == "claims_batch_accounts")
    assert cells(raw.encode()) == [["value"], *([text] for text in entries)]
    for path, content in built.files.items():
        skeleton(path, content)


@pytest.mark.parametrize("text", [text for text in (*PAYLOADS, *ATTACKS) if not text.isprintable()])
def test_an_entry_that_no_table_can_carry_is_refused_at_its_profile(text: str, bench: Bench) -> None:
    built = bench.build(as_yaml(with_texts(text, [VALUE])))
    assert_sound(built)
    if built.files:
        assert cells(built.files["splunk/SA-firma/lookups/claims_batch_accounts.csv"])[1] == [text, "yes"]


@pytest.mark.parametrize("text", sorted({*PAYLOADS, *ATTACKS} - {"con", "default"}))
def test_a_name_that_is_none_is_refused_at_its_line(text: str, bench: Bench, plain: Built) -> None:
    """All names at once: each that is not refused is tried by itself."""
    raw = as_yaml(with_texts(text, NAMES))
    (document,) = read_bytes(raw, "firma.yml").documents
    built = bench.build(raw)
    assert_sound(built)
    told = {found.place.line for found in built.findings if found.severity is Severity.ERROR}
    for place in (place for place in NAMES if document.place(*place).line not in told):
        alone = bench.build(as_yaml(with_texts(text, [place])))
        assert_sound(alone)
        for path in alone.files.keys() & plain.files.keys():
            if path.startswith("queries/"):
                assert _named(skeleton(path, alone.files[path])) == _named(skeleton(path, plain.files[path])), (place, path)


def _named(shape: Sequence[str]) -> list[str]:
    """The shape of a query, of which SPL quotes a name where it is no word."""
    return ["name" if kind == "text" else kind for kind in shape]


@pytest.mark.parametrize("text", PAYLOADS)
def test_a_key_that_is_no_known_name_is_told_at_its_line(text: str, bench: Bench) -> None:
    data: dict[str, Any] = dict(PROFILE)
    for place in KEYS:
        data = with_key(text, place, data)
    raw = as_yaml(data)
    (document,) = read_bytes(raw, "firma.yml").documents
    built = bench.build(raw)
    assert_sound(built)
    told = {found.place.line for found in built.findings}
    assert [place for place in KEYS if document.key_place(*place[:-1], text).line not in told] == []


@pytest.mark.parametrize("text", ["a\n[everything]\nsearch = | delete", "../../x", "[concat('a')]", "a\x00b", "\u202evil"])
def test_a_key_of_one_s_own_stands_in_nothing_that_is_built(text: str, bench: Bench, plain: Built) -> None:
    data: dict[str, Any] = dict(PROFILE)
    for place in OWN_KEYS:
        data = with_key(text, place, data)
    assert_same(bench.build(as_yaml(data)), plain)


@pytest.mark.parametrize("number", ["1e400", "1.0e+308", ".inf", ".nan", "9" * 390, "9" * 5_000])
def test_a_number_is_one_that_can_be_computed_with_or_refused(number: str, bench: Bench) -> None:
    for places in (NUMBERS, *((place,) for place in NUMBERS)):
        built = bench.build(as_yaml(with_texts("NUMBER", places)).replace(b"NUMBER", number.encode()))
        assert_sound(built)
        for path, content in built.files.items():
            if path.endswith(".json"):
                json.loads(content, parse_constant=pytest.fail)


@pytest.mark.parametrize("part", PROFILE)
def test_what_is_of_another_kind_is_told(part: str, bench: Bench) -> None:
    places = [place for place in texts() if place[0] == part]
    others: list[Any] = [5, {"x": [["y"]]}]
    for value in others:
        for data in (with_texts(value, places), {**PROFILE, part: value}):
            assert_sound(bench.build(as_yaml(data)))


def test_the_program_refuses_a_hostile_profile_line_by_line_and_writes_nothing(tmp_path: Path) -> None:
    folder = small_pack(tmp_path / "pack", RULES)
    profile = folder / "mappings" / "tenants" / "firma.yml"
    profile.write_bytes(as_yaml(with_texts("../../x\n[default]\x1b[2J", NAMES)))
    before = files_of(tmp_path)
    for arguments in (["check"], ["build", "--all-tenants"], ["check", "--format", "sarif"]):
        ran = insigma(*arguments, "--at", DAY, cwd=folder)
        assert ran.code == 1
        assert "Traceback" not in ran.out + ran.err
        assert "\x1b" not in ran.out + ran.err
        if "sarif" not in arguments:
            assert {path for path, _, _ in findings(ran.out)} == {"mappings/tenants/firma.yml"}
            assert len({line for _, line, _ in findings(ran.out)}) > len(NAMES) * 0.9
    assert files_of(tmp_path) == before


def test_the_program_builds_hostile_text_into_the_customer_s_folder_alone(tmp_path: Path) -> None:
    folder = small_pack(tmp_path / "pack", RULES)
    profile = folder / "mappings" / "tenants" / "firma.yml"
    profile.write_bytes(as_yaml(with_texts("../../x\n[default]\x1b[2J <script>", FREE)))
    before = files_of(tmp_path)
    ran = insigma("build", "--tenant", "firma", "--at", DAY, cwd=folder)
    assert (ran.code, ran.err.strip()) == (0, "")
    written = files_of(tmp_path).keys() - before.keys()
    assert written
    assert all(path.startswith("pack/dist-tenants/firma/") for path in written)
