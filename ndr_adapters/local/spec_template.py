"""A commented JobSpec to start from: for a known source, for logs as they were found, or to complete."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import yaml
from attrs import fields, frozen

from ndr_core.deltas.settings import DEFAULT_PORT_SETS, Delta, Pair
from ndr_core.deltas.spec import JobSpec
from ndr_core.flows.leaf import leaf_text
from ndr_core.flows.mapping import COLUMN_TO_CHOOSE
from ndr_core.flows.mapping_plain import mapping_to_plain, source_to_plain
from ndr_core.flows.presets.form import SourceForm
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.flows.recognition import Recognised
from ndr_core.flows.record import FLOW_FIELDS, FieldKind
from ndr_core.jobs.choice import EngineSettings
from ndr_core.jobs.spec import Storage
from ndr_core.quality.settings import Quality

_EXAMPLE_STORAGE = {
    "input_prefix": "s3://BUCKET/landing/my-network",
    "output_prefix": "s3://BUCKET/deltas/my-network",
    "kms_key": "alias/my-network",
}


def spec_template(preset: str, form: SourceForm | None = None) -> str:
    """YAML text of a valid JobSpec for a form of one of the presets (None: the default), every key explained."""
    known = PRESETS[preset]
    about = f"{known.about.removesuffix('.')}{f': {form.about}' if form is not None else ''}."
    return _text(_Template(about, _preset_input(preset, form.settings if form is not None else {})))


def recognised_template(look: Recognised) -> str:
    """YAML text of a valid JobSpec for logs of a known source, as they were found."""
    assert look.known is not None
    preset, form = look.known.preset, look.known.form
    settings = dict(look.known.settings)
    if look.patterns:
        settings["files"] = list(look.patterns)
    about = f"{PRESETS[preset].about.removesuffix('.')}: {form.about}."
    return _text(_Template(about, _preset_input(preset, settings), look.session_key))


def skeleton(look: Recognised) -> str:
    """YAML text of a JobSpec to complete, for logs of no known source: it names the columns that they have."""
    assert look.sample is not None
    return _text(_Template("logs of a source of your own.", _own_input(look)))


@frozen
class _Template:
    """What differs from one JobSpec to another."""

    about: str
    input: Iterator[str]
    deduplicate_on: Sequence[str] = ()


def _text(template: _Template) -> str:
    return "\n".join(_lines(template)) + "\n"


def _lines(template: _Template) -> Iterator[str]:
    yield from _comment(f"JobSpec for {template.about}")
    yield "# Check it with: ndr spec check FILE. What is commented out has the value shown."
    yield ""
    yield from _explained(JobSpec, "project_name", "my-network")
    yield from _explained(JobSpec, "job_name", "delta_builder")
    yield from _explained(JobSpec, "feature_spec_version", "v1")
    yield from _comment(_doc(JobSpec, "input"))
    yield "input:"
    yield from _indented(template.input)
    yield from _comment(_doc(JobSpec, "roles"))
    yield "roles: [outbound, inbound]"
    yield from _comment(_doc(JobSpec, "quality"))
    yield "quality:"
    yield from _indented(_quality(template.deduplicate_on))
    yield from _comment(_doc(JobSpec, "delta"))
    yield "delta:"
    yield from _indented(_delta())
    yield from _comment(_doc(JobSpec, "pair"))
    yield "pair:"
    yield from _indented(_explained(Pair, "timing", True))
    yield from _comment(_doc(JobSpec, "enrichment"))
    yield "enrichment:"
    yield "  port_sets:"
    for name, ports in DEFAULT_PORT_SETS.items():
        yield f"    {name}: {sorted(ports)}"
    yield from _comment(_doc(JobSpec, "engine"))
    yield "# engine:"
    yield from (f"#   {line}" for line in _comment(_doc(EngineSettings, "one_machine_bytes")))
    yield "#   one_machine_bytes: 1000000000"
    yield from _comment(_doc(JobSpec, "storage"))
    yield "# storage:"
    for key, value in _EXAMPLE_STORAGE.items():
        yield from (f"#   {line}" for line in _comment(_doc(Storage, key)))
        yield f"#   {key}: {value}"


def _preset_input(preset: str, settings: Mapping[str, Any]) -> Iterator[str]:
    mapping = PRESETS[preset].mapping
    yield from _comment(f"{', '.join(PRESETS)}: the mapping to start from")
    yield f"preset: {preset}"
    own = dict(settings.get("fields", {}))
    for key, value in settings.items():
        if key != "fields":
            yield from _comment(_SETTINGS[key])
            yield f"{key}: {_flow(value)}"
    of_preset = mapping_to_plain(mapping)
    for key, about in _SETTINGS.items():
        if key in of_preset and key not in settings:
            yield from _comment(about)
            yield f"# {key}: {_flow(of_preset[key])}"
    yield "# The preset maps these fields; name one under `fields` to map it in another way:"
    yield "fields:" if own else "# fields:"
    yield from (f"  {name}: {_flow(source)}" for name, source in own.items())
    for name, source in mapping.fields.items():
        if name not in own:
            yield f"#   {name}: {_flow(source_to_plain(source))}"
    yield from _comment("texts that mean: no value")
    yield f"null_values: {_flow(list(mapping.null_values))}"


_SETTINGS: Final = {
    "format": "what the files are: json, delimited or parquet",
    "separator": "what stands between two parts of a line",
    "header": "where the names of columns stand: zeek, first_line, or a list of the names",
    "only": "records that are read: column -> its values, or {present: true}; others are skipped and counted",
    "files": "patterns of the names of the files that are read",
    "lost": "a column and its value that tell of lost data: such records are counted apart",
    "pairing": "biflow: records count one direction, and the two of a flow become one",
}
"""Key of `input` -> what it is."""


def _own_input(look: Recognised) -> Iterator[str]:
    sample = look.sample
    assert sample is not None
    for key, value in sample.settings.items():
        yield from _comment(_SETTINGS[key])
        yield f"{key}: {_flow(value)}"
    yield "# The columns that the logs have, each with a value of it:"
    for leaf, example in sample.examples.items():
        yield f"#   {leaf_text(leaf)}: {json.dumps(example, ensure_ascii=False)}"
    yield from _comment(
        "Put the column of each field in the place of '?'. Inside an object: {path: [object, name]}. For another "
        "spelling of times: {column: .., format: epoch_ms}. A value map: {column: .., map: {PASS: allow}}. Name at "
        "least one column of bytes, packets or ports too: a record with none of them is rejected as non_traffic."
    )
    yield "fields:"
    for flow_field in FLOW_FIELDS:
        wanted: dict[str, str] | str = COLUMN_TO_CHOOSE
        if flow_field.kind is FieldKind.TIMESTAMP:
            wanted = {"column": COLUMN_TO_CHOOSE, "format": "iso8601"}
        mark = "" if flow_field.required else "# "
        yield f"  {mark}{flow_field.name}: {_flow(wanted)}  # {flow_field.note}"
    yield from _comment("texts that mean: no value")
    yield 'null_values: ["", "-"]'


def _quality(deduplicate_on: Sequence[str]) -> Iterator[str]:
    yield from _explained(Quality, "deduplicate_on", list(deduplicate_on))
    yield from _explained(Quality, "max_rejected_fraction", 0.5)
    yield from _explained(Quality, "min_records", 0)
    yield from _explained(Quality, "allowed_lateness", "24h")
    yield from _explained(Quality, "allowed_earliness", "15m")
    yield from _explained(Quality, "on_unreadable_file", "fail")


def _delta() -> Iterator[str]:
    yield from _comment(_doc(Delta, "measures"))
    yield "# measures: [sessions_cnt, bytes_sent_sum, bytes_sent_quantiles]"
    yield from _explained(Delta, "short_session_seconds", 1.0)
    yield from _explained(Delta, "slice_minutes", 15)
    yield from _explained(Delta, "moment", "event_end")
    yield from _comment(_doc(Delta, "counters"))
    yield "# counters:"
    yield "#   dns_tcp_cnt: {network_transport: [TCP], peer_port: [53]}"
    yield '#   brief_reset_cnt: {event_reason: [tcp-rst*], duration_s: "<0.2"}'


def _explained(cls: type[Any], key: str, value: Any) -> Iterator[str]:
    yield from _comment(_doc(cls, key))
    yield f"{key}: {_flow(value)}"


def _doc(cls: type[Any], key: str) -> str:
    return str(getattr(fields(cls), key).metadata["doc"])


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 96, initial_indent="# ", subsequent_indent="# ")


def _indented(lines: Iterator[str]) -> Iterator[str]:
    return (f"  {line}" for line in lines)


def _flow(value: Any) -> str:
    text: str = yaml.safe_dump(value, default_flow_style=True, sort_keys=False, width=1000)
    return text.removesuffix("...\n").strip()
