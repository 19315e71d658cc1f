"""The JobSpec of a job of windows (`kind: fg_a`): which windows it builds, and what it knows of the network."""

from __future__ import annotations

from typing import Any, Final

from attrs import asdict, field, frozen

from ndr_core.errors import Problem
from ndr_core.features.networks import HOSTS, NETWORKS, Hosts, Networks
from ndr_core.features.settings import FG_A_JOB, FeatureStorage, Inputs, given
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
from ndr_core.windows.settings import DetectionPorts, Windows

KIND: Final = "fg_a"
"""What tells a spec of windows from those of other jobs."""


@frozen
class FgASpec:
    """One job of windows of one project. `parse_fg_a_spec` makes it from plain data."""

    project_name: str = field(metadata=PROJECT_NAME)
    job_name: str = field(default=FG_A_JOB, metadata=JOB_NAME)
    feature_spec_version: str = field(default="v1", metadata=SPEC_VERSION)
    windows: Windows = field(factory=Windows, metadata={"doc": "the windows"})
    inputs: Inputs = field(factory=Inputs, metadata={"doc": "the deltas and the history to read"})
    networks: Networks = field(factory=Networks, metadata=NETWORKS)
    calendar: Calendar = field(factory=Calendar, metadata=CALENDAR)
    port_sets: DetectionPorts = field(
        factory=DetectionPorts, metadata={"doc": "the ports by which attacks are told"}
    )
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
            "networks": self.networks,
            "calendar": self.calendar,
            "port_sets": self.port_sets,
            "engine": self.engine,
            "storage": self.storage,
        }
        return [*self.key.problems(), *part_problems(parts)]

    def content_hash(self) -> str:
        """Give the SHA-256 of the normalised spec: the same for equal specs, however they were written."""
        return hash_of_plain(self.to_plain())

    def to_plain(self) -> dict[str, Any]:
        """Give plain data (dicts, lists, scalars) that `parse_fg_a_spec` reads back as an equal spec."""
        plain: dict[str, Any] = {
            "kind": KIND,
            **asdict(self.key),
            "windows": {
                "labels": self.windows.to_plain(),
                "sources": list(self.windows.sources),
            },
            "inputs": given(self.inputs),
            "networks": self.networks.to_plain(),
            "calendar": given(self.calendar),
            "port_sets": {name: sorted(ports) for name, ports in asdict(self.port_sets).items()},
            "hosts": self.hosts.value,
            "engine": given(self.engine),
            "storage": given(self.storage),
        }
        return {key: value for key, value in plain.items() if value != {}}
