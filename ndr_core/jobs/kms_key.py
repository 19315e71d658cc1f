"""The name of the key of KMS that encrypts what runs write to S3."""

from __future__ import annotations

import re
from typing import Final

from ndr_core.errors import shown
from ndr_core.names import whole

_ID: Final = r"(?:[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}|mrk-[0-9a-f]{32})"
_ALIAS: Final = r"alias/[A-Za-z0-9/_-]{1,250}"
_ARN: Final = r"arn:aws[a-z-]*:kms:[a-z0-9-]+:[0-9]{12}:"
_NAME: Final = rf"{_ARN}(?:key/{_ID}|{_ALIAS})|{_ALIAS}|{_ID}"
_WHOLE_NAME: Final = re.compile(_NAME)

KMS_KEY: Final = {
    "doc": "key of KMS that encrypts what runs write to S3: its id, its alias (alias/NAME), or the ARN of either; "
    "the bucket's own rule if absent",
    "schema": {"pattern": whole(_NAME)},
}
"""What the key `kms_key` of a JobSpec says of itself."""


def kms_key_problem(name: str) -> str | None:
    """Say what is wrong with the name of a key, None where nothing is."""
    if _WHOLE_NAME.fullmatch(name):
        return None
    return (
        f"{shown(name)} is no key of KMS; give its ARN (arn:aws:kms:REGION:ACCOUNT:key/ID), its id, or an alias "
        "(alias/NAME)"
    )
