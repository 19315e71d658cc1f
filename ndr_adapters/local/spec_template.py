"""A commented JobSpec to start from."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import yaml
from attrs import fields

from ndr_core.deltas.settings import DEFAULT_PORT_SETS, Delta
from ndr_core.deltas.spec import JobSpec
from ndr_core.flows.mapping import FieldSource
from ndr_core.flows.presets.registry import PRESETS
from ndr_core.jobs.choice import EngineSettings
from ndr_core.jobs.spec import Storage
from ndr_core.quality.settings import Quality

_EXAMPLE_PREFIXES = {
    "input_prefix": "landing/my-network",
    "output_prefix": "deltas/my-network",
}


def spec_template(preset: str) -> str:
    """YAML text of a valid JobSpec for one of the presets, every key explained."""
    return "\n".join(_lines(preset)) + "\n"


def _lines(preset: str) -> Iterator[str]:
    yield f"# JobSpec for {PRESETS[preset].about}"
    yield "# Check it with: ndr spec check FILE. What is commented out has the value shown."
    yield ""
    yield from _explained(JobSpec, "project_name", "my-network")
    yield from _explained(JobSpec, "job_name", "delta_builder")
    yield from _explained(JobSpec, "feature_spec_version", "v1")
    yield from _comment(_doc(JobSpec, "input"))
    yield "input:"
    yield from _indented(_input(preset))
    yield from _comment(_doc(JobSpec, "roles"))
    yield "roles: [outbound, inbound]"
    yield from _comment(_doc(JobSpec, "quality"))
    yield "quality:"
    yield from _indented(_quality())
    yield from _comment(_doc(JobSpec, "delta"))
    yield "delta:"
    yield from _indented(_delta())
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
    for key in ("input_prefix", "output_prefix"):
        yield f"#   # {_doc(Storage, key)}"
        yield f"#   {key}: s3://BUCKET/{_EXAMPLE_PREFIXES[key]}"


def _input(preset: str) -> Iterator[str]:
    mapping = PRESETS[preset].mapping
    yield from _comment(f"{', '.join(PRESETS)}: the mapping to start from")
    yield f"preset: {preset}"
    yield "# The preset maps these fields; name one under `fields` to map it in another way:"
    yield "# fields:"
    for name, source in mapping.fields.items():
        yield f"#   {name}: {_flow(_source(source))}"
    yield from _comment("texts that mean: no value")
    yield f"null_values: {_flow(list(mapping.null_values))}"


def _source(source: FieldSource) -> dict[str, Any]:
    parts: dict[str, Any] = {"column": source.column, "constant": source.constant}
    parts["format"] = source.format.value if source.format else None
    parts["map"] = dict(source.map) or None
    parts["optional"] = source.optional or None
    return {key: value for key, value in parts.items() if value is not None}


def _quality() -> Iterator[str]:
    yield from _comment(_doc(Quality, "deduplicate_on"))
    yield "deduplicate_on: []"
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
