"""What a run read of other outputs: so that it can be told later whether that has changed."""

from __future__ import annotations

from typing import Final

from attrs import frozen

DELTAS: Final = "deltas"
FEATURES: Final = "features"


@frozen
class ReadContribution:
    """What one mini-batch, or one run of a feature job, had contributed to one slice or day when it was read."""

    output: str
    """DELTAS or FEATURES: the output that it lies in."""
    job_name: str
    mini_batch_id: str
    slice: str
    """`dt=../hh=../mm=..`, of a table of days `dt=..`."""
    digest: str
    """As `Contribution.digest`; of the history of a day as `DayRead.digest`."""


@frozen
class DayRead:
    """A whole UTC day of which the contributions were read, by this run or by the one that it builds on."""

    date: str
    """`2025-03-01`."""
    digest: str
    """Hash of all contributions to the day, with their digests."""


@frozen
class ReadFacts:
    """What a feature run read, and what it looked for and did not find."""

    contributions: tuple[ReadContribution, ...] = ()
    """In the order of time."""
    days: tuple[DayRead, ...] = ()
    """The days behind the history, those with contributions, in the order of time."""
    unpublished: tuple[str, ...] = ()
    """Slices of the windows that were not published, in the order of time."""
    built: tuple[str, ...] = ()
    """What was built, of what comes in parts: labels of windows."""
    left_out: tuple[str, ...] = ()
    """What was asked for, and left out since slices were not published."""
    without_history: tuple[str, ...] = ()
    """What was built though the history that it needs was not there."""
    allows_missing: bool = False
    """Whether the run was to build what it could of what is not published yet."""
