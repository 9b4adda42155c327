"""A composite insurer and its ordinary day: who works there, what they do, and how much of it, all from one seed.

The ordinary day must not alert: what it holds is the noise in which a story has to be found. Numbers are for a carrier of
some hundred people; `ordinary_day` takes others. Every method adds events; times lie in working hours unless said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.scenarios.day import Day

_FIRST = ("anna", "bo", "carla", "dirk", "eva", "finn", "greta", "hugo", "ida", "jan", "kira", "leo", "mara", "nils", "olga", "paul")
_LAST = (
    "adler",
    "berg",
    "conrad",
    "dorn",
    "engel",
    "falk",
    "graf",
    "horn",
    "imhof",
    "jung",
    "kern",
    "lang",
    "maier",
    "nagel",
    "otto",
    "pohl",
)
_PERILS = ("collision", "water", "theft", "hail", "liability", "glass")
_BROKERS = 15


@dataclass(frozen=True, slots=True)
class Claim:
    """A claim on the books: who handles it and who is insured."""

    id: str
    handler: str
    party: str
    policy: str
    loss: str


class Insurer:
    """The people, claims and brokers, and the day they write into."""

    def __init__(self, day: Day, random: Random) -> None:
        self.day = day
        self.random = random
        self.adjusters = self.people(60, "claims")
        self.underwriters = self.people(25, "uw")
        self.agents = self.people(30, "cc")
        self.approvers = self.people(6, "appr")
        self.brokers = tuple(f"BRK-{number:03d}" for number in range(1, _BROKERS + 1))
        self.claims = tuple(self._claim(number) for number in range(1, 1201))

    def people(self, count: int, team: str) -> tuple[str, ...]:
        """Names of so many members of a team."""
        return tuple(f"{_FIRST[n % 16][0]}.{_LAST[(n * 7 + n // 16) % 16]}.{team}{n:02d}" for n in range(count))

    def _claim(self, number: int) -> Claim:
        handler = self.random.choice(self.adjusters)
        return Claim(f"CLM-2026-{number:06d}", handler, f"P-{70000 + number}", f"POL-{400000 + number}", self.random.choice(_PERILS))

    def claims_of(self, handler: str) -> list[Claim]:
        """The work list of a handler."""
        return [claim for claim in self.claims if claim.handler == handler]

    def between(self, first: str, last: str, *, days: int = 0) -> datetime:
        """A random moment between two times of the day, to the second."""
        begin, end = self.day.at(first, days=days), self.day.at(last, days=days)
        return begin + timedelta(seconds=self.random.randrange(int((end - begin).total_seconds())))

    def person(self, name: str, **more: Any) -> dict[str, Any]:
        """What every event of a human user of a core system says of them."""
        return {"user.name": name, "insurance.actor.type": "human", "event.outcome": "success", **more}

    # What people do, one event each.

    def claim_event(self, at: datetime | str, user: str, action: str, claim: Claim, **more: Any) -> None:
        """Something done to a claim; by its handler it is assigned work."""
        fields = {
            "event.action": action,
            "insurance.claim.id": claim.id,
            "insurance.claim.status": "open",
            "insurance.party.id": claim.party,
            "insurance.policy.number": claim.policy,
            "insurance.context.assigned_to_actor": "yes" if user == claim.handler else "no",
            "insurance.context.on_cat_duty": "no",
            "insurance.context.off_hours": "no",
            **more,
        }
        self.day.add("insurance_claims", at, self.person(user, **fields))

    def payment_event(self, at: datetime | str, user: str, action: str, payment: str, **more: Any) -> None:
        """Something done on the payment rail."""
        fields = {"event.action": action, "insurance.payment.id": payment, **more}
        self.day.add("insurance_payment", at, self.person(user, **fields))

    def sign_in(self, at: datetime | str, user: str, **more: Any) -> None:
        """A staff member signs in to a core application from the office."""
        fields = {
            "event.action": "login",
            "event.outcome": "success",
            "user.name": user,
            "event.risk_score": self.random.randrange(0, 30),
            "source.ip": f"10.20.{self.random.randrange(1, 20)}.{self.random.randrange(1, 250)}",
            "source.geo.country_iso_code": "DE",
            **more,
        }
        self.day.add("authentication", at, fields)

    def portal_event(self, at: datetime | str, customer: str, action: str, **more: Any) -> None:
        """A customer does something in the portal; `customer` is a party id."""
        fields = {
            "event.action": action,
            "insurance.party.id": customer,
            "source.ip": f"84.{int(customer[-4:]) % 200 + 10}.{int(customer[-3:]) % 250}.{int(customer[-2:]) + 1}",
            **more,
        }
        self.day.add("insurance_portal", at, self.person(f"c{customer[2:]}", **fields))

    def api_call(self, at: datetime | str, broker: str, path: str, status: int = 200, **more: Any) -> None:
        """A request of a broker's own system at the gateway, from its registered network."""
        number = int(broker[-3:])
        fields = {
            "insurance.api.client_id": f"client-{broker.lower()}",
            "insurance.api.product": "broker",
            "insurance.broker.id": broker,
            "insurance.broker.status": "active",
            "http.request.method": "GET",
            "http.response.status_code": status,
            "http.response.bytes": self.random.randrange(2_000, 40_000),
            "url.path": path,
            "source.ip": f"193.0.{number}.10",
            "insurance.context.source_registered": "yes",
            **more,
        }
        self.day.add("api_gateway", at, fields)

    # An ordinary day.

    def ordinary_day(self, *, adjusters: int = 40, customers: int = 150, calls: int = 60, submissions: int = 6, payments: int = 40) -> None:
        """What happens every day: `adjusters` at work, `customers` in the portal, `calls` of each broker's system at the gateway,
        `submissions` of each underwriter, `payments` of claims."""
        for user in (*self.adjusters[:adjusters], *self.underwriters, *self.agents[:15], *self.approvers):
            self.sign_in(self.between("07:00", "08:30"), user)
        for user in self.adjusters[:adjusters]:
            self._desk_work(user)
        self._payments(payments)
        for number in range(customers):
            self._customer(f"P-{70001 + number * 7}")
        for broker in self.brokers:
            self._broker(broker, calls)
        for user in self.underwriters:
            self._underwriting(user, submissions)
        self._night()
        self._mail()

    def _desk_work(self, user: str) -> None:
        """A handler opens eight claims or so, reads, notes, sets a reserve, and looks at a colleague's now and then."""
        mine = self.claims_of(user)
        for claim in self.random.sample(mine, min(8, len(mine))):
            begin = self.between("08:00", "16:30")
            for number in range(self.random.randrange(2, 6)):
                action = "claim-view" if number == 0 else self.random.choice(("claim-document-view", "claim-view", "claim-update"))
                more = {"insurance.change.field": "description"} if action == "claim-update" else {}
                self.claim_event(begin + timedelta(minutes=3 * number), user, action, claim, **more)
        for claim in self.random.sample(self.claims, self.random.randrange(0, 3)):
            self.claim_event(self.between("08:00", "16:30"), user, "claim-view", claim)

    def _payments(self, count: int) -> None:
        """Claims paid by the book: one creates, another approves, the hub releases to a verified account known for long."""
        for number, claim in enumerate(self.random.sample(self.claims, count)):
            approver, begin = self.random.choice(self.approvers), self.between("09:00", "14:00")
            payee = {"insurance.payment.payee.account_hash": f"acc-{claim.party}", "insurance.payment.payee.verified": "yes"}
            common = {"insurance.payment.amount": self.random.randrange(200, 4_000), **payee}
            more = {"insurance.payment.created_by": claim.handler, "insurance.claim.status": "approved", **common}
            self.claim_event(begin, approver, "claim-payment-approve", claim, **more)
            release = {"insurance.claim.id": claim.id, "insurance.party.id": claim.party, "insurance.payment.payee.is_new": "no", **common}
            at, hub = begin + timedelta(hours=2), {"insurance.actor.type": "service"}
            self.payment_event(at, "svc_payment_hub", "payment-release", f"PAY-{number:05d}", **release, **hub)

    def _customer(self, party: str) -> None:
        """A customer signs in (some mistype), looks at a document, and one in twelve files a claim."""
        at = self.between("06:00", "21:00")
        if self.random.random() < 0.2:
            self.portal_event(at - timedelta(seconds=40), party, "login", **{"event.outcome": "failure"})
        self.portal_event(at, party, "login")
        self.portal_event(at + timedelta(minutes=2), party, "document-download")
        if self.random.random() < 0.08:
            policy, claim = f"POL-{party[2:]}", f"CLM-2026-9{party[2:]}"
            self.portal_event(at + timedelta(minutes=9), party, "claim-submit")
            fields = {
                "event.action": "claim-create",
                "event.outcome": "success",
                "user.name": f"c{party[2:]}",
                "insurance.actor.type": "human",
                "insurance.claim.id": claim,
                "insurance.claim.status": "open",
                "insurance.party.id": party,
                "insurance.policy.number": policy,
                "device.id": f"dev-{party[2:]}",
            }
            self.day.add("insurance_claims", at + timedelta(minutes=9), fields)

    def _broker(self, broker: str, calls: int) -> None:
        """A broker's system asks for policies of its own book all day; one request in fifty is for something that is gone."""
        for number in range(calls):
            policy = f"POL-{400000 + (int(broker[-3:]) * 60 + number % 60)}"
            status = 404 if self.random.random() < 0.02 else 200
            self.api_call(self.between("07:00", "18:00"), broker, f"/v1/policies/{policy}", status, **{"insurance.policy.number": policy})

    def _underwriting(self, user: str, submissions: int) -> None:
        for number in range(submissions):
            at, submission = self.between("08:00", "17:00"), f"SUB-{user[-2:]}-{number:02d}"
            more = {"insurance.submission.id": submission}
            self.day.add("insurance_underwriting", at, self.person(user, **{"event.action": "submission-view", **more}))
            if number % 3 == 0:
                at += timedelta(minutes=20)
                self.day.add("insurance_underwriting", at, self.person(user, **{"event.action": "quote-issue", **more}))

    def _night(self) -> None:
        """The batch: reads of the applications' own accounts, the partner's files, the renewal run."""
        for number in range(40):
            fields = {"user.name": "svc_cc_app", "db.namespace": "ccdb", "db.operation.name": "SELECT"}
            self.day.add("database", self.between("00:30", "04:00"), {**fields, "db.response.returned_rows": 40 + number})
        for number in range(20):
            who = {"user.name": "svc_renewal_batch", "insurance.actor.type": "service", "event.outcome": "success"}
            more = {"event.action": "policy-endorse", "insurance.policy.number": f"POL-{410000 + number}"}
            self.day.add("insurance_policy", self.between("01:00", "03:00"), {**who, **more})
        session = {"insurance.partner.id": "PARTNER-LAB", "insurance.actor.type": "service", "event.outcome": "success"}
        for action in ("session-login", "file-receive", "file-receive"):
            more = {"user.name": "svc_lab", "event.action": action, "insurance.context.source_registered": "yes"}
            self.day.add("insurance_partner_exchange", self.between("02:00", "02:30"), {**session, **more})

    def _mail(self) -> None:
        for user in self._some(self.underwriters, 12):
            self.day.add(
                "email_security",
                self.between("08:00", "17:00"),
                {"event.action": "mail-delivered", "email.to.address": f"{user}@insurer.example"},
            )

    def _some(self, people: Sequence[str], count: int) -> list[str]:
        return self.random.sample(list(people), min(count, len(people)))
