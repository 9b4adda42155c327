"""A gale takes roofs off on a Friday evening, and by Saturday four hundred adjusters are at work on it, two hundred and fifty from outside.

Eight hundred losses come in by portal, telephone and brokers' systems; on Saturday at 06:40 the intake breaks under them for five minutes.
The catastrophe desk declares the event on Friday at 20:30. Two leads had to be raised by hand before that, the others follow by the plan.
The roster is loaded at five in the morning; thirty adjusters who come later on Saturday stand in it from Sunday on.

Some use the weekend. Somebody has the account of an adjuster of last autumn's hail, which nobody closed, and on Saturday night
turns two approved advances to another bank account. An administrator raises a liability handler's emergency authority on Saturday, under
cover of the event, and another's on Monday, when the event is over; each signs one large payment, and the limit is as it was. And on
Sunday evening an adjuster who is on the roster opens seventy-four injury claims that are none of the storm's, between claims that are.
"""

from __future__ import annotations

from datetime import timedelta

from tests.scenarios.insurer import Claim, Insurer
from tests.scenarios.storm import Adjuster, Storm


def tell(insurer: Insurer) -> None:
    """Friday evening to Monday morning; the honest first."""
    storm = Storm(insurer)
    storm.rights()
    storm.sign_ins()
    storm.wave()
    storm.intake_breaks()
    storm.work()
    storm.triage()
    storm.large_payments()
    _customers(storm)
    _offices_and_vendors(storm)
    _expired_account(storm)
    _raised(storm)
    _sweep(storm)


def _customers(storm: Storm) -> None:
    """Many people behind one mobile network, a household, a customer on Tenerife, and three who give a new account with the loss."""
    day, insurer = storm.day, storm.insurer
    for number, at in day.every(24, 18, "20:40"):
        behind = {"source.ip": "80.187.96.14"}
        insurer.portal_event(at, f"P-{80_100 + number}", "login", **{"event.outcome": "failure", **behind})
        insurer.portal_event(at + timedelta(seconds=50), f"P-{80_100 + number}", "login", **behind)
    for number in range(3):
        home = Claim(f"CLM-2026-3000{number:02d}", "", "P-85001", f"POL-49000{number}", "windstorm")
        fields = {"insurance.channel": "portal", "device.id": "dev-household"}
        storm.register(day.at(f"10:1{number}", days=1), home, "c85001", **fields)
    away = Claim("CLM-2026-300010", "", "P-85002", "POL-490010", "windstorm")
    abroad = {"source.geo.country_iso_code": "ES", "source.ip": "88.12.40.7", "insurance.context.new_device": "yes"}
    storm.by_portal(day.at("09:25", days=1), away, **abroad)
    for number in (60, 75, 90):
        at, fields = day.at("06:50", days=1), {"insurance.auth.step_up": "yes", "insurance.context.new_device": "no"}
        insurer.portal_event(at + timedelta(minutes=number), storm.claims[number].party, "bank-detail-change", **fields)
    # Who has forgotten the password calls, and is known.
    for number, at in day.every(1_900, 20, "06:20", days=1):
        call = {"insurance.party.id": f"P-{80_300 + number}", "insurance.channel": "phone", "insurance.auth.method": "kba"}
        for action in ("verify-success", "credential-reset"):
            fields = {"event.action": action, **call}
            day.add("insurance_contact_center", at + timedelta(minutes=len(action)), insurer.person(insurer.agents[number], **fields))


def _offices_and_vendors(storm: Storm) -> None:
    """A broker's office files for nine customers from its own computer; a roofer is paid for five claimants."""
    office = {"insurance.actor.role": "broker", "insurance.channel": "portal", "device.id": "dev-brk-007-desk"}
    for number, at in storm.day.every(540, 9, "09:00", days=1):
        claim = Claim(f"CLM-2026-3001{number:02d}", "", f"P-8510{number}", f"POL-49010{number}", "windstorm")
        who = {"user.name": "brk007.frontdesk", "insurance.actor.role": "broker"}
        storm.insurer.portal_event(at, claim.party, "claim-submit", **who)
        storm.register(at, claim, "brk007.frontdesk", **office)
    roofer = {"insurance.payment.payee.id": "PYE-ROOF", "insurance.payment.payee.account_hash": "acc-roofer"}
    for number, at in storm.day.every(3_000, 5, "11:10", days=2):
        storm.pay(at, storm.lent[number + 5], storm.claims[number + 65], 2_300, storm.leads[number], **roofer)


def _expired_account(storm: Storm) -> None:
    """Two accounts of last autumn's hail. One is refused, as it should be; the other was forgotten, and somebody has its password."""
    day, insurer, never = storm.day, storm.insurer, storm.loaded + timedelta(days=99)
    tried = {"event.outcome": "failure", "insurance.context.off_hours": "yes"}
    gone = Adjuster("n.kern.hail25", "leaver", never, stale=True)
    insurer.sign_in(day.at("08:02", days=1), gone.name, **{"event.outcome": "failure"})
    storm.do(day.at("08:03", days=1), gone, "claim-view", storm.claims[0], **tried)

    victims = [storm.claims[31], storm.claims[61]]
    payments = [
        storm.approve(day.at("17:10", days=1), storm.everybody[31], victims[0], 8_400, storm.leads[5]),
        storm.approve(day.at("17:30", days=1), storm.everybody[61], victims[1], 7_900, storm.leads[6]),
    ]
    thief = Adjuster("h.holl.hail25", "cat_contractor", never, stale=True)
    night = {"insurance.context.off_hours": "yes", "insurance.context.new_device": "yes", "device.id": "dev-4f1c"}
    insurer.sign_in(day.at("23:31", days=1), thief.name, **{"insurance.context.new_device": "yes", "event.risk_score": 48})
    storm.do(day.at("23:34", days=1), thief, "claim-search", storm.claims[0], **night, **{"insurance.record_count": 60})
    for number, at in day.every(411, 14, "23:38", days=1):
        storm.do(at, thief, "claim-view", storm.claims[number * 15 + 1], **night, **{"insurance.claim.status": "approved"})
    for clock, victim, payment in zip(("01:17", "01:24"), victims, payments, strict=True):
        at = day.at(clock, days=2)
        account = {"insurance.payment.payee.account_hash": "acc-mule-0147", "insurance.payment.payee.verified": "no"}
        changed = {"insurance.claim.status": "approved", "insurance.change.field": "payee_account", **payment, **account}
        storm.do(at, thief, "claim-payee-change", victim, **night, **changed)
        hub = {**payment, **account, "insurance.actor.type": "service", "insurance.claim.id": victim.id}
        insurer.payment_event(at, "svc_payment_hub", "payee-bank-change", hub.pop("insurance.payment.id"), **hub)
    account = {"insurance.payment.payee.account_hash": "acc-mule-0147", "insurance.payment.payee.verified": "no"}
    storm.release(day.at("10:09", days=2), payments[0], victims[0], **account)
    # The other claimant asks why a mail speaks of a new account, and the desk stops it in time.
    insurer.payment_event(day.at("09:20", days=2), "m.reis.pay01", "payment-cancel", payments[1]["insurance.payment.id"])


def _raised(storm: Storm) -> None:
    """A handler of liability claims gets emergency authority, signs one large payment that a colleague had prepared, and is set back:
    one of them on Saturday, within the declared event; one on Monday, when it is over and all other limits have gone back."""
    _one_payment(storm, 45, 1, ("15:21", "15:48", "16:33"), "cat", "yes")
    for number, who in enumerate(storm.leads):
        at = storm.day.at("06:00", days=3) + timedelta(seconds=9 * number)
        back = {"insurance.change.field": "emergency_authority", "insurance.change.percent": -60.0, "insurance.context.surge": "none"}
        plan = {"insurance.actor.type": "service", "insurance.change.ticket_id": "CAT0000212", "insurance.context.ticket_valid": "yes"}
        storm.admin(at, "svc_iga", who.name, "authority-limit-change", **back, **plan)
    _one_payment(storm, 48, 3, ("08:40", "09:25", "10:10"), "none", "no")


def _one_payment(storm: Storm, number: int, days: int, clocks: tuple[str, str, str], surge: str, off_hours: str) -> None:
    """Up, the payment, down; with the number of the plan's ticket, which does not cover it."""
    handler, colleague = storm.own[number].name, storm.own[number + 1].name
    up, signed, down = (storm.day.at(clock, days=days) for clock in clocks)
    claim = Claim(f"CLM-2025-0712{number}", handler, f"P-884{number}", f"POL-5004{number}", "liability")
    limit = {"insurance.change.field": "emergency_authority", "insurance.lob": "liability", "insurance.context.surge": surge}
    limit |= {"insurance.change.ticket_id": "CAT0000212", "insurance.context.ticket_valid": "no"}
    payment = {
        "insurance.payment.id": f"PAY-L00{number}",
        "insurance.payment.amount": 54_000,
        "insurance.payment.payee.account_hash": f"acc-lawyer-{number}",
        "insurance.payment.payee.verified": "yes",
    }
    entered = {"insurance.payment.created_by": colleague, "insurance.claim.status": "approved", **payment}
    storm.insurer.claim_event("14:20", colleague, "claim-payment-create", claim, **entered)
    storm.admin(up, "v.otto.admin03", handler, "authority-limit-change", **limit, **{"insurance.change.percent": 500.0})
    storm.insurer.claim_event(signed, handler, "claim-payment-approve", claim, **entered, **{"insurance.context.off_hours": off_hours})
    storm.admin(down, "v.otto.admin03", handler, "authority-limit-change", **limit, **{"insurance.change.percent": -83.3})
    storm.release(storm.day.at("07:01", days=3 if days < 3 else 4), payment, claim)


def _sweep(storm: Storm) -> None:
    """Seventy-four injury claims of strangers in fifty-two minutes, a medical letter in every third, and storm claims in between."""
    thief = storm.external[17]
    off = {
        "insurance.claim.cat_code": None,
        "insurance.lob": "liability",
        "insurance.context.surge": "none",
        "insurance.context.on_cat_duty": "no",
    }
    for clock, records in (("20:01", 312), ("20:03", 274)):
        found = {"insurance.record_count": records, **off}
        storm.do(storm.day.at(clock, days=2), thief, "claim-search", storm.insurer.claims[0], **found)
    for number, at in storm.day.every(42, 74, "20:05", days=2):
        stranger = storm.insurer.claims[number * 13 + 5]
        storm.do(at, thief, "claim-view", stranger, **off)
        if number % 3 == 0:
            storm.do(at + timedelta(seconds=15), thief, "claim-document-view", stranger, **off)
        elif number % 3 == 1:
            storm.do(at + timedelta(seconds=25), thief, "claim-view", storm.claims[number + 500])
