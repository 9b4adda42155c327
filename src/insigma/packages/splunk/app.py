"""The files that make a folder an app: its id, app.conf, app.manifest, default.meta.

Sources: app.conf.spec, default.meta.spec, the app.manifest schema 2.0.0 of Splunk's Packaging Toolkit, and what Splunk AppInspect
wants of an app: an id of letters, digits, `_`, `.` and `-` that is no device name of Windows and ends in no dot, a label of 5 to
80 characters, `is_configured` false, and for an app that is not on Splunkbase `check_for_updates` false.
"""

from __future__ import annotations

import json
import re
from typing import Any

from insigma.packages.base import Files, PackContext
from insigma.packages.splunk import conf
from insigma.targets.base import Refused

_ID = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,79}", re.ASCII)
_DEVICES = re.compile(r"(?i:con|prn|aux|nul|com[1-9]|lpt[1-9])(\..*)?", re.ASCII)
_TAKEN = frozenset(
    {
        *("alert_logevent", "alert_webhook", "appsbrowser", "framework", "gettingstarted", "introspection_generator_addon"),
        *("journald_input", "launcher", "learned", "legacy", "python_upgrade_readiness_app", "sample_app", "search"),
        *("splunk-dashboard-studio", "splunk_archiver", "splunk_assist", "splunk_gdi", "splunk_httpinput", "splunk_instrumentation"),
        *("splunk_internal_metrics", "splunk_metrics_workspace", "splunk_monitoring_console", "splunk_rapid_diag"),
        *("splunk_secure_gateway", "splunkenterprisesecuritysuite", "splunkforwarder", "splunklightforwarder", "user-prefs"),
    }
)
"""Apps that come with Splunk Enterprise or Enterprise Security, in lower case: ours would be mixed with theirs."""
_ARCHIVES = (".", ".tar", ".tgz", ".tar.gz", ".spl")
_VERSION = re.compile(r"[0-9]+\.[0-9]+\.[0-9]+(-[0-9A-Za-z.-]+)?(\+[0-9A-Za-z.-]+)?", re.ASCII)
_LABEL_LIMIT = 80
_AUTHOR = "Insigma"
_READERS, _WRITERS = ("admin", "power", "sc_admin"), ("admin", "sc_admin")
"""sc_admin is what a customer of Splunk Cloud has instead of admin."""
_ANALYSTS = ("ess_admin", "ess_analyst")


def app_id(context: PackContext) -> str:
    """The app's id: the profile's `app`, or one made of the tenant's id. Raises `Refused` for one that Splunk does not take."""
    chosen = context.settings.get("app")
    if chosen is None:
        return f"insigma-{re.sub('[^A-Za-z0-9_-]+', '-', context.tenant).strip('-') or 'tenant'}"[:80]
    if not isinstance(chosen, str) or not _ID.fullmatch(chosen) or _DEVICES.fullmatch(chosen) or chosen.lower().endswith(_ARCHIVES):
        raise Refused(
            f"'{chosen}' cannot name a Splunk app: a letter or _, then letters, digits, _, . and -, 80 at most, "
            "no device name of Windows and no ending of an archive"
        )
    if chosen.lower() in _TAKEN:
        raise Refused(f"'{chosen}' is an app of Splunk's own: the rules would be mixed with what it holds")
    return chosen


def app_version(context: PackContext) -> str:
    """The pack's version. Raises `Refused` for one that is not semantic."""
    if not _VERSION.fullmatch(context.version):
        raise Refused(f"the pack's version '{context.version}' is no semantic version, which a Splunk app needs")
    return context.version


def label(context: PackContext) -> str:
    """The app's name for people: the legal entity, or the tenant. It ends with a word of ours, so never with a backslash."""
    end = " (Insigma)"
    shown = (_printable(name) for name in (context.legal_entity, context.tenant))
    return next((name for name in shown if name), "Tenant")[: _LABEL_LIMIT - len(end)].rstrip() + end


def _printable(text: str) -> str:
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())


def enterprise_security(context: PackContext) -> bool:
    """Whether the profile says that the tenant has Splunk Enterprise Security."""
    return context.settings.get("enterprise_security") is True


def frame_files(context: PackContext) -> Files:
    """The app's own files by their paths in it. Raises `Refused`."""
    return {"app.manifest": _manifest(context), "default/app.conf": _app_conf(context), "metadata/default.meta": _meta(context)}


def description(context: PackContext) -> str:
    """What the app is, in one line that ends with a full stop."""
    return conf.line(f"Detection rules of the pack {context.pack} {context.version} for {context.tenant}.")


def _app_conf(context: PackContext) -> str:
    app, version = app_id(context), app_version(context)
    parts = {
        "install": {"is_configured": "false", "state": "enabled"},
        "id": {"name": app, "version": version},
        "package": {"id": app, "check_for_updates": "false"},
        "launcher": {"author": _AUTHOR, "version": version, "description": description(context)},
        "ui": {"is_visible": "true", "label": label(context)},
    }
    return conf.stanzas([conf.stanza(name, settings) for name, settings in parts.items()])


def _meta(context: PackContext) -> str:
    """Alerts tell of people: administrators and power users read, administrators write.

    With Enterprise Security its analysts read too, and what ES calls from its own app is shared with every app.
    """
    with_es = enterprise_security(context)
    readers = ", ".join((*_READERS, *_ANALYSTS) if with_es else _READERS)
    access = {"access": f"read : [ {readers} ], write : [ {', '.join(_WRITERS)} ]"}
    shared = ("savedsearches", "transforms", "lookups") if with_es else ()
    parts = [conf.stanza("", access | {"export": "none"}), *(conf.stanza(name, {"export": "system"}) for name in shared)]
    return conf.stanzas(parts)


def _manifest(context: PackContext) -> str:
    nothing = {"name": None, "text": None, "uri": None}
    manifest: dict[str, Any] = {
        "schemaVersion": "2.0.0",
        "info": {
            "title": label(context),
            "id": {"group": None, "name": app_id(context), "version": app_version(context)},
            "author": [{"name": _AUTHOR, "email": None, "company": None}],
            "releaseDate": None,
            "description": description(context),
            "classification": {"intendedAudience": None, "categories": [], "developmentStatus": None},
            "commonInformationModels": None,
            "license": nothing,
            "privacyPolicy": nothing,
            "releaseNotes": {"name": "README", "text": "./README.md", "uri": None},
        },
        "dependencies": None,
        "tasks": None,
        "inputGroups": None,
        "incompatibleApps": None,
        "platformRequirements": None,
        "supportedDeployments": ["_standalone", "_distributed", "_search_head_clustering"],
        "targetWorkloads": ["_search_heads"],
    }
    return json.dumps(manifest, indent=2) + "\n"
