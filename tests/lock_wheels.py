"""Writes the pins of the wheels that a cluster gets: the files of requirements.lock that its image can install.

Run by `make lock`. requirements.lock has the hashes of all files of a version and no names: pip says which fits.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from ndr_adapters.sagemaker.wheels import PYTHON, Wheel, pip_download
from ndr_adapters.wheel_bundle import FOR_BASELINES
from tests.locks import ROOT, locked

PINS: Final = ROOT / "ndr_adapters" / "sagemaker" / "wheels.lock"
COMPILED: Final = ("backports-zstd", "isal", *FOR_BASELINES, "polars", "polars-runtime-32")
"""What the job imports on a cluster and its image lacks; with packages that only serve these."""


def fetched(python: str, folder: Path) -> Iterator[Wheel]:
    """Fetch what is locked for a version of CPython, such as 312, each into a folder of its own; say what came."""
    known = locked(python=f"{python[0]}.{python[1:]}")
    for name in COMPILED:
        version, hashes = known[name]
        target = folder / name
        target.mkdir(parents=True)
        options = " ".join(f"--hash=sha256:{value}" for value in hashes)
        pip_download([f"{name}=={version} {options}"], target, python)
        (file,) = target.glob("*.whl")
        sha256 = hashlib.sha256(file.read_bytes()).hexdigest()
        yield Wheel(name, version, sha256, file.name)


def main() -> None:
    with tempfile.TemporaryDirectory() as folder:
        lines = [wheel.line() for wheel in fetched(PYTHON, Path(folder))]
    PINS.write_text("".join(f"{line}\n" for line in lines))


if __name__ == "__main__":
    main()
