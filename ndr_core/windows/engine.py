"""The port of engines that build windows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Protocol

from attrs import frozen

from ndr_core.publishing.published import PublishedTables
from ndr_core.windows.history_source import HistorySource
from ndr_core.windows.labels import WindowLabel
from ndr_core.windows.plan import WindowPlan


@frozen
class WindowInputs:
    """What the windows that end at one anchor are made of. All published tables are those of one moment."""

    anchor: int
    """The end of the windows, us since 1970-01-01 UTC."""
    labels: tuple[WindowLabel, ...]
    """The windows to build."""
    coverage: Mapping[WindowLabel, int]
    """Published slices of each."""
    history: Mapping[WindowLabel, HistorySource]
    """Where the history of each comes from."""
    deltas: PublishedTables
    """The tables `delta` and `pair`."""
    features: PublishedTables
    """The tables of the history."""
    deltas_version: str
    """`feature_spec_version` of the deltas to read."""
    history_version: str
    """`feature_spec_version` of the history to read."""


class WindowEngine(Protocol):
    """Builds the windows of one anchor."""

    name: ClassVar[str]
    """Name by which a user chooses the engine."""

    def build(self, plan: WindowPlan, inputs: WindowInputs, staging_root: str) -> Mapping[str, int]:
        """Write `fg_a` and `beacon` below `staging_root`: `<table>/feature_spec_version=../dt=../hh=../mm=../role=../`.

        Gives each staged file, below the root, with its rows; a folder without rows has no file. Raises NdrError where
        published tables can't be read, OverflowingColumnError where a sum leaves int64.
        """
        ...
