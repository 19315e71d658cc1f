"""Where nothing is published, nothing stands, and nothing can be staged."""

from __future__ import annotations

import pytest

from ndr_core.place import overlap
from ndr_core.publishing.nowhere import NoPlace, Nowhere
from ndr_core.publishing.standing import Standing
from tests.unit.core.fakes import MemoryPlace
from tests.unit.core.publishing.makers import FACTS


def test_no_place_overlaps_with_it() -> None:
    assert not overlap(NoPlace(), NoPlace())
    assert not overlap(MemoryPlace("memory:/in"), Nowhere().place)


def test_nothing_stands_there() -> None:
    assert Nowhere().standing(FACTS, 0) == Standing()


def test_no_run_is_published_there() -> None:
    with pytest.raises(AssertionError, match="run run-1 can't be published nowhere"):
        Nowhere().open_staging("run-1", (), print)
