"""The forms by the presets that read them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ndr_adapters.synthetic.form import Form
from ndr_adapters.synthetic.forms.fortigate import FORTIGATE
from ndr_adapters.synthetic.forms.gcp_vpc import GCP_VPC
from ndr_adapters.synthetic.forms.netflow import NETFLOW
from ndr_adapters.synthetic.forms.ocsf import OCSF
from ndr_adapters.synthetic.forms.paloalto import PALOALTO
from ndr_adapters.synthetic.forms.suricata import SURICATA
from ndr_adapters.synthetic.forms.vpcflow import VPCFLOW
from ndr_adapters.synthetic.forms.zeek import ZEEK
from ndr_core.errors import UsageError, nearest, shown

FORMS: Final[Mapping[str, Mapping[str, Form]]] = {
    forms[0].preset: {form.name: form for form in forms}
    for forms in (PALOALTO, ZEEK, VPCFLOW, FORTIGATE, OCSF, SURICATA, NETFLOW, GCP_VPC)
}
"""Preset -> the names of its forms -> form; the first one is what its source writes by default."""


def form_of(preset: str, name: str | None) -> Form:
    """Give a form of a preset's source by its name, the first one for None. Raises UsageError for an unknown name."""
    forms = FORMS[preset]
    if name is None:
        return next(iter(forms.values()))
    if name not in forms:
        raise UsageError(f"form: {shown(name)} is no form of {preset}, {nearest(name, forms)}")
    return forms[name]
