"""Waking when something lands in a folder: inotify, by watchdog."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from attrs import field, frozen
from watchdog.events import (
    EVENT_TYPE_CLOSED,
    EVENT_TYPE_CREATED,
    EVENT_TYPE_MOVED,
    FileSystemEvent,
    FileSystemEventHandler,
)
from watchdog.observers import Observer

_WAKING: Final = frozenset((EVENT_TYPE_CLOSED, EVENT_TYPE_CREATED, EVENT_TYPE_MOVED))
"""What happens to a file when it is whole. Each writing to a file that grows would wake for nothing."""


class _Setter(FileSystemEventHandler):
    def __init__(self, landed: threading.Event) -> None:
        self._landed = landed

    def on_any_event(self, event: FileSystemEvent) -> None:
        if event.event_type in _WAKING:
            self._landed.set()


@frozen
class Events:
    """Tells that something has landed. It may miss things, as on network file systems: whoever waits looks again."""

    _landed: threading.Event = field(factory=threading.Event)

    def wait(self, seconds: float) -> None:
        """Wait until something lands, or so many seconds have gone by."""
        self._landed.wait(seconds)
        self._landed.clear()


@contextmanager
def events_of(folder: Path) -> Iterator[Events]:
    """Hear what lands in a folder and below. Raises OSError where the system can't tell."""
    events = Events()
    observer = Observer()
    observer.schedule(_Setter(events._landed), str(folder), recursive=True)
    observer.start()
    try:
        yield events
    finally:
        observer.stop()
        observer.join()
