"""The ATT&CK table that ships with the program."""

from __future__ import annotations

import pytest

from insigma.content.attack import load_attack, parse_attack

TECHNIQUES = (
    "id\tname\ttactics\tstatus\nT0001\tOld Name\timpact\trevoked\nT0002\tOld Name\timpact,stealth\tcurrent\nT0003\tGone\t\tdeprecated\n"
)
TACTICS = "id\tname\tshortname\nTA0040\tImpact\timpact\n"


def test_shipped_table_is_attack_v19() -> None:
    attack = load_attack()
    assert len(attack.techniques) == 858
    assert len(attack.tactics) == 15
    assert attack.tactics["stealth"].id == "TA0005"
    assert attack.techniques["T1213"].tactics == ("collection",)
    assert attack.techniques["T1562.001"].status == "revoked"
    assert {tactic for technique in attack.techniques.values() for tactic in technique.tactics} == set(attack.tactics)


def test_rows_are_read() -> None:
    attack = parse_attack(TECHNIQUES, TACTICS)
    assert attack.techniques["T0002"].tactics == ("impact", "stealth")
    assert attack.techniques["T0003"].tactics == ()
    assert [technique.current for technique in attack.techniques.values()] == [False, True, False]
    assert attack.tactics["impact"].name == "Impact"


def test_successor_has_the_same_name() -> None:
    attack = parse_attack(TECHNIQUES, TACTICS)
    assert attack.successor(attack.techniques["T0001"]) == attack.techniques["T0002"]
    assert attack.successor(attack.techniques["T0003"]) is None


def test_a_row_of_another_shape_is_an_error() -> None:
    with pytest.raises(ValueError, match="zip"):
        parse_attack("id\tname\ttactics\tstatus\nT0001\tx\n", TACTICS)
