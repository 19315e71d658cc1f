"""No output at all: where a run that publishes nothing has none to look at."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NoReturn

from attrs import frozen

from ndr_core.publishing.manifest import RunFacts
from ndr_core.publishing.standing import Standing
from ndr_core.tables.table import Table


@frozen
class NoPlace:
    """Holds no place, and lies in none."""

    def holds(self, other: object) -> bool:
        """Say that nothing lies in it."""
        del other
        return False


@frozen
class Nowhere:
    """A sink that holds nothing and takes nothing."""

    place: NoPlace = NoPlace()

    def standing(self, facts: RunFacts, since: int) -> Standing:
        """Give the standing of an output without any run."""
        del facts, since
        return Standing()

    def open_staging(
        self, run_id: str, tables: Iterable[Table], notice: Callable[[str], None]
    ) -> NoReturn:
        """Raise AssertionError: nothing is published here."""
        del tables, notice
        raise AssertionError(f"run {run_id} can't be published nowhere")
