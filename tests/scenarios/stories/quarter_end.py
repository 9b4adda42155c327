"""The close of the second quarter: a week of model runs, extracts and bordereaux, and one actuary who takes the model with him.

All week the batch runs models and extracts results, actuaries change assumptions, the ceded team sends bordereaux and books
recoverables. h.nakamura, one of the two people who may export models, takes the book of business in slices from Monday on, the
pricing model on Thursday night, and on Friday evening sends both to a private cloud. On Monday he gives notice and tries again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.scenarios.insurer import Insurer

THIEF, LISTED, VALIDATION = "h.nakamura", "e.rossi", "v.huber"
ACTUARIES = ("c.aydin", "l.brandt", "m.costa", "p.szabo", "t.ilves")
CEDED, ACCOUNTS, MANAGER = "r.kowal.ri01", "s.pinto.ri02", "n.olsen.uwpm"
MODELS = ("life_ifrs17_2026q2", "capital_internal_2026", "reserving_motor_2026q2", "pricing_property_2026")
WEEK = range(-4, 1)
"""Monday to Friday: the last two days of June and the first three of July."""
MONDAY_AFTER = 3


def tell(insurer: Insurer) -> None:
    """The close by day and by night, and the thief in the middle of it."""
    for days in WEEK:
        _night(insurer, days)
        _actuaries(insurer, days, Random(insurer.random.getrandbits(64)))
        _portfolio(insurer, days)
    _validation_and_entitlements(insurer)
    _reinsurance(insurer)
    _databases(insurer)
    _tariff(insurer)
    _personal_channels(insurer)
    _thief(insurer)


def _model(insurer: Insurer, moment: datetime, user: str, action: str, model: str, **more: Any) -> None:
    fields = {
        "event.action": action,
        "insurance.model.id": model,
        "insurance.model.classification": "restricted",
        "insurance.actor.role": "actuary",
        "insurance.actor.employment": "active",
        "insurance.context.entitled": "yes",
        "insurance.context.surge": "reporting_close",
        **more,
    }
    insurer.day.add("insurance_actuarial", moment, insurer.person(user, **fields))


def _portfolio_event(insurer: Insurer, moment: datetime, user: str, action: str, rows: int, portfolio: str, **more: Any) -> None:
    fields = {
        "event.action": action,
        "insurance.record_count": rows,
        "insurance.portfolio.id": portfolio,
        "insurance.context.ticket_valid": "no",
        "insurance.context.surge": "reporting_close",
        **more,
    }
    insurer.day.add("insurance_underwriting", moment, insurer.person(user, **fields))


def _dlp(insurer: Insurer, moment: datetime, user: str, action: str, channel: str, **more: Any) -> None:
    fields = {"event.action": action, "insurance.channel": channel, "insurance.actor.employment": "active", **more}
    insurer.day.add("dlp", moment, {"user.name": user, **fields})


MACHINE = {"insurance.actor.type": "service", "insurance.actor.role": "service", "insurance.channel": "batch"}


def _night(insurer: Insurer, days: int) -> None:
    """Runs and nightly extracts under the accounts of the batch."""
    at = insurer.day.at
    for number in range(220):
        moment = at("00:20", days=days) + timedelta(seconds=60 * number)
        _model(insurer, moment, "svc_model_batch", "model-run", MODELS[number % 3], **MACHINE)
    for number, model in enumerate(MODELS[:3]):
        results = {**MACHINE, "insurance.record_count": 400_000 + number}
        _model(insurer, at(f"04:3{number}", days=days), "svc_solvency_reporting", "data-extract", model, **results)
    _portfolio_event(insurer, at("04:50", days=days), "svc_portfolio_mi", "portfolio-export", 85_000, "ALL", **MACHINE)
    fields = {"insurance.claim.id": "*", "insurance.claim.status": "open", "insurance.record_count": 62_000 + 140 * (4 + days), **MACHINE}
    more = {"event.action": "claim-export", "insurance.context.off_hours": "yes", "insurance.context.ticket_valid": "no"}
    moment = at("01:30", days=days) + timedelta(minutes=2 * (4 + days))
    insurer.day.add("insurance_claims", moment, insurer.person("svc_mi_claims", **fields, **more))
    for number in range(60):
        recoverable = {"event.action": "recoverable-change", "insurance.treaty.id": f"TTY-2026-XL-{number % 6:02d}"}
        batch = {
            **MACHINE,
            "insurance.context.ticket_valid": "yes",
            "insurance.change.field": "recoverable",
            "insurance.change.percent": 1.5,
        }
        moment = at("05:10", days=days) + timedelta(seconds=number)
        insurer.day.add("insurance_reinsurance", moment, insurer.person("svc_ri_batch", **recoverable, **batch))
    for number, table in enumerate(("cc_claim", "cc_check", "pc_policyperiod", "bc_account")):
        read = {"user.name": "svc_etl_dwh", "db.namespace": "ccdb", "db.operation.name": "SELECT", "db.collection.name": table}
        insurer.day.add(
            "database",
            at(f"03:0{number}", days=days),
            {**read, "db.response.returned_rows": 1_900_000, "insurance.actor.type": "service", "event.outcome": "success"},
        )


def _actuaries(insurer: Insurer, days: int, random: Random) -> None:
    """Seven people open, run, change and extract, from early until late."""
    for user in (*ACTUARIES, LISTED, THIEF):
        insurer.sign_in(insurer.day.at("06:40", days=days), user, **{"service.name": "model-platform", "insurance.actor.role": "actuary"})
        for number in range(24):
            moment = insurer.day.at("07:00", days=days) + timedelta(seconds=random.randrange(46_000))
            model = random.choice(MODELS)
            _model(insurer, moment, user, "model-open", model)
            _model(insurer, moment + timedelta(minutes=4), user, "model-run", model)
            if number % 6 == 0:
                field, percent = random.choice(("loss_ratio", "lapse_rate", "discount_curve")), round(random.uniform(-9.0, 9.0), 1)
                change = {"insurance.change.field": field, "insurance.change.percent": percent, "insurance.change.approved_by": LISTED}
                _model(insurer, moment + timedelta(minutes=9), user, "assumption-change", model, **change)
        internal = {"insurance.model.classification": "internal", "insurance.record_count": 30_000}
        _model(insurer, insurer.day.at("17:40", days=days), user, "data-extract", "experience_study_2026", **internal)


def _validation_and_entitlements(insurer: Insurer) -> None:
    at = insurer.day.at
    # A listed actuary makes the pack for the auditors and shares the workspace with them.
    _model(insurer, at("15:00", days=-2), LISTED, "model-export", MODELS[1])
    _model(insurer, at("15:20", days=-2), LISTED, "workspace-share", MODELS[1])
    _dlp(
        insurer,
        at("15:40", days=-2),
        LISTED,
        "dlp-match",
        "email",
        **{"insurance.data.class": "model", "destination.domain": "audit.example"},
    )
    # Validation stands on no list.
    _model(insurer, at("10:00", days=-1), VALIDATION, "data-extract", MODELS[1], **{"insurance.record_count": 120_000})
    # m.costa joined the capital team on the first of July; the entitlement table learns of it on the second.
    _model(insurer, at("08:20", days=-2), "m.costa", "model-open", MODELS[1], **{"insurance.context.entitled": "no"})
    # p.szabo tries the wrong model and is refused.
    _model(
        insurer,
        at("11:11", days=-3),
        "p.szabo",
        "model-open",
        MODELS[0],
        **{"insurance.context.entitled": "no", "event.outcome": "failure"},
    )


def _portfolio(insurer: Insurer, days: int) -> None:
    """The portfolio manager's report of every morning, and the ceded team's packs under the ticket of the renewal."""
    at = insurer.day.at
    _portfolio_event(insurer, at("08:30", days=days), MANAGER, "portfolio-report-run", 3_100, "PROP-EU-2026")
    _portfolio_event(insurer, at("13:10", days=days), MANAGER, "portfolio-export", 600, "PROP-EU-2026")
    if days < 0:
        pack = {"insurance.context.ticket_valid": "yes", "insurance.change.ticket_id": "CHG0051200"}
        _portfolio_event(insurer, at("11:00", days=days), CEDED, "portfolio-export", 6_300, f"CAT-{days % 4}", **pack)


def _reinsurance(insurer: Insurer) -> None:
    at = insurer.day.at

    def event(moment: datetime, user: str, action: str, **more: Any) -> None:
        common = {"event.action": action, "insurance.context.ticket_valid": "no", "insurance.context.surge": "reporting_close"}
        insurer.day.add("insurance_reinsurance", moment, insurer.person(user, **{**common, **more}))

    registered = {"insurance.context.recipient_registered": "yes", "insurance.record_count": 2_400}
    for number in range(40):
        treaty = {"insurance.treaty.id": f"TTY-2026-QS-{number:02d}", "insurance.partner.id": f"RE-{number % 8:02d}"}
        file = {"file.name": f"bordereau_2026q2_{number:02d}.xlsx", "file.size": 4_000_000 + number}
        event(at("06:00") + timedelta(minutes=number), "svc_ri_batch", "bordereau-generate", **MACHINE, **treaty, **file)
        to = {"destination.domain": f"sftp.re{number % 8:02d}.example"}
        event(at("09:00") + timedelta(minutes=3 * number), ACCOUNTS, "bordereau-send", **treaty, **file, **to, **registered)
    runoff = {"insurance.treaty.id": "TTY-2019-QS-03", "insurance.context.recipient_registered": "no", "insurance.record_count": 900}
    event(
        at("11:40"), ACCOUNTS, "bordereau-send", **runoff, **{"destination.domain": "runoff-services.example", "event.outcome": "failure"}
    )
    event(at("11:44"), ACCOUNTS, "bordereau-send", **runoff, **{"destination.domain": "runoff-services.example"})
    exposure = {"insurance.record_count": 140_000, "destination.domain": "sftp.reinsurance-broker.example"}
    event(at("14:00", days=-1), "m.weber", "exposure-export", **exposure, **{"insurance.context.recipient_registered": "yes"})
    asked = {**exposure, "insurance.context.recipient_registered": "yes", "insurance.context.ticket_valid": "yes"}
    event(at("14:30", days=-1), CEDED, "exposure-export", **asked)
    for number in range(12):
        event(
            at("10:00", days=-3) + timedelta(minutes=5 * number),
            CEDED,
            "treaty-view",
            **{"insurance.treaty.id": f"TTY-2026-XL-{number:02d}"},
        )
        event(at("10:02", days=-2) + timedelta(minutes=5 * number), ACCOUNTS, "cash-call-create", **{"insurance.payment.amount": 80_000})
    endorsement = {"insurance.treaty.id": "TTY-2026-XL-04", "insurance.change.approved_by": ACCOUNTS, "insurance.change.field": "limit"}
    event(at("16:00", days=-2), CEDED, "treaty-update", **endorsement, **{"insurance.context.ticket_valid": "yes"})
    by_hand = {"insurance.treaty.id": "TTY-2026-XL-02", "insurance.change.approved_by": CEDED, "insurance.change.field": "recoverable"}
    event(at("18:20", days=-3), ACCOUNTS, "recoverable-change", **by_hand, **{"insurance.change.percent": 12.0})


def _databases(insurer: Insurer) -> None:
    """Reserving cuts its triangles out of the claims database, under a ticket, in parts."""
    for number in range(6):
        read = {"user.name": "t.ilves", "insurance.actor.type": "human", "db.namespace": "ccdb", "db.operation.name": "SELECT"}
        cut = {"db.collection.name": "cc_claim", "db.response.returned_rows": 9_500, "insurance.context.ticket_valid": "yes"}
        moment = insurer.day.at("07:30", days=-3) + timedelta(minutes=12 * number)
        insurer.day.add("database", moment, {**read, **cut, "event.outcome": "success"})


def _tariff(insurer: Insurer) -> None:
    """The tariff of the first of July: staged for weeks, brought into production by its pipeline, one table by hand."""
    base = {
        "insurance.rating.environment": "production",
        "insurance.context.ticket_valid": "yes",
        "insurance.change.approved_by": "k.jansen",
    }
    other = {"insurance.context.self_approval": "no", "insurance.change.percent": 3.5}
    promoted = {"event.action": "model-promote", "insurance.rating.object": "motor_glm_v31", "insurance.actor.type": "service"}
    insurer.day.add("insurance_rating", insurer.day.at("04:00", days=-2), insurer.person("svc_rating_deploy", **base, **other, **promoted))
    table = {"event.action": "rate-table-change", "insurance.rating.object": "motor_base_rate_v31"}
    insurer.day.add("insurance_rating", insurer.day.at("07:10", days=-2), insurer.person("a.moreau", **base, **other, **table))


def _personal_channels(insurer: Insurer) -> None:
    """What honest people push through the wrong channel in a long week."""
    at = insurer.day.at
    sheet = {"insurance.data.class": "personal", "insurance.record_count": 1, "file.name": "provision_juni.pdf"}
    _dlp(insurer, at("17:20", days=-1), MANAGER, "dlp-match", "webmail", **sheet, **{"event.outcome": "success"})
    _dlp(insurer, at("12:05", days=-3), MANAGER, "dlp-match", "genai", **{"insurance.data.class": "internal"})
    _dlp(insurer, at("12:40", days=-2), "c.aydin", "dlp-block", "genai", **{"insurance.data.class": "model", "event.outcome": "failure"})
    # A list for the board on a stick, and the report of the next month is opened only afterwards.
    stick = {"insurance.data.class": "portfolio", "insurance.record_count": 40, "file.name": "top40.xlsx", "event.outcome": "success"}
    user = insurer.underwriters[9]
    _dlp(insurer, at("09:05", days=-1), user, "dlp-match", "usb", **stick)
    _portfolio_event(insurer, at("10:00", days=-1), user, "portfolio-report-run", 400, "LIAB-EU-2026")


def _thief(insurer: Insurer) -> None:
    at = insurer.day.at
    for number, (days, clock) in enumerate(
        ((-4, "12:10"), (-4, "18:45"), (-3, "12:20"), (-2, "12:15"), (-2, "19:05"), (-1, "18:50"), (0, "17:41"))
    ):
        portfolio = {"insurance.context.off_hours": "yes" if clock > "18:30" else "no"}
        _portfolio_event(insurer, at(clock, days=days), THIEF, "portfolio-export", 1_850, f"PROP-EU-2026-{number}", **portfolio)
    late = {"insurance.context.off_hours": "yes"}
    _model(insurer, at("19:40", days=-1), THIEF, "model-export", MODELS[3], **late)
    _model(insurer, at("19:46", days=-1), THIEF, "data-extract", MODELS[3], **late, **{"insurance.record_count": 210_000})
    zipped = {"destination.domain": "drive.private-cloud.example", "event.outcome": "success"}
    _dlp(insurer, at("18:12"), THIEF, "dlp-block", "usb", **{"insurance.data.class": "model", "event.outcome": "failure"})
    # Packed and under a password the files are of no class.
    _dlp(insurer, at("18:20"), THIEF, "dlp-match", "personal_cloud", **zipped, **{"file.name": "sommer_1.7z", "file.size": 94_000_000})
    _dlp(insurer, at("18:41"), THIEF, "dlp-match", "personal_cloud", **zipped, **{"file.name": "sommer_2.7z", "file.size": 310_000_000})
    # Monday: notice is given at noon, and personnel has it in the evening.
    gone = {"insurance.actor.employment": "notice"}
    _model(insurer, at("19:10", days=MONDAY_AFTER), THIEF, "model-export", MODELS[1], **gone)
    blocked = {"insurance.data.class": "model", "event.outcome": "failure", "destination.domain": "webmail.example"}
    _dlp(insurer, at("19:25", days=MONDAY_AFTER), THIEF, "dlp-block", "webmail", **gone, **blocked)
