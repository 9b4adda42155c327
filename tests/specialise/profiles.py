"""Profiles for tests, as text, and the pack that they are for."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from insigma.content.lists import DEFAULT_TENANT
from insigma.content.model import AnyRule, Pack
from insigma.content.pack import load_pack
from insigma.content.profiles import read_tenant
from insigma.content.tenants import Tenant
from insigma.content.yaml_reader import read_file

ROOT = Path(__file__).resolve().parents[2]


@cache
def insurance() -> Pack:
    """The insurance pack."""
    return load_pack(ROOT).pack


def rule(label: str) -> AnyRule:
    """A rule of the pack by its label."""
    return next(rule for rule in insurance().rules if rule.header.label == label)


def tenant(folder: Path, profile: Mapping[str, Any] | None = None, name: str = "one") -> Tenant:
    """A tenant with the default profile's lists, and what the test says of it."""
    lists = {key: {"mode": "inline", "values": list(values)} for key, values in insurance().tenants[DEFAULT_TENANT].lists.items()}
    data = {"tenant": {"id": name}, "lists": lists, **(profile or {})}
    path = folder / f"{name}.yml"
    path.write_text(yaml.safe_dump(data, sort_keys=False), encoding="utf-8")
    found, faults = read_tenant(read_file(path, path.name).documents[0])
    assert found is not None, faults
    return found
