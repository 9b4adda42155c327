"""ATT&CK tags as Sentinel takes them."""

from __future__ import annotations

import pytest

from insigma.content.attack import load_attack
from insigma.packages.sentinel.attack import Mitre, mitre


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (("exfiltration", "t1567.002"), Mitre(("Exfiltration",), ("T1567",), ("T1567.002",))),
        (("stealth", "defense-impairment"), Mitre(("DefenseEvasion",), (), ())),
        # Financial Theft came with v14.
        (("impact", "t1657", "t1486"), Mitre(("Impact",), ("T1486",), ())),
        # What v19 calls Disable or Modify Tools was a sub-technique of Impair Defenses.
        (("defense-impairment", "t1685"), Mitre(("DefenseEvasion",), ("T1562",), ("T1562.001",))),
        (("defense-impairment", "t1685.002"), Mitre(("DefenseEvasion",), ("T1562",), ("T1562.001",))),
        # Spearphishing Voice is a later sub-technique of an old technique.
        (("initial-access", "t1566.004"), Mitre(("InitialAccess",), ("T1566",), ())),
        # A technique without one of its tactics is turned away.
        (("impact", "t1213"), Mitre(("Impact",), (), ())),
        # Account Manipulation is privilege escalation since v14 only.
        (("privilege-escalation", "t1098"), Mitre(("PrivilegeEscalation",), (), ())),
        (("persistence", "t1098.005"), Mitre(("Persistence",), ("T1098",), ("T1098.005",))),
        (("impact", "t9999", "g0001"), Mitre(("Impact",), (), ())),
        ((), Mitre((), (), ())),
    ],
)
def test_tags_are_told_as_in_v13(tags: tuple[str, ...], expected: Mitre) -> None:
    assert mitre(tuple(f"attack.{tag}" for tag in tags), load_attack()) == expected


def test_other_tags_say_nothing() -> None:
    assert mitre(("f3.t1078", "cve.2021", "T1078"), load_attack()) == Mitre((), (), ())
