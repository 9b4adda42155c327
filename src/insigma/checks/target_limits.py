"""What the targets take for names, types and intervals, as far as a profile sets them. Not a check.

The compiler has the last word (targets/*/quoting.py and the packages), and refuses what these let through: a test holds the two
together. Here a profile's fault is told at its line, for a customer who is not built yet.

Sources: indexes.conf.spec of Splunk Enterprise 9.2 (names of indexes); Azure Monitor, "Create custom tables" and "Tables and
columns" (names of tables and columns); Elasticsearch 8.18, "Create index API" (names of indices); scheduled searches by cron line
(Splunk), "Scheduled analytics rules" (Microsoft Sentinel), Kibana's rule intervals in s, m and h.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

from insigma.content.durations import duration_text

_MINUTE_MS, _HOUR_MS, _DAY_MS = 60_000, 3_600_000, 86_400_000

COLUMN = "insigma_"
"""What the columns of looked-up fields begin with: no stored field may."""

NATIVE_TABLES = frozenset(
    {
        "AADManagedIdentitySignInLogs",
        "AADNonInteractiveUserSignInLogs",
        "AADServicePrincipalSignInLogs",
        "ABAPAuditLog",
        "ApiManagementGatewayLogs",
        "AppServiceHTTPLogs",
        "AuditLogs",
        "AWSCloudTrail",
        "AzureActivity",
        "AzureDiagnostics",
        "BehaviorAnalytics",
        "CloudAppEvents",
        "CommonSecurityLog",
        "DeviceEvents",
        "DeviceFileEvents",
        "DeviceLogonEvents",
        "DeviceNetworkEvents",
        "DeviceProcessEvents",
        "DnsEvents",
        "EmailAttachmentInfo",
        "EmailEvents",
        "EmailUrlInfo",
        "Event",
        "GCPAuditLogs",
        "IdentityLogonEvents",
        "LAQueryLogs",
        "MicrosoftPurviewInformationProtection",
        "OfficeActivity",
        "OktaV2_CL",
        "SecurityAlert",
        "SecurityEvent",
        "SigninLogs",
        "SQLSecurityAuditEvents",
        "StorageBlobLogs",
        "StorageFileLogs",
        "Syslog",
        "ThreatIntelIndicators",
        "ThreatIntelligenceIndicator",
        "UrlClickEvents",
        "W3CIISLog",
        "WindowsEvent",
    }
)
"""Tables of Azure Monitor and Sentinel that hold events such as ours; any other is a customer's own and ends in _CL."""

AZURE_COLUMNS = frozenset(
    {
        "_itemid",
        "_resourcegroup",
        "_resourceid",
        "_subscriptionid",
        "_timereceived",
        "billedsize",
        "id",
        "invalidtimegenerated",
        "isbillable",
        "tenantid",
        "title",
        "type",
        "uniqueid",
    }
)
"""Columns that Azure Monitor has in every table: none can be made under these names."""


@dataclass(frozen=True, slots=True)
class Limits:
    """What one target takes. `places` are the names of places by the key of a profile that sets them, each with what it may be.

    `field` and `types` are for stored fields, without the names that are `reserved` (in small letters); `keeps` says of an
    interval in milliseconds whether searches can run so often.
    """

    places: Mapping[str, tuple[re.Pattern[str], str]]
    field: re.Pattern[str]
    field_hint: str
    types: tuple[str, ...]
    keeps: Callable[[int], bool]
    interval_hint: str
    reserved: frozenset[str] = frozenset()


def _by_cron(interval_ms: int) -> bool:
    """Whether a cron line says it: it divides an hour or a day evenly."""
    for unit, whole in ((_MINUTE_MS, _HOUR_MS), (_HOUR_MS, _DAY_MS)):
        if 0 < interval_ms < whole and interval_ms % unit == 0 and whole % interval_ms == 0:
            return True
    return interval_ms == _DAY_MS


_PLACE = "[a-z0-9.][a-z0-9._*-]*"
_PATTERN = re.compile(rf"(?:[a-z0-9][a-z0-9_-]*:)?{_PLACE}(?:,\s*(?:[a-z0-9][a-z0-9_-]*:)?{_PLACE})*", re.ASCII)
_PATTERN_HINT = "write index patterns in small letters, such as logs-insurance.claims-*, several with a comma between them"

LIMITS: Mapping[str, Limits] = MappingProxyType(
    {
        "elastic": Limits(
            MappingProxyType({"index": (_PATTERN, _PATTERN_HINT), "data_stream": (_PATTERN, _PATTERN_HINT)}),
            re.compile(r"[A-Za-z_@][A-Za-z0-9_@-]*(?:\.[A-Za-z0-9_@-]+)*", re.ASCII),
            "write letters, digits, '_', '-' and '@', in parts with dots between them",
            ("keyword", "long", "double", "float", "date", "ip", "boolean"),
            lambda interval_ms: interval_ms > 0 and interval_ms % 1000 == 0,
            "Kibana keeps whole seconds",
        ),
        "splunk": Limits(
            MappingProxyType(
                {
                    "index": (
                        re.compile(r"(?!.*kvstore)[a-z0-9][a-z0-9_-]{0,79}", re.ASCII),
                        "write small letters, digits, '_' and '-', beginning with a letter or digit, without 'kvstore'",
                    ),
                    "sourcetype": (
                        re.compile(r"[A-Za-z0-9_][A-Za-z0-9_:.-]*", re.ASCII),
                        "write letters, digits and '_', ':', '.', '-'",
                    ),
                }
            ),
            re.compile(r"[A-Za-z_@][A-Za-z0-9_@.:{} -]*", re.ASCII),
            "write letters, digits, spaces and '_', '.', ':', '-', '@', '{}'",
            ("string", "number", "date"),
            _by_cron,
            "a cron line says intervals that divide an hour or a day evenly, such as 5m, 15m, 1h, 1d",
        ),
        "sentinel": Limits(
            MappingProxyType(
                {
                    "table": (
                        re.compile(r"[A-Z][A-Za-z0-9_]*", re.ASCII),
                        "write letters, digits and '_', beginning with a capital; a table of one's own ends in _CL",
                    )
                }
            ),
            re.compile(r"[A-Za-z][A-Za-z0-9_]{1,44}", re.ASCII),
            "write 2 to 45 letters, digits and '_', a letter first, and none of the names of Azure's own columns",
            ("string", "long", "real", "datetime", "boolean"),
            lambda interval_ms: 5 * _MINUTE_MS <= interval_ms <= 14 * _DAY_MS and interval_ms % _MINUTE_MS == 0,
            "an analytics rule runs every 5m to 14d, in whole minutes",
            AZURE_COLUMNS,
        ),
    }
)


def spelt(interval_ms: int) -> str:
    """A duration for a message; `0s` where it is none."""
    return duration_text(interval_ms) if interval_ms > 0 else "0s"
