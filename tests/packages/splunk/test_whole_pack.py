"""The app of the whole pack: every stanza by the vendor's constraints, and Splunk AppInspect where it is set up."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import jsonschema
import pytest

from insigma.packages.base import PackContext
from insigma.packages.splunk import conf
from insigma.packages.splunk.files import SplunkPackager
from tests.packages.splunk.conf_reader import read_conf
from tests.packages.splunk.harness import CONTEXT, ROOT, WITH_ES, app_of, check, check_stanza, splunk_mapping, whole_pack

BOTH = pytest.mark.parametrize("context", [CONTEXT, WITH_ES], ids=["plain", "enterprise security"])


@BOTH
def test_every_stanza_keeps_to_the_vendors_constraints(context: PackContext) -> None:
    files = app_of(list(whole_pack()), context, splunk_mapping())
    stanzas = read_conf(files["default/savedsearches.conf"])
    assert len(stanzas) == len(whole_pack())
    for settings in stanzas.values():
        check_stanza(settings)
    for settings in read_conf(files["default/transforms.conf"]).values():
        check("splunk-lookup", settings)
    check("splunk-app", read_conf(files["default/app.conf"]))


def test_every_text_comes_back_from_the_file() -> None:
    stanzas = read_conf(app_of(list(whole_pack()), WITH_ES, splunk_mapping())["default/savedsearches.conf"])
    for entry in whole_pack():
        stanza = stanzas[entry.header.title]
        written = conf.line(entry.header.document.data["description"])
        assert stanza["description"].startswith(f"{written} (pack id {entry.header.label}; ")
        assert [line.rstrip() for line in stanza["search"].split("\n")] == [line.rstrip() for line in entry.detection.query.split("\n")]
        if "action.notable" in stanza:
            assert stanza["action.notable.param.rule_title"] == entry.header.title
            assert stanza["action.notable.param.rule_description"].startswith(written.replace("$", "＄"))


def test_every_rule_that_alerts_makes_a_notable_and_nearly_every_one_risk() -> None:
    stanzas = read_conf(app_of(list(whole_pack()), WITH_ES, splunk_mapping())["default/savedsearches.conf"])
    alerting = [entry for entry in whole_pack() if entry.enabled and entry.header.insurance["role"] == "alert"]
    assert alerting
    assert {stanzas[entry.header.title]["action.notable"] for entry in alerting} == {"1"}
    without = [entry.header.label for entry in alerting if "action.risk" not in stanzas[entry.header.title]]
    # Their results name no entity: they group by the address a campaign comes from, or count over the whole insurer.
    assert set(without) <= {"ins-pay-c03", "ins-prt-c01", "ins-cat-c01"}
    quiet = [entry for entry in whole_pack() if not entry.enabled or entry.header.insurance["role"] == "base"]
    assert not any(key.startswith("action.") for entry in quiet for key in stanzas[entry.header.title])


def test_the_pack_as_a_whole_is_written_as_it_was() -> None:
    """What the default build writes has no actions and does not know of tenants that switch rules off."""
    packager = SplunkPackager(CONTEXT)
    for entry in whole_pack():
        assert "action." not in packager.native(entry.header, entry.detection)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("cron_schedule", "60 * * * *"),
        ("cron_schedule", "* * * *"),
        ("disabled", "yes"),
        ("dispatch.earliest_time", "rt"),
        ("alert.severity", "7"),
        ("alert.suppress", "1"),
        ("description", "ends with \\"),
        ("description", "two\nlines"),
        ("search", "index=x\n\n| y"),
        ("search", "index=x \\"),
        ("action.script", "1"),
        ("action.notable", "1"),
        ("enableSched", None),
    ],
)
def test_the_constraints_find_what_is_wrong(key: str, value: str | None) -> None:
    stanza = next(iter(read_conf(app_of([whole_pack()[0]])["default/savedsearches.conf"]).values()))
    check_stanza(stanza)
    broken = {name: text for name, text in stanza.items() if name != key} | ({key: value} if value is not None else {})
    with pytest.raises(jsonschema.ValidationError):
        check_stanza(broken)


@pytest.mark.slow
@BOTH
def test_appinspect_finds_nothing(context: PackContext, tmp_path: Path) -> None:
    if not (ROOT / ".engines" / "appinspect" / "insigma-stamp").is_file():
        pytest.skip("Splunk AppInspect is not set up: scripts/appinspect.sh --install")
    files = SplunkPackager(context, splunk_mapping()).package(list(whole_pack()))
    (path, archive), *_ = ((path, content) for path, content in files.items() if isinstance(content, bytes))
    package = tmp_path / Path(path).name
    package.write_bytes(archive)
    done = subprocess.run([ROOT / "scripts" / "appinspect.sh", package], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    report = json.loads((ROOT / ".engines" / "appinspect" / "reports" / f"{package.name}.json").read_text(encoding="utf-8"))
    assert {name: report["summary"][name] for name in ("error", "failure", "future_failure", "warning")} == dict.fromkeys(
        ("error", "failure", "future_failure", "warning"), 0
    )
