"""What the jobs run from: a script for each, an archive of plain Python, and the wheels of what is compiled.

`spark-submit --py-files` puts the archive on the path of driver and executors as it is. All of it is plain Python, so
that it does not matter where it was built. Equal sources make equal bytes, hence an equal name.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import io
import zipfile
from collections.abc import Iterator, Mapping
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from importlib.resources.abc import Traversable
from pathlib import PurePosixPath
from typing import Final

from attrs import frozen

from ndr_adapters.sagemaker.wheels import Wheel
from ndr_adapters.wheel_bundle import FOR_BASELINES
from ndr_core.errors import NdrError

PACKAGES: Final = ("ndr_core", "ndr_adapters", "ndr_entrypoints")
DELTA_BUILDER: Final = "run_delta_builder.py"
FG_A_BUILDER: Final = "run_fg_a_builder.py"
FG_C_BUILDER: Final = "run_fg_c_builder.py"
PAIR_HISTORY: Final = "run_pair_history.py"
FG_B_BUILDER: Final = "run_fg_b_builder.py"
STALE_RENEWAL: Final = "run_stale_renewal.py"
SCRIPTS: Final = (
    DELTA_BUILDER,
    FG_A_BUILDER,
    FG_C_BUILDER,
    PAIR_HISTORY,
    FG_B_BUILDER,
    STALE_RENEWAL,
)
"""Of `ndr_entrypoints`: what `spark-submit` is given, one for each job."""
_MAKE_BASELINES: Final = (FG_B_BUILDER, STALE_RENEWAL)
ARCHIVE: Final = "ndr-delta-builder.zip"
DEPENDENCIES: Final = ("attrs", "cattrs", "click", "typing_extensions", "tzdata")
_LEFT_OUT: Final = ("RECORD", "INSTALLER", "REQUESTED", "direct_url.json")
_COMPILED: Final = (".so", ".pyd", ".dll", ".dylib")
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)


@frozen
class JobPackage:
    """What a cluster needs to run the jobs: the scripts to submit, and what they import from."""

    archive: bytes
    scripts: Mapping[str, bytes]
    """File name -> content, in the order of SCRIPTS."""
    wheels: tuple[Wheel, ...] = ()
    """Compiled packages, by their pins; none where a job does without. They are fetched when they are written."""

    @property
    def digest(self) -> str:
        """Short hash of scripts and archive, part of their addresses: a definition never changes what it runs."""
        return hashlib.sha256(b"".join((self.archive, *self.scripts.values()))).hexdigest()[:12]

    def wheels_of(self, script: str) -> tuple[Wheel, ...]:
        """Give the compiled packages that a script needs."""
        if script in _MAKE_BASELINES:
            return self.wheels
        return tuple(wheel for wheel in self.wheels if wheel.name not in FOR_BASELINES)

    def files(self) -> Mapping[str, bytes]:
        """Give the scripts and the archive, by the names of their files."""
        return {**self.scripts, ARCHIVE: self.archive}


def build_package(wheels: tuple[Wheel, ...] = ()) -> JobPackage:
    """Build it from what is installed, and these wheels.

    Raises NdrError for a dependency of the archive that is missing or not plain Python.
    """
    members = dict(_own_files())
    for name in DEPENDENCIES:
        members |= dict(_files_of(name))
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, content in sorted(members.items()):
            info = zipfile.ZipInfo(path, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.external_attr = 0o644 << 16
            archive.writestr(info, content)
    scripts = {name: members[f"ndr_entrypoints/{name}"] for name in SCRIPTS}
    return JobPackage(buffer.getvalue(), scripts, wheels)


def _own_files() -> Iterator[tuple[str, bytes]]:
    for package in PACKAGES:
        yield from _below(importlib.resources.files(package), package)


def _below(folder: Traversable, path: str) -> Iterator[tuple[str, bytes]]:
    for item in folder.iterdir():
        if item.is_dir():
            if item.name != "__pycache__":
                yield from _below(item, f"{path}/{item.name}")
        else:
            yield f"{path}/{item.name}", item.read_bytes()


def _files_of(name: str) -> Iterator[tuple[str, bytes]]:
    for file in _installed(name).files or ():
        path = PurePosixPath(file)
        if ".." in path.parts or "__pycache__" in path.parts or path.name in _LEFT_OUT:
            continue
        if path.suffix in _COMPILED:
            raise NdrError(f"{name}: {path} is compiled; the archive takes plain Python only")
        yield str(path), file.locate().read_bytes()  # type: ignore[attr-defined]


def _installed(name: str) -> Distribution:
    try:
        return distribution(name)
    except PackageNotFoundError as error:
        raise NdrError(
            f"{name}: not installed; install the project with its dependencies"
        ) from error
