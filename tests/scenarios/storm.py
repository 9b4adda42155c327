"""A storm weekend at the insurer: four hundred adjusters, the wave of reports and the honest work on it. Stories tell what hides in it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.scenarios.insurer import Claim, Insurer

_CAT = "CAT-2026-02"
_ADMIN = "b.sommer.admin01"
_RAISED = {"insurance.change.field": "emergency_authority", "insurance.change.percent": 150.0}


@dataclass(frozen=True, slots=True)
class Adjuster:
    """Who came: `known` is when the roster feed knows them, `stale` an assignment of last year that it has for them until then."""

    name: str
    employment: str
    known: datetime
    stale: bool = False


class Storm:
    """The people and the claims of the storm. Friday evening to Monday; day 0 is the Friday."""

    def __init__(self, insurer: Insurer) -> None:
        # Randomness of its own, so that more noise on the ordinary day moves nobody here.
        insurer.random = Random(20260214)
        self.insurer, self.day, self.random = insurer, insurer.day, insurer.random
        self.loaded = self.day.at("05:00", days=1)
        self.own = [Adjuster(name, "active", self.loaded) for name in insurer.adjusters]
        self.lent = [Adjuster(name, "active", self.loaded) for name in insurer.people(90, "branch")]
        outside, next_load = insurer.people(250, "ext"), self.loaded + timedelta(days=1)
        self.late = [Adjuster(name, "cat_contractor", next_load, number in (7, 19)) for number, name in enumerate(outside[:30])]
        self.external = [Adjuster(name, "cat_contractor", self.loaded) for name in outside[30:]]
        self.everybody = [*self.own, *self.lent, *self.external, *self.late]
        # A team leader and an adjuster of a Dutch firm, who set out from home.
        self.dutch_lead, self.dutch = self.external[100], self.external[101]
        self.leads = [*self.own[20:40], *self.lent[:3], self.dutch_lead]
        self.claims = [self._loss(number) for number in range(800)]
        self.reported = [self._reported(number) for number in range(800)]
        self.payments = 0

    def _loss(self, number: int) -> Claim:
        handler = self.everybody[number % len(self.everybody)].name
        return Claim(f"CLM-2026-2{number:05d}", handler, f"P-{80_000 + number}", f"POL-{480_000 + number}", "windstorm")

    def _reported(self, number: int) -> datetime:
        """The wave by time: a quarter on Friday night, more than half on Saturday, the rest on Sunday."""
        if number < 200:
            return self.insurer.between("19:00", "23:59")
        return self.insurer.between("05:00", "22:00", days=1) if number < 640 else self.insurer.between("06:00", "19:00", days=2)

    def do(self, at: datetime, who: Adjuster, action: str, claim: Claim, **more: Any) -> None:
        """Something that a mobilised adjuster does to a claim of the storm."""
        known = at >= who.known
        fields = {
            "insurance.claim.cat_code": _CAT,
            "insurance.claim.assigned_to": claim.handler,
            "insurance.lob": "property",
            "insurance.actor.role": "adjuster",
            "insurance.actor.employment": who.employment,
            "insurance.context.on_cat_duty": "yes" if known else "no",
            "insurance.context.assignment_expired": "yes" if who.stale and not known else "no",
            "insurance.context.off_hours": "no" if known else "unknown",
            "insurance.context.surge": "cat",
        }
        self.insurer.claim_event(at, who.name, action, claim, **{**fields, **more})

    def admin(self, at: datetime, user: str, target: str, action: str, **more: Any) -> None:
        """A right or an account is given in the claims system."""
        fields = {"event.action": action, "user.target.name": target, "service.environment": "production", "insurance.context.surge": "cat"}
        self.day.add("insurance_admin", at, self.insurer.person(user, **{**fields, **more}))

    # Before the work.

    def rights(self) -> None:
        """Accounts and raised authorities: by the plan, by the identity system, under one ticket; the exceptions by hand."""
        plan = {"insurance.actor.type": "service", "insurance.change.ticket_id": "CAT0000212", "insurance.context.ticket_valid": "yes"}
        for number, who in enumerate(self.external):
            self.admin(self.day.at("05:05", days=1) + timedelta(seconds=4 * number), "svc_iga", who.name, "user-create", **plan)
        for number, who in enumerate(self.leads):
            at = self.day.at("05:30", days=1) + timedelta(seconds=9 * number)
            self.admin(at, "svc_iga", who.name, "authority-limit-change", **plan, **_RAISED)
        # Two leads are needed before the desk has declared anything, one replaces a colleague who fell ill.
        for clock, who in (("19:52", self.own[40]), ("19:55", self.own[41])):
            undeclared = {"insurance.context.surge": "none"}
            self.admin(self.day.at(clock), _ADMIN, who.name, "authority-limit-change", **_RAISED, **undeclared)
        ticket = {"insurance.change.ticket_id": "CAT0000231", "insurance.context.ticket_valid": "yes"}
        self.admin(self.day.at("12:10", days=1), _ADMIN, self.own[42].name, "authority-limit-change", **ticket, **_RAISED)
        for number, who in enumerate(self.late):
            at = self.day.at("06:10", days=1) + timedelta(minutes=5 * number)
            self.admin(at, _ADMIN, who.name, "user-create", **{"insurance.context.ticket_valid": "yes"})
        # A motor handler who only lends a hand asks for it, too, and the request is refused.
        asks = {"event.outcome": "failure", "insurance.context.surge": "none", "insurance.context.ticket_valid": "no"}
        self.admin(self.day.at("09:40", days=1), _ADMIN, self.own[50].name, "authority-limit-change", **{**_RAISED, **asks})

    def sign_ins(self) -> None:
        """Everybody on Saturday, two of three on Sunday; who is from outside registers a factor first, and the tablet is new."""
        for who in self.everybody:
            first, last = ("06:00", "07:30") if who.known == self.loaded else ("09:00", "10:00")
            at = self.insurer.between(first, last, days=1)
            new: dict[str, Any] = {}
            if who.employment == "cat_contractor":
                new = {"insurance.context.new_device": "yes"}
                factor = {"event.action": "factor-register", "event.outcome": "success", "user.name": who.name}
                self.day.add("authentication", at - timedelta(minutes=7), {**factor, "insurance.auth.method": "push"})
            if who in (self.dutch_lead, self.dutch):
                new |= {"source.geo.country_iso_code": "NL"}
            self.insurer.sign_in(at, who.name, **new)
            if self.random.random() < 0.66:
                self.insurer.sign_in(self.insurer.between("06:30", "08:00", days=2), who.name)

    # The wave.

    def wave(self) -> None:
        """Eight hundred losses: three of five by portal, a fourth by telephone, the rest by brokers' systems; then assigned."""
        for number, claim in enumerate(self.claims):
            at, way = self.reported[number], number % 20
            if way < 12:
                self.by_portal(at, claim)
            elif way < 17:
                self._by_phone(at, claim)
            else:
                broker = self.insurer.brokers[number % 15]
                self.insurer.api_call(at, broker, "/v1/claims", 201, **{"http.request.method": "POST", "insurance.context.surge": "cat"})
                self.register(at, claim, "svc_broker_intake", **{"insurance.actor.type": "service", "insurance.channel": "api"})
            if number % 50 == 0:
                score = {"insurance.claim.id": claim.id, "insurance.party.id": claim.party, "insurance.fraud.score": 35.0 + number / 15}
                engine = self.insurer.person("svc_fraud", **{"insurance.actor.type": "service", "event.action": "fraud-alert"})
                self.day.add("insurance_fraud", at + timedelta(minutes=2), {**engine, **score})
            given = max(at + timedelta(minutes=10), self.day.at("05:40", days=1))
            batch = {"insurance.actor.type": "service", "insurance.change.field": "assigned_to", "insurance.context.surge": "cat"}
            self.insurer.claim_event(
                given, "svc_cc_assign", "claim-assign", claim, **batch, **{"insurance.claim.assigned_to": claim.handler}
            )

    def register(self, at: datetime, claim: Claim, user: str, **more: Any) -> None:
        """The claims system writes the new claim down."""
        fields = {"insurance.claim.cat_code": _CAT, "insurance.context.surge": "cat", "insurance.lob": "property"}
        self.insurer.claim_event(at, user, "claim-create", claim, **{**fields, **more})

    def by_portal(self, at: datetime, claim: Claim, **more: Any) -> None:
        """A customer who has not signed in for years: one in five mistypes first."""
        if self.random.random() < 0.2:
            self.insurer.portal_event(at - timedelta(minutes=6), claim.party, "login", **{"event.outcome": "failure", **more})
        self.insurer.portal_event(at - timedelta(minutes=5), claim.party, "login", **more)
        self.post(at, 201)
        self.insurer.portal_event(at, claim.party, "claim-submit", **{"insurance.claim.id": claim.id, **more})
        self.register(at, claim, f"c{claim.party[2:]}", **{"insurance.channel": "portal", "device.id": f"dev-{claim.party[2:]}", **more})

    def _by_phone(self, at: datetime, claim: Claim) -> None:
        """An agent knows the caller by date of birth and policy, one in ten at the second try, and types the report in."""
        agent = self.random.choice(self.insurer.agents)
        call = {"insurance.party.id": claim.party, "insurance.channel": "phone", "insurance.auth.method": "kba"}
        tries = [("verify-success", "success")]
        if self.random.random() < 0.1:
            tries.insert(0, ("verify-failure", "failure"))
        for number, (action, outcome) in enumerate(reversed(tries)):
            fields = {"event.action": action, **call, "event.outcome": outcome}
            self.day.add("insurance_contact_center", at - timedelta(minutes=3 + number), self.insurer.person(agent, **fields))
        self.register(at, claim, agent, **{"insurance.channel": "phone"})

    def post(self, at: datetime, status: int) -> None:
        """A report of loss at the gateway, from the website or the app."""
        fields = {
            "insurance.api.client_id": self.random.choice(("portal-web", "app-ios", "app-android")),
            "insurance.api.product": "portal",
            "service.name": "fnol-api",
            "http.request.method": "POST",
            "http.response.status_code": status,
            "http.response.bytes": 900,
            "url.path": "/fnol/v1/reports",
            "source.ip": f"91.{self.random.randrange(10, 90)}.{self.random.randrange(250)}.{self.random.randrange(1, 250)}",
            "source.geo.country_iso_code": "DE",
            "insurance.context.surge": "cat",
        }
        self.day.add("api_gateway", at, fields)

    def intake_breaks(self) -> None:
        """On Friday a node restarts, forty-five reports fail in a quarter of an hour; on Saturday the database behind it is full."""
        for _, at in self.day.every(20, 45, "21:10"):
            self.post(at, 502)
        for number, at in self.day.every(1.5, 180, "06:40", days=1):
            self.post(at, 503)
            if number % 3 == 0:
                refused = {"event.outcome": "failure", "event.reason": "intake not available"}
                self.insurer.portal_event(at, self.claims[300 + number].party, "claim-submit", **refused)
        # Photographs too large, postcodes that do not exist: mistakes of the client, all weekend.
        for _, at in self.day.every(240, 120, "07:00", days=1):
            self.post(at, 422)

    # The work.

    def work(self) -> None:
        """What everybody does: their own claims, read, called about, reserved and often paid an advance; and a look at a neighbour's."""
        for number, claim in enumerate(self.claims):
            who = self.everybody[number % len(self.everybody)]
            begin = self._turn(number, who)
            self.do(begin, who, "claim-view", claim)
            self.do(begin + timedelta(minutes=3), who, "claim-document-view", claim)
            self.do(begin + timedelta(minutes=9), who, "claim-update", claim, **{"insurance.change.field": "first_contact"})
            if number % 3 == 0:
                more = {"insurance.change.field": "reserve_amount", "insurance.claim.amount": 4_000}
                self.do(begin + timedelta(minutes=11), who, "claim-reserve-change", claim, **more)
            if number % 5 == 0:
                self.pay(begin + timedelta(minutes=14), who, claim, 200 + number % 1_300)
            if number < len(self.everybody):
                self.do(begin + timedelta(minutes=23), who, "claim-view", self.claims[(number + 3) % 200])
        for who in (*self.external[:20], self.dutch):
            mine = next(claim for claim in self.claims if claim.handler == who.name)
            self.do(self.insurer.between("07:40", "08:20", days=1), who, "claim-export", mine, **{"insurance.record_count": 24})

    def _turn(self, number: int, who: Adjuster) -> datetime:
        """When somebody gets to a claim: once it is there, in daylight."""
        at = self.insurer.between("08:30" if who.known == self.loaded else "10:30", "19:00", days=1)
        if at < self.reported[number] + timedelta(minutes=20):
            at = self.reported[number] + timedelta(minutes=self.random.randrange(20, 90))
        return at if at < self.day.at("20:30", days=1) else max(at, self.insurer.between("07:30", "19:00", days=2))

    def approve(self, at: datetime, who: Adjuster, claim: Claim, amount: int, lead: Adjuster | None, **more: Any) -> dict[str, Any]:
        """An advance: the adjuster enters it; the system approves up to its limit, beyond that a lead does. Gives the payment's fields."""
        self.payments += 1
        payment = {
            "insurance.payment.id": f"PAY-S{self.payments:05d}",
            "insurance.payment.amount": amount,
            "insurance.payment.payee.id": f"PYE-{claim.party}",
            "insurance.payment.payee.account_hash": f"acc-{claim.party}",
            "insurance.payment.payee.verified": "yes",
            **{name: value for name, value in more.items() if name.startswith("insurance.payment.")},
        }
        entered = {"insurance.payment.created_by": who.name, **payment, **more}
        self.do(at, who, "claim-payment-create", claim, **entered)
        entered["insurance.claim.status"] = "approved"
        if lead is None:
            machine = Adjuster("svc_cc_autoapprove", "unknown", at)
            self.do(at + timedelta(minutes=1), machine, "claim-payment-approve", claim, **entered, **{"insurance.actor.type": "service"})
        else:
            self.do(at + timedelta(minutes=25), lead, "claim-payment-approve", claim, **entered)
        return payment

    def pay(self, at: datetime, who: Adjuster, claim: Claim, amount: int, lead: Adjuster | None = None, **more: Any) -> None:
        """An advance that the next run pays."""
        payment = self.approve(at, who, claim, amount, lead, **more)
        runs = [self.day.at("16:00", days=1), self.day.at("10:00", days=2), self.day.at("07:00", days=3)]
        run = next(run for run in runs if run > at + timedelta(minutes=40))
        self.release(run + timedelta(seconds=self.payments), payment, claim)

    def release(self, at: datetime, payment: dict[str, Any], claim: Claim, **more: Any) -> None:
        """The hub pays."""
        fields = {"insurance.actor.type": "service", "insurance.claim.id": claim.id, "insurance.party.id": claim.party}
        paid = {**fields, "insurance.payment.payee.is_new": "no", **payment, **more}
        self.insurer.payment_event(at, "svc_payment_hub", "payment-release", paid.pop("insurance.payment.id"), **paid)

    def triage(self) -> None:
        """Two people sort the night's reports by urgency, about one a minute: one on the roster, one whom the roster does not know yet."""
        for who, seconds, count, clock in ((self.own[0], 30, 110, "07:00"), (self.late[0], 50, 66, "09:05")):
            for number, at in self.day.every(seconds, count, clock, days=1):
                self.do(at, who, "claim-view", self.claims[number + 1])
                if number % 3 == 0:
                    more = {"insurance.change.field": "priority"}
                    self.do(at + timedelta(seconds=20), who, "claim-update", self.claims[number + 1], **more)

    def large_payments(self) -> None:
        """Beyond the limit of the system a lead approves; a factory's hall is the largest. One account was wrong and is put right."""
        for number in range(60):
            at = self.insurer.between("11:00", "18:30", days=1 if number < 22 else 2)
            amount = 62_000 if number == 30 else 2_000 + 190 * number
            self.pay(at, self.everybody[number * 6 + 4], self.claims[number * 6 + 4], amount, self.leads[(number * 5 + 1) % 23])
        wrong, who = self.claims[8], self.everybody[8]
        fixed = {"insurance.claim.status": "approved", "insurance.change.field": "payee_account", "insurance.payment.payee.verified": "yes"}
        self.do(self.day.at("15:20", days=2), who, "claim-payee-change", wrong, **fixed)
        self.pay(self.day.at("15:40", days=2), who, wrong, 900)
        # The lead from Utrecht, and the two raised by hand, approve like all the others.
        for lead, clock, number in ((self.dutch_lead, "13:20", 14), (self.own[42], "14:05", 23), (self.own[41], "10:05", 33)):
            self.pay(self.day.at(clock, days=1), self.everybody[number], self.claims[number], 3_400, lead)
        # One of them pays hotels on Friday night, for people without a roof.
        for clock, number in (("21:30", 47), ("22:10", 48)):
            night = {"insurance.context.off_hours": "yes"}
            self.pay(self.day.at(clock), self.own[44], self.claims[number], 450, self.own[40], **night)
