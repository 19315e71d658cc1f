"""How a watcher tells what it does: a bar on a terminal, plain lines elsewhere, or nothing."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from attrs import define, field
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from ndr_core.errors import printable, without_credentials
from ndr_core.progress import PROGRESS_SECONDS, Every
from ndr_core.publishing.manifest import Manifest
from ndr_core.watching.attempts import Source
from ndr_core.watching.decide import ToBuild
from ndr_entrypoints.run_log import duration_text, line_logger

_FEW: Final = 20
"""A round of no more names tells of each mini-batch; of more, how far it is."""
_MOST_SAID: Final = 10_000
"""Different notices of runs; a watcher may go on for years."""


@define
class WatchNews:
    """What all ways of telling have in common: how many names a round has, how many are through, and its rate."""

    say: Callable[[str], None]
    """Says a line, of what was done."""
    warn: Callable[[str], None]
    """Says a line, of what a user should know."""
    clock: Callable[[], float] = time.monotonic
    total: int = field(default=0, init=False)
    through: int = field(default=0, init=False)
    published: int = field(default=0, init=False)
    """Mini-batches, since the watcher began."""
    _began: float = field(default=0.0, init=False)
    _said: set[str] = field(factory=set, init=False)
    _due: Every = field(factory=lambda: Every(PROGRESS_SECONDS), init=False)

    def once(self, message: str) -> None:
        """Pass on what a run tells, which the runs of all mini-batches may tell alike, the first time."""
        if message not in self._said and len(self._said) < _MOST_SAID:
            self._said.add(message)
            self.warn(message)

    def found(self, finished: int, growing: int) -> None:
        self.total, self.through, self._began = finished, 0, self.clock()
        if finished:
            more = f", {growing:,} still growing" if growing else ""
            self.say(f"{finished:,} to build{more}")

    def built(self, batch: ToBuild, manifest: Manifest) -> None:
        self.published += 1
        if self.total <= _FEW:
            report = manifest.facts.report
            counts = "" if report is None else f"read {report.read:,}, kept {report.kept:,}, "
            again = ", again, as its files have grown" if batch.replaces is not None else ""
            self.say(f"{batch.mini_batch_id}: {counts}slices {len(manifest.slices()):,}{again}")

    def known(self, source: Source, mini_batch_id: str) -> None:
        self.warn(f"{printable(source.path)}: mini-batch {mini_batch_id} counts its content; left")

    def failed(self, place: str, problem: str) -> None:
        self.warn(f"{printable(place)}: not built: {without_credentials(problem)}")

    def passed(self, place: str) -> None:
        del place
        self.through += 1
        if self.total > _FEW and (
            self._due.lets_through(self.clock() - self._began) or self.through == self.total
        ):
            self.say(self.progress_text())

    def progress_text(self) -> str:
        """Such as `120 of 10,000 (1 %), 3.1 mini-batches/s, 52 min 20 s left`."""
        seconds = self.clock() - self._began
        rate = self.through / seconds if seconds > 0 else 0.0
        share = 100 * self.through / self.total
        text = f"{self.through:,} of {self.total:,} ({share:.0f} %), {rate:.1f} mini-batches/s"
        if rate and self.through < self.total:
            text += f", {duration_text((self.total - self.through) / rate)} left"
        return text


@define
class LiveWatchNews(WatchNews):
    """The same with a bar of the round, by which a terminal shows how far it is."""

    display: Progress = field(kw_only=True)

    def found(self, finished: int, growing: int) -> None:
        super().found(finished, growing)
        for task in list(self.display.task_ids):
            self.display.remove_task(task)
        if finished:
            self.display.add_task("building", total=finished, told="")

    def passed(self, place: str) -> None:
        del place
        self.through += 1
        for task in self.display.task_ids:
            self.display.update(task, completed=self.through, told=self.progress_text())


def _nothing(_message: str) -> None:
    """Say nothing."""


def _note(message: str) -> None:
    print(f"note: {message}", file=sys.stderr)


@contextmanager
def watch_news(quiet: bool, only_notices: bool) -> Iterator[WatchNews]:
    """Tell what a watcher does, as the terminal and the user want it."""
    if quiet:
        yield WatchNews(_nothing, _nothing)
    elif only_notices:
        yield WatchNews(_nothing, _note)
    elif sys.stderr.isatty():
        columns = (
            TextColumn("{task.description}"),
            BarColumn(bar_width=20),
            MofNCompleteColumn(),
            TimeElapsedColumn(),
            TextColumn("[dim]{task.fields[told]}"),
        )
        with Progress(*columns, console=Console(stderr=True)) as display:
            screen = display.console

            def say(message: str) -> None:
                screen.print(message, markup=False, soft_wrap=True)

            def warn(message: str) -> None:
                screen.print(f"note: {message}", style="yellow", markup=False, soft_wrap=True)

            yield LiveWatchNews(say, warn, display=display)
    else:
        logger = line_logger()
        yield WatchNews(
            lambda message: logger.info("%s", message),
            lambda message: logger.warning("note: %s", message),
        )
