"""Scratch folders last as long as the process that made them, whatever its copies do."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

HOLD: Final = "held = scratch_for_life()"
HOLD_AND_FORGET: Final = """
forgotten = scratch_folder()
held = forgotten.__enter__()
"""
PROGRAM: Final = """
import multiprocessing, os, sys
from ndr_adapters.scratch import scratch_folder, scratch_for_life
{hold}
(held / "shuffled").touch()
{copy}
print(held, (held / "shuffled").exists())
"""
COPY_THAT_ENDS_IN_ORDER: Final = """
if (child := os.fork()) == 0:
    sys.exit()
assert os.waitpid(child, 0)[1] == 0
"""
COPY_THAT_FORGETS: Final = """
if (child := os.fork()) == 0:
    del forgotten
    os._exit(0)
assert os.waitpid(child, 0)[1] == 0
"""
COPY_OF_MULTIPROCESSING: Final = """
child = multiprocessing.get_context("fork").Process(target=print)
child.start()
child.join()
assert child.exitcode == 0
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system makes no copies of processes")
@pytest.mark.parametrize(
    ("hold", "copy"),
    [
        pytest.param(HOLD, COPY_THAT_ENDS_IN_ORDER, id="a copy ends in order"),
        pytest.param(HOLD, COPY_OF_MULTIPROCESSING, id="a copy of multiprocessing ends"),
        pytest.param(HOLD_AND_FORGET, COPY_THAT_FORGETS, id="a copy forgets what is held"),
    ],
)
def test_a_copy_of_a_process_leaves_its_scratch_folder_which_goes_with_the_process(
    hold: str, copy: str, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(hold=hold, copy=copy)],
        env={**os.environ, "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
    )

    assert done.returncode == 0, done.stderr
    folder, is_there = done.stdout.split()
    assert is_there == "True"
    assert not Path(folder).exists()
