"""Runs of a folder's output that wait for others: for whom they wait, and that they go on waiting."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from ndr_adapters import lock as lock_module
from ndr_adapters.local.manifests import read_manifests
from ndr_adapters.local.sink import FolderSink
from ndr_core.deltas.tables import PAIR
from ndr_core.publishing.entry import owner_hash
from tests.storages.folder_run import FORK, publish
from tests.storages.noting_log import NotingLog


def _hold(path: Path, what: str, held: Any) -> None:
    with lock_module.locked(path, what, print):
        held.set()
        signal.pause()


@pytest.fixture(params=["output", "mini-batch"])
def holder(output: Path, request: pytest.FixtureRequest) -> Iterator[tuple[Any, str]]:
    """A process that holds a lock for which a run has to wait, and was stopped; what others say of the lock."""
    held = FORK.Event()
    path, what = output / "_lock", f"the lock of {output}"
    if request.param == "mini-batch":
        (manifest,) = read_manifests(output)
        path = output / "_locks" / owner_hash(manifest.owner)[:2]
        what = f"another run of the same mini-batch in {output}"
    process = FORK.Process(target=_hold, args=(path, what, held))
    process.start()
    assert held.wait(30)
    assert process.pid is not None
    os.kill(process.pid, signal.SIGSTOP)
    yield process, f"waiting for {what}, held by process {process.pid}"
    if process.is_alive():
        os.kill(process.pid, signal.SIGKILL)
    process.join(30)


def test_a_run_that_waits_for_a_stopped_process_says_for_which_and_goes_on_waiting(
    batch: Path, output: Path, holder: tuple[Any, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    process, waits = holder
    monkeypatch.setattr(lock_module, "NOTICE_SECONDS", 0.2)
    told = threading.Event()

    class Telling(NotingLog):
        def notice(self, message: str) -> None:
            super().notice(message)
            if self.notices:
                told.set()

    log = Telling()
    waiting = threading.Thread(target=publish, args=(batch, output, log))
    waiting.start()
    assert told.wait(30)
    waiting.join(1)
    assert waiting.is_alive()
    assert log.notices == [waits]
    os.kill(process.pid, signal.SIGKILL)
    waiting.join(30)
    assert not waiting.is_alive()
    assert len(log.notices) == 1


def test_closing_waits_for_the_lock_too_and_says_so(
    output: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lock_module, "NOTICE_SECONDS", 0.1)
    told: list[str] = []
    staging = FolderSink(output).open_staging("run", [PAIR], told.append)
    held, go_on = threading.Event(), threading.Event()

    def hold() -> None:
        with lock_module.locked(output / "_lock", f"the lock of {output}", print):
            held.set()
            go_on.wait(30)

    other = threading.Thread(target=hold)
    other.start()
    assert held.wait(30)
    closing = threading.Thread(target=staging.close)
    closing.start()
    closing.join(1)
    assert closing.is_alive()
    assert staging.folder.exists()
    go_on.set()
    closing.join(30)
    other.join(30)
    assert told == [f"waiting for the lock of {output}, held by process {os.getpid()}"]
    assert not staging.folder.exists()
