"""JobSpec: what one delta job does; RuntimeParams: what one run of it is given."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from enum import Enum
from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.errors import SpecError, UsageError, shown
from ndr_core.flow import FIELD_BY_NAME, MAX_PORT, SECOND_US, TIME_LIMIT_US
from ndr_core.input_mapping import InputMapping
from ndr_core.roles import INBOUND, OUTBOUND, Role
from ndr_core.s3_address import S3Address

_PATH_SAFE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,127}")
_SET_NAME = re.compile(r"[a-z][a-z0-9_]{0,63}")

_MOST_ROLES: Final = 16
_MOST_KEYS: Final = 64
_MOST_PORT_SETS: Final = 256
"""Limits far above any use: each entry is a column of work for every record."""

PortSets = Mapping[str, frozenset[int]]

DEFAULT_PORT_SETS: PortSets = {
    "high_risk": frozenset({23, 135, 139, 445, 1433, 3389, 4444, 5554, 5900, 6667, 9001, 31337}),
    "admin": frozenset({22, 23, 3389, 5900, 5901, 5985, 5986, 10000}),
    "fileshare": frozenset({20, 21, 69, 111, 137, 138, 139, 445, 548, 873, 989, 990, 2049}),
    "directory": frozenset({88, 389, 464, 636, 3268, 3269}),
    "db": frozenset({1433, 1434, 1521, 3306, 5432, 5984, 6379, 9042, 9200, 11211, 27017}),
    "web": frozenset({80, 443, 8000, 8080, 8443}),
    "dns": frozenset({53, 853, 5353}),
    "mail": frozenset({25, 110, 143, 465, 587, 993, 995}),
}


class OnUnreadableFile(Enum):
    """What a broken input file does to the run."""

    FAIL = "fail"
    QUARANTINE = "quarantine"


@frozen
class Quality:
    """Data quality: deduplication and the thresholds that fail a run."""

    deduplicate_on: tuple[str, ...] = field(
        default=(),
        metadata={
            "doc": "canonical fields or source columns; records equal in all of them count once"
        },
    )
    max_rejected_fraction: float = field(
        default=1.0, metadata={"doc": "fail, publishing nothing, when a greater share is rejected"}
    )
    min_records: int = field(
        default=0, metadata={"doc": "fail, publishing nothing, when fewer records are kept"}
    )
    on_unreadable_file: OnUnreadableFile = field(
        default=OnUnreadableFile.FAIL,
        metadata={
            "doc": "fail: a truncated or broken file fails the run; quarantine: skip, report"
        },
    )


@frozen
class Delta:
    """What goes into the delta rows."""

    measures: tuple[str, ...] | None = field(
        default=None, metadata={"doc": "measures to build, by name (`ndr schema`); all if absent"}
    )
    short_session_seconds: float = field(
        default=1.0, metadata={"doc": "a session shorter than this is short"}
    )


@frozen
class Enrichment:
    """Knowledge about the network that measures use."""

    port_sets: PortSets = field(
        factory=lambda: dict(DEFAULT_PORT_SETS),
        metadata={"doc": "name -> ports or 'low-high' ranges; each gives <name>_sessions_cnt"},
    )


@frozen
class Storage:
    """Where a deployed job may read and write; `ndr run` takes its places from the command line."""

    input_prefix: str | None = field(
        default=None, metadata={"doc": "s3://..; mini-batches must lie at or below it"}
    )
    output_prefix: str | None = field(
        default=None, metadata={"doc": "s3://..; everything is published below it"}
    )

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong, as (key, message)."""
        found = []
        for key in ("input_prefix", "output_prefix"):
            address = getattr(self, key)
            try:
                if address is not None:
                    S3Address.parse(address, key)
            except UsageError as error:
                found.append((key, str(error).removeprefix(f"{key}: ")))
        if not found and self.input_prefix is not None and self.output_prefix is not None:
            source, target = self.input(), self.output()
            if source.holds(target) or target.holds(source):
                found.append(("output_prefix", "must not lie in input_prefix, nor hold it"))
        return found

    def input(self) -> S3Address:
        """Raises SpecError where it is not given."""
        return _given(self.input_prefix, "storage.input_prefix")

    def output(self) -> S3Address:
        """Raises SpecError where it is not given."""
        return _given(self.output_prefix, "storage.output_prefix")


def _given(address: str | None, key: str) -> S3Address:
    if address is None:
        raise SpecError(f"{key}: missing; a deployed job needs it, such as s3://BUCKET/PREFIX")
    return S3Address.parse(address, key)


@frozen
class JobSpec:
    """One delta job of one project. `parse_job_spec` makes it from plain data."""

    project_name: str = field(metadata={"doc": "the tenant or network that the logs belong to"})
    input: InputMapping = field(metadata={"doc": "how to read the source's columns"})
    job_name: str = field(default="delta_builder", metadata={"doc": "name of the job"})
    feature_spec_version: str = field(
        default="v1", metadata={"doc": "version of the features; part of every output path"}
    )
    roles: tuple[Role, ...] = field(
        default=(OUTBOUND, INBOUND), metadata={"doc": "the ways in which each record is seen"}
    )
    quality: Quality = field(factory=Quality, metadata={"doc": "data quality rules and thresholds"})
    delta: Delta = field(factory=Delta, metadata={"doc": "the delta table"})
    enrichment: Enrichment = field(factory=Enrichment, metadata={"doc": "named port sets"})
    storage: Storage = field(
        factory=Storage, metadata={"doc": "the prefixes that a deployed job keeps to"}
    )

    @property
    def short_session_us(self) -> int:
        return round(self.delta.short_session_seconds * SECOND_US)

    @property
    def key_columns(self) -> tuple[str, ...]:
        """Source columns that only deduplication reads."""
        return tuple(name for name in self.quality.deduplicate_on if name not in FIELD_BY_NAME)

    def required_columns(self) -> dict[str, str]:
        """Source column -> key of the spec that names it, for columns that some record must have."""
        columns = {
            source.column: f"input.fields.{flow_field.name}.column"
            for flow_field, source in self.input.bound_fields()
            if not source.optional and source.column is not None
        }
        return columns | dict.fromkeys(self.key_columns, "quality.deduplicate_on")

    def problems(self) -> list[tuple[str, str]]:
        """What is wrong, as (key, message); empty when all is well."""
        found = [(f"input.{key}", message) for key, message in self.input.problems()]
        for key in ("project_name", "job_name", "feature_spec_version"):
            if not _PATH_SAFE.fullmatch(getattr(self, key)):
                found.append(
                    (
                        key,
                        "may hold letters, digits, '.', '_' and '-' only, as it becomes part of paths",
                    )
                )
        found += [(f"storage.{key}", message) for key, message in self.storage.problems()]
        for key, count, most in (
            ("roles", len(self.roles), _MOST_ROLES),
            ("quality.deduplicate_on", len(self.quality.deduplicate_on), _MOST_KEYS),
            ("enrichment.port_sets", len(self.enrichment.port_sets), _MOST_PORT_SETS),
        ):
            if count > most:
                found.append((key, f"has {count} entries; at most {most} are possible"))
        if not self.roles:
            found.append(("roles", "needs at least one role"))
        if len({role.name for role in self.roles}) < len(self.roles):
            found.append(("roles", "has two roles of one name"))
        for role in self.roles:
            found += [(f"roles.{role.name}.{key}", text) for key, text in role.problems()]
        if not 0 <= self.quality.max_rejected_fraction <= 1:
            found.append(("quality.max_rejected_fraction", "must lie between 0 and 1"))
        if self.quality.min_records < 0:
            found.append(("quality.min_records", "must not be negative"))
        if not 0 <= self.delta.short_session_seconds <= TIME_LIMIT_US // SECOND_US:
            found.append(("delta.short_session_seconds", "must not be negative"))
        for name, ports in self.enrichment.port_sets.items():
            key = f"enrichment.port_sets.{name}"
            if not _SET_NAME.fullmatch(name):
                found.append((key, "the name may hold lower-case letters, digits and '_' only"))
            if any(not 0 <= port <= MAX_PORT for port in ports):
                found.append((key, f"ports lie between 0 and {MAX_PORT}"))
        return found

    def content_hash(self) -> str:
        """SHA-256 of the normalised spec: the same for equal specs, however they were written."""
        text = json.dumps(self.to_plain(), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(text.encode()).hexdigest()

    def to_plain(self) -> dict[str, Any]:
        """Plain data (dicts, lists, scalars) that `parse_job_spec` reads back as an equal spec."""
        plain: dict[str, Any] = _plain(asdict(self))
        plain["enrichment"]["port_sets"] = {
            name: sorted(ports) for name, ports in self.enrichment.port_sets.items()
        }
        if not plain["storage"]:
            del plain["storage"]
        return plain


def _plain(value: Any) -> Any:
    """Containers as dicts and lists, enums as their values, without what is absent or default-empty."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {
            key: _plain(item)
            for key, item in value.items()
            if item is not None and item != {} and not (key == "optional" and item is False)
        }
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(item) for item in value]
    return value


@frozen
class RuntimeParams:
    """What distinguishes one run from the next. Times are us since 1970-01-01 UTC."""

    mini_batch_id: str
    run_id: str
    slice_start: int | None = None
    slice_end: int | None = None

    def __attrs_post_init__(self) -> None:
        """Raise SpecError for ids that can't be path segments and for bounds that make no slice."""
        for key in ("mini_batch_id", "run_id"):
            if not _PATH_SAFE.fullmatch(getattr(self, key)):
                raise SpecError(
                    f"{key}: {shown(getattr(self, key))} may hold letters, digits, '.', '_' and "
                    "'-' only, 128 at most, a letter or digit first"
                )
        if (self.slice_start is None) != (self.slice_end is None):
            raise SpecError("slice bounds: give both slice-start and slice-end, or neither")
        if self.slice_start is not None and self.slice_end is not None:
            if not 0 <= self.slice_start < self.slice_end < TIME_LIMIT_US:
                raise SpecError("slice bounds: slice-end must be later than slice-start")
            if self.slice_start % (60 * SECOND_US):
                raise SpecError("slice-start: must be a whole minute, as it becomes an output path")
