"""A ghost broker sells cheap motor cover for a fortnight; four honest payers do what looks the same.

He buys policies online for drivers who think he is a broker, all from one account; others with stolen cards, to cancel them and have
the premium sent elsewhere; one invented customer of his takes out and cancels cover again and again. Then he opens a front, has it set
up as a producer, and binds with the key of a suspended agency. A driver of his has an accident on a policy that he has cancelled.
Beside him: a family office, a lessor, a broker's client account, a fleet, and everybody else who buys a policy or gets money back.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.scenarios.insurer import Insurer

WALLET, MULE, FRONT = "hmac:wallet-7c", "hmac:mule-31", "hmac:blitz-assekuranz"
COMPARISON, DEAD_AGENCY, SUSPENDED = "BRK-090", "BRK-021", "BRK-022"


def tell(insurer: Insurer) -> None:
    """First a fortnight of other people's sales and refunds, then his, then the day on which it comes out."""
    _market(insurer, Random(insurer.random.getrandbits(64)))
    _honest_payers(insurer)
    _honest_refunds(insurer)
    _online(insurer)
    _stolen_cards(insurer)
    _cycle(insurer)
    _front(insurer)
    _dead_agency(insurer)
    _accident(insurer)


def _issue(insurer: Insurer, moment: datetime, party: str, payer: str, **more: Any) -> str:
    """A policy comes into force; its number."""
    policy = f"POL-{party[2:]}-{moment:%m%d%H%M}"
    fields = {
        "event.action": "policy-issue",
        "insurance.policy.number": policy,
        "insurance.policy.status": "in_force",
        "insurance.policy.premium": 380 + int(party[-3:]) % 400,
        "insurance.party.id": party,
        "insurance.payment.payer.account_hash": payer,
        "insurance.lob": "motor",
        "insurance.channel": "portal",
        **more,
    }
    insurer.day.add("insurance_policy", moment, insurer.person(f"c{party[2:]}", **fields))
    return policy


def _cancel(insurer: Insurer, moment: datetime, party: str, policy: str) -> None:
    fields = {"event.action": "policy-cancel", "insurance.policy.number": policy, "insurance.policy.status": "cancelled"}
    more = {"insurance.party.id": party, "insurance.channel": "portal"}
    insurer.day.add("insurance_policy", moment, insurer.person(f"c{party[2:]}", **fields, **more))


def _refund(insurer: Insurer, moment: datetime, party: str, policy: str, payer: str, payee: str, **more: Any) -> None:
    """Premium goes back: by the billing run, to `payee`, from what `payer` had paid."""
    fields = {
        "event.action": "refund-issue",
        "event.outcome": "success",
        "user.name": "svc_billing",
        "insurance.actor.type": "service",
        "insurance.policy.number": policy,
        "insurance.party.id": party,
        "insurance.payment.id": f"RF-{party[2:]}-{moment:%m%d%H%M}",
        "insurance.payment.amount": 90 + int(party[-2:]),
        "insurance.payment.payer.account_hash": payer,
        "insurance.payment.payee.account_hash": payee,
        "insurance.context.instrument_mismatch": "no" if payer == payee else "yes",
        **more,
    }
    insurer.day.add("insurance_billing", moment, fields)


def _quote(insurer: Insurer, moment: datetime, broker: str, number: int, **more: Any) -> None:
    fields = {
        "event.action": "quote-request",
        "event.outcome": "success",
        "user.name": f"api.{broker.lower()}",
        "insurance.actor.type": "api_client",
        "insurance.broker.id": broker,
        "insurance.broker.status": "active",
        "insurance.submission.id": f"Q-{moment:%m%d}-{number:05d}",
        "insurance.lob": "motor",
        **more,
    }
    insurer.day.add("insurance_broker", moment, fields)


def _market(insurer: Insurer, random: Random) -> None:
    """A fortnight of sales: each customer pays, now and then a couple from one account; a comparison site asks for quotes."""
    for number in range(220):
        days, party = -random.randrange(14), f"P-{30000 + number}"
        moment = insurer.day.at("08:00", days=days) + timedelta(seconds=random.randrange(43000))
        payer = f"hmac:own-{number - 1 if number % 15 == 14 else number}"
        policy = _issue(insurer, moment, party, payer, **{"device.id": f"dev-{party[2:]}", "insurance.policy.producer_code": "DIRECT"})
        insurer.portal_event(moment + timedelta(minutes=1), party, "document-download", **{"insurance.policy.number": policy})
    for number in range(60):
        who = {"user.name": "svc_renewal_batch", "insurance.actor.type": "service", "insurance.channel": "batch"}
        _issue(insurer, insurer.day.at("03:10") + timedelta(seconds=number), f"P-{40000 + number}", f"hmac:debit-{number}", **who)
    for number in range(900):
        _quote(insurer, insurer.day.at("09:00") + timedelta(seconds=4 * number), COMPARISON, number)


def _honest_payers(insurer: Insurer) -> None:
    """Accounts that pay for others, and may."""
    at = insurer.day.at
    # A family office: four of the family in a fortnight; the foundation was placed in March.
    office = {"insurance.channel": "ui", "user.name": insurer.underwriters[6], "insurance.policy.producer_code": "DIRECT"}
    _issue(insurer, at("10:00", days=-25), "P-61000", "hmac:lindner-office", **office, **{"insurance.lob": "liability"})
    for number in range(9):
        more = {"insurance.lob": ("property", "motor", "marine")[number % 3]}
        moment = at(f"10:{number:02d}", days=-10 + number % 4)
        _issue(insurer, moment, f"P-6100{1 + number % 4}", "hmac:lindner-office", **office, **more)
    # A father pays for two children.
    for number in range(3):
        _issue(insurer, at("19:30", days=-5 + number), f"P-6200{number}", "hmac:father-hahn")
    # A lessor pays for whoever drives its cars, a broker for its clients.
    for number in range(8):
        lessor = {"insurance.policy.producer_code": "AG-0009", "user.name": "api.leasing-nord", "insurance.actor.type": "api_client"}
        _issue(insurer, at("11:00", days=-8 + number % 5), f"P-6300{number}", "hmac:leasing-nord", **lessor)
    for number in range(16):
        broker = {"insurance.policy.producer_code": "AG-0004", "user.name": "api.brk-004", "insurance.actor.type": "api_client"}
        _issue(insurer, at(f"14:{number:02d}", days=-(number % 10)), f"P-64{number:03d}", "hmac:client-account-brk-004", **broker)
    # A fleet: thirty vehicles, one customer.
    fleet = {"insurance.channel": "ui", "user.name": insurer.underwriters[7]}
    for number in range(30):
        _issue(insurer, at(f"15:{number:02d}", days=-6), "P-65000", "hmac:spedition-wolf", **fleet)


def _honest_refunds(insurer: Insurer) -> None:
    at = insurer.day.at
    for number, days in enumerate((-27, -20, -13, -6)):
        _refund(insurer, at("02:40", days=days), "P-65000", f"POL-FLEET-{number}", "hmac:spedition-wolf", "hmac:spedition-wolf")
    for days in (-9, -2):
        _refund(insurer, at("02:41", days=days), "P-61002", "POL-61002-A", "hmac:lindner-office", "hmac:lindner-office")
    for number in range(25):
        party = f"P-{31000 + number}"
        _refund(insurer, at("02:45", days=-(number % 14)), party, f"POL-{party[2:]}", f"hmac:card-{number}", f"hmac:card-{number}")
    # The card with which she had paid since January has expired, and the car is sold.
    _refund(insurer, at("02:50", days=-3), "P-31900", "POL-31900", "hmac:card-expired", "hmac:giro-31900")
    for clock, action, code, shared in (
        ("09:20", "producer-create", "AG-7001", "no"),
        ("09:50", "producer-bank-change", "AG-0012", "yes"),
    ):
        fields = {"event.action": action, "insurance.policy.producer_code": code, "insurance.context.account_shared": shared}
        insurer.day.add("insurance_billing", at(clock, days=-7), insurer.person("m.keil.dist01", **fields))
    # Cover revived when the premium came late; nothing has happened meanwhile.
    late = {"event.action": "policy-reinstate", "insurance.policy.number": "POL-31950", "insurance.policy.backdated_days": 9}
    insurer.day.add(
        "insurance_policy", at("10:10"), insurer.person(insurer.underwriters[2], **late, **{"insurance.context.loss_pending": "no"})
    )


def _buys(insurer: Insurer, moment: datetime, party: str, payer: str, **more: Any) -> str:
    """One of his sales: a new portal account, a dozen quotes until the price is low enough, the purchase, the paper."""
    seat = {"device.id": f"fp-ghost-{int(party[-1]) % 2}", "source.ip": f"80.187.4.{int(party[-2:])}"}
    insurer.portal_event(moment, party, "account-register", **seat)
    for number in range(12):
        number_of_quote = int(party[2:]) * 20 + number
        _quote(insurer, moment + timedelta(seconds=40 * number), COMPARISON, number_of_quote, **{"insurance.party.id": party})
    policy = _issue(insurer, moment + timedelta(minutes=11), party, payer, **seat, **{"insurance.policy.producer_code": "DIRECT", **more})
    insurer.portal_event(moment + timedelta(minutes=12), party, "document-download", **seat, **{"insurance.policy.number": policy})
    return policy


def _online(insurer: Insurer) -> None:
    """Nine drivers, paid from one account within eleven days."""
    for number in range(9):
        _buys(insurer, insurer.day.at("21:10", days=-12 + number), f"P-8800{number + 1}", WALLET)


def _stolen_cards(insurer: Insurer) -> None:
    """Six policies, each with the card of somebody else, cancelled after five days; billing does not always oblige."""
    at = insurer.day.at
    for number in range(6):
        party, card = f"P-8810{number + 1}", f"hmac:stolen-{number}"
        policy = _buys(insurer, at("22:40", days=-11 + number), party, card)
        _cancel(insurer, at("23:05", days=-6 + number), party, policy)
        paid_out = at("02:40", days=-5 + number)
        if number == 4:
            _refund(insurer, paid_out, party, policy, card, MULE, **{"event.outcome": "failure", "event.reason": "payee not confirmed"})
        else:
            _refund(insurer, paid_out, party, policy, card, card if number == 5 else MULE)


def _cycle(insurer: Insurer) -> None:
    """An invented customer: cover, withdrawal, refund, three times in a month."""
    for days in (-24, -15, -6):
        policy = _buys(insurer, insurer.day.at("20:15", days=days), "P-88201", "hmac:wallet-b")
        _cancel(insurer, insurer.day.at("20:40", days=days + 4), "P-88201", policy)
        _refund(insurer, insurer.day.at("02:42", days=days + 5), "P-88201", policy, "hmac:wallet-b", "hmac:wallet-b")


def _front(insurer: Insurer) -> None:
    """Blitz Assekuranz wants commission on the account that already pays for six of its customers."""
    at = insurer.day.at
    fields = {"event.action": "producer-create", "insurance.policy.producer_code": "AG-9931", "insurance.context.account_shared": "yes"}
    account = {"insurance.payment.payee.account_hash": "hmac:wallet-b"}
    insurer.day.add("insurance_billing", at("11:30", days=-7), insurer.person("m.keil.dist01", **fields, **account))
    for number in range(6):
        more = {"user.name": "blitz.office", "insurance.actor.role": "broker", "insurance.policy.producer_code": "AG-9931"}
        _issue(insurer, at(f"16:{10 + number}", days=-5 + number % 4), f"P-8830{number}", FRONT, **more)


def _dead_agency(insurer: Insurer) -> None:
    """The key of an agency that was suspended in March: the gateway knows, an old route serves it all the same."""
    at = insurer.day.at
    hosting = {"insurance.broker.status": "suspended", "source.ip": "185.225.70.14", "insurance.context.source_registered": "no"}
    for number in range(6):
        insurer.api_call(at(f"00:1{number}", days=-1), DEAD_AGENCY, "/v2/binds", 403, **hosting, **{"http.request.method": "POST"})
    who = {"user.name": "api.brk-021", "insurance.actor.type": "api_client", "insurance.broker.id": DEAD_AGENCY}
    for number in range(3):
        begin, party = at(f"00:{30 + 5 * number}", days=-1), f"P-8801{number}"
        insurer.api_call(begin, DEAD_AGENCY, "/v1/customers/search", 200, **hosting)
        looked = {"event.action": "customer-lookup", "event.outcome": "success", "insurance.context.owns_record": "no", **who}
        insurer.day.add(
            "insurance_broker", begin, {**looked, "insurance.broker.status": "suspended", "insurance.party.id": f"P-7110{number}"}
        )
        post = {"http.request.method": "POST"}
        insurer.api_call(begin + timedelta(minutes=2), DEAD_AGENCY, "/v1/quotes", 201, **hosting, **post)
        _quote(insurer, begin + timedelta(minutes=2), DEAD_AGENCY, 90 + number, **{"insurance.broker.status": "suspended", **who})
        insurer.api_call(begin + timedelta(minutes=3), DEAD_AGENCY, "/v1/binds", 201, **hosting, **post)
        bound = {"event.action": "bind-request", "event.outcome": "success", "insurance.context.over_authority": "no", **who}
        insurer.day.add("insurance_broker", begin + timedelta(minutes=3), {**bound, "insurance.party.id": party})
        seller = {"user.name": "api.brk-021", "insurance.actor.type": "api_client", "insurance.policy.producer_code": "AG-0021"}
        _issue(insurer, begin + timedelta(minutes=4), party, WALLET, **seller, **{"insurance.channel": "api"})
    # Another agency is suspended, asks all the same from its own network, and is refused.
    for number in range(20):
        refused = {"insurance.broker.status": "suspended"}
        insurer.api_call(at("09:00") + timedelta(minutes=15 * number), SUSPENDED, "/v1/policies/POL-402201", 403, **refused)
    # A customer changes brokers, with the letter in hand.
    letter = {"event.action": "policy-lookup", "event.outcome": "success", "user.name": "api.brk-005", "insurance.actor.type": "api_client"}
    owns = {"insurance.context.owns_record": "no", "insurance.context.ticket_valid": "yes", "insurance.policy.number": "POL-400777"}
    insurer.day.add("insurance_broker", at("11:05"), {**letter, **owns, "insurance.broker.id": "BRK-005"})


def _accident(insurer: Insurer) -> None:
    """He cancels the fourth driver's policy for the refund; she crashes; he revives it next morning, and she rings up."""
    at, party, agent = insurer.day.at, "P-88004", insurer.agents[2]
    policy = f"POL-88004-{at('21:21', days=-9):%m%d%H%M}"
    _cancel(insurer, at("21:00", days=-3), party, policy)
    _refund(insurer, at("02:43", days=-2), party, policy, WALLET, MULE)
    notice = {
        "event.action": "claim-create",
        "insurance.claim.id": "CLM-2026-988004",
        "insurance.claim.status": "open",
        "insurance.claim.days_since_inception": 8,
        "insurance.party.id": party,
        "insurance.policy.number": policy,
        "insurance.channel": "phone",
    }
    insurer.day.add("insurance_claims", at("18:40", days=-1), insurer.person(agent, **notice))
    seat = {"device.id": "fp-ghost-0", "source.ip": "80.187.4.4"}
    insurer.portal_event("07:10", party, "login", **seat)
    revive = {"event.action": "policy-reinstate", "insurance.policy.number": policy, "insurance.context.loss_pending": "yes"}
    insurer.day.add("insurance_policy", at("07:15"), insurer.person("c88004", **revive, **seat, **{"insurance.party.id": party}))
    for clock in ("09:30", "09:31"):
        call = {"event.action": "verify-failure", "event.outcome": "failure", "event.reason": "date of birth differs"}
        about = {"insurance.party.id": party, "insurance.policy.number": policy, "insurance.auth.method": "kba"}
        insurer.day.add("insurance_contact_center", at(clock), insurer.person(agent, **call, **about))
