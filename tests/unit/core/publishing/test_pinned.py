"""An output as of one moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from attrs import frozen

from ndr_core.publishing.entry import entry_of
from ndr_core.publishing.manifest import Manifest
from ndr_core.publishing.pinned import PinnedTables
from ndr_core.publishing.published import entries_of_owners, readable_files
from ndr_core.times import to_datetime
from tests.unit.core.publishing.makers import TEN, published


@frozen
class Later:
    """An output in which a run was replaced meanwhile."""

    root: str = "memory:/out"

    def manifests(self, since: datetime | None, until: datetime | None) -> Sequence[Manifest]:
        raise AssertionError(f"not asked for {since} to {until}")

    def sizes(self, paths: Iterable[str]) -> Mapping[str, int]:
        return dict.fromkeys(paths, 10)


def test_readers_see_the_pinned_runs_whatever_is_published_meanwhile() -> None:
    run = published(1, 0, 15)
    pinned = PinnedTables(Later(), (run,))

    assert pinned.root == "memory:/out"
    assert pinned.manifests(to_datetime(TEN), None) == (run,)
    assert readable_files(pinned, "delta").files == list(run.files)


def test_the_bytes_of_some_tables_in_some_slices_are_counted() -> None:
    run = published(1, 0, 15)
    pinned = PinnedTables(Later(), (run,))
    of_first = [file for file in run.files if file.table == "delta" and "mm=00" in file.path]

    assert pinned.bytes_of(["delta"], TEN, TEN + 1) == sum(file.bytes for file in of_first) > 0
    assert pinned.bytes_of(["delta"], TEN + 1, TEN + 1) == pinned.bytes_of([], 0, 2 * TEN) == 0


def test_the_manifests_of_owners_are_chosen_by_their_names() -> None:
    ours, other, later, another_version = (
        published(1, 0),
        published(2, 0, mini_batch_id="other"),
        published(3, 15),
        published(4, 0, feature_spec_version="v2"),
    )
    entries = [entry_of(one) for one in (ours, other, later, another_version)]

    found = entries_of_owners(entries, "v1", [ours.owner])

    assert found == [entry_of(ours), entry_of(later)]
    assert entries_of_owners(entries, "v2", [ours.owner]) == []
    assert entries_of_owners(entries, "v1", []) == []
