"""The JobSpec of a delta job: what it reads, which records it keeps, what it measures."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Any, Final

from attrs import asdict, evolve, field, frozen

from ndr_core.deltas.measures import measures_for, select_measures, unknown_measures
from ndr_core.deltas.roles import INBOUND, OUTBOUND, PACKETS, Role
from ndr_core.deltas.settings import Delta, Enrichment, Pair
from ndr_core.deltas.tables import PAIR, delta_table
from ndr_core.errors import Problem, UsageError, too_many
from ndr_core.flows.mapping import InputMapping
from ndr_core.flows.mapping_plain import mapping_to_plain
from ndr_core.flows.wanted import Wanted, wanted_columns
from ndr_core.jobs.choice import SPARK_SQL, Choice, EngineSettings, Machine, choose
from ndr_core.jobs.spec import (
    ENGINE,
    JOB_NAME,
    PROJECT_NAME,
    SPEC_VERSION,
    STORAGE,
    JobKey,
    Storage,
    hash_of_plain,
)
from ndr_core.jobs.spec_reader import Spec, part_problems
from ndr_core.measures.kinds import Measure
from ndr_core.quality.settings import Quality
from ndr_core.times import duration_text

_MOST_ROLES: Final = 16
"""Far above any use: each role is a view of every record."""


@frozen
class JobSpec:
    """One delta job of one project. `parse_job_spec` makes it from plain data."""

    project_name: str = field(metadata=PROJECT_NAME)
    input: InputMapping = field(metadata={"doc": "how to read the source's columns"})
    job_name: str = field(default="delta_builder", metadata=JOB_NAME)
    feature_spec_version: str = field(default="v1", metadata=SPEC_VERSION)
    roles: tuple[Role, ...] = field(
        default=(OUTBOUND, INBOUND),
        metadata={
            "doc": "the ways in which each record is seen",
            "schema": {"minItems": 1, "maxItems": _MOST_ROLES, "uniqueItems": True},
        },
    )
    quality: Quality = field(factory=Quality, metadata={"doc": "data quality rules and thresholds"})
    delta: Delta = field(factory=Delta, metadata={"doc": "the delta table"})
    pair: Pair = field(factory=Pair, metadata={"doc": "the pair table"})
    enrichment: Enrichment = field(factory=Enrichment, metadata={"doc": "named port sets"})
    engine: EngineSettings = field(factory=EngineSettings, metadata=ENGINE)
    storage: Storage = field(factory=Storage, metadata=STORAGE)

    @property
    def key(self) -> JobKey:
        """The key under which the spec is stored."""
        return JobKey(self.project_name, self.job_name, self.feature_spec_version)

    def measures(self) -> tuple[Measure, ...]:
        """Give all measures that the spec makes possible, in the order of their columns."""
        return measures_for(
            port_sets=self.enrichment.port_sets,
            short_session_seconds=self.delta.short_session_seconds,
            knows_packets=any(name in self.input.fields for name in PACKETS),
            counters=self.delta.counters,
        )

    def chosen_measures(self) -> tuple[Measure, ...]:
        """Give the measures to build, in the order of their columns. The spec must have no problems."""
        names = self.delta.measures
        return select_measures(
            self.measures(), None if names is None else (*names, *self.delta.counters)
        )

    def choose_engine(self, packed_bytes: int, machine: Machine) -> Choice:
        """Choose the engine for a mini-batch of so many packed bytes, as `choose`.

        Raises UsageError where no engine that is there can do what it asks for.
        """
        compares = bool(self.quality.deduplicate_on)
        choice = choose(packed_bytes, self.engine, machine, compares=compares)
        if choice.engine == SPARK_SQL and (beyond_sql := self.input.beyond_sql) is not None:
            raise UsageError(f"{beyond_sql}: Polars does it, and {choice.reason}")
        return choice

    def wanted_columns(self) -> tuple[Wanted, ...]:
        """Give the source columns that the spec names, each of which some record should have."""
        keys = self.quality.key_columns
        of_keys = (
            Wanted("quality.deduplicate_on", ((column,),), may_be_optional=False) for column in keys
        )
        of_input = (one.below("input") for one in wanted_columns(self.input))
        return (*of_input, *of_keys)

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        parts: dict[str, Spec] = {
            "input": self.input,
            "engine": self.engine,
            "storage": self.storage,
            "quality": self.quality,
            "delta": self.delta,
            "enrichment": self.enrichment,
        }
        found = [*self.key.problems(), *part_problems(parts)]
        found += [problem.below("roles") for problem in self._role_problems()]
        return found or [
            *self._name_clashes(),
            *unknown_measures(self.measures(), self.delta.measures or ()),
        ]

    def _name_clashes(self) -> Iterator[Problem]:
        """The counters whose names are those of other measures or columns."""
        others = evolve(self, delta=evolve(self.delta, counters={})).measures()
        taken = {measure.name for measure in others} | {
            column.name for table in (delta_table(others), PAIR) for column in table.columns
        }
        for name in self.delta.counters:
            if name in taken:
                yield Problem(
                    f"delta.counters.{name}",
                    "a measure or a column has this name; choose another one",
                )

    def _role_problems(self) -> Iterator[Problem]:
        if not self.roles:
            yield Problem("", "needs at least one role")
        if len(self.roles) > _MOST_ROLES:
            yield Problem("", too_many(len(self.roles), _MOST_ROLES))
        if len({role.name for role in self.roles}) < len(self.roles):
            yield Problem("", "has two roles of one name")
        for role in self.roles:
            yield from (problem.below(role.name) for problem in role.problems())

    def content_hash(self) -> str:
        """Give the SHA-256 of the normalised spec: the same for equal specs, however they were written."""
        return hash_of_plain(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """Give plain data (dicts, lists, scalars) that `parse_job_spec` reads back as an equal spec."""
        plain: dict[str, Any] = _plain(asdict(self, filter=lambda one, _: one.name != "input"))
        plain["input"] = mapping_to_plain(self.input)
        if self.delta.counters:
            plain["delta"]["counters"] = {
                name: counter.to_plain() for name, counter in self.delta.counters.items()
            }
        plain["enrichment"]["port_sets"] = {
            name: sorted(ports) for name, ports in self.enrichment.port_sets.items()
        }
        for key in ("allowed_lateness", "allowed_earliness"):
            plain["quality"][key] = duration_text(getattr(self.quality, key))
        for key in ("engine", "storage"):
            if not plain[key]:
                del plain[key]
        return plain


def _plain(value: Any) -> Any:
    """Containers as dicts and lists, enums as their values, without what is absent or default-empty."""
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items() if item is not None and item != {}}
    if isinstance(value, tuple | list | set | frozenset):
        return [_plain(item) for item in value]
    return value
