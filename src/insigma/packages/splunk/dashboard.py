"""The app's dashboard and its navigation, in Simple XML.

Sources: "Simple XML Reference" in Splunk's Dashboards and Visualizations manual; the audit log's `alert_fired` events (they are
written where `alert.track` is 1) and the scheduler's log, which tell what alerted and what ran without reading an event of the
customer again; the `rest` command. Each log is read once for the chosen time, and the panels share what was found.
"""

from __future__ import annotations

from collections.abc import Sequence
from xml.etree import ElementTree as ET

from insigma.packages.base import Files, Table
from insigma.packages.splunk.catalogue import RULES

VIEW = "insigma_overview"

_ALERTS = f"""index=_audit sourcetype=audittrail action=alert_fired ss_app="APP"
| lookup {RULES} saved_search AS ss_name OUTPUT domain level rule
| fillnull value="unknown" domain level rule
| bin _time span=1h
| stats count by _time ss_name domain level rule"""
_TOTAL = "| stats sum(count) AS alerts | fillnull value=0 alerts"
_OVER_TIME = "| timechart span=1h sum(count) AS alerts by level"
_BY_RULE = "| stats sum(count) AS alerts max(_time) AS last_hour by ss_name rule domain level | sort 0 - alerts | convert ctime(last_hour)"
_BY_DOMAIN = "| stats sum(count) AS alerts by domain | sort 0 - alerts"

_RUNS = """index=_internal sourcetype=scheduler app="APP"
| eval ran=if(in(status, "success", "completed", "delegated_remote_completion"), 1, 0)
| eval waits=if(in(status, "deferred", "continued", "delegated_remote"), 1, 0)
| eval skipped=if(status="skipped", 1, 0), failed=if(ran+waits+skipped=0, 1, 0)
| stats sum(ran) AS ran sum(skipped) AS skipped sum(failed) AS failed max(run_time) AS longest_s max(_time) AS last by savedsearch_name"""
_MISSED = "| stats sum(skipped) AS skipped sum(failed) AS failed | eval missed=coalesce(skipped, 0)+coalesce(failed, 0) | table missed"
_HEALTH = "| sort 0 - failed - skipped - longest_s | convert ctime(last) | table savedsearch_name ran skipped failed longest_s last"

_STATE = f"""| rest /servicesNS/-/APP/saved/searches splunk_server=local
| where 'eai:acl.app'="APP" AND (disabled=1 OR is_scheduled=0)
| lookup {RULES} saved_search AS title OUTPUT rule domain level role state AS delivered
| where role!="base"
| table title rule domain level delivered disabled is_scheduled"""


def view_files(app: str, label: str, tables: Sequence[Table]) -> Files:
    """The dashboard and the navigation by their paths in the app. The caller has checked `app` and the tables' names."""
    return {
        "default/data/ui/nav/default.xml": _written(_nav()),
        f"default/data/ui/views/{VIEW}.xml": _written(_view(app, label, tables)),
    }


def _written(element: ET.Element) -> str:
    ET.indent(element)
    return ET.tostring(element, encoding="unicode") + "\n"


def _nav() -> ET.Element:
    nav = ET.Element("nav", search_view="search")
    ET.SubElement(nav, "view", name=VIEW, default="true")
    for name in ("search", "alerts", "reports", "dashboards"):
        ET.SubElement(nav, "view", name=name)
    return nav


def _view(app: str, label: str, tables: Sequence[Table]) -> ET.Element:
    form = ET.Element("form", version="1.1", theme="light")
    ET.SubElement(form, "label").text = label
    ET.SubElement(form, "description").text = "What alerted, and whether every search ran."
    _base(form, "alerts", _ALERTS.replace("APP", app))
    _base(form, "runs", _RUNS.replace("APP", app))
    _time_picker(form)
    first, second, third = (ET.SubElement(form, "row") for _ in range(3))
    _panel(first, "Alerts", "single", _TOTAL, "alerts")
    _panel(first, "Runs skipped or failed", "single", _MISSED, "runs")
    _panel(second, "Alerts over time", "chart", _OVER_TIME, "alerts", {"charting.chart": "column", "charting.chart.stackMode": "stacked"})
    _panel(third, "Alerts by rule", "table", _BY_RULE, "alerts")
    _panel(third, "Alerts by domain", "chart", _BY_DOMAIN, "alerts", {"charting.chart": "bar"})
    _panel(ET.SubElement(form, "row"), "Health of the saved searches", "table", _HEALTH, "runs")
    last = ET.SubElement(form, "row")
    _panel(last, "Rules that do not run", "table", _STATE.replace("APP", app))
    if tables:
        _panel(last, "Rows in the lookup tables", "table", _sizes(tables))
    return form


def _base(form: ET.Element, name: str, query: str) -> None:
    search = ET.SubElement(form, "search", id=name)
    ET.SubElement(search, "query").text = query
    ET.SubElement(search, "earliest").text = "$time.earliest$"
    ET.SubElement(search, "latest").text = "$time.latest$"


def _time_picker(form: ET.Element) -> None:
    picker = ET.SubElement(ET.SubElement(form, "fieldset", submitButton="false"), "input", type="time", token="time")
    ET.SubElement(picker, "label").text = "Time"
    default = ET.SubElement(picker, "default")
    ET.SubElement(default, "earliest").text = "-24h@h"
    ET.SubElement(default, "latest").text = "now"


def _panel(row: ET.Element, title: str, kind: str, query: str, base: str = "", options: dict[str, str] | None = None) -> None:
    """One panel; without a base search its query runs by itself, whatever the time that was chosen."""
    panel = ET.SubElement(row, "panel")
    ET.SubElement(panel, "title").text = title
    shown = ET.SubElement(panel, kind)
    search = ET.SubElement(shown, "search", {"base": base} if base else {})
    ET.SubElement(search, "query").text = query
    for name, value in (options or {}).items():
        ET.SubElement(shown, "option", name=name).text = value


def _sizes(tables: Sequence[Table]) -> str:
    """How many rows each table has: what an empty one should tell is not known."""
    counts = [f'inputlookup {table.name} | stats count AS rows | eval table="{table.name}"' for table in tables]
    appended = "".join(f"\n| append [| {count}]" for count in counts[1:])
    return f"| {counts[0]}{appended}\n| table table rows"
