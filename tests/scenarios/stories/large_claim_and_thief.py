"""A coach with fifty-two people in it leaves the motorway, and on the same day a handler under notice takes other people's claims along.

The handler of the accident reads one claim from cover to cover for two days (nearly four hundred views, medical reports of fifty-two
patients), has experts in, sets reserves, pays the first losses and exports the file for the court's expert under a ticket. Around
this the desks that also touch many claims do so with a reason: a branch's book is handed over, post is indexed, files are reviewed.
The thief looks for injured people with a lawyer, opens eighty strangers' claims in fifty-three minutes and a medical report in every
second one. A large export is refused in the afternoon, so twelve small ones follow, two of them after the shift; then a stick and webmail.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from tests.scenarios.insurer import Claim, Insurer

_COACH = "CLM-2026-004711"
_CLASSES = ("correspondence", "invoice", "contract", "correspondence", "id_document")


def tell(insurer: Insurer) -> None:
    """Tuesday, with a look back at Monday. Honest people first."""
    handler, thief = insurer.adjusters[3], insurer.adjusters[17]
    coach = Claim(_COACH, handler, "P-88001", "POL-500100", "liability")
    _reading(insurer, coach)
    _work(insurer, coach)
    _payments(insurer, coach)
    _colleagues(insurer, coach)
    _desks(insurer)
    _theft(insurer, thief)


def _every(begin: datetime, step: float, count: int) -> Iterator[tuple[int, datetime]]:
    """A number and a moment each, `step` seconds apart."""
    return ((number, begin + timedelta(seconds=step * number)) for number in range(count))


def _opened(insurer: Insurer, at: datetime, user: str, claim: Claim, patient: str, number: int, kind: str, **more: Any) -> None:
    """A document opened from the claim: the claims system logs it, and so does the document store behind it, which knows no protected
    parties."""
    own = {"insurance.context.assigned_to_actor": "yes" if user == claim.handler else "no", **more}
    insurer.claim_event(at, user, "claim-document-view", claim, **{**own, "insurance.party.id": patient})
    document = {
        "event.action": "document-view",
        "insurance.document.id": f"DOC-{claim.id[-6:]}-{number:04d}",
        "insurance.document.class": kind,
        "insurance.data.class": "special_category" if kind == "medical" else "personal",
        "insurance.claim.id": claim.id,
        "insurance.party.id": patient,
        **{name: value for name, value in own.items() if name != "insurance.context.restricted_party"},
    }
    insurer.day.add("insurance_document", at + timedelta(seconds=1), insurer.person(user, **document))


def _reading(insurer: Insurer, coach: Claim) -> None:
    """Police file, tachograph, invoices and letters on Monday and Tuesday; on Tuesday from nine the reports of all patients."""
    user = coach.handler
    for days, clock, count in ((-1, "13:05", 150), (0, "08:10", 45), (0, "10:10", 90)):
        for number, at in _every(insurer.day.at(clock, days=days), 61, count):
            if number % 6 == 0:
                insurer.claim_event(at, user, "claim-view", coach)
            else:
                page = 1_000 * -days + int(clock[:2]) * 10 + number
                _opened(insurer, at, user, coach, coach.party, page, _CLASSES[number % len(_CLASSES)])
    for number, at in _every(insurer.day.at("09:00"), 64, 52):
        _opened(insurer, at, user, coach, f"P-8810{number:02d}", 5_000 + number, "medical")
    for number, at in _every(insurer.day.at("17:40"), 75, 40):
        _opened(insurer, at, user, coach, f"P-8810{number:02d}", 5_000 + number, "medical", **{"insurance.context.off_hours": "yes"})


def _work(insurer: Insurer, coach: Claim) -> None:
    """What reading is for: notes, reserves, letters, experts, and the file for the court's expert, twice, under one ticket."""
    user, day = coach.handler, insurer.day
    for _, at in _every(day.at("10:12"), 330, 16):
        insurer.claim_event(at, user, "claim-update", coach, **{"insurance.change.field": "note"})
    for number, at in _every(day.at("11:45"), 70, 12):
        more = {"insurance.change.field": "reserve_amount", "insurance.change.percent": 15.0 * (number + 1)}
        insurer.claim_event(at, user, "claim-reserve-change", coach, **{**more, "insurance.claim.amount": 40_000 * (number + 1)})
    # An old injury of the same handler costs more: the claim is settled, and the second signature has a ticket.
    old = Claim("CLM-2024-019904", user, "P-88090", "POL-500190", "liability")
    more = {"insurance.claim.status": "settled", "insurance.change.field": "reserve_amount", "insurance.change.percent": 22.0}
    ticket = {"insurance.change.ticket_id": "REQ0031802", "insurance.context.ticket_valid": "yes"}
    insurer.claim_event("12:05", user, "claim-reserve-change", old, **more, **ticket)
    insurer.claim_event("12:30", insurer.approvers[0], "claim-approve", coach, **{"insurance.context.assigned_to_actor": "yes"})
    for number, at in _every(day.at("13:31"), 20, 6):
        more = {
            "insurance.document.id": f"DOC-004711-{900 + number}",
            "insurance.document.class": "medical",
            "insurance.claim.id": coach.id,
        }
        share = {"event.action": "document-share", "destination.domain": "portal.reports.example", "insurance.party.id": coach.party}
        insurer.day.add("insurance_document", at, insurer.person(user, **more, **share, **{"insurance.context.assigned_to_actor": "yes"}))
    mail = {"event.action": "dlp-match", "event.outcome": "success", "insurance.channel": "email", "insurance.record_count": 6}
    more = {"insurance.data.class": "special_category", "destination.domain": "reports.example", "rule.name": "health data by mail"}
    day.add("dlp", "13:40", {"user.name": user, "insurance.actor.employment": "active", **mail, **more})
    stick = {"event.action": "dlp-match", "event.outcome": "success", "insurance.channel": "usb", "insurance.record_count": 1}
    more = {"insurance.data.class": "special_category", "file.name": "004711_prosecutor.zip", "file.size": 734_003_200}
    day.add("dlp", "14:20", {"user.name": user, "insurance.actor.employment": "active", **stick, **more})
    export = {
        "insurance.record_count": 1_240,
        "insurance.data.class": "special_category",
        "insurance.change.ticket_id": "REQ0031877",
        "insurance.context.ticket_valid": "yes",
    }
    insurer.claim_event("14:02", user, "claim-export", coach, **export)
    insurer.claim_event("19:05", user, "claim-export", coach, **export, **{"insurance.context.off_hours": "yes"})


def _payments(insurer: Insurer, coach: Claim) -> None:
    """First losses: eight passengers, each to an own account, one of them large and to a payee of this morning who was called back;
    and the clinic, which bills for five of them."""
    approver, day = insurer.approvers[1], insurer.day
    payees = [(f"P-8810{number:02d}", f"acc-8810{number:02d}", 1_500 + 100 * number, "no") for number in range(7)]
    payees += [("P-881007", "acc-881007", 30_000, "yes")]
    payees += [(f"P-8810{number:02d}", "acc-clinic", 6_200 + number, "no") for number in (11, 14, 20, 33, 41)]
    for number, (party, account, amount, new) in enumerate(payees):
        payment = {
            "insurance.payment.id": f"PAY-C{number:04d}",
            "insurance.payment.amount": amount,
            "insurance.payment.created_by": coach.handler,
            "insurance.payment.payee.id": f"PYE-{account[4:]}",
            "insurance.payment.payee.account_hash": account,
            "insurance.payment.payee.is_new": new,
            "insurance.payment.payee.verified": "yes",
            "insurance.party.id": party,
        }
        hub = {"insurance.claim.id": coach.id, "insurance.actor.type": "service", **payment}
        at = day.at("14:30") + timedelta(minutes=2 * number)
        insurer.claim_event(at, coach.handler, "claim-payment-create", coach, **payment)
        signed = {**payment, "insurance.payment.approver": approver, "insurance.context.assigned_to_actor": "yes"}
        insurer.claim_event(at + timedelta(hours=1), approver, "claim-payment-approve", coach, **signed)
        for minutes, action in ((61, "payment-create"), (62, "payment-approve"), (100, "payment-release")):
            more = {key: value for key, value in hub.items() if key != "insurance.payment.id"}
            insurer.payment_event(at + timedelta(minutes=minutes), "svc_payment_hub", action, payment["insurance.payment.id"], **more)


def _colleagues(insurer: Insurer, coach: Claim) -> None:
    """Others in the same claim: the reinsurance desk, which is on nobody's work list, the expert and the scanning service."""
    desk = insurer.adjusters[50]
    for number, at in _every(insurer.day.at("13:00"), 25, 140):
        if number < 30:
            _opened(insurer, at, desk, coach, f"P-8810{number:02d}", 5_000 + number, "medical")
        else:
            _opened(insurer, at, desk, coach, coach.party, number, _CLASSES[number % len(_CLASSES)])
    for number, at in _every(insurer.day.at("15:05"), 50, 70):
        more = {"insurance.context.assigned_to_actor": "yes", "insurance.actor.role": "vendor"}
        _opened(insurer, at, "x.rau.expert", coach, f"P-8810{number % 52:02d}", 5_000 + number, "medical", **more)
    # A hospital sent one bundle for everybody: the service splits it and files every page anew.
    for number, at in _every(insurer.day.at("07:30"), 3, 180):
        page = {
            "event.action": "document-overwrite",
            "insurance.document.id": f"DOC-004711-{2_000 + number}",
            "insurance.claim.id": coach.id,
        }
        who = {
            "user.name": "svc_scan",
            "insurance.actor.type": "service",
            "event.outcome": "success",
            "insurance.document.class": "medical",
        }
        insurer.day.add("insurance_document", at, {**who, **page})


def _desks(insurer: Insurer) -> None:
    """People who touch many claims because that is their work, one slip, and the nightly load of the warehouse."""
    day, assigned = insurer.day, {"insurance.context.assigned_to_actor": "yes"}
    # The book of a branch that closes: assigned in the morning, looked through by the new handler before ten.
    heir, closed = insurer.adjusters[21], set(insurer.adjusters[56:60])
    book = [claim for claim in insurer.claims if claim.handler in closed][:70]
    for number, at in _every(day.at("07:05"), 4, len(book)):
        more = {"insurance.claim.assigned_to": heir, "insurance.change.field": "assigned_to"}
        insurer.claim_event(at, "h.supervisor.claims", "claim-assign", book[number], **more, **assigned)
    for number, at in _every(day.at("09:02"), 48, len(book)):
        insurer.claim_event(at, heir, "claim-view", book[number], **assigned)
    # The indexing desk has its entry in the assignment table.
    for number, at in _every(day.at("08:00"), 30, 110):
        claim = insurer.claims[number * 7]
        insurer.claim_event(at, "k.post.mail01", "claim-view", claim, **assigned)
        more = {"insurance.change.field": "document"}
        insurer.claim_event(at + timedelta(seconds=14), "k.post.mail01", "claim-update", claim, **more, **assigned)
    # The quality reviewer has none, and takes the day for forty-five files; each gets its finding.
    for number, at in _every(day.at("09:00"), 470, 45):
        claim = insurer.claims[number * 11 + 3]
        insurer.claim_event(at, insurer.adjusters[55], "claim-view", claim, **{"insurance.context.assigned_to_actor": "no"})
        more = {"insurance.change.field": "review_finding", "insurance.context.assigned_to_actor": "no"}
        insurer.claim_event(at + timedelta(minutes=6), insurer.adjusters[55], "claim-update", claim, **more)
    # Special investigations may see a colleague's own claim, and somebody presses search with an empty mask.
    vip = {"insurance.context.restricted_party": "yes", "insurance.context.entitled": "yes", "insurance.actor.role": "siu"}
    insurer.claim_event("10:40", "s.voss.siu01", "claim-view", insurer.claims[77], **vip)
    insurer.claim_event("10:12", insurer.adjusters[9], "claim-search", insurer.claims_of(insurer.adjusters[9])[0], **_found(61_000))
    who = {"insurance.actor.type": "service", "insurance.channel": "batch", "insurance.context.assigned_to_actor": "unknown"}
    insurer.claim_event("02:20", "svc_claims_dwh", "claim-export", insurer.claims[0], **who, **_found(26_000))


def _found(records: int, **more: Any) -> dict[str, Any]:
    """The size of a search or an export that no ticket covers."""
    return {"insurance.record_count": records, "insurance.context.ticket_valid": "no", **more}


def _theft(insurer: Insurer, thief: str) -> None:
    """Twelve files on Monday to see whether anybody asks, eighty on Tuesday after lunch, then out with them."""
    day, leaving = insurer.day, {"insurance.actor.employment": "notice", "insurance.actor.role": "adjuster"}
    strangers = [claim for claim in insurer.claims if claim.handler != thief]
    for number, at in _every(day.at("15:30", days=-1), 130, 12):
        insurer.claim_event(at, thief, "claim-view", strangers[200 + number], **leaving)
    for clock, records in (("12:51", 430), ("12:54", 612), ("12:58", 388)):
        insurer.claim_event(clock, thief, "claim-search", strangers[300], **_found(records), **leaving)
    for number, at in _every(day.at("13:02"), 40, 80):
        claim = strangers[300 + 9 * number]
        restricted = {"insurance.context.restricted_party": "yes", "insurance.context.entitled": "no"} if number == 52 else {}
        insurer.claim_event(at, thief, "claim-view", claim, **leaving, **restricted)
        if number % 2 == 0 or number > 72:
            _opened(insurer, at + timedelta(seconds=12), thief, claim, claim.party, 1, "medical", **leaving, **restricted)
    # Files of employees and people in the news are closed to handlers: three of the hits are refused, and one, marked this week, is not.
    for number, at in _every(day.at("13:11"), 900, 3):
        refused = {"event.outcome": "failure", "event.reason": "restricted party", "insurance.context.restricted_party": "yes"}
        insurer.claim_event(at, thief, "claim-view", strangers[100 + number], **leaving, **refused)
    refused = {"event.outcome": "failure", "event.reason": "more than 500 records need an approval"}
    insurer.claim_event("15:48", thief, "claim-export", strangers[300], **_found(6_240), **leaving, **refused)
    for number, at in _every(day.at("15:53"), 380, 10):
        insurer.claim_event(at, thief, "claim-export", strangers[300 + number], **_found(480), **leaving)
    for number, at in _every(day.at("18:36"), 480, 2):
        late = {"insurance.context.off_hours": "yes"}
        insurer.claim_event(at, thief, "claim-export", strangers[320 + number], **_found(480), **leaving, **late)
    out = {"user.name": thief, "insurance.actor.employment": "notice", "insurance.data.class": "special_category"}
    stick = {"event.action": "dlp-block", "insurance.channel": "usb", "insurance.record_count": 5_760}
    day.add("dlp", "18:52", {**out, **stick, "file.name": "holiday.zip", "file.size": 48_000_000})
    mail = {"event.action": "dlp-match", "event.outcome": "success", "insurance.channel": "webmail", "insurance.record_count": 5_760}
    day.add("dlp", "18:59", {**out, **mail, "file.name": "holiday.7z", "destination.domain": "mail.example"})
