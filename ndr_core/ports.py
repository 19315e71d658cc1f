"""What the domain asks of the world outside: one protocol per kind of adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from attrs import field, frozen

from ndr_core.delta import DeltaPlan
from ndr_core.errors import UnreadableFileError, printable
from ndr_core.file_format import Head
from ndr_core.job_spec import JobSpec, RuntimeParams
from ndr_core.manifest import Manifest, RunFacts


@frozen
class InputFile:
    """One file of a mini-batch, by the address under which engines and sources know it."""

    uri: str
    size_bytes: int
    version: str = field(default="", metadata={"doc": "another one when the file was changed"})
    problem: str | None = field(default=None, metadata={"doc": "why it can't be read, where known"})

    @property
    def name(self) -> str:
        """Its address as messages and reports show it: names on disk may be no text."""
        return printable(self.uri)


def read_named(read: Callable[[InputFile], Iterator[bytes]], file: InputFile) -> Iterator[bytes]:
    """Read a file by `read`; an UnreadableFileError names the file by its address."""
    try:
        yield from read(file)
    except UnreadableFileError as error:
        raise UnreadableFileError(str(error), file.uri) from error


@frozen
class InputBatch:
    """The readable files of a mini-batch, and what a first look at them showed."""

    files: tuple[InputFile, ...]
    read_blocks: Callable[[InputFile], Iterator[bytes]] = field(
        metadata={"doc": "a file in blocks of whole lines, as `FlowSource.blocks`"}
    )
    key_orders: tuple[tuple[str, ...], ...] = field(
        metadata={"doc": "distinct key sequences of the first lines: a hint for fast reading"}
    )
    heads: Mapping[InputFile, Head] = field(
        factory=dict, metadata={"doc": "what the first and last bytes of the files tell"}
    )

    @property
    def uris(self) -> list[str]:
        return [file.uri for file in self.files]

    @property
    def size_bytes(self) -> int:
        return sum(file.size_bytes for file in self.files)


class JobSpecStore(Protocol):
    """Where JobSpecs live."""

    def load(self, project_name: str, job_name: str, feature_spec_version: str) -> JobSpec:
        """The JobSpec of that key. Raises SpecError when there is none or it is wrong."""
        ...


class Place(Protocol):
    """A folder, or a prefix in S3; `str` gives its address."""

    def holds(self, other: object) -> bool:
        """Whether `other` is this place or lies below it; never so for a place of another kind."""
        ...


class FlowSource(Protocol):
    """Where a mini-batch lands."""

    @property
    def place(self) -> Place:
        """The place itself."""
        ...

    def places(self, files: Sequence[InputFile]) -> Iterable[Place]:
        """Where files really lie, one of each folder: links may lead out of `place`."""
        ...

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:
        """Its data files, sorted by address. Raises UsageError when there is no such place.

        What can hold no data of the batch, as a link that leads back up, is told to `notice`.
        """
        ...

    def heads(self, files: Sequence[InputFile]) -> Mapping[InputFile, Head]:
        """What the first and last bytes of files tell."""
        ...

    def blocks(self, file: InputFile) -> Iterator[bytes]:
        """A file, unpacked, in blocks of whole lines with their line feeds (`line_blocks`).

        Raises UnreadableFileError where the file is truncated, corrupt, of another format or can't be opened,
        InputChangedError where it was changed since it was listed.
        """
        ...

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        """Those of the files that are no more what they were when they were listed."""
        ...


class Staging(Protocol):
    """A private place in which one run prepares its output, until it publishes it."""

    @property
    def root(self) -> str:
        """Address below which the engine writes `delta/`, `pair/` and `quarantine/`."""
        ...

    def restart(self) -> None:
        """Drop what an engine staged, for a second try."""
        ...

    def publish(
        self,
        plan: DeltaPlan,
        facts: RunFacts,
        rows: Mapping[str, int],
        unreadable: Sequence[InputFile],
    ) -> Manifest:
        """Make what was staged visible, all of it or nothing, replacing the slices that it holds.

        `rows`: as `EngineResult.rows`; `unreadable`: input files to keep in the quarantine. Raises
        AfterPublicationError where the run is published, but what should follow could not be done.
        """
        ...

    def close(self) -> None:
        """Remove the place, with all that was not published."""
        ...


class DeltaSink(Protocol):
    """Where outputs are published."""

    @property
    def place(self) -> Place:
        """The place itself."""
        ...

    def open_staging(self, params: RuntimeParams, notice: Callable[[str], None]) -> Staging:
        """A fresh staging place for a run. Raises UsageError where nothing can be written.

        `notice` takes what a user should know of the output though the run goes on.
        """
        ...


class Engine(Protocol):
    """Turns lines into staged tables."""

    @property
    def name(self) -> str:
        """The name under which a user chooses the engine."""
        ...

    def unfit_files(self, batch: InputBatch) -> Mapping[InputFile, str]:
        """The files of a batch that this engine can't read as the core does, and why."""
        ...

    def build(self, plan: DeltaPlan, batch: InputBatch, staging_root: str) -> EngineResult:
        """Write delta, pair table and quarantine below `staging_root`.

        With slice bounds, each role has a file, if need be an empty one. Raises EngineReadError (or
        UnreadableFileError) when input can't be read, OverflowingColumnError when a sum leaves int64.
        """
        ...


@frozen
class EngineResult:
    """What an engine found on its one pass over the records."""

    rows: Mapping[str, int] = field(
        metadata={"doc": "staged file of a table, below the root -> rows"}
    )
    kept: int
    rejected: Mapping[str, int]
    repaired: Mapping[str, int]
    blank_lines: int


class RunLog(Protocol):
    """Where a run tells what it does."""

    def stage(self, name: str, **facts: Any) -> None:
        """A stage began; `facts` are its inputs."""
        ...

    def done(self, name: str, seconds: float, **facts: Any) -> None:
        """A stage ended; `facts` are its outcome."""
        ...

    def notice(self, message: str) -> None:
        """Something a user should know, though the run goes on."""
        ...
