"""The presets by the names that JobSpecs use."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ndr_core.flows.mapping import Preset
from ndr_core.flows.presets.paloalto import PALOALTO
from ndr_core.flows.presets.vpcflow import VPCFLOW
from ndr_core.flows.presets.zeek import ZEEK

PRESETS: Final[Mapping[str, Preset]] = {
    "paloalto": PALOALTO,
    "zeek": ZEEK,
    "vpcflow": VPCFLOW,
}
