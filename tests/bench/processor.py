"""Seconds of processors that this process and all below it have used, those that have ended included."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Final

import psutil

_EVERY: Final = 0.05
_LOOKS_PER_SEARCH: Final = 20


class Processor(threading.Thread):
    """Counts seconds of processors. Start it before what it counts.

    What a process has used is added to its parent's when the parent waits for it. Spark's daemon waits for none of
    the Python workers that it forks, so these are watched while they live.
    """

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self._workers: dict[int, float] = {}
        """Python worker that was ever seen -> what it had used when last seen."""
        self._daemons: list[int] = []

    def run(self) -> None:
        wait = threading.Event()
        looks = 0
        while not wait.wait(_EVERY):
            if looks % _LOOKS_PER_SEARCH == 0:
                self._daemons = [one.pid for one in _below() if _is_daemon(one)]
            self._look()
            looks += 1

    def seconds(self) -> float:
        """What has been used until now."""
        self._look()
        total = sum(list(self._workers.values()))
        for process in (psutil.Process(), *_below()):
            if process.pid in self._workers:
                continue
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system + times.children_user + times.children_system
        return total

    def _look(self) -> None:
        for daemon in self._daemons:
            try:
                workers = Path(f"/proc/{daemon}/task/{daemon}/children").read_text().split()
                for pid in map(int, workers):
                    times = psutil.Process(pid).cpu_times()
                    self._workers[pid] = times.user + times.system
            except (psutil.Error, OSError):
                continue


def _below() -> list[psutil.Process]:
    return psutil.Process().children(recursive=True)


def _is_daemon(process: psutil.Process) -> bool:
    """Whether a process is the Python that a JVM starts to fork workers."""
    try:
        parent = process.parent()
        return (
            parent is not None and parent.name() == "java" and process.name().startswith("python")
        )
    except psutil.Error:
        return False
