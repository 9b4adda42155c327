"""Stanzas of savedsearches.conf: their keys, and that nothing from a rule starts another key or stanza."""

from __future__ import annotations

import configparser
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from insigma.content.model import Header
from insigma.content.yaml_reader import Document, read_bytes
from insigma.packages.base import PackContext
from insigma.packages.splunk.savedsearches import savedsearch, savedsearches
from insigma.targets.base import Detection, Refused, Schedule

EVENT = Detection("splunk", "spl", "index=x\n| where lower('a')=\"b\"\n| table _time a", Schedule(300_000, 600_000), "event")
COUNT = replace(EVENT, window="exact", schedule=Schedule(300_000, 4_200_500), group_fields=("user.name", "source.ip"))
CONTEXT = PackContext(tenant="acme", pack="insurance", version="1.2.0")


def header(title: str = "A Title", role: str = "alert", level: str = "high", **data: Any) -> Header:
    document = read_bytes(b"{}", "rules/x.yml").documents[0]
    document = Document(document.path, data, document.marks, document.key_marks, document.ambiguous, document.styles)
    insurance = MappingProxyType({"pack_id": "ins-clm-c01", "role": role})
    sigma_id = "c9650941-dfec-55f3-adb5-c5add26773aa"
    return Header(document, title, sigma_id, "ins-clm-c01", level, "test", ("attack.t1213",), "insurance", insurance)


def parsed(text: str) -> dict[str, dict[str, str]]:
    """The stanzas as Splunk reads them: a line that ends with a backslash goes on in the next (admin manual, .conf syntax)."""
    stanzas: dict[str, dict[str, str]] = {}
    current: dict[str, str] = {}
    key = ""
    continued = False
    for line in text.split("\n"):
        if continued:
            current[key] += "\n" + line.removesuffix("\\")
        elif line.startswith("["):
            assert line.endswith("]")
            current = stanzas[line[1:-1]] = {}
        elif line.strip() and not line.startswith("#"):
            key, equals, value = line.partition("=")
            key = key.strip()
            assert equals
            assert key not in current
            current[key] = value.removeprefix(" ").removesuffix("\\")
        continued = line.endswith("\\")
    return stanzas


def test_an_event_rule() -> None:
    assert savedsearch(header(description="Line one.\nLine two.\n"), EVENT, CONTEXT) == (
        "[A Title]\n"
        "description = Line one. Line two. (pack id ins-clm-c01; sigma id c9650941-dfec-55f3-adb5-c5add26773aa; level high; "
        "tags attack.t1213; pack insurance 1.2.0; tenant acme)\n"
        "search = index=x \\\n"
        "| where lower('a')=\"b\" \\\n"
        "| table _time a\n"
        "disabled = 0\n"
        "enableSched = 1\n"
        "cron_schedule = 0-59/5 * * * *\n"
        "realtime_schedule = 0\n"
        "dispatch.earliest_time = -660s\n"
        "dispatch.latest_time = now\n"
        "dispatch.index_earliest = -360s\n"
        "dispatch.index_latest = -60s\n"
        "counttype = number of events\n"
        "relation = greater than\n"
        "quantity = 0\n"
        "alert.track = 1\n"
        "alert.severity = 4\n"
        "alert.digest_mode = 1\n"
        "alert.suppress = 0\n"
    )


def test_a_correlation_is_suppressed_by_group_for_less_than_its_timespan() -> None:
    stanza = parsed(savedsearch(header(correlation={"timespan": "1h"}), COUNT, CONTEXT))["A Title"]
    assert stanza["alert.suppress"] == "1"
    assert stanza["alert.suppress.fields"] == "user.name,source.ip"
    assert stanza["alert.suppress.period"] == "3300s"
    assert stanza["alert.digest_mode"] == "0"
    assert stanza["dispatch.earliest_time"] == "-4201s"


def test_a_correlation_without_groups_is_suppressed_as_a_whole() -> None:
    stanza = parsed(savedsearch(header(correlation={"timespan": "1w"}), replace(COUNT, group_fields=()), CONTEXT))["A Title"]
    assert stanza["alert.digest_mode"] == "1"
    assert stanza["alert.suppress.period"] == "604500s"
    assert "alert.suppress.fields" not in stanza


def test_a_short_correlation_is_suppressed_by_its_last_instant() -> None:
    """Its timespan less an interval is shorter than an instant is told, so the group alone would either repeat or lose alerts."""
    short = replace(COUNT, schedule=Schedule(300_000, 900_000))
    stanza = parsed(savedsearch(header(correlation={"timespan": "5m"}), short, CONTEXT))["A Title"]
    assert stanza["alert.suppress.fields"] == "user.name,source.ip,insigma_last"
    assert stanza["alert.suppress.period"] == "600s"


def test_a_base_rule_is_there_but_does_not_run() -> None:
    stanza = parsed(savedsearch(header(role="base"), EVENT, CONTEXT))["A Title"]
    assert (stanza["disabled"], stanza["enableSched"]) == ("1", "0")


@pytest.mark.parametrize(("level", "severity"), [("informational", "1"), ("low", "2"), ("medium", "3"), ("high", "4"), ("critical", "5")])
def test_levels_are_severities(level: str, severity: str) -> None:
    assert parsed(savedsearch(header(level=level), EVENT, CONTEXT))["A Title"]["alert.severity"] == severity


@pytest.mark.parametrize(
    "title",
    ["ok\naction.script = 1", "x]\n[y", "a[b", "a]b", "", " ", " a", "a ", "tab\there", "nul\x00", "back\\slash", "default", "DEFAULT",
     "a=b", "#x", "$x$", 'quo"te', "`m`", "line\u2028sep", "x" * 101, "*", "a|b"],
)  # fmt: skip
def test_a_title_that_cannot_name_a_stanza_is_refused(title: str) -> None:
    with pytest.raises(Refused, match="title"):
        savedsearch(header(title), EVENT, CONTEXT)


@pytest.mark.parametrize("title", ["Café (1): A & B, C/D - 100% 'x'; y+z", "默认"])
def test_an_ordinary_title_is_the_name(title: str) -> None:
    assert list(parsed(savedsearch(header(title), EVENT, CONTEXT))) == [title]


HOSTILE = st.text(st.sampled_from(list("ab \n\r\t\\[]=#\x00\x0b\x85\u2028\"'`$|")), max_size=20)


@settings(deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_no_text_starts_a_key_or_a_stanza(description: str, tag: str, tenant: str) -> None:
    hostile = replace(header(description=description), tags=(tag,))
    text = savedsearch(hostile, EVENT, PackContext(tenant, tenant, tenant))
    plain = savedsearch(header(), EVENT, PackContext("", "", ""))
    assert list(parsed(text)) == ["A Title"]
    assert list(parsed(text)["A Title"]) == list(parsed(plain)["A Title"])
    assert parsed(text)["A Title"]["search"] == parsed(plain)["A Title"]["search"]
    assert len(text.splitlines()) == len(plain.splitlines())


@pytest.mark.parametrize("query", ["a\\\n[evil]", "a\\", "a\r\n[evil]", "a\n\n[evil]", "a\x00", "a\u2028[evil]"])
def test_a_search_that_a_conf_file_cannot_carry_is_refused(query: str) -> None:
    with pytest.raises(Refused, match="search"):
        savedsearch(header(), replace(EVENT, query=query), CONTEXT)


def test_the_search_survives_the_file() -> None:
    stanza = parsed(savedsearch(header(), EVENT, CONTEXT))["A Title"]
    assert [line.rstrip() for line in stanza["search"].split("\n")] == EVENT.query.split("\n")


@pytest.mark.parametrize("query", ["a\n[x] | y\nalert.track = 0", "a\n# b"])
def test_lines_that_look_like_keys_stay_in_the_search(query: str) -> None:
    stanzas = parsed(savedsearch(header(), replace(EVENT, query=query), CONTEXT))
    assert list(stanzas) == ["A Title"]
    assert stanzas["A Title"]["alert.track"] == "1"


@pytest.mark.parametrize("field", ["a,b", "x\naction.script = 1", "a b", "", "a=b"])
def test_an_unsafe_group_name_is_refused(field: str) -> None:
    with pytest.raises(Refused, match="suppress"):
        savedsearch(header(correlation={"timespan": "1h"}), replace(COUNT, group_fields=(field,)), CONTEXT)


@pytest.mark.parametrize(
    ("minutes", "cron"),
    [(1, "* * * * *"), (5, "0-59/5 * * * *"), (15, "0-59/15 * * * *"), (60, "15 * * * *"), (120, "15 0-23/2 * * *"), (1440, "15 22 * * *")],
)
def test_intervals_become_staggered_cron_lines(minutes: int, cron: str) -> None:
    detection = replace(EVENT, schedule=Schedule(minutes * 60_000, 600_000))
    assert parsed(savedsearch(header(), detection, CONTEXT))["A Title"]["cron_schedule"] == cron


@pytest.mark.parametrize("interval", [30_000, 7 * 60_000, 90 * 60_000, 5 * 3_600_000, 2 * 86_400_000])
def test_an_interval_without_a_cron_line_is_refused(interval: int) -> None:
    with pytest.raises(Refused, match="cron"):
        savedsearch(header(), replace(EVENT, schedule=Schedule(interval, 600_000)), CONTEXT)


def test_a_file_of_stanzas() -> None:
    stanzas = [savedsearch(header(title), EVENT, CONTEXT) for title in ("One", "Two")]
    text = savedsearches(stanzas)
    assert list(parsed(text)) == ["One", "Two"]
    reader = configparser.RawConfigParser(strict=True, delimiters=("=",), comment_prefixes=("#",))
    reader.optionxform = str  # type: ignore[assignment, method-assign]
    reader.read_string(text.replace("\\\n", " "))
    assert reader.sections() == ["One", "Two"]


@pytest.mark.parametrize("other", ["A Title", "a title"])
def test_two_rules_never_share_a_stanza(other: str) -> None:
    with pytest.raises(Refused, match="merge"):
        savedsearches([savedsearch(header(), EVENT, CONTEXT), savedsearch(header(other), EVENT, CONTEXT)])


def test_rules_are_staggered_by_their_identity() -> None:
    offsets = set()
    for number in range(40):
        rule = replace(header(), id=f"c9650941-dfec-55f3-adb5-{number:012d}")
        cron = parsed(savedsearch(rule, EVENT, CONTEXT))["A Title"]["cron_schedule"]
        assert cron == parsed(savedsearch(rule, EVENT, CONTEXT))["A Title"]["cron_schedule"]
        offsets.add(cron.split("-")[0])
    assert offsets == {"0", "1", "2", "3", "4"}
