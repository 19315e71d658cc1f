"""How a run tells what it does: a live display on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from attrs import define, field
from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.progress import Progress as Display

from ndr_core.jobs.ports import QuietLog, RunLog
from ndr_core.jobs.run import Stage
from ndr_core.progress import PROGRESS_SECONDS, Every, Progress

_STAGES: Final[Mapping[Stage, str]] = {
    Stage.LOOK: "looking at the input",
    Stage.START: "starting the engine",
    Stage.BUILD: "building deltas",
    Stage.PUBLISH: "publishing",
}


FEATURE_STAGES: Final[Mapping[Stage, str]] = {
    **_STAGES,
    Stage.LOOK: "looking at what is published",
    Stage.BUILD: "building features",
}
"""What the stages of feature jobs are called."""

_WIDE: Final = 110
_BAR_WIDTH: Final = 20
_NOT_ENDED: Final = 0.999
"""A stage that is complete counts as ended, which a build is not when all is read."""


class NoticesOnly(QuietLog):
    """Tells, on standard error, what a user should know though the run goes on."""

    def notice(self, message: str) -> None:
        print(f"note: {message}", file=sys.stderr)


@define
class LineLog:
    """One log line per ended stage, and one each half minute of the build."""

    logger: logging.Logger
    stages: Mapping[Stage, str] = field(default=_STAGES)
    _progress_due: Every = field(factory=lambda: Every(PROGRESS_SECONDS), init=False)

    def stage(self, stage: Stage, **facts: Any) -> None:
        del stage, facts

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        told = f"{_told(facts)} in " if facts else ""
        self.logger.info("%s: %s%.2f s", self.stages[stage], told, seconds)

    def progress(self, progress: Progress) -> None:
        if self._progress_due.lets_through(progress.seconds):
            self.logger.info("%s: %s", self.stages[Stage.BUILD], progress_text(progress))

    def notice(self, message: str) -> None:
        self.logger.warning("note: %s", message)


class LiveLog:
    """A line per stage, with a spinner and the time while it runs; a bar and more of the build."""

    def __init__(self, progress: Display, stages: Mapping[Stage, str] = _STAGES) -> None:
        self._progress = progress
        self._stages = stages
        self._tasks: dict[Stage, TaskID] = {}

    def stage(self, stage: Stage, **facts: Any) -> None:
        del facts
        self._tasks[stage] = self._progress.add_task(
            self._stages[stage], total=None, told="", bar=False
        )

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        del seconds
        self._progress.update(
            self._tasks[stage], total=1, completed=1, told=_told(facts), bar=False
        )

    def progress(self, progress: Progress) -> None:
        self._progress.update(
            self._tasks[Stage.BUILD],
            total=1.0,
            completed=progress.share * _NOT_ENDED,
            told=progress_text(progress),
            bar=True,
        )

    def notice(self, message: str) -> None:
        self._progress.console.print(
            f"note: {message}", style="yellow", markup=False, soft_wrap=True
        )


@contextmanager
def live_log(console: Console, stages: Mapping[Stage, str] = _STAGES) -> Iterator[LiveLog]:
    """A live display that stays on the terminal when it ends."""
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        *([_BuildBar()] if console.width >= _WIDE else []),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[told]}"),
    )
    with Display(*columns, console=console) as progress:
        yield LiveLog(progress, stages)


class _BuildBar(ProgressColumn):
    """A bar for the stage that tells how far it is."""

    def __init__(self) -> None:
        self._bar = BarColumn(bar_width=_BAR_WIDTH)
        super().__init__()

    def render(self, task: Task) -> RenderableType:
        return self._bar.render(task) if task.fields["bar"] else ""


_UNITS: Final = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "B"))


def progress_text(progress: Progress) -> str:
    """Such as `1.2 of 4.0 GB (30 %), 410,000 records/s, 25 s left`."""
    size, unit = next((u for u in _UNITS if progress.total_bytes >= u[0]), _UNITS[-1])
    digits = 1 if size > 1 else 0
    read, total = (f"{n / size:,.{digits}f}" for n in (progress.done_bytes, progress.total_bytes))
    left = progress.seconds_left
    return (
        f"{read} of {total} {unit} ({100 * progress.share:.0f} %), "
        f"{progress.records_per_second:,.0f} records/s"
        + (f", {duration_text(left)} left" if left is not None else "")
    )


def duration_text(seconds: float) -> str:
    """Such as `25 s`, `2 min 05 s` or `3 h 20 min`."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    if hours:
        return f"{hours} h {minutes:02} min"
    return f"{minutes} min {rest:02} s" if minutes else f"{rest} s"


def _told(facts: Mapping[str, Any]) -> str:
    return ", ".join(
        f"{name} {value:,}" if isinstance(value, int) else f"{name} {value}"
        for name, value in facts.items()
    )


@contextmanager
def run_log(
    quiet: bool, only_notices: bool, stages: Mapping[Stage, str] = _STAGES
) -> Iterator[RunLog]:
    """Tell what a run does, as the terminal and the user want it. `stages`: what these are called."""
    if quiet:
        yield QuietLog()
    elif only_notices:
        yield NoticesOnly()
    elif sys.stderr.isatty():
        with live_log(Console(stderr=True), stages) as log:
            yield log
    else:
        yield LineLog(line_logger(), stages)


def line_logger() -> logging.Logger:
    """The run's own lines on standard error, and nobody else's."""
    logger = logging.getLogger("ndr")
    if not logger.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(asctime)s %(message)s"))
        logger.addHandler(handler)
        logger.setLevel(logging.INFO)
    return logger
