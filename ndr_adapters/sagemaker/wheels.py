"""The compiled packages that the job needs and SageMaker's Spark image lacks: wheels, pinned, fetched with pip.

`wheels.lock` has the one file of each that the image can install, for Linux on x86-64 and CPython 3.12, whatever
machine packages the job. `make lock` writes it from requirements.lock.
"""

from __future__ import annotations

import hashlib
import importlib.resources
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from attrs import frozen

from ndr_adapters.full_disk import full_disk_named
from ndr_core.errors import NdrError, UsageError

_PINS: Final = "wheels.lock"
_PLATFORMS: Final = ("manylinux_2_17_x86_64", "manylinux2014_x86_64", "manylinux_2_28_x86_64")
"""The image has glibc 2.34; wheels for an older one run there too."""
PYTHON: Final = "312"
"""Version of the image's CPython."""
_PIN: Final = re.compile(r"(\S+)==(\S+) --hash=sha256:([0-9a-f]{64})  # (\S+\.whl)")


@frozen
class Wheel:
    """A pinned file of a package index."""

    name: str
    version: str
    sha256: str
    file_name: str

    def line(self) -> str:
        """Its line in the file of pins, which pip can read too."""
        return f"{self.requirement()}  # {self.file_name}"

    def requirement(self) -> str:
        return f"{self.name}=={self.version} --hash=sha256:{self.sha256}"


def pinned_wheels() -> tuple[Wheel, ...]:
    """The wheels that a deployed job is given."""
    text = importlib.resources.files(__package__).joinpath(_PINS).read_text(encoding="utf-8")
    return tuple(Wheel(*fields) for fields in _PIN.findall(text))


def digest_of(wheels: Sequence[Wheel]) -> str:
    """Short hash of their contents, known before they are fetched."""
    text = "\n".join(sorted(wheel.line() for wheel in wheels))
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def wheel_folder() -> Path:
    """Where fetched wheels are kept: `NDR_WHEELS`, or a folder of the user's cache."""
    chosen = os.environ.get("NDR_WHEELS")
    if chosen:
        return Path(chosen)
    cache = os.environ.get("XDG_CACHE_HOME", "")
    base = Path(cache) if os.path.isabs(cache) else Path(os.path.expanduser("~"), ".cache")
    return base / "ndr" / "wheels"


def fetch(wheels: Sequence[Wheel], notice: Callable[[str], object]) -> list[Path]:
    """The files of these wheels, in their order; those that are missing, or not the pinned ones, are fetched with pip.

    `notice` gets a line for each that is fetched. Raises NdrError where one can't be had or is not the pinned one,
    UsageError where there is no pip or the folder can't be written.
    """
    folder = wheel_folder()
    missing = [wheel for wheel in wheels if not _is_there(folder / wheel.file_name, wheel)]
    if missing:
        try:
            with full_disk_named(folder):
                folder.mkdir(parents=True, exist_ok=True)
                _fetch(missing, folder, notice)
        except OSError as error:
            raise UsageError(
                f"{folder}: can't be written: {error.strerror}; let NDR_WHEELS name another folder"
            ) from error
    return [folder / wheel.file_name for wheel in wheels]


def _fetch(wheels: Sequence[Wheel], folder: Path, notice: Callable[[str], object]) -> None:
    """Into a folder beside, and only what is whole from there: a fetch that ends half-way leaves no file behind."""
    for wheel in wheels:
        notice(f"fetching {wheel.file_name} with pip into {folder}")
    with tempfile.TemporaryDirectory(prefix=".part-", dir=folder) as partial:
        pip_download([wheel.requirement() for wheel in wheels], Path(partial))
        for wheel in wheels:
            fetched = Path(partial, wheel.file_name)
            if not _is_there(fetched, wheel):
                raise NdrError(
                    f"{wheel.name} {wheel.version}: pip did not fetch {wheel.file_name} with the pinned hash; "
                    "look at which package index it asks"
                )
            fetched.replace(folder / wheel.file_name)


def _is_there(path: Path, wheel: Wheel) -> bool:
    if not path.is_file():
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == wheel.sha256


def pip_download(requirements: Sequence[str], folder: Path, python: str = PYTHON) -> None:
    """Fetch into a new folder the files for Linux that lines of a requirements file with hashes ask for.

    pip takes its index from its own settings, such as PIP_INDEX_URL. Raises NdrError with what pip says where it
    fails, UsageError where this Python has no pip.
    """
    lines = folder / "requirements.txt"
    lines.write_text("".join(f"{line}\n" for line in requirements), encoding="utf-8")
    done = subprocess.run(  # noqa: S603 - this Python's own pip
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-input"),
            *("--disable-pip-version-check", "--no-deps", "--require-hashes"),
            *("--only-binary=:all:", "--implementation", "cp", "--python-version", python),
            *(option for name in _PLATFORMS for option in ("--platform", name)),
            *("--dest", str(folder), "--requirement", str(lines)),
        ],
        capture_output=True,
        text=True,
        errors="replace",
        check=False,
    )
    if done.returncode:
        raise _pip_error(done.stderr, ", ".join(line.partition(" ")[0] for line in requirements))


def _pip_error(said: str, what: str) -> NdrError:
    if "No module named pip" in said:
        return UsageError(
            f"wheels for the cluster: {sys.executable} has no pip, which fetches them; run "
            f"`{sys.executable} -m ensurepip`, or take --without-wheels"
        )
    if "DO NOT MATCH THE HASHES" in said:
        return NdrError(
            f"{what}: the package index has a file with another SHA-256 than the pinned one; nothing was kept. "
            "Do not use this index before you know why"
        )
    reason = next((line for line in said.splitlines() if line.startswith("ERROR:")), said.strip())
    return NdrError(
        f"{what}: pip can't fetch the wheels for the cluster ({reason.removeprefix('ERROR: ')}); check the "
        "network, let PIP_INDEX_URL name a mirror, or take --without-wheels"
    )
