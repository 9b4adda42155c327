"""Findings as SARIF 2.1.0, for code scanning (OASIS, "Static Analysis Results Interchange Format", 2020-03-27)."""

from __future__ import annotations

import hashlib
import json
from typing import Any
from urllib.parse import quote

from insigma import __version__
from insigma.diagnostics.catalogue import CODES, Code
from insigma.diagnostics.model import Diagnostic, Place
from insigma.diagnostics.render.hostile import encodable, visible, visible_lines
from insigma.diagnostics.render.report import Report

_INDEX = {code: index for index, code in enumerate(CODES)}


def render_sarif(report: Report) -> str:
    """One run of the tool `insigma`, whose rules are the whole catalogue."""
    driver = {"name": "insigma", "version": __version__, "semanticVersion": __version__, "rules": [_rule(code) for code in CODES.values()]}
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": [_result(finding) for finding in report.findings]}
    whole = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return json.dumps(whole, indent=2, ensure_ascii=True) + "\n"


def _rule(code: Code) -> dict[str, Any]:
    name = "".join(word.capitalize() for word in code.name.split("-"))
    return {
        "id": code.code,
        "name": name,
        "shortDescription": {"text": code.summary},
        "help": {"text": f"{code.summary} `insigma explain {code.code}` tells more."},
        "defaultConfiguration": {"level": code.severity.label},
    }


def _result(finding: Diagnostic) -> dict[str, Any]:
    result: dict[str, Any] = {
        "ruleId": finding.code,
        "level": finding.severity.label,
        "message": {"text": _message(finding)},
        "locations": [{"physicalLocation": _location(finding.place)}],
        "partialFingerprints": {"insigma/v1": _fingerprint(finding)},
    }
    if finding.code in _INDEX:
        result["ruleIndex"] = _INDEX[finding.code]
    if finding.rule:
        result["properties"] = {"rule": encodable(finding.rule)}
    return result


def _message(finding: Diagnostic) -> str:
    """Message and hint. `](` is taken apart: viewers make a link of it."""
    lines = [visible(finding.message), *visible_lines(finding.hint)]
    return "\n".join(lines).replace("](", "] (") or finding.code


def _location(place: Place) -> dict[str, Any]:
    return {"artifactLocation": _artifact(place.path), "region": {"startLine": place.line, "startColumn": place.column}}


def _artifact(path: str) -> dict[str, str]:
    """A relative path is told from the root of the sources; bytes of a file name that are not UTF-8 are kept."""
    try:
        uri = quote(path.encode("utf-8", "surrogateescape"), safe="/")
    except UnicodeEncodeError:
        uri = quote(encodable(path), safe="/")
    return {"uri": f"file://{uri}"} if path.startswith("/") else {"uri": uri, "uriBaseId": "%SRCROOT%"}


def _fingerprint(finding: Diagnostic) -> str:
    """The same finding after lines above it have moved: code, file, rule and message."""
    parts = (finding.code, finding.place.path, finding.rule, finding.message)
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
