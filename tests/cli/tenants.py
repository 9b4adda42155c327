"""A small pack with two customers, for tests of commands about tenants."""

from __future__ import annotations

from pathlib import Path

from tests.cli.harness import SMALL, small_pack

RULES = (
    *SMALL,
    "claims/claim_file_viewed_outside_assignment",
    "claims/suspicious_mass_claim_file_access_outside_assignment",
    "infrastructure_identity/potential_risky_sign_in_to_core_insurance_application",
    "infrastructure_identity/potential_telematics_location_lookup_without_open_claim",
    "insider/potential_adjuster_access_to_related_party_record",
)
"""ins-clm-012 and ins-clm-c04 on it, ins-clm-010, ins-clm-001 and ins-clm-c01 on it, ins-inf-001, ins-inf-006, ins-ins-002."""

ONE = """\
tenant: {id: one, legal_entity: One Insurance SE}
targets:
  splunk: {app: SA-one, index: {insurance_claims: ins_x}}
  elastic: {}
regulators: {dora: {applies: true}, nis2: {applies: false}}
calendar:
  default: {timezone: Europe/Berlin, weekdays: [mon, tue, wed, thu, fri], hours: '07:00-19:00', holidays: DE-BE}
  years: [2026]
thresholds: {clm_unassigned_claims_per_hour: 45}
surge:
  - {id: CAT-1, type: cat, from: 2026-07-14, to: 2026-09-30, lobs: [any], multipliers: {clm_unassigned_claims_per_hour: 2.0}}
lists:
  core_apps: {mode: lookup, values: [claims-app, policy-app], refresh: 24h, owner: applications, source: cmdb}
  served_countries: {mode: inline, values: [DE, AT]}
context:
  insurance.context.assigned_to_actor: {mode: lookup, table: claim_assignment, max_age: 15m}
  insurance.context.related_party: {mode: absent}
feeds:
  insurance_telematics: {absent: true, because: no telematics}
rules:
  disabled: [{id: ins-clm-c04, reason: pilot, owner: soc.lead, review: 2027-03-31}]
  severity_overrides: [{id: ins-inf-001, level: high, reason: no second factor yet}]
exceptions:
  - id: EXC-1
    rules: [ins-clm-c01]
    where: {user.name: [audit.one]}
    reason: audit
    owner: claims.compliance
    approved_by: dpo
    granted: 2026-11-01
    expires: 2027-04-01
    max_days: 180
critical_functions:
  claims_handling: {services: [claims-app, fnol-api], logsources: [insurance_claims]}
  driving: {services: [telematics-hub, fnol-api], logsources: [insurance_telematics]}
"""

TWO = """\
tenant: {id: two}
targets: {splunk: {}}
lists:
  core_apps: {mode: inline, values: [claims-app]}
  served_countries: {mode: inline, values: [DE, AT]}
"""


def tenants_pack(folder: Path) -> Path:
    """The pack of the small rules with the profiles `one` and `two` beside the default one."""
    small_pack(folder, RULES)
    profiles = folder / "mappings/tenants"
    for path in profiles.glob("*.yml"):
        if path.stem != "default":
            path.unlink()
    (profiles / "one.yml").write_text(ONE, encoding="utf-8")
    (profiles / "two.yml").write_text(TWO, encoding="utf-8")
    return folder
