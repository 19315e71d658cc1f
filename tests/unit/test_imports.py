"""Unit tests need neither Java nor AWS: what they import is the core."""

from __future__ import annotations

import subprocess
import sys

IMPORT_ALL = """
import importlib, pkgutil, sys
import ndr_core, tests.conftest, tests.unit
for package in (ndr_core, tests.unit):
    for module in pkgutil.walk_packages(package.__path__, package.__name__ + "."):
        importlib.import_module(module.name)
heavy = {"pyspark", "py4j", "boto3", "botocore", "moto", "polars", "pyarrow", "ndr_adapters"}
print(*sorted(heavy & set(sys.modules)))
"""


def test_neither_the_core_nor_its_tests_import_an_engine_or_a_cloud() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == []
