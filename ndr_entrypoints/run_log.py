"""How a run tells what it does: a live display on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from attrs import frozen
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TaskID, TextColumn, TimeElapsedColumn

_STAGES = {
    "look": "looking at the input",
    "start": "starting the engine",
    "build": "building deltas",
    "publish": "publishing",
}


class QuietLog:
    """Tells nothing."""

    def stage(self, name: str, **facts: Any) -> None:
        del name, facts

    def done(self, name: str, seconds: float, **facts: Any) -> None:
        del name, seconds, facts

    def notice(self, message: str) -> None:
        del message


class NoticesOnly(QuietLog):
    """Tells, on standard error, what a user should know though the run goes on."""

    def notice(self, message: str) -> None:
        print(f"note: {message}", file=sys.stderr)


@frozen
class LineLog:
    """One log line per ended stage."""

    logger: logging.Logger

    def stage(self, name: str, **facts: Any) -> None:
        del name, facts

    def done(self, name: str, seconds: float, **facts: Any) -> None:
        told = f"{_told(facts)} in " if facts else ""
        self.logger.info("%s: %s%.2f s", _STAGES[name], told, seconds)

    def notice(self, message: str) -> None:
        self.logger.warning("note: %s", message)


class LiveLog:
    """A line per stage, with a spinner and the time while it runs."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def stage(self, name: str, **facts: Any) -> None:
        del facts
        self._tasks[name] = self._progress.add_task(_STAGES[name], total=None, told="")

    def done(self, name: str, seconds: float, **facts: Any) -> None:
        del seconds
        self._progress.update(self._tasks[name], total=1, completed=1, told=_told(facts))

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
