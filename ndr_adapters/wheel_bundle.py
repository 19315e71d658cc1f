"""One file with all compiled packages that a job needs and its cluster lacks: wheels, unpacked where it runs.

One file, as the address of what `--files` gets may be no longer than 256 characters in a definition of SageMaker.
"""

from __future__ import annotations

import hashlib
import io
import platform
import sys
import zipfile
import zlib
from collections.abc import Iterable
from pathlib import Path, PurePath
from typing import Final

from ndr_core.errors import NdrError

BUNDLE: Final = "ndr-wheels.zip"
FOR_BASELINES: Final = ("llvmlite", "numba", "numpy")
"""Compiled packages, and modules of these names, that only making baselines needs: larger than all others together."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
_CORRUPT: Final = (zipfile.BadZipFile, zlib.error, EOFError)
_ADVICE: Final = "package and deploy the job again"


def write_bundle(wheels: Iterable[Path]) -> bytes:
    """The bytes of a bundle of wheels. Equal wheels make equal bytes."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_STORED) as bundle:
        for wheel in sorted(wheels, key=lambda path: path.name):
            info = zipfile.ZipInfo(wheel.name, _EPOCH)
            info.external_attr = 0o644 << 16
            bundle.writestr(info, wheel.read_bytes())  # packed already
    return buffer.getvalue()


def name_of_content(bundle: Path) -> str:
    """A name for what is in a bundle, by its list of contents. Raises NdrError where that is broken."""
    try:
        with zipfile.ZipFile(bundle) as opened:
            content = [(wheel.filename, wheel.CRC, wheel.file_size) for wheel in _wheels(opened)]
    except _CORRUPT as error:
        raise NdrError(f"{bundle}: is broken ({error}); {_ADVICE}") from error
    return hashlib.sha256(repr(sorted(content)).encode()).hexdigest()[:16]


def _wheels(bundle: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    content = bundle.infolist()
    # Of a bundle that is cut short, Python reads the list of the last wheel in it, which is a Zip file too.
    if not all(file.filename.endswith(".whl") for file in content):
        raise zipfile.BadZipFile("it has no list of wheels")
    return content


def unpack(bundle: Path, folder: Path) -> None:
    """Unpack all wheels of a bundle into a folder that Python can import from.

    Raises NdrError, naming the wheel, for one that is broken or made for another Python or machine.
    """
    with zipfile.ZipFile(bundle) as opened:
        for name in [wheel.filename for wheel in _wheels(opened)]:
            _refuse_unfit(name)
            try:
                packed = Path(opened.extract(name, folder))
                with zipfile.ZipFile(packed) as wheel:
                    wheel.extractall(folder)
                packed.unlink()
            except _CORRUPT as error:
                raise NdrError(f"{bundle}: {name} is broken ({error}); {_ADVICE}") from error


def _refuse_unfit(wheel: str) -> None:
    """Raise NdrError where a wheel's name says that this Python can't import it."""
    python, abi, machines = PurePath(wheel).stem.split("-")[-3:]
    version = sys.version_info
    # A wheel of the stable ABI (abi3) fits the version that it names and all later ones.
    fits_python = python.startswith("py3") or any(
        python == f"cp3{minor}"
        for minor in (range(version.minor + 1) if abi == "abi3" else (version.minor,))
    )
    if not fits_python:
        raise NdrError(
            f"{wheel}: is made for {python}, not for Python {version.major}.{version.minor}, which runs "
            "here; take the image of the default --container-version, whose Python is 3.12"
        )
    if machines != "any" and not machines.endswith(f"_{platform.machine()}"):
        raise NdrError(
            f"{wheel}: is made for {machines.rpartition('.')[2]}, not for {platform.machine()}; take an "
            "instance type with x86-64 processors"
        )
