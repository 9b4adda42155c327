"""What a renderer is given."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import Enum

from insigma.diagnostics.catalogue import CODES
from insigma.diagnostics.model import Diagnostic, Severity


class Format(Enum):
    """The forms of output; the values are those of `--format`."""

    TEXT = "text"
    JSON = "json"
    SARIF = "sarif"
    JUNIT = "junit"
    GITHUB = "github"


@dataclass(frozen=True, slots=True, order=True)
class Passed:
    """A fixture case that gave what it expects. Only JUnit lists these."""

    path: str
    line: int
    name: str


@dataclass(frozen=True, slots=True)
class Report:
    """What a run found, and the cases that passed. `summary` adds numbers of the caller's to the JSON form.

    `case_names` has the fixture case of a finding where there is one: JUnit calls it as it would had it passed.
    """

    findings: tuple[Diagnostic, ...] = ()
    passed: tuple[Passed, ...] = ()
    summary: Mapping[str, object] = field(default_factory=dict)
    case_names: Mapping[Diagnostic, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        findings: Iterable[Diagnostic],
        passed: Iterable[Passed] = (),
        case_names: Mapping[Diagnostic, str] | None = None,
        **summary: object,
    ) -> Report:
        """A report in order of place, whatever the order in which the findings were made."""
        ordered = sorted(findings, key=lambda finding: (finding, finding.severity, finding.rule))
        return cls(tuple(ordered), tuple(sorted(passed)), summary, case_names or {})

    def count(self, severity: Severity) -> int:
        return sum(finding.severity is severity for finding in self.findings)


def name_of(code: str) -> str:
    """The name of a code, or "unknown" for one that the catalogue lacks."""
    entry = CODES.get(code)
    return entry.name if entry is not None else "unknown"
