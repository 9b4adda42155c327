"""On a Friday afternoon somebody rings the service desk in three people's names, and by Monday morning the claims of one of them are gone.

The first name is a handler whose password was for sale. Nine prompts on her phone are denied; then the caller has lost the phone. The first
agent refuses, the second resets the factor. A new one is registered, mail is diverted so that she learns of nothing, and then there is
silence until Sunday night: strangers' claims, a few searches, nine exports around midnight. The second name is worked through a rented
address of the victim's own country, which the identity provider finds unremarkable. The third is an approver's, and there the agent rings
back. The same Friday people lose phones, travel, change phones and export files, in every order.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from tests.scenarios.insurer import Claim, Insurer

_SATURDAY, _SUNDAY, _MONDAY = 1, 2, 3
_CORE = "claimcenter-prod-eu"
_THIEF_HOME, _THIEF_ABROAD, _THIEF_NEXT_DOOR = "91.64.118.20", "185.220.70.9", "79.214.33.81"


def tell(insurer: Insurer) -> None:
    """Friday to Monday. The thefts first, then the people who only look like them."""
    _first_name(insurer, insurer.adjusters[12])
    _second_name(insurer, insurer.adjusters[45])
    _third_name(insurer, insurer.approvers[2])
    _phones(insurer)
    _journeys(insurer)
    _weekend(insurer)


def _identity(insurer: Insurer, at: datetime, user: str, action: str, outcome: str = "success", **more: Any) -> None:
    """An event of the identity provider; a change of a factor names the account it is about, whoever made it."""
    insurer.day.add("authentication", at, {"event.action": action, "event.outcome": outcome, "user.name": user, **more})


def _sign_in(insurer: Insurer, at: datetime, user: str, country: str, risk: int, new_device: str, **more: Any) -> None:
    """A sign-in to the claims system, unless `more` names another."""
    where = {"source.geo.country_iso_code": country, "insurance.context.new_device": new_device, "event.risk_score": risk}
    _identity(insurer, at, user, "login", **{"service.name": _CORE, **where, **more})


def _new_factor(insurer: Insurer, at: datetime, user: str, device: str, **more: Any) -> None:
    """The service desk resets a factor, and seven minutes later a phone is registered."""
    _identity(insurer, at, user, "factor-reset", **{"service.name": "service-desk", "insurance.auth.method": "push"})
    own = {"device.id": device, "insurance.auth.method": "push", "service.name": "idp", **more}
    _identity(insurer, at + timedelta(minutes=7), user, "factor-register", **own)


def _export(insurer: Insurer, at: datetime, claim: Claim, user: str, records: int, **more: Any) -> None:
    """Claims leave as a file; no ticket covers it unless `more` says so."""
    size = {"insurance.record_count": records, "insurance.context.ticket_valid": "no", "insurance.data.class": "personal"}
    insurer.claim_event(at, user, "claim-export", claim, **{**size, **more})


def _own(insurer: Insurer, user: str) -> Claim:
    return insurer.claims_of(user)[0]


def _first_name(insurer: Insurer, victim: str) -> None:
    day = insurer.day
    away = {"insurance.context.off_hours": "yes", "device.id": "fp-thief-1", "insurance.actor.role": "adjuster"}
    home = {"source.ip": _THIEF_HOME, "device.id": "fp-thief-1", "source.as.number": 3209}
    for minutes in range(9):
        more = {"service.name": "m365", "insurance.auth.method": "push", "source.ip": _THIEF_HOME}
        _identity(insurer, day.at("13:10") + timedelta(minutes=3 * minutes), victim, "mfa-denied", "failure", **more)
    _identity(insurer, day.at("15:48"), victim, "factor-reset", "failure", **{"service.name": "service-desk"})
    _new_factor(insurer, day.at("16:05"), victim, "fp-thief-phone", **{"source.ip": _THIEF_HOME})
    _sign_in(insurer, day.at("16:20"), victim, "DE", 81, "yes", **{**home, "service.name": "m365"})
    rule = {
        "event.action": "mail-forward-rule",
        "email.direction": "outbound",
        "insurance.actor.role": "adjuster",
        "event.outcome": "success",
    }
    day.add("email_security", "16:24", {**rule, "user.name": victim, "email.to.address": "archive.box77@freemail.example"})
    _sign_in(insurer, day.at("16:31"), victim, "DE", 74, "yes", **home)
    insurer.claim_event("16:34", victim, "claim-view", _own(insurer, victim), **away)
    # Sunday night, from abroad and in no hurry. By now the account is known on this device, so only the score speaks.
    abroad = {"source.ip": _THIEF_ABROAD, "device.id": "fp-thief-1", "source.as.number": 60729}
    _sign_in(insurer, day.at("21:35", days=_SUNDAY), victim, "RO", 90, "no", **abroad)
    strangers = [claim for claim in insurer.claims if claim.handler != victim]
    for number in range(36):
        at = day.at("21:40", days=_SUNDAY) + timedelta(seconds=95 * number)
        insurer.claim_event(at, victim, "claim-view", strangers[500 + number], **away)
    for minutes, records in enumerate((310, 690, 690)):
        at = day.at("22:41", days=_SUNDAY) + timedelta(minutes=minutes)
        size = {"insurance.record_count": records, "insurance.context.ticket_valid": "no"}
        insurer.claim_event(at, victim, "claim-search", strangers[500], **size, **away)
    for number in range(9):
        at = day.at("22:50", days=_SUNDAY) + timedelta(minutes=14 * number)
        _export(insurer, at, strangers[540 + number], victim, 690, **away)
    # On Monday she cannot sign in. The desk, this time, rings her back; then the sector's exchange knows the address.
    for minutes in (5, 6, 8):
        _identity(insurer, day.at(f"06:0{minutes}", days=_MONDAY), victim, "login", "failure", **{"service.name": _CORE})
    _new_factor(insurer, day.at("06:40", days=_MONDAY), victim, "fp-desk-0412")
    _sign_in(insurer, day.at("06:55", days=_MONDAY), victim, "DE", 12, "no", **{"device.id": "fp-desk-0412"})
    insurer.claim_event(day.at("07:05", days=_MONDAY), victim, "claim-view", _own(insurer, victim))
    match = {"event.action": "indicator-match", "threat.feed.name": "fs-isac", "user.name": victim, "source.ip": _THIEF_ABROAD}
    for clock, feed in (("09:10", {"threat.indicator.confidence": "High"}), ("09:12", {"threat.indicator.confidence": "Low"})):
        day.add("threat_intel_match", day.at(clock, days=_MONDAY), {**match, "service.name": _CORE, **feed})


def _second_name(insurer: Insurer, victim: str) -> None:
    """A rented line two streets from the victim: new device, but served country and a middling score. Saturday, four exports."""
    day, strangers = insurer.day, [claim for claim in insurer.claims if claim.handler != victim]
    _new_factor(insurer, day.at("16:40"), victim, "fp-thief-phone-2", **{"source.ip": _THIEF_NEXT_DOOR})
    more = {"source.ip": _THIEF_NEXT_DOOR, "device.id": "fp-thief-2", "source.as.number": 3320}
    _sign_in(insurer, day.at("16:58"), victim, "DE", 41, "yes", **more)
    _sign_in(insurer, day.at("09:02", days=_SATURDAY), victim, "DE", 38, "no", **more)
    for number in range(4):
        at = day.at("09:20", days=_SATURDAY) + timedelta(minutes=23 * number)
        away = {"insurance.context.off_hours": "yes", "device.id": "fp-thief-2"}
        _export(insurer, at, strangers[700 + number], victim, 820, **away)
    large = {"insurance.context.off_hours": "yes", "event.outcome": "failure", "event.reason": "more than 1,000 records need an approval"}
    _export(insurer, day.at("10:50", days=_SATURDAY), strangers[704], victim, 3_900, **large)


def _third_name(insurer: Insurer, approver: str) -> None:
    """The agent says she will ring back on the number in the directory. The caller hangs up."""
    _identity(insurer, insurer.day.at("17:05"), approver, "factor-reset", "failure", **{"service.name": "service-desk"})
    _identity(insurer, insurer.day.at("17:30"), approver, "mfa-denied", "failure", **{"service.name": "payment-hub"})


def _phones(insurer: Insurer) -> None:
    """Phones are lost and replaced at home: the desk rings back, the sign-in is from the office, work goes on."""
    day = insurer.day
    for number, (user, clock) in enumerate(
        ((insurer.adjusters[5], "07:15"), (insurer.adjusters[33], "11:20"), (insurer.agents[4], "12:40"))
    ):
        at = day.at(clock)
        _new_factor(insurer, at, user, f"fp-phone-{number}", **{"source.ip": f"10.20.3.{20 + number}"})
        _sign_in(insurer, at + timedelta(minutes=25), user, "DE", 22, "yes", **{"device.id": f"fp-phone-{number}"})
    _export(insurer, day.at("10:00"), _own(insurer, insurer.adjusters[5]), insurer.adjusters[5], 38)
    _export(insurer, day.at("14:10"), _own(insurer, insurer.adjusters[33]), insurer.adjusters[33], 12)
    # The underwriters get passkeys this week. One of them clicked on a bad link an hour before, and the gateway kept the page shut.
    click = {
        "event.action": "url-click",
        "event.outcome": "failure",
        "user.name": insurer.underwriters[7],
        "insurance.actor.role": "underwriter",
    }
    day.add("email_security", "08:30", {**click, "email.to.address": f"{insurer.underwriters[7]}@insurer.example"})
    for number, user in enumerate(insurer.underwriters):
        at = day.at("09:00") + timedelta(minutes=6 * number)
        _identity(insurer, at, user, "factor-register", **{"insurance.auth.method": "passkey", "service.name": "idp"})


def _journeys(insurer: Insurer) -> None:
    """Travellers with something new in their hands: each lacks one step of the three, or took them in another order; one has them all."""
    day = insurer.day
    # No reset: a conference, a laptop of the pool, one file.
    user = insurer.adjusters[8]
    _sign_in(insurer, day.at("08:20"), user, "SG", 35, "yes", **{"device.id": "fp-pool-07", "source.ip": "103.6.150.12"})
    _export(insurer, day.at("08:55"), _own(insurer, user), user, 9)
    # No export: an underwriter on holiday, whose phone was stolen the day before.
    user = insurer.underwriters[2]
    _new_factor(insurer, day.at("14:00", days=-1), user, "fp-uw-phone", **{"source.geo.country_iso_code": "PT"})
    _sign_in(
        insurer, day.at("14:30", days=-1), user, "PT", 48, "yes", **{"service.name": "policycenter-prod-eu", "device.id": "fp-uw-phone"}
    )
    # The export came first, the phone was lost after it, and the hotel in the evening was over the border.
    user = insurer.adjusters[19]
    _export(insurer, day.at("09:05"), _own(insurer, user), user, 26)
    _new_factor(insurer, day.at("13:00"), user, "fp-phone-19")
    _sign_in(insurer, day.at("16:50"), user, "HU", 44, "yes", **{"device.id": "fp-phone-19"})
    insurer.claim_event("16:58", user, "claim-view", _own(insurer, user))
    # The phone was replaced on Monday; on Friday it is used in France. Four days are not three.
    user = insurer.adjusters[26]
    _new_factor(insurer, day.at("07:50", days=-4), user, "fp-phone-26")
    _sign_in(insurer, day.at("08:40"), user, "FR", 40, "yes", **{"device.id": "fp-phone-26"})
    _export(insurer, day.at("09:30"), _own(insurer, user), user, 15)
    # All three: the phone broke at the scene of an accident in Italy, the desk rang back, one file was needed there.
    user = insurer.adjusters[14]
    _new_factor(insurer, day.at("08:10"), user, "fp-phone-14", **{"source.geo.country_iso_code": "IT"})
    _sign_in(insurer, day.at("08:40"), user, "IT", 52, "yes", **{"device.id": "fp-phone-14"})
    _export(insurer, day.at("10:20"), _own(insurer, user), user, 11)
    insurer.claim_event("10:45", user, "claim-update", _own(insurer, user), **{"insurance.change.field": "note"})


def _weekend(insurer: Insurer) -> None:
    """The desk on the rota works on Saturday, which for these three is no hour off."""
    day = insurer.day
    for number, user in enumerate(insurer.adjusters[29:32]):
        _sign_in(insurer, day.at("07:50", days=_SATURDAY), user, "DE", 9 + number, "no")
        for claim in insurer.claims_of(user)[:8]:
            at = insurer.between("08:00", "15:30", days=_SATURDAY)
            insurer.claim_event(at, user, "claim-view", claim)
            insurer.claim_event(at + timedelta(minutes=8), user, "claim-update", claim, **{"insurance.change.field": "note"})
    _export(insurer, day.at("10:00", days=_SATURDAY), _own(insurer, insurer.adjusters[30]), insurer.adjusters[30], 22)
