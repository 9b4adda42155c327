"""Which stored fields an alert shows: those under the rule's `fields`, as far as the mapping has them."""

from __future__ import annotations

from insigma.content.model import Header, TargetField, TargetMapping


def shown_fields(header: Header, mapping: TargetMapping) -> tuple[list[TargetField], tuple[str, ...]]:
    """The fields in the rule's order, and a note on those that the mapping does not have. None for a mapping made for one rule."""
    written = header.document.data.get("fields") if isinstance(header.document.data, dict) else None
    names = [name for name in written if isinstance(name, str)] if isinstance(written, list) and not mapping.open else []
    known = [mapping.fields[name] for name in names if name in mapping.fields]
    unknown = [name for name in names if name not in mapping.fields]
    notes = (f"fields not shown, as the mapping does not have them: {', '.join(unknown)}",) if unknown else ()
    return known, notes
