"""The JobSpec of a job of pair history (`kind: pair_history`): whose pairs it remembers, and where it reads them."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.errors import Problem
from ndr_core.features.networks import HOSTS, NETWORKS, Hosts, Networks
from ndr_core.features.settings import HISTORY_JOB, FeatureStorage, given
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
from ndr_core.names import PATH_SEGMENT, PATH_SEGMENT_RULE, is_path_segment, whole

KIND: Final = "pair_history"
"""What tells a spec of pair history from those of other jobs."""

_SEGMENT: Final = {"pattern": whole(PATH_SEGMENT)}


@frozen
class PairInputs:
    """Which pair slices are read."""

    feature_spec_version: str | None = field(
        default=None,
        metadata={
            "doc": "version of the deltas that are read; the job's own if absent",
            "schema": _SEGMENT,
        },
    )

    def problems(self) -> list[Problem]:
        """List what is wrong, by key; nothing when all is well."""
        if self.feature_spec_version is None or is_path_segment(self.feature_spec_version):
            return []
        return [Problem("feature_spec_version", PATH_SEGMENT_RULE)]

    def deltas_version(self, own: str) -> str:
        """Give the feature_spec_version of the deltas that are read. `own`: that of the job."""
        return own if self.feature_spec_version is None else self.feature_spec_version


@frozen
class PairHistorySpec:
    """One job of pair history of one project. `parse_pair_history_spec` makes it from plain data."""

    project_name: str = field(metadata=PROJECT_NAME)
    job_name: str = field(default=HISTORY_JOB, metadata=JOB_NAME)
    feature_spec_version: str = field(default="v1", metadata=SPEC_VERSION)
    inputs: PairInputs = field(factory=PairInputs, metadata={"doc": "the deltas to read"})
    networks: Networks = field(factory=Networks, metadata=NETWORKS)
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
            "inputs": self.inputs,
            "networks": self.networks,
            "engine": self.engine,
            "storage": self.storage,
        }
        return [*self.key.problems(), *part_problems(parts)]

    def content_hash(self) -> str:
        """Give the SHA-256 of the normalised spec: the same for equal specs, however they were written."""
        return hash_of_plain(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """Give plain data (dicts, lists, scalars) that `parse_pair_history_spec` reads back as an equal spec."""
        plain: dict[str, Any] = {
            "kind": KIND,
            **asdict(self.key),
            "inputs": given(self.inputs),
            "networks": self.networks.to_plain(),
            "hosts": self.hosts.value,
            "engine": given(self.engine),
            "storage": given(self.storage),
        }
        return {key: value for key, value in plain.items() if value != {}}
