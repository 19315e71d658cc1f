"""Signals that ask a run to stop: the run ends in order, and what it says is true."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from types import FrameType
from typing import Any, Final

from attrs import define, field

from ndr_adapters.interruptible import QUERY_LEFT
from ndr_core.errors import StopRequested

_SIGNALS: Final = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_AGAIN_SECONDS: Final = 1.0
"""A signal that comes so soon after another one is the same request: shells and services may send several."""


@define
class Stopping:
    """Turns signals into StopRequested, at once or when what must not be disturbed is done.

    A second request ends the process where it is, as `kill -9` would, for those who can't wait.
    """

    held_back: bool = False
    asked: int | None = None
    asked_at: float = field(default=0.0)

    @contextmanager
    def undisturbed(self) -> Iterator[None]:
        """Hold signals back during the block."""
        self.held_back = True
        try:
            yield
        finally:
            self.held_back = False
        if self.asked is not None:
            raise StopRequested(self.asked)

    def on_signal(self, number: int, frame: FrameType | None) -> None:
        """Handle a signal."""
        del frame
        if self.asked is None:
            self.asked, self.asked_at = number, time.monotonic()
            if not self.held_back:
                raise StopRequested(number)
        elif time.monotonic() - self.asked_at > _AGAIN_SECONDS:
            print("ndr: stopped at once; the next run removes what this one left", file=sys.stderr)
            end_process(number)


@contextmanager
def signals_handled() -> Iterator[Stopping]:
    """Handle signals while the block runs. One that was ignored before (`nohup`) stays ignored."""
    stopping = Stopping()
    if threading.current_thread() is not threading.main_thread():
        yield stopping
        return
    before: Mapping[int, Any] = {number: signal.getsignal(number) for number in _SIGNALS}
    for number, handler in before.items():
        if handler is not signal.SIG_IGN:
            signal.signal(number, stopping.on_signal)
    try:
        yield stopping
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def stop_message(stop: StopRequested) -> str:
    """What a run that was stopped says."""
    outcome = "the run is published" if stop.published else "nothing was published"
    return f"{stopped_by(stop)}; {outcome}"


def stopped_by(stop: StopRequested) -> str:
    """Name the signal that stopped a command, such as `stopped by SIGTERM`."""
    return f"stopped by {signal.Signals(stop.number).name}"


def exit_stopped(stop: StopRequested, leave: Callable[[int], Any]) -> None:
    """End the process with 128 + the signal's number, by way of `leave` where no query was left at work."""
    if QUERY_LEFT.is_set():
        end_process(stop.number)  # the engine's threads must not meet a Python that ends
    leave(128 + stop.number)


def end_process(number: int) -> None:
    """End the process as it stands, with 128 + a signal's number."""
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(128 + number)
