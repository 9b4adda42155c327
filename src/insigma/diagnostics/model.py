"""A finding as data: what, where, how bad, what to do."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import IntEnum


class ExitCode(IntEnum):
    """The exit codes of every command."""

    OK = 0
    FINDINGS = 1
    UNUSABLE = 2
    USAGE = 3


class Severity(IntEnum):
    """How bad a finding is. Errors and warnings are findings (exit code 1 or 2); notes are not."""

    NOTE = 0
    WARNING = 1
    ERROR = 2

    @property
    def label(self) -> str:
        return self.name.lower()


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A point in a file: path as shown to the user (POSIX separators), line and column from 1."""

    path: str
    line: int = 1
    column: int = 1


@dataclass(frozen=True, slots=True, order=True)
class Diagnostic:
    """One finding.

    `code` is a key of `catalogue.CODES`; `message` says what is wrong here, `hint` what to do about it.
    `rule` names the rule concerned where there is one. Diagnostics sort by place, then code.
    """

    place: Place
    code: str
    message: str
    hint: str = ""
    severity: Severity = field(default=Severity.ERROR, compare=False)
    rule: str = field(default="", compare=False)
