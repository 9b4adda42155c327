"""Templates: text stays text, and limits are kept by more templates."""

from __future__ import annotations

import json
from typing import Any

import pytest

from insigma.packages.sentinel.arm import LARGEST_TEMPLATE, MOST_RESOURCES, Resource, in_workspace, literal, template, templates
from tests.packages.sentinel.templates import evaluated, is_expression


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("[test value]", "[[test value]"),
        ("[[x]", "[[[x]"),
        ("[]", "[[]"),
        ("[test] value", "[test] value"),
        ("[x]\n", "[x]\n"),
        ("test]", "test]"),
        ("[", "["),
        ("", ""),
    ],
)
def test_text_is_no_expression(text: str, written: str) -> None:
    assert literal({"a": [text, 1, True]}) == {"a": [written, 1, True]}
    assert evaluated(written) == text
    assert not is_expression(written)


def resource(number: int, size: int = 10, needs: tuple[str, ...] = ()) -> Resource:
    name, identity = in_workspace("things", f"n{number}")
    return Resource(identity, {"name": name, "text": "x" * size}, needs)


def read(text: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads(text)["resources"]
    return found


def test_a_template_is_read_by_machines_and_has_a_resource_a_line() -> None:
    text = template({"workspace": {"type": "string"}}, [{"b": "é\n", "a": 1}, {"c": []}], {"out": {"type": "string", "value": "[x()]"}})
    assert json.loads(text) == {
        "$schema": "https://schema.management.azure.com/schemas/2019-04-01/deploymentTemplate.json#",
        "contentVersion": "1.0.0.0",
        "parameters": {"workspace": {"type": "string"}},
        "outputs": {"out": {"type": "string", "value": "[x()]"}},
        "resources": [{"a": 1, "b": "é\n"}, {"c": []}],
    }
    assert '    {"a": 1, "b": "é\\n"},\n    {"c": []}\n  ]\n}\n' in text


def test_more_than_800_resources_are_several_templates() -> None:
    made = templates({}, [resource(number) for number in range(2 * MOST_RESOURCES + 1)])
    assert [len(read(text)) for text in made] == [MOST_RESOURCES, MOST_RESOURCES, 1]


def test_more_bytes_than_a_deployment_takes_are_several_templates() -> None:
    made = templates({}, [resource(number, LARGEST_TEMPLATE // 3) for number in range(6)])
    assert [len(read(text)) for text in made] == [2, 2, 2]
    assert all(len(text.encode()) <= LARGEST_TEMPLATE for text in made)


def test_bytes_are_counted_and_not_characters() -> None:
    wide = Resource("[w]", {"text": "é" * (LARGEST_TEMPLATE // 3)})
    assert len(templates({}, [wide, wide])) == 2


def test_nothing_makes_no_template() -> None:
    assert templates({}, []) == ()


def test_a_resource_waits_for_those_of_its_own_template_only() -> None:
    first = resource(0, LARGEST_TEMPLATE // 2)
    near, far = resource(1, 10, (first.id,)), resource(2, LARGEST_TEMPLATE // 2, (first.id,))
    one, two = templates({}, [first, near, far])
    assert [each.get("dependsOn") for each in read(one)] == [None, [first.id]]
    assert [each.get("dependsOn") for each in read(two)] == [None]
