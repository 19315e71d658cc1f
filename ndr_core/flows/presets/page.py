"""What the presets map to what, as a page of the manual."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from ndr_core.flows.leaf import Leaf
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.record import FLOW_FIELDS
from ndr_core.flows.selection import Selection
from ndr_core.flows.time_format import Format, TimePattern
from ndr_core.flows.value_map import Default, MapRow, ValueMap


def mappings_page(presets: Mapping[str, Preset]) -> str:
    """Write the mappings of presets, by their names, as Markdown."""
    return "\n".join(_lines(presets)) + "\n"


def _lines(presets: Mapping[str, Preset]) -> Iterator[str]:
    yield "# What is mapped to what"
    yield ""
    yield "Made by `ndr spec presets --markdown`; do not edit. A field that is not listed is null. Places with *or*"
    yield "between them are tried in turn: the first with a value counts. `[a, b]` is the value `b` in the object `a`."
    for name, preset in sorted(presets.items()):
        yield from ("", f"## {name}", "", preset.about)
        yield from (f"<{link}>" for link in preset.links)
        yield ""
        yield from _forms(preset)
        yield from _settings(preset)
        yield from ("", "| field | from | read as |", "| --- | --- | --- |")
        for flow_field in FLOW_FIELDS:
            source = preset.mapping.fields.get(flow_field.name)
            if source is not None:
                yield f"| {flow_field.name} | {_place(source)} | {_reading(source)} |"


def _forms(preset: Preset) -> Iterator[str]:
    for form in preset.forms:
        settings = ", ".join(f"`{key}: {_plain(value)}`" for key, value in form.settings.items())
        yield f"- form `{form.name}`: {form.about}" + (f" ({settings})" if settings else "")


def _plain(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def _settings(preset: Preset) -> Iterator[str]:
    mapping = preset.mapping
    if mapping.only.conditions:
        yield f"- read are records with {_selection(mapping.only)}"
    if mapping.pairing is not None:
        yield f"- records count one direction: `pairing: {mapping.pairing.value}`"
    if mapping.lost is not None:
        columns = " or ".join(map(_code, mapping.lost_columns))
        yield f"- lost records: {columns} = {mapping.lost.value}"
    if mapping.null_values:
        yield f"- no value: {', '.join(_code(text) for text in mapping.null_values)}"


def _selection(only: Selection) -> str:
    return " and ".join(
        f"{_leaf(one.leaf)} " + ("present" if one.present else f"= {', '.join(one.values)}")
        for one in only.conditions
    )


def _place(source: FieldSource) -> str:
    if source.constant is not None:
        return f"always {_code(source.constant)}"
    return ", ".join(" or ".join(map(_leaf, leaves)) for leaves in source.inputs)


def _reading(source: FieldSource) -> str:
    parts = [" or ".join(_code(_format(one)) for one in source.format)]
    if source.map is not None:
        parts.append(_map(source.map))
    return "; ".join(part for part in parts if part)


def _map(found: ValueMap) -> str:
    rows = ", ".join(_row(row) for row in found.rows)
    return rows if found.default is Default.KEEP else f"{rows}, others {found.default or 'none'}"


def _row(row: MapRow) -> str:
    return f"{' '.join(row.values).replace('*', '`*`')} → {row.result or 'none'}"


def _format(one: Format) -> str:
    return one.text if isinstance(one, TimePattern) else one.value


def _leaf(leaf: Leaf) -> str:
    return _code(leaf[0] if len(leaf) == 1 else f"[{', '.join(leaf)}]")


def _code(text: str) -> str:
    return f"`{text}`" if text else '`""`'
