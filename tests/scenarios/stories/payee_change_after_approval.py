"""Easter is chosen for it: accounts are changed when the claim is approved and the office empties, and the run of Tuesday pays the thieves.

Three thefts. A letter in a claimant's name, entered by a handler in good faith on Maundy Thursday; nobody rings the claimant. A handler
who turns a transfer into a cheque to another address on Thursday morning, and puts the address back when the cheque is gone. A mail in the
name of a repairer, entered in the payee master before the fortnight begins. Beside them the same changes made honestly: four corrections
verified by call-back, one called back too late for the record, one by the customer in the portal, one that the system refuses, one that
the approver had seen, and one after the money had gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from tests.scenarios.insurer import Claim, Insurer

_THURSDAY, _WEDNESDAY = -5, -6
_HUB = {"insurance.actor.type": "service"}


@dataclass(frozen=True, slots=True)
class _Due:
    """A payment that is due on a claim: to which payee and account."""

    claim: Claim
    payment: str
    amount: int
    payee: str
    account: str

    def fields(self, **more: Any) -> dict[str, Any]:
        """What the events of both systems say of it."""
        return {
            "insurance.payment.amount": self.amount,
            "insurance.payment.method": "sepa",
            "insurance.payment.payee.id": self.payee,
            "insurance.payment.payee.account_hash": self.account,
            "insurance.payment.payee.is_new": "no",
            "insurance.payment.payee.verified": "yes",
            "insurance.party.id": self.claim.party,
            **more,
        }


def tell(insurer: Insurer) -> None:
    """Wednesday to Thursday after Easter, with the repairer's change twelve days before the run."""
    _letter(insurer)
    _cheque(insurer)
    _repairer(insurer)
    _verified(insurer)
    _late_call(insurer)
    _in_the_portal(insurer)
    _refused(insurer)
    _before_and_after(insurer)


def _due(insurer: Insurer, number: int, amount: int, handler: int) -> _Due:
    claim = Claim(f"CLM-2026-0030{number:02d}", insurer.adjusters[handler], f"P-810{number:02d}", f"POL-5030{number:02d}", "water")
    return _Due(claim, f"PAY-E{number:04d}", amount, f"PYE-810{number:02d}", f"acc-810{number:02d}")


def _approved(insurer: Insurer, due: _Due, at: datetime) -> None:
    """Created by the handler, approved by somebody with the authority, taken over by the hub."""
    created = {**due.fields(), "insurance.payment.id": due.payment, "insurance.payment.created_by": due.claim.handler}
    insurer.claim_event(at, due.claim.handler, "claim-payment-create", due.claim, **created)
    approver = insurer.approvers[due.amount % len(insurer.approvers)]
    signed = {**created, "insurance.claim.status": "approved", "insurance.payment.approver": approver}
    insurer.claim_event(
        at + timedelta(minutes=25), approver, "claim-payment-approve", due.claim, **{**signed, "insurance.context.assigned_to_actor": "yes"}
    )
    taken = {**due.fields(), **_HUB, "insurance.claim.id": due.claim.id, "insurance.payment.status": "approved"}
    insurer.payment_event(at + timedelta(minutes=26), "svc_payment_hub", "payment-create", due.payment, **taken)


def _changed(insurer: Insurer, due: _Due, at: datetime, user: str, new: str, verified: str, **more: Any) -> None:
    """The account of a payee changed in the claim."""
    change = {
        "insurance.claim.status": "approved",
        "insurance.change.field": "payee_account",
        "insurance.change.old_value": due.account,
        "insurance.change.new_value": new,
        "insurance.payment.id": due.payment,
        **due.fields(**{"insurance.payment.payee.account_hash": new, "insurance.payment.payee.verified": verified}),
        **more,
    }
    insurer.claim_event(at, user, "claim-payee-change", due.claim, **change)


def _master(insurer: Insurer, due: _Due, at: datetime, user: str, new: str, verified: str, **more: Any) -> None:
    """The same in the payee master of the payment hub."""
    change = {"insurance.change.old_value": due.account, "insurance.change.new_value": new, "insurance.payment.payee.id": due.payee}
    state = {"insurance.payment.payee.account_hash": new, "insurance.payment.payee.verified": verified}
    insurer.payment_event(at, user, "payee-bank-change", due.payment, **change, **state, **more)


def _paid(insurer: Insurer, due: _Due, at: datetime, account: str, verified: str = "yes", **more: Any) -> None:
    """Released by the hub, in the run of the morning or alone."""
    state = {"insurance.payment.payee.account_hash": account, "insurance.payment.payee.verified": verified}
    fields = {**due.fields(**state), **_HUB, "insurance.claim.id": due.claim.id, "insurance.payment.status": "released", **more}
    insurer.payment_event(at, "svc_payment_hub", "payment-release", due.payment, **fields)


def _called(insurer: Insurer, at: datetime, agent: int, due: _Due, action: str, method: str, **more: Any) -> None:
    """A conversation in the contact centre, or a call-back from there: whether the customer proved to be the customer."""
    outcome = {"event.outcome": "failure" if action == "verify-failure" else "success", "insurance.channel": "phone"}
    fields = {"event.action": action, "insurance.auth.method": method, "insurance.party.id": due.claim.party, **outcome, **more}
    insurer.day.add("insurance_contact_center", at, insurer.person(insurer.agents[agent], **fields))


def _letter(insurer: Insurer) -> None:
    """38,400 for a flooded house. The thief rings twice to learn when it is due, then the letter comes, by mail and well forged."""
    due, day, new = _due(insurer, 1, 38_400, 5), insurer.day, "acc-mule-1"
    _approved(insurer, due, day.at("11:20", days=_WEDNESDAY))
    _called(insurer, day.at("10:05", days=_THURSDAY), 3, due, "verify-failure", "kba")
    _called(insurer, day.at("10:21", days=_THURSDAY), 8, due, "verify-success", "kba")
    mail = {"event.action": "mail-delivered", "email.direction": "inbound", "email.attachments.file.extension": "pdf"}
    sender = {"email.from.address": "office@kanzlei-lenz.example", "insurance.context.lookalike_domain": "yes"}
    day.add("email_security", day.at("12:02", days=_THURSDAY), {**mail, **sender, "email.to.address": "claims@insurer.example"})
    for minutes, action in ((0, "document-view"), (4, "document-view")):
        letter = {
            "insurance.document.id": "DOC-003001-77",
            "insurance.document.class": "correspondence",
            "insurance.claim.id": due.claim.id,
        }
        who = insurer.person(due.claim.handler, **{"event.action": action, "insurance.context.assigned_to_actor": "yes"})
        day.add("insurance_document", day.at(f"15:3{minutes}", days=_THURSDAY), {**who, **letter})
    insurer.claim_event(
        day.at("15:36", days=_THURSDAY), due.claim.handler, "claim-view", due.claim, **{"insurance.claim.status": "approved"}
    )
    _changed(insurer, due, day.at("15:40", days=_THURSDAY), due.claim.handler, new, "no")
    _master(insurer, due, day.at("15:41", days=_THURSDAY), due.claim.handler, new, "no")
    score = {"event.action": "fraud-alert", "insurance.fraud.score": 58.0, "insurance.claim.id": due.claim.id, **_HUB}
    day.add("insurance_fraud", day.at("15:45", days=_THURSDAY), {"user.name": "svc_fraud", "event.outcome": "success", **score})
    _paid(insurer, due, day.at("08:30"), new, "no")
    # On Thursday the owner asks where the money is. The account is put back, this time with a call, and the case referred.
    _called(insurer, day.at("09:10", days=2), 4, due, "verify-success", "voice")
    _changed(insurer, due, day.at("11:05", days=2), due.claim.handler, due.account, "yes", **{"insurance.claim.status": "paid"})
    _master(insurer, due, day.at("11:06", days=2), "v.ott.payee01", due.account, "yes")
    refer = insurer.person(due.claim.handler, **{"event.action": "siu-referral-create", "insurance.claim.id": due.claim.id})
    day.add("insurance_fraud", day.at("11:15", days=2), refer)


def _cheque(insurer: Insurer) -> None:
    """9,900 for a burnt kitchen. The handler needs neither master nor account: cheques go to the address in the claim."""
    due, day = _due(insurer, 2, 9_900, 22), insurer.day
    _approved(insurer, due, day.at("14:50", days=_WEDNESDAY))
    # This screen says nothing of a call-back at all.
    common = {"insurance.claim.status": "approved", "insurance.payment.id": due.payment, "insurance.payment.payee.id": due.payee}
    for clock, days, name, old, new in (
        ("09:20", _THURSDAY, "payment_method", "sepa", "check"),
        ("09:21", _THURSDAY, "payment_address", "adr-810", "adr-655"),
        ("16:30", 0, "payment_address", "adr-655", "adr-810"),
    ):
        change = {"insurance.change.field": name, "insurance.change.old_value": old, "insurance.change.new_value": new}
        insurer.claim_event(day.at(clock, days=days), due.claim.handler, "claim-update", due.claim, **common, **change)
    _paid(insurer, due, day.at("15:10"), due.account, **{"insurance.payment.method": "check"})


def _repairer(insurer: Insurer) -> None:
    """The clerk of the payee master believes a mail. Two repairs approved since then are paid in the run of the fortnight."""
    day, vendor, new = insurer.day, {"payee": "VEN-2230", "account": "acc-ven-2230"}, "acc-mule-2"
    dues = [_Due(one.claim, one.payment, one.amount, **vendor) for one in (_due(insurer, 3, 27_900, 7), _due(insurer, 4, 8_400, 11))]
    mail = {"event.action": "mail-delivered", "email.direction": "inbound", "insurance.actor.role": "finance"}
    sender = {"email.from.address": "buchhaltung@karosserie-wolff.example", "insurance.context.lookalike_domain": "yes"}
    day.add("email_security", day.at("08:48", days=-12), {**mail, **sender, "email.to.address": "payees@insurer.example"})
    _master(insurer, dues[0], day.at("09:15", days=-12), "v.ott.payee01", new, "unknown", **{"insurance.actor.role": "finance"})
    for days, due in zip((-8, _WEDNESDAY), dues, strict=True):
        _approved(insurer, due, day.at("10:30", days=days))
        _paid(insurer, due, day.at("08:30"), new, "unknown")


def _verified(insurer: Insurer) -> None:
    """A digit too few, a new bank, a husband's account, a lender who joins: the customer is rung on the old number, then it is entered."""
    for number, (clock, field, agent) in enumerate(
        (("09:05", "payee_account", 6), ("09:50", "payee_account", 9), ("10:40", "payee_account", 2), ("11:15", "payee", 12))
    ):
        due, day, new = _due(insurer, 10 + number, 2_150 + 4_000 * number, 15 + number), insurer.day, f"acc-new-{number}"
        _approved(insurer, due, day.at("13:00", days=_WEDNESDAY))
        _called(insurer, day.at(clock), agent, due, "verify-success", "otp")
        at = day.at(f"{clock}:40")
        second = {"insurance.change.approved_by": insurer.approvers[number], "insurance.change.field": field}
        _changed(insurer, due, at, due.claim.handler, new, "yes", **second)
        _master(insurer, due, at, "v.ott.payee01", new, "yes", **{"insurance.change.approved_by": insurer.approvers[number]})
        _paid(insurer, due, day.at("14:30"), new)


def _late_call(insurer: Insurer) -> None:
    """The claimant's bank has merged. The handler enters the account first and rings afterwards; the release knows, the change did not."""
    due, day, new = _due(insurer, 20, 3_720, 24), insurer.day, "acc-merged"
    _approved(insurer, due, day.at("15:15", days=_WEDNESDAY))
    _changed(insurer, due, day.at("09:10"), due.claim.handler, new, "no")
    _master(insurer, due, day.at("09:11"), due.claim.handler, new, "no")
    _called(insurer, day.at("10:40"), 5, due, "verify-success", "voice")
    _master(insurer, due, day.at("10:52"), "v.ott.payee01", new, "yes")
    _paid(insurer, due, day.at("14:30"), new)


def _in_the_portal(insurer: Insurer) -> None:
    """Two customers change their account themselves: one with a second factor, one is asked for it and gives up."""
    due, day, new = _due(insurer, 21, 1_640, 27), insurer.day, "acc-portal"
    _approved(insurer, due, day.at("09:40", days=_WEDNESDAY))
    party, login = due.claim.party, {"insurance.context.new_device": "no", "source.geo.country_iso_code": "DE"}
    insurer.portal_event(day.at("19:02", days=-1), party, "login", **login)
    step = {"insurance.auth.step_up": "yes", "insurance.auth.method": "passkey", "insurance.payment.payee.account_hash": new}
    insurer.portal_event(day.at("19:05", days=-1), party, "bank-detail-change", **step, **login)
    portal = {**_HUB, "insurance.channel": "portal"}
    _changed(insurer, due, day.at("19:05:02", days=-1), "svc_portal", new, "yes", **portal)
    _master(insurer, due, day.at("19:05:03", days=-1), "svc_portal", new, "yes", **portal)
    _paid(insurer, due, day.at("08:30"), new)
    insurer.portal_event(day.at("20:10", days=-1), "P-70960", "login", **login)
    refused = {"event.outcome": "failure", "insurance.auth.step_up": "no", "event.reason": "step-up not completed"}
    insurer.portal_event(day.at("20:12", days=-1), "P-70960", "bank-detail-change", **refused, **login)


def _refused(insurer: Insurer) -> None:
    """An agent of the contact centre may not change an approved claim. Both systems say so, and the money goes where it was to go."""
    due, day, agent = _due(insurer, 22, 5_310, 31), insurer.day, insurer.agents[7]
    _approved(insurer, due, day.at("16:05", days=_WEDNESDAY))
    _called(insurer, day.at("09:31"), 7, due, "verify-success", "kba")
    refused = {"event.outcome": "failure", "event.reason": "no permission after approval", "insurance.actor.role": "agent"}
    _changed(insurer, due, day.at("09:34"), agent, "acc-other", "no", **refused)
    _master(insurer, due, day.at("09:35"), agent, "acc-other", "no", **refused)
    _paid(insurer, due, day.at("14:30"), due.account)


def _before_and_after(insurer: Insurer) -> None:
    """One account was taken down before anybody approved; one is changed when the money has already gone to the old one."""
    day, seen, gone = insurer.day, _due(insurer, 23, 4_480, 33), _due(insurer, 24, 2_960, 36)
    _changed(insurer, seen, day.at("10:10", days=_WEDNESDAY), seen.claim.handler, "acc-seen", "no", **{"insurance.claim.status": "open"})
    known = _Due(seen.claim, seen.payment, seen.amount, seen.payee, "acc-seen")
    _approved(insurer, known, day.at("12:10", days=_WEDNESDAY))
    _paid(insurer, known, day.at("08:30"), "acc-seen", "no")
    _approved(insurer, gone, day.at("12:40", days=_WEDNESDAY))
    _paid(insurer, gone, day.at("08:30"), gone.account)
    _changed(insurer, gone, day.at("11:30"), gone.claim.handler, "acc-moved", "unknown", **{"insurance.claim.status": "paid"})
