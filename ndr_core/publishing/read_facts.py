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
    """As `Contribution.digest`; of the history of a day as `DayRead.digest`, of other features their `run_digest`."""


@frozen
class DayRead:
    """A whole UTC day of which the contributions were read, by this run or by the one that it builds on."""

    date: str
    """`2025-03-01`."""
    digest: str
    """Hash of all contributions to the day, with their digests."""


@frozen
class CoveredWindows:
    """How many windows of a part of the week there were to count, of which all slices were published."""

    time_band: str
    window_label: str
    windows: int
    """With rows of a host or without."""


@frozen
class SettingRead:
    """A setting that may change without another feature_spec_version, as far as it concerns a run."""

    name: str
    digest: str


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
    covered: tuple[CoveredWindows, ...] = ()
    """The windows that a summary counts, sorted."""
    settings: tuple[SettingRead, ...] = ()
    """What it was built by beside its `meaning`: only what makes a difference to it."""
    without_baseline: tuple[str, ...] = ()
    """What was built though the baselines that it needs were not there: labels of windows, dates of summaries."""
    allows_missing: bool = False
    """Whether the run was to build what it could of what is not published yet."""
