"""Names of manifests: they tell whether a reader needs to open a manifest at all."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from attrs import frozen

from ndr_core.errors import NdrError, UsageError
from ndr_core.names import is_path_segment
from ndr_core.publishing.manifest import Manifest, ManifestError
from ndr_core.tables.slices import place_start
from ndr_core.times import to_datetime, to_record_us

MANIFESTS: Final = "_manifests"
"""Folder of the manifests of an output."""

_LISTINGS: Final = 20
ListedT = TypeVar("ListedT")

_LABEL: Final = "%Y-%m-%dT%H%M"
_NO_SLICE: Final = "none"
_SPAN: Final = r"none|\d{4}-\d\d-\d\dT\d{4}"
_FORMER_NAME: Final = re.compile(r"\d{12,}\.json|[^/]+/[^/]+/\d{12,}-[^/-]+-[^/]+\.json", re.ASCII)
"""In a folder, and in S3."""
_NAME: Final = re.compile(
    rf"feature_spec_version=(?P<version>[^/]+)/(?P<owner>[0-9a-f]{{16}})-(?P<first>{_SPAN})_(?P<last>{_SPAN})-"
    r"(?P<published_at>\d{16})-(?P<token>[0-9a-f]{12})\.json",
    re.ASCII,
)


@frozen
class Entry:
    """What the name of a manifest tells."""

    version: str
    """Feature_spec_version."""
    owner: str
    """Hash of the owner, as `owner_hash`."""
    first: str
    """First minute of its slices and of its span, `2025-03-01T1015`; `none` where it has neither."""
    last: str
    """Last minute of its span, or first minute of its last slice, whichever is later."""
    published_at: int
    token: str

    @property
    def name(self) -> str:
        """Below the folder of manifests."""
        return (
            f"{owner_prefix(self.version, self.owner)}{self.first}_{self.last}-"
            f"{self.published_at:016}-{self.token}.json"
        )

    @property
    def has_no_slice(self) -> bool:
        """Whether it has neither slices nor a span."""
        return self.first == _NO_SLICE

    def may_hold(self, since: datetime | None, until: datetime | None) -> bool:
        """Whether a slice that starts in [since, until) may be among its slices or in its span."""
        if self.has_no_slice:
            return since is None and until is None
        return (since is None or self.last >= _label(since)) and (
            until is None or self.first <= _label(until)
        )


def settled(list_now: Callable[[], Sequence[ListedT]]) -> Sequence[ListedT]:
    """List until two listings in a row are equal: as of one moment then.

    One that is taken while a manifest replaces another may miss both. Raises NdrError where it never settles.
    """
    found = list_now()
    for _ in range(_LISTINGS):
        before, found = found, list_now()
        if before == found:
            return found
    raise NdrError("runs are published faster than they can be listed; try again")


def owner_hash(owner: str) -> str:
    """Give the hash of an owner (`RunFacts.owner`) by which names of manifests tell it: 16 characters."""
    return hashlib.sha256(owner.encode()).hexdigest()[:16]


def owner_prefix(version: str, hashed: str) -> str:
    """Give what the names of all manifests of an owner begin with. `hashed`: from `owner_hash`."""
    return f"feature_spec_version={version}/{hashed}-"


def entry_of(manifest: Manifest) -> Entry:
    """Give the entry of a manifest. Raises ManifestError for a manifest that no name can be made of."""
    first, last = _labels(manifest)
    entry = Entry(
        manifest.facts.feature_spec_version,
        owner_hash(manifest.owner),
        first,
        last,
        manifest.published_at,
        manifest.token,
    )
    if parse_entry(entry.name) != entry or not is_path_segment(entry.version):
        raise ManifestError("says what can't be the name of a run's manifest")
    return entry


def parse_entry(name: str) -> Entry | None:
    """Read the name of a manifest; None for any other name."""
    found = _NAME.fullmatch(name)
    if found is None:
        return None
    return Entry(
        found["version"],
        found["owner"],
        found["first"],
        found["last"],
        int(found["published_at"]),
        found["token"],
    )


def is_former_name(name: str) -> bool:
    """Whether a manifest of this name was written by a version in which runs owned whole slices."""
    return _FORMER_NAME.fullmatch(name) is not None


def former_output(output: object) -> UsageError:
    """Make the error for an output that was written by a version in which runs owned whole slices."""
    return UsageError(
        f"output {output}: was written by an older version, in which a run owned whole slices; bring it up to "
        f"date with `ndr migrate {output}`"
    )


def _labels(manifest: Manifest) -> tuple[str, str]:
    try:
        labels = [_slice_label(path) for path in manifest.slices()]
    except (KeyError, ValueError) as error:
        raise ManifestError("names a folder that is no slice") from error
    bounds = manifest.facts.bounds
    if bounds is not None:
        labels += [_label(to_datetime(bounds.start)), _label(to_datetime(bounds.end - 1))]
    if manifest.day and not labels:
        # Runs without rows count in the day all the same, and who looks for the day must find it.
        labels.append(f"{manifest.day}T0000")
    return min(labels, default=_NO_SLICE), max(labels, default=_NO_SLICE)


def _slice_label(path: str) -> str:
    """Short form of a slice's path, of a day that of its start, sorting as time does: `2025-03-01T1015`."""
    keys = dict(part.split("=", 1) for part in place_start(path).split("/"))
    return f"{keys['dt']}T{keys['hh']}{keys['mm']}"


def _label(moment: datetime) -> str:
    return f"{to_datetime(to_record_us(moment)):{_LABEL}}"
