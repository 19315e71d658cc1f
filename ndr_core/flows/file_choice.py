"""Which files of a mini-batch are read: those of a name that `input.files` asks for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from fnmatch import fnmatchcase
from typing import Final

from ndr_core.errors import UsageError
from ndr_core.flows.source import InputFile

_MOST_NAMED: Final = 10


def chosen_files(
    files: Sequence[InputFile], patterns: Sequence[str], notice: Callable[[str], None]
) -> tuple[InputFile, ...]:
    """Give the files whose names fit one of the patterns; all where there are no patterns.

    A name is the last part of an address; patterns are those of shells, `conn*` or `*.log.gz`. The others are
    counted and named by `notice`. Raises UsageError where none is left of some.
    """
    chosen = [file for file in files if fits_name(_name(file), patterns)]
    others = [_name(file) for file in files if file not in set(chosen)]
    if others and not chosen:
        raise UsageError(
            f"input.files: no file has a name like {' or '.join(patterns)}; there are {_named(others)}"
        )
    if others:
        notice(f"input.files: {len(others):,} of {len(files):,} files left out: {_named(others)}")
    return tuple(chosen)


def fits_name(name: str, patterns: Sequence[str]) -> bool:
    """Whether a file's name, the last part of its address, fits one of the patterns; any does where there are none."""
    return not patterns or any(fnmatchcase(name, pattern) for pattern in patterns)


def _name(file: InputFile) -> str:
    return file.name.rpartition("/")[2]


def _named(names: Sequence[str]) -> str:
    more = f" and {len(names) - _MOST_NAMED:,} more" if len(names) > _MOST_NAMED else ""
    return ", ".join(names[:_MOST_NAMED]) + more
