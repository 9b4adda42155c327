"""A laboratory tells us on a Monday in February that it was broken into. Its patients have been ill on paper for four weeks by then.

The intruder had the laboratory's password for our file exchange as well: in January it fetches the list of insured members, twice, at
night. From the middle of January on somebody opens portal accounts in the names of the laboratory's patients, three from each device, and
sends in invoices; eight patients share a bank account. The first notice says incident, the word breach comes two weeks later, twice.

At the same time influenza goes round. All partners' patients send in more than in other winters, for a fortnight, families to one account;
in the middle of it a hospital reports an incident, which is a failed upgrade. A pharmacy manager's breach lies before Christmas, another
hospital's falls into an almost ordinary week, a repairer has an incident that is nobody's illness.

The insurer's side: keys are changed, investigators go through the patients' claims with a list, and patients put their accounts in order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.scenarios.insurer import Claim, Insurer

_LAB = "PARTNER-LAB"
_WEEKS = (
    # Mondays, as days from the notice: deviation of the week before, by partner; what lies within two deviations is not reported.
    (-21, {_LAB: 2.2}),
    (-14, {_LAB: 3.1, "HOSP-044": 2.3, "PBM-004": 2.1}),
    (-7, {_LAB: 5.8, "HOSP-031": 3.2, "HOSP-044": 3.6, "HOSP-052": 2.7, "MCO-001": 3.4, "PBM-004": 3.3, "TPA-002": 2.9, "LAB-007": 3.1}),
    (0, {_LAB: 6.4, "HOSP-031": 2.4, "HOSP-044": 3.0, "HOSP-052": 2.1, "MCO-001": 2.8, "PBM-004": 2.2, "LAB-007": 2.5}),
    (7, {_LAB: 4.9}),
)


def tell(insurer: Insurer) -> None:
    """From December to the beginning of March; day 0 is the first notice."""
    # Randomness of its own, so that more noise on the ordinary day moves nobody here.
    insurer.random = Random(20260217)
    exchange = Exchange(insurer)
    exchange.partners()
    exchange.intruder()
    exchange.notices()
    claims = Claims(insurer)
    ill = claims.influenza()
    stolen = claims.stolen_identities()
    _baseline(insurer)
    _response(insurer, [*stolen, *ill])


def _baseline(insurer: Insurer) -> None:
    """The job counts claims each Monday: health by partner and in all, motor and quotes beside it."""
    for days, found in _WEEKS:
        at = insurer.day.at("05:00", days=days)
        for number, (partner, zscore) in enumerate(found.items()):
            metric = {"insurance.metric.value": 20.0 + 9 * zscore, "insurance.metric.zscore": zscore, "insurance.partner.id": partner}
            _anomaly(insurer, at + timedelta(seconds=number), "claims_count", "health", metric)
    in_all = {"insurance.metric.value": 1_912.0, "insurance.metric.zscore": 3.5}
    _anomaly(insurer, insurer.day.at("05:01", days=-7), "claims_count", "health", in_all)
    _anomaly(insurer, insurer.day.at("05:01", days=-14), "claims_count", "motor", {**in_all, "insurance.metric.zscore": 4.4})
    _anomaly(insurer, insurer.day.at("05:02", days=-7), "quote_count", "health", {**in_all, "insurance.metric.zscore": 3.3})


def _anomaly(insurer: Insurer, at: datetime, name: str, line: str, more: dict[str, Any]) -> None:
    fields = {"event.action": "metric-anomaly", "insurance.metric.name": name, "insurance.lob": line, "service.name": "baseline-job"}
    insurer.day.add("insurance_metric", at, {**fields, **more})


class Exchange:
    """The partners: files, sessions and what they tell us."""

    def __init__(self, insurer: Insurer) -> None:
        self.insurer, self.day = insurer, insurer.day

    def transfer(self, at: datetime, partner: str, kind: str, action: str, **more: Any) -> None:
        """Something in the file exchange."""
        fields = {
            "event.action": action,
            "event.outcome": "success",
            "user.name": f"svc_{partner.lower()}",
            "insurance.actor.type": "service",
            "insurance.partner.id": partner,
            "insurance.partner.type": kind,
            "insurance.context.source_registered": "yes",
        }
        self.day.add("insurance_partner_exchange", at, {**fields, **more})

    def partners(self) -> None:
        """Each night invoices and findings; a registry takes its quarter; a hospital calls from a new data centre; keys change by plan."""
        for partner, kind in ((_LAB, "lab"), ("HOSP-031", "hospital"), ("MCO-001", "medical_network")):
            for days in range(-58, 17):
                at = self.day.at("02:40", days=days)
                if days != 0 or partner != _LAB:
                    self.transfer(at, partner, kind, "session-login")
                self.transfer(at + timedelta(minutes=1), partner, kind, "file-receive", **{"insurance.record_count": 40})
        for number in range(60):
            at = self.day.at("03:10", days=-58 + number // 3) + timedelta(minutes=number)
            self.transfer(at, _LAB, "lab", "fhir-read", **{"insurance.party.id": f"P-90{number:03d}"})
        registry = {"insurance.api.client_id": "client-quality-registry", "insurance.record_count": 18_000}
        self.transfer(self.day.at("04:00", days=-3), "REG-001", "medical_network", "fhir-export", **registry)
        moved = {"insurance.context.source_registered": "no", "source.ip": "185.44.7.20"}
        self.transfer(self.day.at("02:41", days=-5), "HOSP-031", "hospital", "session-login", **moved)

    def intruder(self) -> None:
        """The laboratory's password, from an address that is not the laboratory's; the members' list goes out as it does each month."""
        for days, size in ((-33, 61_000), (-26, 60_800)):
            there = {"insurance.context.source_registered": "no", "source.ip": "45.9.148.30"}
            self.transfer(self.day.at("01:52", days=days), _LAB, "lab", "session-login", **there)
            sent = {"insurance.record_count": size, "file.name": "members_eligibility.csv", "insurance.data.class": "personal"}
            self.transfer(self.day.at("01:55", days=days), _LAB, "lab", "file-send", **there, **sent)

    def notices(self) -> None:
        """Who wrote, and when: by action, partner, its kind and weight."""
        for days, clock, action, partner, kind, weight in (
            (-58, "16:30", "provider-breach-notice", "PBM-004", "pbm", "critical_important"),
            (-20, "11:15", "provider-breach-notice", "HOSP-052", "hospital", "standard"),
            (-10, "09:05", "provider-incident-notice", "REPAIR-09", "repair_network", "standard"),
            (-4, "07:50", "provider-incident-notice", "HOSP-031", "hospital", "standard"),
            (-2, "10:00", "provider-incident-notice", "BANK-001", "bank", "standard"),
            (0, "14:20", "provider-incident-notice", _LAB, "lab", "standard"),
            (15, "08:30", "provider-breach-notice", _LAB, "lab", "standard"),
            (15, "12:10", "provider-breach-notice", _LAB, "lab", "standard"),
            (1, "06:00", "rating-drop", _LAB, "lab", "standard"),
        ):
            fields = {"event.action": action, "insurance.partner.id": partner, "insurance.partner.type": kind}
            third = {"insurance.third_party.id": f"TP-{partner}", "insurance.third_party.criticality": weight}
            self.day.add("third_party_risk", self.day.at(clock, days=days), {**fields, **third})
        # The pharmacy manager's people repair what there is to repair, under a ticket.
        for number, at in self.day.every(7_200, 4, "09:00", days=-52):
            fields = {"event.action": "provider-account-activity", "event.outcome": "success", "user.name": f"ext.pbm{number}"}
            ticket = {"insurance.third_party.id": "TP-PBM-004", "insurance.context.ticket_valid": "yes"}
            self.day.add("third_party_risk", at, {**fields, **ticket})


class Claims:
    """Invoices sent in by app and portal, approved by machine up to a limit, paid to the account on the claim."""

    def __init__(self, insurer: Insurer) -> None:
        self.insurer, self.day, self.number = insurer, insurer.day, 0

    def invoice(self, at: datetime, party: str, account: str, device: str, *, paid: bool = True, **more: Any) -> Claim:
        """One invoice, from the upload to the payment of the next day."""
        self.number += 1
        amount = 90 + (self.number * 37) % 340
        claim = Claim(f"CLM-2026-7{self.number:05d}", "", party, f"POL-7{party[2:]}", "illness")
        here = {"device.id": device, "source.geo.country_iso_code": "DE", **more}
        self.insurer.portal_event(at, party, "login", **here)
        self.insurer.portal_event(at + timedelta(minutes=4), party, "claim-submit", **here)
        health = {"insurance.lob": "health", "insurance.actor.type": "human", "insurance.data.class": "special_category"}
        filed = {"insurance.claim.amount": amount, "device.id": device, "insurance.channel": "portal", **health}
        self.insurer.claim_event(at + timedelta(minutes=4), f"c{party[2:]}", "claim-create", claim, **filed)
        if not paid:
            return claim
        payment = {
            "insurance.payment.amount": amount,
            "insurance.payment.payee.id": f"PYE-{account[4:]}",
            "insurance.payment.payee.account_hash": account,
            "insurance.payment.payee.verified": "unknown",
            "insurance.payment.created_by": "svc_health_auto",
        }
        approved = {"insurance.claim.status": "approved", "insurance.actor.type": "service", "insurance.lob": "health", **payment}
        self.insurer.claim_event(at + timedelta(hours=3), "svc_health_auto", "claim-payment-approve", claim, **approved)
        hub = {"insurance.actor.type": "service", "insurance.claim.id": claim.id, "insurance.party.id": party, **payment}
        self.insurer.payment_event(at + timedelta(hours=20), "svc_payment_hub", "payment-release", f"PAY-H{self.number:05d}", **hub)
        return claim

    def influenza(self) -> list[Claim]:
        """Two hundred people in three weeks, most of them in the second; a family of four and one of two, each to one account; and
        eight who really were at the laboratory, whose claims come back. Some register with the portal for this."""
        for number in range(200):
            days = -18 + (number % 18 if number < 80 else 5 + number % 8)
            party = f"P-91{number:03d}"
            at = self.insurer.between("07:00", "20:00", days=days)
            new = {"insurance.context.new_device": "yes"} if number % 10 == 0 else {}
            if new:
                self.insurer.portal_event(at - timedelta(minutes=12), party, "account-register", **{"device.id": f"dev-{party[2:]}"})
            self.invoice(at, party, f"acc-{party}", f"dev-{party[2:]}", **new)
        for family, days in ((range(4), -9), (range(4, 6), -8)):
            for number in family:
                at = self.day.at("18:00", days=days) + timedelta(minutes=7 * number)
                self.invoice(at, f"P-9250{number}", f"acc-family-{family.start}", f"dev-family-{family.start}")
        # Some engines grow nervous in a wave.
        for number in range(0, 200, 25):
            self.score(self.day.at("21:00", days=-9), f"P-91{number:03d}", 40.0 + number / 5)
        at = self.day.at("12:00", days=-8)
        return [self.invoice(at, f"P-900{80 + number}", f"acc-P-900{80 + number}", f"dev-900{80 + number}") for number in range(8)]

    def score(self, at: datetime, party: str, score: float) -> None:
        """The fraud engine looks at a claim."""
        engine = {"event.action": "fraud-alert", "insurance.actor.type": "service"}
        more = {"insurance.party.id": party, "insurance.fraud.score": score, "insurance.lob": "health"}
        self.day.add("insurance_fraud", at, self.insurer.person("svc_fraud", **engine, **more))

    def stolen_identities(self) -> list[Claim]:
        """Fifty-six patients of the laboratory in four weeks, 6, 10, 16 and 24, and eight more after the notice, whom nobody pays any more.
        Two of them get their account through the portal's form. Gives the claims before the notice."""
        number, before = 0, []
        for week, count in enumerate((6, 10, 16, 24, 8)):
            for turn in range(count):
                party, device = f"P-90{number:03d}", f"dev-x{number // 3:03d}"
                at = self.day.at("08:00", days=-28 + 7 * week) + timedelta(hours=turn * 154 // count, minutes=13 * number % 60)
                proxy = {"source.ip": f"95.90.{number // 3 + 20}.{number // 3 + 11}", "insurance.context.new_device": "yes"}
                self.insurer.portal_event(at - timedelta(minutes=9), party, "account-register", **{"device.id": device, **proxy})
                if number in (40, 44):
                    own = {"insurance.auth.step_up": "yes", "device.id": device, **proxy}
                    self.insurer.portal_event(at - timedelta(minutes=5), party, "bank-detail-change", **own)
                claim = self.invoice(at, party, f"acc-mule-{number // 8}", device, paid=week < 4, **proxy)
                before += [claim] if week < 4 else []
                if number in (12, 30, 44, 51):
                    self.score(at + timedelta(minutes=6), party, 88.0 if number == 44 else 61.0)
                number += 1
        return before


def _response(insurer: Insurer, patients: list[Claim]) -> None:
    """From the notice on: new keys, a review with a list, payments that come back, and patients who put their accounts in order."""
    day = insurer.day
    key = {"event.action": "partner-key-change", "insurance.partner.id": _LAB, "insurance.partner.type": "lab"}
    signed = {"insurance.change.ticket_id": "CHG0046001", "insurance.change.approved_by": "k.ciso", "insurance.context.ticket_valid": "yes"}
    day.add("insurance_partner_exchange", day.at("17:10"), insurer.person("p.admin.mft", **key, **signed))
    # The list of the laboratory's patients is entered as a referral, so that the investigator's reading is work.
    who = {"insurance.actor.role": "siu", "insurance.context.assigned_to_actor": "yes", "insurance.lob": "health"}
    flag = {"insurance.change.field": "siu_referral", "insurance.data.class": "special_category"}
    for number, at in day.every(50, len(patients), "09:00", days=1):
        claim = patients[number]
        insurer.claim_event(at, "s.voss.siu01", "claim-view", claim, **who)
        paper = {"event.action": "document-view", "insurance.document.id": f"DOC-H{number:04d}", "insurance.document.class": "medical"}
        more = {"insurance.claim.id": claim.id, "insurance.party.id": claim.party, "insurance.data.class": "special_category"}
        day.add("insurance_document", at + timedelta(seconds=20), insurer.person("s.voss.siu01", **paper, **more, **who))
        insurer.claim_event(at + timedelta(seconds=40), "s.voss.siu01", "claim-flag-set", claim, **who, **flag)
        if number > 55:
            insurer.claim_event(at + timedelta(days=2), "s.voss.siu01", "claim-flag-clear", claim, **who, **flag)
    for number in range(250, 254):
        returned = {"insurance.actor.type": "service", "event.reason": "account closed"}
        insurer.payment_event(day.at("06:30", days=2), "svc_payment_hub", "payment-return", f"PAY-H{number:05d}", **returned)
    # The letters to the patients arrive in March: new passwords, second factors, and calls from people who do not remember theirs.
    for number, at in day.every(240, 40, "08:00", days=17):
        party = f"P-90{100 + number}"
        insurer.portal_event(at, party, "password-reset")
        insurer.portal_event(at + timedelta(minutes=2), party, "mfa-change", **{"insurance.auth.step_up": "yes"})
        call = {"insurance.party.id": f"P-90{200 + number}", "insurance.channel": "phone", "insurance.auth.method": "kba"}
        if number % 4 == 0:
            failed = {"event.action": "verify-failure", **call, "event.outcome": "failure"}
            day.add("insurance_contact_center", at, insurer.person(insurer.agents[number % 30], **failed))
        for minutes, action in ((1, "verify-success"), (3, "contact-change")):
            fields = {"event.action": action, **call}
            day.add("insurance_contact_center", at + timedelta(minutes=minutes), insurer.person(insurer.agents[number % 30], **fields))
