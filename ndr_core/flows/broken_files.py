"""Input files that are broken as a whole: found, and set aside or refused."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import field, frozen

from ndr_core.errors import EngineReadError, InputChangedError, UnreadableFileError
from ndr_core.flows.source import FlowSource, InputFile


@frozen
class BrokenFiles:
    """The files of a mini-batch that are set aside, and why."""

    refused: bool
    """Whether the first one fails the run."""
    problems: dict[InputFile, str] = field(factory=dict)

    def set_aside(self, file: InputFile, problem: str) -> None:
        """Go on without a file. Raises UnreadableFileError, naming it, where that fails the run."""
        if self.refused:
            raise UnreadableFileError(
                f"{file.name}: {problem}; nothing was published. Send the file again, or set "
                "quality.on_unreadable_file: quarantine to go on without it"
            )
        self.problems[file] = problem

    def set_aside_named(
        self, files: Iterable[InputFile], error: UnreadableFileError | EngineReadError
    ) -> None:
        """Set aside the file that an error names."""
        for file in files:
            if file.uri == error.uri:
                self.set_aside(file, str(error))

    def readable(self, files: Iterable[InputFile]) -> tuple[InputFile, ...]:
        """Give the files that are not set aside."""
        return tuple(file for file in files if file not in self.problems)

    def find(
        self,
        read: Callable[[InputFile], Iterable[object]],
        files: Sequence[InputFile],
        failure: UnreadableFileError | EngineReadError,
    ) -> None:
        """Read all files, by `read`, to find those to blame for an engine's failure, and set them aside.

        Raises the failure where no file is to blame.
        """
        for file in files:
            try:
                for _ in read(file):
                    pass
            except UnreadableFileError as error:
                self.set_aside(file, str(error))
        if len(self.readable(files)) == len(files) and failure.uri is not None:
            self.set_aside_named(files, failure)
        if len(self.readable(files)) == len(files):
            raise failure


def refuse_changes(source: FlowSource, files: Sequence[InputFile]) -> None:
    """Raise InputChangedError for a file that is no more what it was when listed."""
    changed = source.changed(files)
    if changed:
        raise InputChangedError(changed[0].name)
