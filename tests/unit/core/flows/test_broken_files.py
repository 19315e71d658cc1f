"""Files that are broken as a whole fail the run, or are set aside; the blame falls on no other file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import pytest
from attrs import frozen

from ndr_core.errors import EngineReadError, InputChangedError, UnreadableFileError
from ndr_core.flows.broken_files import BrokenFiles, refuse_changes
from ndr_core.flows.file_format import Head
from ndr_core.flows.source import InputFile
from tests.unit.core.fakes import MemoryPlace

A, B, C = (InputFile(f"/data/{name}.json", 1) for name in "abc")
FILES = (A, B, C)
DATA = MemoryPlace("/data")


@frozen
class Source:
    """A source, some of whose files can't be read to their ends, or were changed."""

    broken: tuple[InputFile, ...] = ()
    replaced: tuple[InputFile, ...] = ()

    place: MemoryPlace = DATA

    def places(self, files: Sequence[InputFile]) -> tuple[MemoryPlace, ...]:
        return (self.place,) if files else ()

    def files(self, notice: Callable[[str], None]) -> tuple[InputFile, ...]:  # noqa: ARG002
        return FILES

    def heads(self, files: Sequence[InputFile]) -> Mapping[InputFile, Head]:
        return {file: Head() for file in files}

    def fingerprints(self, files: Sequence[InputFile]) -> Mapping[InputFile, str]:
        return dict.fromkeys(files, "")

    def blocks(
        self,
        file: InputFile,
        read: Callable[[int], object] = lambda _: None,  # noqa: ARG002
    ) -> Iterator[bytes]:
        yield b"{}\n"
        if file in self.broken:
            raise UnreadableFileError("truncated")

    pieces = blocks

    def changed(self, files: Sequence[InputFile]) -> list[InputFile]:
        return [file for file in files if file in self.replaced]


def test_a_file_that_is_set_aside_is_no_more_readable() -> None:
    broken = BrokenFiles(refused=False)

    broken.set_aside(B, "truncated")

    assert broken.problems == {B: "truncated"}
    assert broken.readable(FILES) == (A, C)


def test_where_broken_files_are_refused_the_first_one_fails_the_run() -> None:
    broken = BrokenFiles(refused=True)

    with pytest.raises(UnreadableFileError) as failed:
        broken.set_aside(InputFile("/data/\udcff.json", 1), "truncated")

    assert str(failed.value) == (
        "/data/\\xff.json: truncated; nothing was published. Send the file again, or set "
        "quality.on_unreadable_file: quarantine to go on without it"
    )
    assert broken.problems == {}


def test_two_runs_share_no_broken_files() -> None:
    BrokenFiles(refused=False).set_aside(A, "truncated")

    assert BrokenFiles(refused=False).problems == {}


@pytest.mark.parametrize("kind", [UnreadableFileError, EngineReadError])
def test_the_file_that_an_error_names_is_set_aside(
    kind: type[UnreadableFileError] | type[EngineReadError],
) -> None:
    broken = BrokenFiles(refused=False)

    broken.set_aside_named(FILES, kind("truncated", B.uri))
    broken.set_aside_named(FILES, kind("of another batch", "/data/z.json"))
    broken.set_aside_named(FILES, kind("of no file"))

    assert broken.problems == {B: "truncated"}


def test_all_files_that_break_off_are_found() -> None:
    broken = BrokenFiles(refused=False)

    broken.find(Source(broken=(A, C)).blocks, FILES, EngineReadError("engine failed"))

    assert broken.problems == {A: "truncated", C: "truncated"}


def test_a_file_that_only_the_engine_could_not_read_is_found_by_what_it_says() -> None:
    broken = BrokenFiles(refused=False)

    broken.find(Source().blocks, FILES, EngineReadError("engine failed", B.uri))

    assert broken.problems == {B: "engine failed"}


def test_what_the_engine_says_does_not_matter_where_a_file_is_broken() -> None:
    broken = BrokenFiles(refused=False)

    broken.find(Source(broken=(A,)).blocks, FILES, EngineReadError("engine failed", B.uri))

    assert broken.problems == {A: "truncated"}


@pytest.mark.parametrize("uri", [None, "/data/z.json"])
def test_a_failure_for_which_no_file_is_to_blame_stays_a_failure(uri: str | None) -> None:
    broken = BrokenFiles(refused=False)
    failure = EngineReadError("engine failed", uri)

    with pytest.raises(EngineReadError) as raised:
        broken.find(Source().blocks, FILES, failure)

    assert raised.value is failure
    assert broken.problems == {}


def test_the_hunt_fails_the_run_where_broken_files_are_refused() -> None:
    with pytest.raises(UnreadableFileError, match=r"^/data/b\.json: truncated; nothing was"):
        BrokenFiles(refused=True).find(Source(broken=(B,)).blocks, FILES, EngineReadError("failed"))


def test_a_changed_file_fails_the_run_by_its_name() -> None:
    with pytest.raises(InputChangedError, match=r"^/data/b\.json: was changed while it was read"):
        refuse_changes(Source(replaced=(B, C)), FILES)


def test_files_that_are_as_they_were_listed_are_not_refused() -> None:
    refuse_changes(Source(replaced=(A,)), (B, C))
