"""The domains of the insurance pack and the code that each has in pack ids (ins-<code>-<number>)."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

DOMAIN_CODES: Mapping[str, str] = MappingProxyType(
    {
        "claims": "clm",
        "underwriting": "uw",
        "broker": "brk",
        "portal_contact_centre": "prt",
        "policy_admin": "pol",
        "billing_payments": "pay",
        "antifraud_fusion": "afr",
        "partner_medical_exchange": "med",
        "phishing_ransomware": "ran",
        "third_party_ict": "tpr",
        "reinsurance": "rei",
        "surge_events": "cat",
        "insider": "ins",
        "privileged_database": "prv",
        "infrastructure_identity": "inf",
    }
)
