"""How a run tells what it does: a live display on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Final

from attrs import frozen
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import Stage

_STAGES: Final[Mapping[Stage, str]] = {
    Stage.LOOK: "looking at the input",
    Stage.START: "starting the engine",
    Stage.BUILD: "building deltas",
    Stage.PUBLISH: "publishing",
}


class NoticesOnly(QuietLog):
    """Tells, on standard error, what a user should know though the run goes on."""

    def notice(self, message: str) -> None:
        print(f"note: {message}", file=sys.stderr)


@frozen
class LineLog:
    """One log line per ended stage."""

    logger: logging.Logger

    def stage(self, stage: Stage, **facts: Any) -> None:
        del stage, facts

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        told = f"{_told(facts)} in " if facts else ""
        self.logger.info("%s: %s%.2f s", _STAGES[stage], told, seconds)

    def notice(self, message: str) -> None:
        self.logger.warning("note: %s", message)


class LiveLog:
    """A line per stage, with a spinner and the time while it runs."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[Stage, TaskID] = {}

    def stage(self, stage: Stage, **facts: Any) -> None:
        del facts
        self._tasks[stage] = self._progress.add_task(_STAGES[stage], total=None, told="")

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        del seconds
        self._progress.update(self._tasks[stage], total=1, completed=1, told=_told(facts))

    def notice(self, message: str) -> None:
        self._progress.console.print(
            f"note: {message}", style="yellow", markup=False, soft_wrap=True
        )


@contextmanager
def live_log(console: Console) -> Iterator[LiveLog]:
    """A live display that stays on the terminal when it ends."""
    columns = (
        SpinnerColumn(finished_text="[green]✓[/]"),
        TextColumn("{task.description}"),
        TimeElapsedColumn(),
        TextColumn("[dim]{task.fields[told]}"),
    )
    with Progress(*columns, console=console) as progress:
        yield LiveLog(progress)


def _told(facts: Mapping[str, Any]) -> str:
    return ", ".join(f"{name} {value:,}" for name, value in facts.items())
