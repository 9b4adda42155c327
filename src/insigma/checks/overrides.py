"""What is wrong with the field overrides of a profile, for INS547. Not a check."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from insigma.checks.scope import did_you_mean, dig, entries
from insigma.checks.target_limits import COLUMN, Limits
from insigma.checks.wording import one_of, shown
from insigma.content.model import TargetField, TargetMapping, Taxonomy
from insigma.content.tenants import Tenant
from insigma.content.yaml_reader import Key
from insigma.diagnostics.model import Place
from insigma.specialise.mapping import tenant_mapping

Fields = Mapping[str, TargetField]


@dataclass(frozen=True, slots=True)
class OverrideFault:
    """One fault: where, what, and what to do."""

    place: Place
    message: str
    hint: str


def override_faults(tenant: Tenant, mapping: TargetMapping, limits: Limits, taxonomy: Taxonomy) -> Iterator[OverrideFault]:
    """Fields that do not exist, names and types that the target does not take, and fields that get into each other's way."""
    document, at = tenant.document, ("targets", mapping.target, "field_overrides")
    sound: list[str] = []
    for field, written in entries(document, *at).items():
        if field not in taxonomy.fields or field not in mapping.fields:
            who = "taxonomy" if field not in taxonomy.fields else f"{mapping.target} mapping"
            hint = did_you_mean(field, mapping.fields, "see mappings/taxonomy/fields.yml")
            yield OverrideFault(document.key_place(*at, field), f"the {who} has no field {shown(field)}", hint)
            continue
        named = (*at, field) if isinstance(written, str) else (*at, field, "name")
        faults = [
            *_name(tenant, named, mapping.target, limits),
            *_name(tenant, (*at, field, "cased"), mapping.target, limits),
            *_type(tenant, (*at, field, "type"), mapping.target, limits),
        ]
        yield from faults
        if not faults and isinstance(written, (str, dict)):
            sound.append(field)
    fields = {name: field for name, field in tenant_mapping(mapping, tenant).fields.items() if _is_whole(field)}
    sound = [field for field in sound if field in fields]
    for position, field in enumerate(sound):
        yield from _in_the_way(tenant, field, sound[position + 1 :], mapping, fields, taxonomy)


def _is_whole(field: TargetField) -> bool:
    """Whether the profile gives texts where names are meant: of others the schema tells."""
    return all(isinstance(name, str) for name in (field.name, field.cased_name or ""))


def _name(tenant: Tenant, key: Key, target: str, limits: Limits) -> Iterator[OverrideFault]:
    """A name that the target, or a query, cannot have."""
    name, place = dig(tenant.document, *key), tenant.document.place(*key)
    if not isinstance(name, str):
        return
    if not limits.field.fullmatch(name) or name.casefold() in limits.reserved:
        yield OverrideFault(place, f"{shown(name)} cannot be a field of {target}", limits.field_hint)
    elif name.casefold().startswith(COLUMN):
        message = f"{shown(name)} begins like the columns of looked-up fields, {COLUMN}"
        yield OverrideFault(place, message, "store the field under another name")


def _type(tenant: Tenant, key: Key, target: str, limits: Limits) -> Iterator[OverrideFault]:
    kind = dig(tenant.document, *key)
    if isinstance(kind, str) and kind not in limits.types:
        hint = did_you_mean(kind, limits.types, one_of(limits.types))
        yield OverrideFault(tenant.document.place(*key), f"{target} stores nothing as {shown(kind)}", hint)


def _in_the_way(
    tenant: Tenant, field: str, later: Sequence[str], mapping: TargetMapping, fields: Fields, taxonomy: Taxonomy
) -> Iterator[OverrideFault]:
    """Where the field meets one that stands before it in the profile, or one that the profile leaves as it is."""
    place = tenant.document.place("targets", mapping.target, "field_overrides", field)
    own = fields[field]
    if mapping.target == "elastic" and own.cased_name is not None and not _is_sub_field(own.cased_name, own.name):
        message = f"{field} keeps its own case in {shown(own.cased_name)}, which is no sub-field of {shown(own.name)}"
        yield OverrideFault(place, message, f"write 'cased: {own.name}.cased', as the mapping of the index has it")
    others = [name for name in fields if name != field and name not in later and mapping.fields[name].name != mapping.fields[field].name]
    for other in others:
        if fields[other].name == own.name and (told := _shared(field, other, fields, taxonomy)) is not None:
            yield OverrideFault(place, told, "give each a name of its own")
            break
        if mapping.target == "elastic" and _nested(own.name, fields[other].name):
            outer, inner = sorted((own.name, fields[other].name), key=len)
            message = f"{shown(outer)} cannot be a field: it is the object of {shown(inner)}"
            yield OverrideFault(place, f"{message} ({other})", "store the field under another name")
            break


def _shared(field: str, other: str, fields: Fields, taxonomy: Taxonomy) -> str | None:
    """Why two fields may not have one name; None where they may."""
    name = shown(fields[field].name)
    source = next((each.name for each in taxonomy.logsources.values() if field in each.fields and other in each.fields), None)
    if source is not None:
        return f"{field} and {other}, which {source} carries both, are stored as {name}"
    return f"{field} and {other} are stored as {name}, in two ways" if _ways(fields[field]) != _ways(fields[other]) else None


def _ways(field: TargetField) -> tuple[object, ...]:
    return field.type, field.case, field.cased_name, field.array


def _is_sub_field(cased: str, name: str) -> bool:
    return cased.startswith(f"{name}.") and "." not in cased.removeprefix(f"{name}.")


def _nested(left: str, right: str) -> bool:
    return left.startswith(f"{right}.") or right.startswith(f"{left}.")
