"""The JobSpec of a job of correlations (`kind: fg_c`): which windows are compared with which baselines."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.baselines.settings import BaselineSettings
from ndr_core.correlations.settings import Anomaly, Exfil, FgCInputs
from ndr_core.errors import Problem
from ndr_core.features.networks import HOSTS, NETWORKS, Hosts, Networks
from ndr_core.features.settings import FG_C_JOB, FeatureStorage, given
from ndr_core.jobs.choice import EngineSettings
from ndr_core.jobs.spec import JOB_NAME, PROJECT_NAME, SPEC_VERSION, STORAGE, JobKey, hash_of_plain
from ndr_core.jobs.spec_reader import Spec, part_problems
from ndr_core.windows.calendar import CALENDAR, Calendar
from ndr_core.windows.settings import Labels
from ndr_core.windows.spec import FgASpec

KIND: Final = "fg_c"
"""What tells a spec of correlations from those of other jobs."""


@frozen
class FgCSpec:
    """One job of correlations of one project. `parse_fg_c_spec` makes it from plain data."""

    project_name: str = field(metadata=PROJECT_NAME)
    job_name: str = field(default=FG_C_JOB, metadata=JOB_NAME)
    feature_spec_version: str = field(default="v1", metadata=SPEC_VERSION)
    windows: Labels = field(
        factory=Labels,
        metadata={"doc": "the windows that are compared: those of the job of windows"},
    )
    inputs: FgCInputs = field(
        factory=FgCInputs, metadata={"doc": "the windows and the baselines to read"}
    )
    baselines: BaselineSettings = field(
        factory=BaselineSettings,
        metadata={"doc": "what has a baseline: as in the job of baselines"},
    )
    anomaly: Anomaly = field(
        factory=Anomaly, metadata={"doc": "by which metrics a window is anomalous"}
    )
    exfil: Exfil = field(factory=Exfil, metadata={"doc": "when bytes that leave count"})
    networks: Networks = field(factory=Networks, metadata=NETWORKS)
    calendar: Calendar = field(factory=Calendar, metadata=CALENDAR)
    hosts: Hosts = field(default=Hosts.INTERNAL, metadata=HOSTS)
    engine: EngineSettings = field(
        factory=EngineSettings, metadata={"doc": "what builds the table, where no engine is named"}
    )
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
            "anomaly": self.anomaly,
            "exfil": self.exfil,
            "networks": self.networks,
            "calendar": self.calendar,
            "engine": self.engine,
            "storage": self.storage,
        }
        missing = self.anomaly.missing(self.baselines.metrics)
        return [
            *self.key.problems(),
            *part_problems(parts),
            *(problem.below("anomaly") for problem in missing),
        ]

    def content_hash(self) -> str:
        """Give the SHA-256 of the normalised spec: the same for equal specs, however they were written."""
        return hash_of_plain(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """Give plain data (dicts, lists, scalars) that `parse_fg_c_spec` reads back as an equal spec."""
        plain: dict[str, Any] = {
            "kind": KIND,
            **asdict(self.key),
            "windows": {"labels": self.windows.to_plain()},
            "inputs": given(self.inputs),
            "baselines": given(self.baselines),
            "anomaly": given(self.anomaly),
            "exfil": given(self.exfil),
            "networks": self.networks.to_plain(),
            "calendar": given(self.calendar),
            "hosts": self.hosts.value,
            "engine": given(self.engine),
            "storage": given(self.storage),
        }
        return {key: value for key, value in plain.items() if value != {}}


def fg_c_spec_of(spec: FgASpec) -> FgCSpec:
    """Give the spec of the job of correlations of a job of windows: it agrees in all that they must agree in."""
    return FgCSpec(
        project_name=spec.project_name,
        feature_spec_version=spec.feature_spec_version,
        windows=Labels(spec.windows.labels),
        inputs=FgCInputs(spec.job_name),
        networks=spec.networks,
        calendar=spec.calendar,
        hosts=spec.hosts,
        engine=spec.engine,
        storage=spec.storage,
    )
