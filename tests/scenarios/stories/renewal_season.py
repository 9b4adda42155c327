"""The last Tuesday on which motor cover can be moved: fifteen brokers, two comparison sites and every nightly run on one API.

The large broker prices its whole book again at noon, in batches, as the season wants it; the others open, quote and bind all day. A
comparison site asks for sixteen hundred prices in the evening hour, another for a third of that. A broker's new client asks for a resource
that is not there, five times for each policy that somebody opens; by day that is much noise about few policies, at night its batch does so
for the whole book. A broker fetches the renewal letters, one fails over to its second line, one reads its book at three with the everyday
key, and the listed key does the same properly.

Somebody at broker 009 has found a test key. On Monday afternoon it is refused twelve strangers' policies, until an old summary page gives
three of them away; on Tuesday in the noon rush it walks three hundred and twenty numbers in fourteen minutes. Broker 013 asks for fifteen
hundred made-up risks around midnight. And broker 021, terminated in October, is still served.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from random import Random
from typing import Any

from tests.scenarios.insurer import Insurer

_SEASON = {"insurance.context.surge": "renewal"}
_TEST_KEY = "client-brk-009-test"


def tell(insurer: Insurer) -> None:
    """Monday afternoon to Wednesday after midnight; the honest first."""
    # Randomness of its own, so that more noise on the ordinary day moves nobody here.
    insurer.random = Random(20261125)
    channel = Channel(insurer)
    channel.offices()
    channel.whole_book()
    channel.comparison_sites()
    channel.new_client()
    channel.nightly_runs()
    channel.documents_and_failover()
    channel.prospects()
    channel.house_keeping()
    channel.enumeration()
    channel.harvest()
    channel.terminated()


class Channel:
    """Brokers' business as the gateway and the integration layer log it."""

    def __init__(self, insurer: Insurer) -> None:
        self.insurer, self.day, self.quotes = insurer, insurer.day, 0

    def call(self, at: datetime, broker: str, path: str, status: int = 200, **more: Any) -> None:
        """A request at the gateway, in season."""
        self.insurer.api_call(at, broker, path, status, **{**_SEASON, **more})

    def business(self, at: datetime, broker: str, action: str, **more: Any) -> None:
        """The same as the integration layer understands it."""
        fields = {
            "event.action": action,
            "event.outcome": "success",
            "user.name": f"{broker.lower()}.api",
            "insurance.actor.type": "api_client",
            "insurance.broker.id": broker,
            "insurance.broker.status": "active",
            "insurance.api.client_id": f"client-{broker.lower()}",
            "insurance.lob": "motor",
            **_SEASON,
        }
        self.day.add("insurance_broker", at, {**fields, **more})

    def quote(self, at: datetime, broker: str, variants: int = 1, **more: Any) -> None:
        """One call for a price, with as many variants of cover as asked for."""
        self.quotes += 1
        post = {"http.request.method": "POST", "insurance.api.operation": "quote-request"}
        gateway = {name: value for name, value in more.items() if name in ("insurance.api.client_id", "source.ip")}
        self.call(at, broker, "/v1/quotes", **post, **gateway)
        for number in range(variants):
            submission = {"insurance.submission.id": f"SUB-Q{self.quotes:05d}-{number}"}
            self.business(at + timedelta(milliseconds=90 * number), broker, "quote-request", **{**submission, **more})

    def bind(self, at: datetime, broker: str, number: int, **more: Any) -> None:
        """Cover is bought, within the authority, and paid from the buyer's own account."""
        policy = {"insurance.policy.number": f"POL-47{number:04d}", "insurance.party.id": f"P-86{number:03d}", **more}
        self.call(at, broker, "/v1/binds", 201, **{"http.request.method": "POST"})
        self.business(at, broker, "bind-request", **{"insurance.context.over_authority": "no", **policy})
        issued = {
            "event.action": "policy-issue",
            "insurance.actor.type": "service",
            "insurance.payment.payer.account_hash": f"acc-b{number}",
        }
        self.day.add("insurance_policy", at + timedelta(minutes=1), self.insurer.person("svc_broker_bind", **issued, **policy))

    # Honest.

    def offices(self) -> None:
        """Fifteen offices open, quote and bind from eight to six, the larger more; one goes through its list of renewals before lunch."""
        for index, broker in enumerate(self.insurer.brokers):
            for number in range(70 - 4 * index):
                at, own = self.insurer.between("07:30", "17:30"), self.insurer.random.random() < 0.6
                policy = f"POL-48{index:02d}{number:02d}"
                self.call(at - timedelta(minutes=3), broker, f"/v1/policies/{policy}", **{"insurance.policy.number": policy})
                record = {"insurance.context.owns_record": "yes", "insurance.policy.number": policy} if own else {}
                self.quote(at, broker, **record)
                if number % 8 == 0:
                    self.bind(at + timedelta(minutes=15), broker, index * 20 + number // 8)
        for number, at in self.day.every(5, 170, "10:40"):
            policy = f"POL-4830{number:03d}"
            self.call(at, "BRK-003", f"/v1/policies/{policy}", **{"insurance.policy.number": policy})

    def whole_book(self) -> None:
        """Sixteen hundred renewals of the large broker, fifty in a call."""
        for number, at in self.day.every(90, 32, "11:30"):
            post = {"http.request.method": "POST", "http.response.bytes": 180_000, "insurance.api.operation": "quote-batch"}
            self.call(at, "BRK-001", "/v1/quotes/batch", **post)
            for row in range(50):
                own = {"insurance.policy.number": f"POL-49{number:02d}{row:02d}", "insurance.context.owns_record": "yes"}
                self.business(at + timedelta(milliseconds=400 * row), "BRK-001", "quote-request", **own)

    def comparison_sites(self) -> None:
        """Every visitor wants four kinds of cover priced. The larger site has four hundred visitors between seven and eight."""
        for site, seconds, count in (("CMP-001", 8.8, 400), ("CMP-002", 25, 120)):
            source = {"source.ip": f"193.1.{site[-1]}.10", "insurance.channel": "portal"}
            for number, at in self.day.every(seconds, count, "19:00"):
                self.quote(at, site, 4, **source)
                if number % 90 == 0:
                    self.bind(at + timedelta(minutes=22), site, 400 + int(site[-1]) * 10 + number // 90)

    def new_client(self) -> None:
        """Version 5.2 asks for telematics, which this broker has no contract for, and tries again four times; at night it does the book."""
        new = {"user_agent.original": "BrokerDesk/5.2.0", "insurance.api.operation": "policy-telematics"}
        for number, at in self.day.every(25, 90, "09:30"):
            policy = f"POL-4860{number % 60:02d}"
            self.call(at, "BRK-006", f"/v1/policies/{policy}", **{"insurance.policy.number": policy})
            for again in range(5):
                path = f"/v1/policies/{policy}/telematics"
                self.call(at + timedelta(seconds=1 + again), "BRK-006", path, 404, **new, **{"insurance.policy.number": policy})
        for number, at in self.day.every(4, 130, "19:30"):
            policy = f"POL-486{number:03d}"
            self.call(at, "BRK-006", f"/v1/policies/{policy}", **{"insurance.policy.number": policy})
            self.call(at, "BRK-006", f"/v1/policies/{policy}/telematics", 404, **new, **{"insurance.policy.number": policy})

    def nightly_runs(self) -> None:
        """Two brokers read their books at night: one with a key for nothing else, one with the key of every day."""
        for broker, client, clock, count in (
            ("BRK-012", "sync-br-1207", "02:00", 420),
            ("BRK-011", "client-brk-011", "03:00", 260),
        ):
            for number, at in self.day.every(1.4, count, clock):
                policy = f"POL-5{broker[-2:]}{number:03d}"
                more = {"insurance.policy.number": policy, "insurance.api.client_id": client}
                self.call(at, broker, f"/v1/policies/{policy}", **more)

    def documents_and_failover(self) -> None:
        """Renewal letters of a book, two megabytes each; and twenty-five minutes on a line that is not in the register."""
        for number, at in self.day.every(20, 140, "13:00"):
            letter = {"http.response.bytes": 1_900_000, "insurance.api.operation": "document-download"}
            self.call(at, "BRK-002", f"/v1/documents/REN-{number:04d}", **letter)
        for number, at in self.day.every(125, 12, "11:20"):
            line = {"source.ip": "84.17.3.9", "insurance.context.source_registered": "no"}
            self.call(at, "BRK-005", f"/v1/policies/POL-4805{number:02d}", **line)

    def prospects(self) -> None:
        """People change their broker in these weeks. Five lookups carry a consent as a ticket, four do not, one of them after a refusal."""
        for number in range(9):
            broker, policy = self.insurer.brokers[number], f"POL-4990{number:02d}"
            at = self.day.at("09:10") + timedelta(minutes=47 * number)
            stranger = {"insurance.policy.number": policy, "insurance.context.owns_record": "no"}
            consent = {"insurance.context.ticket_valid": "yes"} if number < 5 else {"insurance.context.ticket_valid": "no"}
            if number in (2, 7):
                self.call(at - timedelta(minutes=25), broker, f"/v1/policies/{policy}", 403, **{"insurance.policy.number": policy})
            self.call(at, broker, f"/v1/policies/{policy}", **{"insurance.policy.number": policy})
            self.business(at, broker, "policy-lookup", **stranger, **consent)
            self.quote(at + timedelta(minutes=9), broker)

    def house_keeping(self) -> None:
        """The tariff of the season, the sale of an agency, statements of one's own, and brokers who are not to be served, and are not."""
        ticket = {"insurance.context.ticket_valid": "yes", "insurance.change.ticket_id": "CHG0045120"}
        rate = {"insurance.rating.object": "motor-2027-base", "insurance.rating.environment": "production", "insurance.change.percent": 4.2}
        change = {"event.action": "rate-table-change", "insurance.change.approved_by": "k.jansen", **rate, **ticket, **_SEASON}
        self.day.add("insurance_rating", "06:10", self.insurer.person("a.moreau", **change))
        sale = {"insurance.record_count": 240, "insurance.change.old_value": "BRK-015", "insurance.change.new_value": "BRK-004"}
        self.business(
            self.day.at("09:00"), "BRK-015", "book-transfer", **sale, **ticket, **{"user.name": "d.admin", "insurance.actor.type": "human"}
        )
        for number, broker in enumerate(self.insurer.brokers):
            at = self.day.at("08:05") + timedelta(minutes=4 * number)
            self.business(at, broker, "commission-statement-download", **{"insurance.context.owns_record": "yes"})
        for number, at in self.day.every(900, 6, "08:30"):
            refused = {"insurance.broker.status": "suspended"}
            self.call(at, "BRK-018", f"/v1/policies/POL-481{number:03d}", 403, **refused)
        for number, at in self.day.every(60, 20, "14:00"):
            self.call(at, "BRK-022", f"/sandbox/v1/quotes/{number}", **{"insurance.broker.status": "pending"})

    # Not honest.

    def enumeration(self) -> None:
        """Refusals on Monday, the hole, and the walk on Tuesday; the gaps in the numbers answer with 404."""
        key = {"insurance.api.client_id": _TEST_KEY, "user_agent.original": "python-requests/2.32"}
        for number, at in self.day.every(140, 12, "15:10", days=-1):
            policy = f"POL-6000{number:02d}"
            self.call(at, "BRK-009", f"/v1/policies/{policy}", 403, **key, **{"insurance.policy.number": policy})
        for number, at in self.day.every(95, 3, "15:44", days=-1):
            self._taken(at, f"POL-6000{number:02d}")
        for number, at in self.day.every(2.6, 320, "11:40"):
            policy = f"POL-601{number:03d}"
            if number % 4 == 3:
                self.call(at, "BRK-009", f"/v0/policies/{policy}/summary", 404, **key, **{"insurance.policy.number": policy})
            else:
                self._taken(at, policy)

    def _taken(self, at: datetime, policy: str) -> None:
        """A stranger's policy by way of the old page."""
        stranger = {"insurance.api.client_id": _TEST_KEY, "insurance.policy.number": policy}
        self.call(at, "BRK-009", f"/v0/policies/{policy}/summary", **stranger, **{"user_agent.original": "python-requests/2.32"})
        self.business(at, "BRK-009", "policy-lookup", **stranger, **{"insurance.context.owns_record": "no"})

    def harvest(self) -> None:
        """Nobody moves at midnight. One factor goes up a notch at a time, and one in five is declined; nothing is ever bound."""
        for number, at in self.day.every(9, 380, "23:20"):
            declined = {"event.outcome": "failure", "event.reason": "declined"} if number % 5 == 0 else {}
            self.quote(at, "BRK-013", 4, **declined)

    def terminated(self) -> None:
        """Two calls for a token fail, then the old key does; policies first, quotes after."""
        gone = {"insurance.broker.status": "terminated"}
        for _, at in self.day.every(20, 2, "10:03"):
            self.call(at, "BRK-021", "/oauth/token", 401, **gone, **{"http.request.method": "POST"})
        for number, at in self.day.every(150, 18, "10:05"):
            path = f"/v1/policies/POL-4821{number:02d}" if number < 14 else "/v1/quotes"
            self.call(at, "BRK-021", path, **gone)
            if number >= 14:
                self.business(at, "BRK-021", "quote-request", **gone)
