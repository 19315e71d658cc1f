"""What feature jobs, and the deltas that they read, must agree in: else one column would mean different things."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from attrs import evolve

from ndr_core.errors import SpecError, UsageError, shown
from ndr_core.features.networks import Hosts, Networks
from ndr_core.publishing.layout import FEATURES
from ndr_core.publishing.manifest import Manifest, RunFacts
from ndr_core.publishing.standing import refuse_other_meaning

_PORT_SETS: Final = "enrichment.port_sets"


def ground_of(networks: Networks, hosts: Hosts, deltas_version: str) -> dict[str, Any]:
    """Give the keys of a JobSpec in which all feature jobs of an output must agree, with their values as JSON data."""
    return {
        **network_ground_of(networks, hosts),
        "inputs.feature_spec_version": deltas_version,
    }


def network_ground_of(networks: Networks, hosts: Hosts) -> dict[str, Any]:
    """Give those of the keys that jobs have which read no deltas."""
    plain = networks.meaning()
    return {
        "networks.internal": plain["internal"],
        "networks.segments": plain["segments"],
        "hosts": hosts.value,
    }


def shared_meaning(own: Mapping[str, Any], read: Iterable[Manifest], facts: RunFacts) -> RunFacts:
    """Give the facts of a run with its meaning: its own keys, and what the runs that it reads mean beside these.

    So whatever is made of different deltas, port sets or calendars is refused, whoever reads it. Raises SpecError,
    naming the key, where they don't agree.
    """
    runs = tuple(read)
    inherited: dict[str, Any] = {}
    for run in runs:
        inherited = {**run.facts.meaning, **inherited}
    found = evolve(facts, meaning={**inherited, **own})
    for run in runs:
        refuse_other_meaning(run, found)
    return found


def refuse_other_project(manifests: Iterable[Manifest], project_name: str) -> None:
    """Raise UsageError for deltas of another project."""
    for one in manifests:
        if one.facts.project_name != project_name:
            raise UsageError(
                f"project_name: the deltas are of project {one.facts.project_name}, and the JobSpec says "
                f"{project_name}; name the same project, or another output of deltas"
            )


def refuse_other_ports(manifests: Iterable[Manifest], port_sets: Mapping[str, list[int]]) -> None:
    """Raise SpecError, naming the key, for a port set that the deltas have under the same name with other ports.

    `port_sets`: name -> its ports, sorted.
    """
    for one in manifests:
        known = one.facts.meaning.get(_PORT_SETS, {})
        for name, ports in port_sets.items():
            if name in known and sorted(known[name]) != ports:
                raise SpecError(
                    f"port_sets.{name}: is {shown(ports)} here, but {shown(sorted(known[name]))} in the deltas of "
                    f"job {one.facts.job_name} ({_PORT_SETS}.{name}); set it to the same ports"
                )


def refuse_same_output(deltas: str, features: str) -> None:
    """Raise UsageError where features would be published among the deltas that they are made of. Both: addresses."""
    if deltas == features:
        raise UsageError(
            f"output {features}: holds the deltas; publish features to an output of their own, such as "
            f"{deltas}/{FEATURES}"
        )
