"""Commands set up the allocator of Polars' memory before Polars is there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from ndr_entrypoints.allocator import VARIABLE

_SCRIPT = f"""
import os, sys
from ndr_entrypoints.cli import main

class Watch:
    def find_spec(self, name, path=None, target=None):
        if name == "polars":
            print("found", os.environ.get({VARIABLE!r}), file=sys.stderr)

sys.meta_path.insert(0, Watch())
main(["inspect", sys.argv[1]])
"""


def found_by_polars(output: Path, **environment: str) -> str:
    """Run a command that needs Polars; give what the variable is when Polars is imported."""
    kept = {name: value for name, value in os.environ.items() if name != VARIABLE}
    command = [sys.executable, "-c", _SCRIPT, str(output)]
    done = subprocess.run(
        command, env=kept | environment, capture_output=True, text=True, check=False
    )
    return next(line for line in done.stderr.splitlines() if line.startswith("found "))


def test_freed_memory_is_kept_for_the_next_step(tmp_path: Path) -> None:
    assert found_by_polars(tmp_path) == f"found dirty_decay_ms:10000,narenas:{os.cpu_count()}"


def test_what_the_environment_says_is_left_as_it_is(tmp_path: Path) -> None:
    assert found_by_polars(tmp_path, **{VARIABLE: "narenas:1"}) == "found narenas:1"
