"""The port of engines that build the pair history."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from attrs import frozen

from ndr_core.history.plan import HistoryPlan
from ndr_core.publishing.published import PublishedTables


@frozen
class HistoryInputs:
    """What the history of a day is made from. All outputs are as of one moment.

    With `former`, it goes on from the history of the day before, and only the day itself comes in and `leaving_day`
    goes out. Without, it is made from the day and the 29 days before. Both ways give equal rows.
    """

    day_pairs: PublishedTables
    """The output with the pair slices of the day, and of `slice_days`."""
    former: PublishedTables | None = None
    """The output with the history of the day before, to go on from; None: there is none, or it is stale."""
    tiles: PublishedTables | None = None
    """The output with the pair tiles of earlier days; None: there are none."""
    slice_days: tuple[int, ...] = ()
    """Earlier days that are read from their pair slices, as their pair tiles are missing or stale.

    All other earlier days are read from `tiles`: one that has no rows there had no sessions.
    """


class HistoryEngine(Protocol):
    """Turns the pair slices of a day into the tables of its history."""

    name: ClassVar[str]
    """Name by which a user chooses the engine."""

    def build(
        self, plan: HistoryPlan, inputs: HistoryInputs, staging_root: str
    ) -> Mapping[str, int]:
        """Write the tables of the history (`history.tables`) below `staging_root`.

        Gives the staged files, below the root, and their rows; a folder without rows has no file. Raises
        OverflowingColumnError where a sum leaves int64, NdrError where the former history and the tile of the leaving
        day do not fit together, or where what was published can't be read.
        """
        ...
