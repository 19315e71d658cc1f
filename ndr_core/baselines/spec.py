"""The JobSpec of a job of baselines (`kind: fg_b`): of which windows, of which numbers, and what is no part of them."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.baselines.settings import (
    BaselineSettings,
    FgBInputs,
    NamesTable,
    Period,
    period_problems,
)
from ndr_core.errors import Problem
from ndr_core.features.networks import HOSTS, NETWORKS, Hosts, Networks
from ndr_core.features.settings import FG_B_JOB, FeatureStorage, given
from ndr_core.jobs.choice import EngineSettings
from ndr_core.jobs.spec import (
    ENGINE,
    JOB_NAME,
    PROJECT_NAME,
    SPEC_VERSION,
    STORAGE,
    JobKey,
    hash_of_plain,
)
from ndr_core.jobs.spec_reader import Spec, part_problems
from ndr_core.windows.calendar import CALENDAR, Calendar
from ndr_core.windows.settings import Labels
from ndr_core.windows.spec import FgASpec

KIND: Final = "fg_b"
"""What tells a spec of baselines from those of other jobs."""


@frozen
class FgBSpec:
    """One job of baselines of one project. `parse_fg_b_spec` makes it from plain data."""

    project_name: str = field(metadata=PROJECT_NAME)
    job_name: str = field(default=FG_B_JOB, metadata=JOB_NAME)
    feature_spec_version: str = field(default="v1", metadata=SPEC_VERSION)
    windows: Labels = field(
        factory=Labels, metadata={"doc": "the windows that are read: those of the job of windows"}
    )
    inputs: FgBInputs = field(factory=FgBInputs, metadata={"doc": "the windows to read"})
    baselines: BaselineSettings = field(
        factory=BaselineSettings, metadata={"doc": "what has a baseline, and how far it goes back"}
    )
    excluded_periods: tuple[Period, ...] = field(
        default=(),
        metadata={
            "doc": "times of which no window is usual, such as a test of the defence: windows that overlap one are "
            "counted by themselves"
        },
    )
    names: NamesTable = field(
        factory=NamesTable, metadata={"doc": "names of hosts, to tell those that do not last"}
    )
    networks: Networks = field(factory=Networks, metadata=NETWORKS)
    calendar: Calendar = field(factory=Calendar, metadata=CALENDAR)
    hosts: Hosts = field(default=Hosts.INTERNAL, metadata=HOSTS)
    engine: EngineSettings = field(factory=EngineSettings, metadata=ENGINE)
    storage: FeatureStorage = field(factory=FeatureStorage, metadata=STORAGE)

    @property
    def key(self) -> JobKey:
        """The key under which the spec is stored."""
        return JobKey(self.project_name, self.job_name, self.feature_spec_version)

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        parts: dict[str, Spec] = {
            "windows": self.windows,
            "inputs": self.inputs,
            "baselines": self.baselines,
            "names": self.names,
            "networks": self.networks,
            "calendar": self.calendar,
            "engine": self.engine,
            "storage": self.storage,
        }
        return [
            *self.key.problems(),
            *part_problems(parts),
            *period_problems(self.excluded_periods),
        ]

    def content_hash(self) -> str:
        """Give the SHA-256 of the normalised spec: the same for equal specs, however they were written."""
        return hash_of_plain(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """Give plain data (dicts, lists, scalars) that `parse_fg_b_spec` reads back as an equal spec."""
        plain: dict[str, Any] = {
            "kind": KIND,
            **asdict(self.key),
            "windows": {"labels": self.windows.to_plain()},
            "inputs": given(self.inputs),
            "baselines": given(self.baselines),
            "excluded_periods": [asdict(period) for period in self.excluded_periods],
            "names": given(self.names),
            "networks": self.networks.to_plain(),
            "calendar": given(self.calendar),
            "hosts": self.hosts.value,
            "engine": given(self.engine),
            "storage": given(self.storage),
        }
        return {key: value for key, value in plain.items() if value not in ({}, [])}


def fg_b_spec_of(spec: FgASpec) -> FgBSpec:
    """Give the spec of the job of baselines of a job of windows: it agrees in all that they must agree in."""
    return FgBSpec(
        project_name=spec.project_name,
        feature_spec_version=spec.feature_spec_version,
        windows=Labels(spec.windows.labels),
        inputs=FgBInputs(spec.job_name),
        networks=spec.networks,
        calendar=spec.calendar,
        hosts=spec.hosts,
        engine=spec.engine,
        storage=spec.storage,
    )
