"""A day of canonical events: each is held to the taxonomy when it is added, so that no scenario passes on events that no feed gives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

from insigma.content.model import Taxonomy

_SERVICES = {
    "insurance_claims": ("claimcenter-prod-eu", "guidewire.claimcenter_history"),
    "insurance_policy": ("policycenter-prod-eu", "guidewire.policycenter_history"),
    "insurance_billing": ("billingcenter-prod-eu", "guidewire.billingcenter_history"),
    "insurance_payment": ("payment-hub", "payment_hub.audit"),
    "insurance_underwriting": ("uw-workbench", "uw.workbench"),
    "insurance_rating": ("rating-engine", "rating.audit"),
    "insurance_actuarial": ("model-platform", "actuarial.audit"),
    "insurance_reinsurance": ("ri-admin", "ri.audit"),
    "insurance_portal": ("customer-portal", "portal.audit"),
    "insurance_contact_center": ("contact-centre", "cc.desktop"),
    "insurance_broker": ("broker-api", "broker.transactions"),
    "api_gateway": ("broker-api", "kong.access"),
    "insurance_document": ("document-store", "dms.audit"),
    "insurance_partner_exchange": ("partner-gateway", "mft.audit"),
    "insurance_telematics": ("telematics", "telematics.audit"),
    "insurance_fraud": ("fraud-engine", "fraud.audit"),
    "insurance_admin": ("claimcenter-prod-eu", "core.admin"),
    "authentication": ("claimcenter-prod-eu", "idp.sign_in"),
    "database": ("core-db", "dam.audit"),
}
"""What events of a log source call their service and feed unless told otherwise."""


class Day:
    """Events of one day. Times are given as "HH:MM" or "HH:MM:SS" in UTC, or as a datetime."""

    def __init__(self, date: str, taxonomy: Taxonomy) -> None:
        self.start = datetime.fromisoformat(f"{date}T00:00:00+00:00")
        self._taxonomy = taxonomy
        self._events: list[dict[str, Any]] = []

    def at(self, clock: str, *, days: int = 0) -> datetime:
        """A moment of the day, or of one some days later (or earlier)."""
        hours, minutes, *seconds = (int(part) for part in clock.split(":"))
        return self.start + timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds[0] if seconds else 0)

    def every(self, seconds: float, count: int, clock: str, *, days: int = 0) -> Iterator[tuple[int, datetime]]:
        """`count` numbers and moments, so many seconds apart, from a time of the day on."""
        begin = self.at(clock, days=days)
        return ((number, begin + timedelta(seconds=seconds * number)) for number in range(count))

    def add(self, logsource: str, at: str | datetime, fields: Mapping[str, Any]) -> None:
        """One event; fields with a null default have it unless given.

        Raises ValueError for a field or value that the taxonomy does not know there, or a required one missing.
        """
        moment = at if isinstance(at, datetime) else self.at(at)
        service, dataset = _SERVICES.get(logsource, ("", f"{logsource}.feed"))
        event = {
            "@timestamp": moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z",
            "event.id": f"{len(self._events):06d}",
            "insurance.logsource": logsource,
            "event.dataset": dataset,
            "organization.id": "acme",
            **({"service.name": service} if service else {}),
            **fields,
        }
        source = self._taxonomy.logsources[logsource]
        event = {name: value for name, value in event.items() if name in fields or name in source.fields or name == "event.id"}
        self._hold(event, logsource)
        # As an adapter does: a field with a null default is never absent.
        for name in source.fields:
            known = self._taxonomy.fields.get(name)
            if known is not None and known.null_default is not None:
                event.setdefault(name, known.null_default)
        self._events.append(event)

    def _hold(self, event: Mapping[str, Any], logsource: str) -> None:
        source = self._taxonomy.logsources[logsource]
        unknown = [name for name in event if name not in source.fields and name != "event.id"]
        missing = [name for name in source.required if event.get(name) is None]
        if unknown or missing:
            raise ValueError(f"{logsource}: unknown {unknown}, missing {missing} in {event}")
        if source.actions is not None and event.get("event.action") not in source.actions:
            raise ValueError(f"{logsource}: no action {event.get('event.action')}")
        for name, value in event.items():
            field = self._taxonomy.fields.get(name)
            closed = field.values if field is not None else None
            if closed is not None and name != "event.action" and value not in closed:
                raise ValueError(f"{logsource}: {name} is never {value!r}")

    @property
    def events(self) -> tuple[Mapping[str, Any], ...]:
        """All events, by time; of one time, in the order they were added."""
        return tuple(sorted(self._events, key=lambda event: event["@timestamp"]))
