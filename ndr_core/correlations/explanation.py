"""The explanation of how a window of one host lies to what is usual: what is read, and what is stored of it."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, Protocol

from attrs import evolve, frozen

from ndr_core.baselines.runs import baselines_name
from ndr_core.correlations.explain import Comparison, explain_comparisons
from ndr_core.correlations.job import FgCRunner, FoundCorrelations
from ndr_core.correlations.plan import BaselineDate
from ndr_core.correlations.reference import CorrelationRows
from ndr_core.features.days import read_of
from ndr_core.features.running import NotPublishedError
from ndr_core.features.stale import changed_runs
from ndr_core.publishing.manifest import Manifest, mini_batch_owner
from ndr_core.publishing.published import FollowedOutput
from ndr_core.tables.merge import Row
from ndr_core.times import iso_text, now_us
from ndr_core.windows.job import anchor_name
from ndr_core.windows.labels import WindowLabel

_OF_RUN: Final = "published_at"
"""The column in which equal rows of two runs differ."""


@frozen
class ComparedRows:
    """What is read to explain how one host in one window lies to what is usual."""

    rows: CorrelationRows
    """The published windows of the host, and the baselines of the host, of its segment and of the network."""
    stored: Sequence[Row]
    """Its published rows of `fg_c`, of this window, as the core has them."""


class ComparedReader(Protocol):
    """Reads the rows of one host from published tables."""

    def read(
        self,
        found: FoundCorrelations,
        features: FollowedOutput,
        label: WindowLabel,
        host_ip: str,
    ) -> ComparedRows:
        """Read what a comparison is made of, and its rows in `features`. Raises NdrError where it can't."""
        ...


@frozen
class StoredComparison:
    """A published row, beside what the published tables give now."""

    role: str
    horizon: str
    published_at: int
    """us."""
    differs: Mapping[str, tuple[Any, Any]]
    """Columns whose values differ -> the stored value, and the one of now; `published_at` apart."""


@frozen
class ComparisonExplanation:
    """How a window of one host lies to what is usual, and why."""

    date: BaselineDate
    """That whose baselines it is compared with."""
    baselines: Manifest | None
    """Their run; None where there is none to read: it is missing, or nothing was there to be in them."""
    windows: Manifest
    """The run of the windows."""
    run: Manifest | None
    """The run that has published the comparison; None where none has."""
    is_other_spec: bool
    """Whether that run had another JobSpec."""
    stale: tuple[str, ...]
    """What that run has read in another version; nothing where it has not."""
    comparisons: tuple[Comparison, ...]
    stored: tuple[StoredComparison, ...]


def explain_departures(
    runner: FgCRunner,
    reader: ComparedReader,
    label_name: str,
    host_ip: str,
    most: int,
    names: Collection[str] = (),
) -> ComparisonExplanation:
    """Explain how a host in a window lies to what is usual.

    `runner`: of the JobSpec and of the window's end, with a sink that is nowhere: nothing is published. `label_name`:
    of the window; `host_ip`: canonical text; `most`: rows of each evidence, `explained.ALL` for all; `names`: the
    columns to explain, all without any. Raises SpecError for a window that the spec does not have, NotPublishedError
    where the windows were not built, NdrError where published tables can't be read.
    """
    spec = runner.spec
    found = evolve(runner, allows_missing=True).look(now_us())
    label = next((one for one in found.needs.labels if one.name == label_name), None)
    if label is None:
        raise NotPublishedError(
            f"window {label_name} that ends at {iso_text(runner.anchor)}: it is not built yet in "
            f"{runner.features.root}; build it (ndr features run --job fg-a --end {iso_text(runner.anchor)})"
        )
    host = reader.read(found, runner.features, label, host_ip)
    comparisons = explain_comparisons(found.plan, label, host.rows, most, names)
    owner = mini_batch_owner(spec.feature_spec_version, spec.job_name, anchor_name(runner.anchor))
    run = next(iter(runner.features.of_owners(spec.feature_spec_version, [owner])), None)
    date = found.needs.dates[label]
    name = baselines_name(date.date)
    of_date = (one for one in found.baselines.pinned if one.facts.mini_batch_id == name)
    return ComparisonExplanation(
        date=date,
        baselines=next(of_date, None),
        windows=found.windows.pinned[0],
        run=run,
        is_other_spec=run is not None and run.facts.spec_sha256 != spec.content_hash(),
        stale=() if run is None else tuple(changed_runs(read_of(run), found.needs.read)),
        comparisons=comparisons,
        stored=tuple(_stored(row, comparisons) for row in host.stored),
    )


def _stored(row: Row, comparisons: Sequence[Comparison]) -> StoredComparison:
    place = row["role"], row["horizon"]
    now: Mapping[str, Any] = next(
        (one.row for one in comparisons if (one.role, one.horizon) == place), {}
    )
    return StoredComparison(
        *place,
        row[_OF_RUN],
        {
            name: (value, now.get(name))
            for name, value in row.items()
            if name != _OF_RUN and value != now.get(name)
        },
    )
