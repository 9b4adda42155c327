"""The app of a tenant: which files, what they say, and what names they refuse."""

from __future__ import annotations

import csv
import io
import json
import tarfile
from dataclasses import replace
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.packages.base import PackContext, Packed
from insigma.packages.splunk import conf
from insigma.packages.splunk.files import SplunkPackager
from insigma.targets.base import Refused
from tests.packages.splunk.conf_reader import read_conf
from tests.packages.splunk.harness import APP, CONTEXT, EVENT, WITH_ES, app_of, check, header, splunk_mapping

ON = Packed(header("One", name="ins-clm-c01"), EVENT, {})
OFF = Packed(header("Two", name="ins-clm-c02", license="DRL-1.1", author="Ann | <b>"), EVENT, {}, enabled=False)
BASE = Packed(header("Three", name="ins-clm-003", insurance={"role": "base"}), EVENT, {})
HOSTILE = ["a\\", "x]\n[evil]\nb = 1", "$t$", "<b>&amp;]]>", "größe 李", "#", "\x00\x1b", "  ", "\u2028", "\uffff", "a" * 300, "\\" * 200]


def test_the_app_is_there_unpacked_and_packed() -> None:
    files = SplunkPackager(CONTEXT).package([ON])
    archive = files[f"splunk/{APP}-0.1.0.tar.gz"]
    assert isinstance(archive, bytes)
    unpacked = {path.removeprefix("splunk/"): text for path, text in files.items() if isinstance(text, str)}
    assert all(text.endswith("\n") for text in unpacked.values())
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as opened:
        held = {entry.name: opened.extractfile(entry) for entry in opened.getmembers() if entry.isfile()}
        assert {name: file.read().decode() for name, file in held.items() if file is not None} == unpacked
    assert sorted(path.removeprefix(f"{APP}/") for path in unpacked) == [
        "README.md",
        "app.manifest",
        "default/app.conf",
        "default/data/ui/nav/default.xml",
        "default/data/ui/views/insigma_overview.xml",
        "default/savedsearches.conf",
        "default/transforms.conf",
        "lookups/claim_assignments.csv",
        "lookups/insigma_rules.csv",
        "lookups/working_calendar.csv",
        "metadata/default.meta",
    ]


def test_two_builds_are_one() -> None:
    assert dict(SplunkPackager(WITH_ES).package([ON, OFF])) == dict(SplunkPackager(WITH_ES).package([ON, OFF]))


def test_app_conf_is_as_splunk_wants_it() -> None:
    stanzas = read_conf(app_of([ON])["default/app.conf"])
    check("splunk-app", stanzas)
    assert stanzas["ui"]["label"] == "Acme Property & Casualty (Insigma)"
    assert stanzas["launcher"]["description"] == "Detection rules of the pack insurance 0.1.0 for acme-pc-de."
    manifest = json.loads(app_of([ON])["app.manifest"])
    assert manifest["info"]["id"] == {"group": None, "name": stanzas["id"]["name"], "version": stanzas["id"]["version"]}


@pytest.mark.parametrize(
    ("tenant", "app"), [("acme-pc-de", APP), ("a.b/c\n[x]", "insigma-a-b-c-x"), ("../..", "insigma-tenant"), ("é", "insigma-tenant")]
)
def test_an_app_is_named_after_its_tenant(tenant: str, app: str) -> None:
    files = SplunkPackager(replace(CONTEXT, tenant=tenant)).package([ON])
    assert {path.split("/")[1] for path in files} == {app, f"{app}-0.1.0.tar.gz"}


def test_the_profile_may_name_the_app() -> None:
    chosen = replace(CONTEXT, settings={"app": "Acme_Detections.v2"})
    files = SplunkPackager(chosen).package([ON])
    assert "splunk/Acme_Detections.v2/default/app.conf" in files
    stanzas = read_conf(app_of([ON], chosen)["default/app.conf"])
    assert stanzas["package"]["id"] == "Acme_Detections.v2"
    check("splunk-app", stanzas)


@pytest.mark.parametrize(
    "app",
    ["", ".hidden", "a/b", "../x", "1st", "a b", "é", "a\n", "CON", "nul.x", "a.", "a.spl", "a.tar.gz", "x" * 81, 7, True, ["a"], "$a$"],
)
def test_a_name_that_splunk_does_not_take_is_refused(app: object) -> None:
    with pytest.raises(Refused, match="cannot name a Splunk app"):
        SplunkPackager(replace(CONTEXT, settings={"app": app})).package([ON])


@pytest.mark.parametrize("app", ["search", "SplunkEnterpriseSecuritySuite"])
def test_the_name_of_an_app_of_splunk_s_own_is_refused(app: str) -> None:
    with pytest.raises(Refused, match="an app of Splunk's own"):
        SplunkPackager(replace(CONTEXT, settings={"app": app})).package([ON])


@pytest.mark.parametrize("version", ["1", "1.2", "v1.2.3", "1.2.3\n[x]", ""])
def test_a_version_that_is_not_semantic_is_refused(version: str) -> None:
    with pytest.raises(Refused, match="semantic version"):
        SplunkPackager(replace(CONTEXT, version=version)).package([ON])


def test_a_rule_of_the_profile_or_a_building_block_is_delivered_switched_off() -> None:
    files = app_of([ON, OFF, BASE])
    stanzas = read_conf(files["default/savedsearches.conf"])
    state = {name: (stanza["disabled"], stanza["enableSched"]) for name, stanza in stanzas.items()}
    assert state == {"One": ("0", "1"), "Two": ("1", "0"), "Three": ("1", "0")}
    readme = files["README.md"]
    assert "1 searches run, 1 are delivered switched off, 1 are building blocks" in readme
    assert readme.index("- ins-clm-c02: Two") < readme.index("Building blocks:") < readme.index("- ins-clm-003: Three")
    assert "- ins-clm-c01" not in readme


def test_the_catalogue_names_every_saved_search() -> None:
    rule = header(
        "One",
        name="ins-clm-c03",
        level="critical",
        insurance={"response": {"sla": {"triage": "15m"}}, "regulatory": {"awareness": "candidate"}},
    )
    rows = list(csv.DictReader(io.StringIO(app_of([Packed(rule, EVENT, {}), OFF, BASE], WITH_ES)["lookups/insigma_rules.csv"])))
    assert rows[0] == {
        "saved_search": "One",
        "rule": "ins-clm-c03",
        "version": "7",
        "domain": "claims",
        "role": "alert",
        "level": "critical",
        "state": "on",
        "triage": "15m",
        "contain": "",
        "awareness": "candidate",
    }
    assert {row["saved_search"]: row["state"] for row in rows} == {"One": "on", "Two": "off", "Three": "building block"}


def test_a_table_of_the_profile_never_takes_the_catalogues_name() -> None:
    taken = replace(CONTEXT.tables[0], name="insigma_rules")
    with pytest.raises(Refused, match="insigma_rules"):
        app_of([ON], replace(CONTEXT, tables=(taken,)))


@pytest.mark.parametrize("titles", [("A Title", "A Title"), ("A Title", "a title"), ("Straße", "STRASSE")])
def test_two_rules_of_one_title_are_refused(titles: tuple[str, str]) -> None:
    with pytest.raises(Refused, match="merge"):
        app_of([Packed(header(title), EVENT, {}) for title in titles])


@pytest.mark.parametrize("title", ["x" * 101, "x]\n[y", "$t$", "a\\", "default", ""])
def test_a_title_that_cannot_name_a_saved_search_is_refused(title: str) -> None:
    with pytest.raises(Refused, match="title"):
        app_of([Packed(header(title), EVENT, {})], WITH_ES)


def test_a_title_of_a_hundred_letters_is_not() -> None:
    assert list(read_conf(app_of([Packed(header("ü" * 100), EVENT, {})], WITH_ES)["default/savedsearches.conf"])) == ["ü" * 100]


def test_administrators_write_and_analysts_of_enterprise_security_read() -> None:
    plain = read_conf(app_of([ON])["metadata/default.meta"])
    assert plain == {"": {"access": "read : [ admin, power, sc_admin ], write : [ admin, sc_admin ]", "export": "none"}}
    shared = read_conf(app_of([ON], WITH_ES)["metadata/default.meta"])
    assert shared[""]["access"] == "read : [ admin, power, sc_admin, ess_admin, ess_analyst ], write : [ admin, sc_admin ]"
    assert {name: stanza for name, stanza in shared.items() if name} == {
        name: {"export": "system"} for name in ("savedsearches", "transforms", "lookups")
    }


def test_the_readme_says_what_to_set_up() -> None:
    readme = app_of([ON], CONTEXT, splunk_mapping())["README.md"]
    assert "| `ins_claims` | insurance_claims | 1 |" in readme
    assert "Owner: claims operations. Source: ClaimCenter. Refresh: 15m." in readme
    assert "| `valid_until` | time (milliseconds since 1970) |  |" in readme
    assert "| table claim_id user_name valid_until | outputlookup claim_assignments`" in readme
    assert "- `working_calendar`: 2 rows. Working hours of the tenant" in readme
    assert "run those jobs right after it" in readme
    assert "Enterprise Security" not in readme
    assert "## Enterprise Security" in app_of([ON], WITH_ES)["README.md"]


def test_the_readme_of_a_tenant_without_tables_has_nothing_on_them() -> None:
    readme = app_of([ON], replace(CONTEXT, tables=()))["README.md"]
    assert "Lookup tables" not in readme
    assert "your jobs" not in readme


def test_licences_and_authors_stay_with_the_rules() -> None:
    readme = app_of([ON, OFF])["README.md"]
    assert "- DRL-1.1, by Ann \\| \\<b\\>: 1 rules\n- no licence named, by no author named: 1 rules\n" in readme


def test_a_text_of_the_profile_is_no_markdown() -> None:
    hostile = replace(CONTEXT.tables[0], description="a\n# b | <script> [x](y) `z`", owner="**o**", source="\\", refresh="_r_ &lt;")
    lines = app_of([ON], replace(CONTEXT, tables=(hostile,)))["README.md"].splitlines()
    assert "a \\# b \\| \\<script\\> \\[x\\](y) \\`z\\`" in lines
    assert "Owner: \\*\\*o\\*\\*. Source: \\\\. Refresh: \\_r\\_ \\&lt;." in lines


@pytest.mark.parametrize("text", HOSTILE)
def test_a_hostile_name_stays_a_name(text: str) -> None:
    context = PackContext(f"t{text}", "insurance", "0.1.0", legal_entity=text)
    files = app_of([ON], context)
    stanzas = read_conf(files["default/app.conf"])
    check("splunk-app", stanzas)
    assert stanzas["launcher"]["description"].endswith(conf.line(f"for t{text}."))
    view = ET.fromstring(files["default/data/ui/views/insigma_overview.xml"])
    assert view.findtext("label") == stanzas["ui"]["label"]
    assert list(read_conf(files["default/savedsearches.conf"])) == ["One"]


@settings(deadline=None, max_examples=40)
@given(st.text(max_size=100))
def test_any_legal_entity_gives_a_label_that_splunk_and_xml_take(entity: str) -> None:
    files = app_of([ON], replace(CONTEXT, legal_entity=entity))
    stanzas = read_conf(files["default/app.conf"])
    check("splunk-app", stanzas)
    assert ET.fromstring(files["default/data/ui/views/insigma_overview.xml"]).findtext("label") == stanzas["ui"]["label"]


def test_the_dashboard_asks_for_this_app_alone() -> None:
    files = app_of([ON])
    view = ET.fromstring(files["default/data/ui/views/insigma_overview.xml"])
    assert (view.tag, view.get("version")) == ("form", "1.1")
    bases = {search.get("id"): search.findtext("query") or "" for search in view.findall("search")}
    assert f'ss_app="{APP}"' in bases["alerts"]
    assert f'sourcetype=scheduler app="{APP}"' in bases["runs"]
    panels = view.findall("row/panel")
    for panel in panels:
        search = panel.find(".//search")
        assert search is not None
        query = search.findtext("query") or ""
        assert query.startswith("|")
        assert search.get("base") in bases or query.startswith(("| rest ", "| inputlookup "))
    assert {panel.findtext("title") for panel in panels} >= {"Alerts by rule", "Alerts by domain", "Health of the saved searches"}
    sizes = panels[-1].findtext(".//query") or ""
    assert sizes.count("inputlookup") == 2


def test_the_dashboard_of_a_tenant_without_tables_counts_none() -> None:
    assert "inputlookup" not in app_of([ON], replace(CONTEXT, tables=()))["default/data/ui/views/insigma_overview.xml"]


def test_the_navigation_opens_the_dashboard() -> None:
    files = app_of([ON])
    nav = ET.fromstring(files["default/data/ui/nav/default.xml"])
    opened = [view.get("name") for view in nav if view.get("default") == "true"]
    assert [f"default/data/ui/views/{name}.xml" in files for name in opened] == [True]
