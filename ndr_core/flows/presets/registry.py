"""The presets by the names that JobSpecs use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ndr_core.flows.presets.fortigate import FORTIGATE
from ndr_core.flows.presets.gcp_vpc import GCP_VPC
from ndr_core.flows.presets.netflow import NETFLOW
from ndr_core.flows.presets.ocsf import OCSF
from ndr_core.flows.presets.paloalto import PALOALTO
from ndr_core.flows.presets.preset import Preset
from ndr_core.flows.presets.suricata import SURICATA
from ndr_core.flows.presets.vpcflow import VPCFLOW
from ndr_core.flows.presets.zeek import ZEEK

PRESETS: Final[Mapping[str, Preset]] = {
    "paloalto": PALOALTO,
    "zeek": ZEEK,
    "vpcflow": VPCFLOW,
    "fortigate": FORTIGATE,
    "ocsf": OCSF,
    "suricata": SURICATA,
    "netflow": NETFLOW,
    "gcp_vpc": GCP_VPC,
}
