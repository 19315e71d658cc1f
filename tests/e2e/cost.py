"""What a command costs, measured on a process of its own."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from attrs import frozen

ROOT = Path(__file__).parents[2]

_MEASURE = """
import json, resource, subprocess, sys
code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
print(json.dumps([code, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024]))
"""
"""Run by a small process: the peak that a system tells of a process counts the memory of what started it."""


@frozen
class Cost:
    exit_code: int
    seconds: float
    mib: float


def cost_of(*arguments: object) -> Cost:
    """Run `ndr` with these arguments."""
    command = [sys.executable, "-m", "ndr_entrypoints.cli", *map(str, arguments)]
    told = subprocess.check_output([sys.executable, "-c", _MEASURE, *command], cwd=ROOT)
    return Cost(*json.loads(told))
