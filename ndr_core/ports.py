"""What the domain asks of the world outside: one protocol per kind of adapter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Protocol

from attrs import field, frozen

from ndr_core.delta import DeltaPlan
from ndr_core.job_spec import JobSpec, RuntimeParams
from ndr_core.manifest import Manifest, RunFacts


@frozen
class InputFile:
    """One file of a mini-batch, by the address under which engines and sources know it."""

    uri: str
    size_bytes: int


@frozen
class InputBatch:
    """The readable files of a mini-batch, and what a first look at them showed."""

    files: tuple[InputFile, ...]
    read_lines: Callable[[InputFile], Iterator[bytes]] = field(
        metadata={"doc": "lines of a file without their line feeds, as `FlowSource.lines`"}
    )
    key_orders: tuple[tuple[str, ...], ...] = field(
        metadata={"doc": "distinct key sequences of the first lines: a hint for fast reading"}
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


class FlowSource(Protocol):
    """Where a mini-batch lands."""

    def files(self) -> tuple[InputFile, ...]:
        """Its data files, sorted by address. Raises UsageError when there is no such place."""
        ...

    def header_problems(self, files: Sequence[InputFile]) -> Mapping[InputFile, str]:
        """What is wrong with the first bytes (gzip or not, by the name), for files where something is."""
        ...

    def lines(self, file: InputFile) -> Iterator[bytes]:
        """Lines of a file, decompressed, without their line feeds.

        Raises UnreadableFileError where the file is truncated, corrupt or can't be opened.
        """
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
