"""What feature jobs and the deltas that they read agree in."""

from __future__ import annotations

import pytest
from attrs import evolve

from ndr_core.errors import SpecError, UsageError
from ndr_core.features.ground import (
    ground_of,
    refuse_other_ports,
    refuse_other_project,
    refuse_same_output,
)
from ndr_core.features.networks import Hosts, Networks
from tests.unit.core.publishing.makers import FACTS, published


def test_the_ground_is_the_networks_the_hosts_and_the_deltas() -> None:
    networks = Networks(internal=("10.0.0.0/8",), segments={"office": ("10.1.0.0/16",)})

    assert ground_of(networks, Hosts.ALL, "v3") == {
        "networks.internal": ["10.0.0.0/8"],
        "networks.segments": {"office": ["10.1.0.0/16"]},
        "hosts": "all",
        "inputs.feature_spec_version": "v3",
    }


def test_deltas_are_those_of_the_project() -> None:
    run = published(1, 0)

    refuse_other_project([run], FACTS.project_name)
    refuse_other_project([], "q")
    with pytest.raises(
        UsageError, match=r"the deltas are of project p, and the JobSpec says q; name"
    ):
        refuse_other_project([run], "q")


def test_a_port_set_of_one_name_has_the_same_ports_in_the_deltas() -> None:
    sets = {"admin": [3389, 22], "web": [80]}
    run = published(1, 0, meaning={"enrichment.port_sets": sets})
    bare = evolve(run, facts=evolve(run.facts, meaning={}))

    refuse_other_ports([run, bare], {"admin": [22, 3389], "auth": [22]})
    with pytest.raises(SpecError) as refused:
        refuse_other_ports([bare, run], {"auth": [22], "admin": [22]})

    assert str(refused.value) == (
        "port_sets.admin: is [22] here, but [22, 3389] in the deltas of job j (enrichment.port_sets.admin); set it "
        "to the same ports"
    )


def test_features_have_an_output_of_their_own() -> None:
    refuse_same_output("out", "out/features")
    with pytest.raises(
        UsageError, match=r"^output out: holds the deltas; .* such as out/features$"
    ):
        refuse_same_output("out", "out")
