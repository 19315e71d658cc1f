"""The explanation of a published window of one host: what there is to read, what it gives, and what is stored of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol

from attrs import evolve, frozen

from ndr_core.errors import SpecError
from ndr_core.features.networks import Hosts
from ndr_core.history.prevalence import Prevalence
from ndr_core.publishing.manifest import Manifest, mini_batch_owner
from ndr_core.publishing.published import FollowedOutput
from ndr_core.publishing.read_facts import DELTAS, ReadContribution
from ndr_core.tables.merge import Row
from ndr_core.tables.slices import slice_place
from ndr_core.times import MINUTE_US, now_us
from ndr_core.windows.explain import explain_host
from ndr_core.windows.explained import RoleExplanation
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.job import FgARunner, FoundWindows, anchor_name
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.reference import WindowRows
from ndr_core.windows.stale import find_stale

_OF_RUN: Final = "published_at"
"""The column in which equal rows of two runs differ."""


@frozen
class HostRows:
    """What is read to explain one host in one window."""

    rows: WindowRows
    """Those of the host alone, with its history."""
    prevalence: Prevalence | None
    """Of its peers among all hosts; None where the history is not known, or no column needs it."""
    stored: Sequence[Row]
    """Its published rows of `fg_a`, of this window, as the core has them."""


class HostReader(Protocol):
    """Reads the rows of one host from published tables."""

    def read(
        self, found: FoundWindows, features: FollowedOutput, label: WindowLabel, host_ip: str
    ) -> HostRows:
        """Read what a window of the host is made of, and its row in `features`. Raises NdrError where it can't."""
        ...


@frozen
class SliceState:
    """One slice of a window."""

    start: int
    """us since 1970-01-01 UTC."""
    is_published: bool
    contributions: tuple[ReadContribution, ...]
    """What mini-batches contributed to it: of any host."""


@frozen
class StoredRow:
    """A published row, beside what the published slices give now."""

    role: str
    published_at: int
    """us."""
    differs: Mapping[str, tuple[Any, Any]]
    """Columns whose values differ -> the stored value, and the one of now; `published_at` apart."""


@frozen
class Explanation:
    """Why the rows of one host in one window are what they are."""

    host_ip: str
    label: WindowLabel
    end: int
    """us."""
    slices: tuple[SliceState, ...]
    """Those of the window, in the order of time."""
    source: HistorySource
    history_run: ReadContribution | None
    """The run of the history that is read; None where there is none to read."""
    history_run_at: int | None
    """When it was published, us."""
    run: Manifest | None
    """The run that has published windows of this end; None where none has."""
    is_other_spec: bool
    """Whether that run had another JobSpec."""
    stale: tuple[str, ...]
    """Why the windows of this end are out of date; nothing where they are not."""
    roles: tuple[RoleExplanation, ...]
    stored: tuple[StoredRow, ...]
    """Published rows; a role without one has no row, or the window was not published."""

    @property
    def start(self) -> int:
        """Start of the window, us."""
        return self.label.start(self.end)

    @property
    def unpublished(self) -> tuple[SliceState, ...]:
        """The slices that are not published."""
        return tuple(one for one in self.slices if not one.is_published)


def explain(runner: FgARunner, reader: HostReader, host_ip: str, most: int) -> Explanation:
    """Explain the rows of a host in a window.

    `runner`: of the JobSpec and of the window's end, for one label, and a sink that is nowhere: nothing is published.
    `host_ip`: canonical text. `most`: rows of each evidence, `explained.ALL` for all. Raises SpecError for a host whose
    rows the spec does not build and for a window that it does not have, NotPublishedError where no slice of the window
    is published, NdrError where published tables can't be read.
    """
    spec = runner.spec
    found = evolve(runner, allows_missing=True).look(now_us())
    if not found.plan.has_rows(host_ip):
        raise SpecError(
            f"hosts: {host_ip} is not internal, and the JobSpec builds rows of {Hosts.INTERNAL.value} hosts only; see "
            "networks.internal, or build with hosts: all"
        )
    (label,) = found.needs.labels
    host = reader.read(found, runner.features, label, host_ip)
    owner = mini_batch_owner(spec.feature_spec_version, spec.job_name, anchor_name(runner.anchor))
    run = next(iter(runner.features.of_owners(spec.feature_spec_version, [owner])), None)
    stale = find_stale(spec, runner.deltas, runner.features, runner.anchor, runner.anchor)
    source = found.needs.history[label]
    of_history = _history_run(found, source)
    roles = explain_host(found.plan, runner.anchor, label, host.rows, host.prevalence, most)
    return Explanation(
        host_ip=host_ip,
        label=label,
        end=runner.anchor,
        slices=_slices(found, label),
        source=source,
        history_run=of_history,
        history_run_at=_published_at(found, of_history),
        run=run,
        is_other_spec=run is not None and run.facts.spec_sha256 != spec.content_hash(),
        stale=() if run is None else tuple(r for one in stale.windows for r in one.reasons),
        roles=roles,
        stored=tuple(_stored(row, roles) for row in host.stored),
    )


def _slices(found: FoundWindows, label: WindowLabel) -> tuple[SliceState, ...]:
    read = found.needs.read
    by_place: dict[str, list[ReadContribution]] = {}
    for one in read.contributions:
        if one.output == DELTAS:
            by_place.setdefault(one.slice, []).append(one)
    missing = set(read.unpublished)
    step = found.plan.slice_minutes * MINUTE_US
    return tuple(
        SliceState(
            start, slice_place(start) not in missing, tuple(by_place.get(slice_place(start), ()))
        )
        for start in range(label.start(found.anchor), found.anchor, step)
    )


def _history_run(found: FoundWindows, source: HistorySource) -> ReadContribution | None:
    if source.base is None:
        return None
    runs = [one for one in found.needs.read.contributions if one.output != DELTAS]
    return runs[0]


def _published_at(found: FoundWindows, run: ReadContribution | None) -> int | None:
    times = (
        one.published_at
        for one in found.features.pinned
        if run is not None and one.facts.mini_batch_id == run.mini_batch_id
    )
    return next(times, None)


def _stored(row: Row, roles: Sequence[RoleExplanation]) -> StoredRow:
    now: Mapping[str, Any] = next((one.row for one in roles if one.role == row["role"]), {})
    return StoredRow(
        row["role"],
        row[_OF_RUN],
        {
            name: (value, now.get(name))
            for name, value in row.items()
            if name != _OF_RUN and value != now.get(name)
        },
    )
