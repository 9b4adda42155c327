"""The one table of codes: it feeds lint, docs, SARIF and `insigma explain`.

A code never changes its meaning. Pages: the docstring of the check module for a code that a check finds, and
`pages/<code>.md` beside this file for the others.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from insigma.diagnostics.model import ExitCode, Severity


@dataclass(frozen=True, slots=True)
class Code:
    """A kind of finding: its stable code, its name, a one-line summary, severity and what it does to the exit code."""

    code: str
    name: str
    summary: str
    severity: Severity = Severity.ERROR
    exit: ExitCode = ExitCode.FINDINGS


def _unusable(code: str, name: str, summary: str) -> Code:
    return Code(code, name, summary, exit=ExitCode.UNUSABLE)


def _warning(code: str, name: str, summary: str) -> Code:
    return Code(code, name, summary, Severity.WARNING)


def _note(code: str, name: str, summary: str) -> Code:
    return Code(code, name, summary, Severity.NOTE)


_TABLE = (
    _unusable("INS001", "unreadable-file", "The file cannot be opened or read."),
    _unusable("INS002", "file-too-large", "The file is larger than 1 MiB, or has more nodes or entries than are read on."),
    _unusable("INS003", "undecodable-bytes", "The file is not UTF-8 text."),
    _unusable("INS004", "tab-in-indentation", "A tab stands where YAML needs spaces."),
    _unusable("INS005", "yaml-syntax", "The file is not well-formed YAML."),
    _unusable("INS006", "duplicate-key", "A key stands twice in one mapping."),
    _unusable("INS007", "alias-bomb", "Aliases expand to more than 1,000 nodes."),
    _unusable("INS008", "nesting-too-deep", "Nodes are nested more than 64 deep."),
    _unusable("INS009", "not-a-mapping", "A document is not a mapping."),
    _unusable("INS010", "ambiguous-scalar", "YAML would turn an unquoted value into another type."),
    _unusable("INS011", "path-leaves-pack", "A symlink or a path leads out of the pack."),
    _unusable("INS012", "empty-file", "The file holds no document."),
    _unusable("INS101", "rule-structure", "The rule lacks a part or holds one of the wrong kind."),
    _unusable("INS102", "unknown-modifier", "A field has a modifier that Sigma does not know."),
    _unusable("INS103", "modifier-misuse", "Modifiers contradict each other or do not fit the value."),
    _unusable("INS104", "condition-syntax", "The condition cannot be parsed."),
    _unusable("INS105", "undefined-selection", "The condition names a selection that is not defined."),
    _unusable("INS106", "selector-matches-nothing", "A selector such as `1 of filter_*` matches no selection."),
    _unusable("INS107", "invalid-regex", "A regular expression is not valid RE2."),
    _unusable("INS108", "empty-list", "A list of values or a selection is empty."),
    _unusable("INS109", "null-in-list", "A list of values holds null."),
    _unusable("INS110", "unfilled-placeholder", "A placeholder has no list to fill it."),
    _unusable("INS111", "unresolved-reference", "A correlation, filter or fixture names a rule that is not there."),
    _unusable("INS112", "correlation-structure", "The correlation lacks a part or holds one that means nothing."),
    _unusable("INS113", "correlation-cycle", "Correlations refer to each other in a circle."),
    _unusable("INS114", "absence-condition", "The condition would hold for zero events, which needs a clock."),
    _unusable("INS115", "filter-without-rule", "A filter reaches no rule."),
    Code("INS201", "title", "The title is missing, too long, or holds control characters."),
    Code("INS202", "id", "The id is not a UUID."),
    Code("INS203", "level", "The level is not one of Sigma's."),
    Code("INS204", "status", "The status is not one of Sigma's."),
    Code("INS205", "date", "A date is not written YYYY-MM-DD."),
    Code("INS206", "modified-before-date", "The rule was modified before it was written."),
    Code("INS207", "tag", "A tag is not written namespace.name."),
    Code("INS208", "unknown-technique", "An ATT&CK tag names nothing in ATT&CK v19."),
    _warning("INS209", "technique-without-tactic", "A technique's tactics and the rule's tactic tags do not meet."),
    Code("INS210", "unused-selection", "A selection is not used by the condition."),
    _warning("INS211", "description", "The description is missing or says nothing."),
    _warning("INS212", "falsepositives", "False positives are missing or say nothing."),
    Code("INS213", "reference", "A reference is not an http(s) URL."),
    _warning("INS214", "repeated-value", "A value stands twice in a list, case aside."),
    _warning("INS215", "wildcard-and-modifier", "A wildcard repeats what the modifier already says."),
    _warning("INS216", "all-of-one", "The modifier `all` stands over a single value."),
    Code("INS217", "unsafe-identifier", "A field name, group-by or listed field holds characters that no field has."),
    _warning("INS218", "unknown-key", "A top-level key looks like a misspelt one."),
    _warning("INS219", "file-name", "The file name is not lower-case words joined by underscores, or not the title of its rule."),
    Code("INS220", "related", "A related entry lacks a UUID or a known type."),
    Code("INS221", "missing-header", "The rule lacks an id, status or level."),
    Code("INS222", "filter-polarity", "A filter keeps only what it selects, without saying so."),
    Code("INS301", "unknown-logsource", "The taxonomy has no such log source."),
    Code("INS302", "unknown-field", "The taxonomy has no such field."),
    Code("INS303", "field-not-in-logsource", "The log source does not carry the field."),
    Code("INS304", "value-not-in-vocabulary", "The field has closed values, and this is none of them."),
    Code("INS305", "type-mismatch", "The value or modifier does not fit the field's type."),
    Code("INS306", "nullable-filter", "A filter reads a field that may be absent and has no null default."),
    Code("INS307", "time-modifier", "A time modifier is used; no SIEM backend says it right."),
    Code("INS308", "boolean-value", "A YAML boolean is used where the taxonomy has words."),
    Code("INS309", "product-in-logsource", "A vendor-neutral rule names a product or service."),
    Code("INS310", "group-by-not-in-base-rule", "A group-by or counted field is missing from a base rule's log source."),
    Code("INS311", "taxonomy", "The taxonomy is missing or not that of the pack, so nothing is checked against it."),
    Code("INS401", "metadata", "The insurance block is missing or breaks its schema."),
    Code("INS402", "pack-id", "pack_id, name and domain do not agree."),
    Code("INS403", "domain-folder", "The rule stands in another domain's folder."),
    Code("INS404", "unknown-f3", "An F3 id names nothing in MITRE F3 v1.1."),
    Code("INS405", "threshold", "A threshold lacks a bound, or its default is not the number in the rule."),
    Code("INS406", "threshold-defined-twice", "Two rules give a default for one threshold."),
    Code("INS407", "context-not-declared", "The context fields that the rule reads and those it declares differ."),
    Code("INS408", "hold-without-expiry", "A response that holds or blocks has no max_hold."),
    Code("INS409", "evidence-field", "An entity or measure names a field that the log source lacks."),
    Code("INS410", "role-and-level", "The role does not fit the rule: base rules alert nobody, alerts need a level."),
    Code("INS412", "unknown-use-case", "A use case is not in the table."),
    Code("INS413", "timespan-bounds", "The bounds of a timespan are missing, or the rule's own timespan lies outside."),
    Code("INS501", "duplicate-id", "Two rules have one id."),
    Code("INS502", "duplicate-name", "Two rules have one name."),
    Code("INS503", "duplicate-title", "Two rules have one title."),
    Code("INS504", "duplicate-slug", "Two rules have one file name."),
    Code("INS505", "rule-without-fixture", "The rule has no fixture."),
    Code("INS506", "fixture-gaps", "The fixture lacks a kind of case that its rule needs."),
    Code("INS507", "mapping-incomplete", "A target mapping lacks a field or log source of the taxonomy."),
    Code("INS508", "unknown-list", "A placeholder's list is in no tenant profile."),
    Code("INS509", "schema", "The file breaks its JSON Schema."),
    Code("INS510", "fixture-event", "A fixture event does not fit the taxonomy."),
    _note("INS511", "unfinished", "Text that `insigma new` wrote still stands there."),
    Code("INS520", "adapter-unknown-name", "An adapter names a log source or a canonical field that the taxonomy lacks."),
    Code("INS521", "adapter-field-not-in-logsource", "An adapter fills a field that the log source does not carry."),
    Code("INS522", "adapter-value-not-in-vocabulary", "An adapter writes a value that the field cannot hold."),
    Code("INS523", "adapter-required-field", "A binding neither fills a required field nor says why it cannot."),
    Code("INS524", "adapter-source", "A documented adapter does not name the pages that it was written from."),
    Code("INS525", "adapter-expression", "A path, an expression or a time format cannot be read."),
    Code("INS526", "adapter-undeclared", "An adapter uses a setting or a table that it does not declare, or declares one in vain."),
    Code("INS527", "adapter-name", "An adapter's file, its product and its bindings are not named apart."),
    Code("INS528", "adapter-account-number", "A field for hashed account numbers is filled without hashing."),
    Code("INS529", "adapter-steps", "Steps of a field contradict each other or its type."),
    Code("INS540", "tenant-unknown-rule", "A profile names a rule that the pack does not have."),
    Code("INS541", "tenant-threshold", "A profile sets a threshold that no rule has, or beyond its bounds."),
    Code("INS542", "tenant-timespan", "A profile sets a timespan or an interval that the rule does not allow."),
    Code("INS543", "tenant-calendar", "A time zone, a holiday region or working hours cannot be worked out."),
    Code("INS544", "tenant-surge", "A surge has no proper dates, or multiplies what may not be relaxed."),
    Code("INS545", "tenant-list", "A list that rules use is not given, or one is given in vain."),
    Code("INS546", "tenant-context", "A context flag cannot be delivered as the profile says."),
    Code("INS547", "tenant-mapping", "A profile places a log source or field wrongly for a target."),
    Code("INS548", "tenant-exception", "An exception has expired, runs too long, or lacks who answers for it."),
    _warning("INS549", "tenant-exception-ends-soon", "An exception or the review of a disabled rule is due within 30 days."),
    Code("INS550", "tenant-hollowed-out", "Exceptions leave a rule with nothing to alert on."),
    Code("INS551", "tenant-secret", "A profile holds what looks like a secret in clear."),
    Code("INS552", "tenant-disabled-rule", "A disabled rule has no owner, no reason, or its review is overdue."),
    Code("INS553", "tenant-severity", "A severity override changes nothing, or is no level."),
    Code("INS554", "tenant-feed", "A feed names a log source or field that the taxonomy lacks."),
    Code("INS555", "tenant-name", "A profile's file is not named after its tenant, or two profiles are of one tenant."),
    Code("INS601", "case-failed", "A fixture case does not give what it expects."),
    Code("INS602", "mutant-survived", "A part of the rule can be changed or dropped and no fixture case notices."),
    Code("INS603", "stale-survivor", "A fixture explains a surviving mutant that does not survive, or is none."),
    _unusable("INS701", "refused", "A target cannot say the rule faithfully."),
    _unusable("INS702", "unlisted-refusal", "A refusal is not in the pack's refusal list, or a listed one compiles."),
    Code("INS704", "unlocked-change", "A rule is not what insigma.lock says it was at the last release."),
    _warning("INS703", "refused-for-tenant", "A target cannot say a rule as this tenant wants it."),
    Code("INS801", "disproved", "An engine finds something else than the rule means, or does not take the query."),
    _warning("INS802", "unchecked", "No engine has judged a detection."),
    _warning("INS803", "engine-missing", "An engine that would judge detections is not installed."),
    _note("INS804", "silent-proof", "A tenant's detection is proved on cases in which its rule says nothing."),
)

CODES: Mapping[str, Code] = MappingProxyType({entry.code: entry for entry in _TABLE})
