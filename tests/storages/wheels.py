"""A package index on this machine, with one small wheel."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

from attrs import frozen

from ndr_adapters.sagemaker.wheels import Wheel

METADATA = "Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n"
ABOUT = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


@frozen
class PackageIndex:
    """The one wheel that pip can find, where it lies, and the folder into which it is fetched."""

    wheel: Wheel
    file: Path
    fetched: Path


def write_wheel(folder: Path, name: str, tags: str = "py3-none-any") -> Path:
    """Write a wheel of a package with one module, of the same name, that says `HERE = True`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{name}-1.0-{tags}.whl"
    with zipfile.ZipFile(path, "w") as wheel:
        wheel.writestr(f"{name}/__init__.py", "HERE = True\n")
        wheel.writestr(f"{name}-1.0.dist-info/METADATA", METADATA.format(name=name))
        wheel.writestr(f"{name}-1.0.dist-info/WHEEL", ABOUT)
        wheel.writestr(f"{name}-1.0.dist-info/RECORD", "")
    return path


def pin_of(path: Path) -> Wheel:
    """The pin of a wheel, as it lies there now."""
    name, version, *_ = path.name.split("-")
    return Wheel(name, version, hashlib.sha256(path.read_bytes()).hexdigest(), path.name)
