"""Every failure a user can meet, with the exit code the command line gives it."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Final

from attrs import evolve, frozen


class NdrError(Exception):
    """A run failed for a reason the user can act on (exit code 1)."""

    exit_code: ClassVar[int] = 1

    def __str__(self) -> str:
        """Give the message, without the credentials that an address in it may hold."""
        return without_credentials(super().__str__())

    def __reduce__(self) -> tuple[Any, ...]:
        """Let another process have the error as it is, whatever it is made from."""
        return _error_of, (type(self), self.args), self.__dict__


def _error_of(cls: type[NdrError], args: tuple[Any, ...]) -> NdrError:
    return cls.__new__(cls, *args)


class SpecError(NdrError):
    """A JobSpec or a parameter is wrong: nothing was started (exit code 2)."""

    exit_code: ClassVar[int] = 2


@frozen
class Problem:
    """One thing that is wrong with a JobSpec: the key, dots between its levels, and what is wrong with it."""

    key: str
    message: str

    def below(self, key: str) -> Problem:
        """Give the same problem of a part, as one of the whole: `key` is where the part lies."""
        return evolve(self, key=f"{key}.{self.key}" if self.key else key)

    def __str__(self) -> str:
        return f"{self.key}: {self.message}" if self.key else self.message


class UsageError(NdrError):
    """The call itself is wrong, e.g. an input that does not exist (exit code 2)."""

    exit_code: ClassVar[int] = 2


class UnreadableFileError(NdrError):
    """An input file is broken as a whole: truncated, failing its checksum, of another format.

    `uri`: the file's address, where whoever raises it has to do with more than one.
    """

    def __init__(self, problem: str, uri: str | None = None) -> None:
        super().__init__(problem)
        self.uri = uri


class EngineReadError(NdrError):
    """An engine could not read its input. `uri`: the address of the file to blame, where it knows."""

    def __init__(self, message: str, uri: str | None = None) -> None:
        super().__init__(message)
        self.uri = uri


class InputChangedError(NdrError):
    """An input file was overwritten, or went away, while it was read."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"{name}: was changed while it was read; nothing was published. Run the mini-batch again "
            "when its files are complete"
        )


class ThresholdError(NdrError):
    """A threshold of the JobSpec is exceeded: nothing is published."""


class OverflowingColumnError(NdrError):
    """A sum left the range of int64."""

    def __init__(self, column: str, where: str) -> None:
        super().__init__(
            f"{column}: the sum leaves the range of int64 (2^63 - 1) for {where}; "
            "look for absurd values of its source column in the input, or repair them upstream"
        )
        self.column = column


class AfterPublicationError(NdrError):
    """The run is published; something that should follow could not be done. Its rows are live."""


class StopRequested(BaseException):
    """A signal asks the process to stop. No `Exception`: what handles failures must not swallow it.

    `published`: whether the run's rows are live; set by whoever knows.
    """

    def __init__(self, number: int) -> None:
        super().__init__(number)
        self.number = number
        self.published = False


@contextmanager
def after_publication(what_failed: str) -> Iterator[None]:
    """Run what follows the publication of a run; no failure of it looks like one before.

    An `Exception` becomes an AfterPublicationError, a request to stop is marked with `published`.
    """
    try:
        yield
    except AfterPublicationError:
        raise
    except StopRequested as stop:
        stop.published = True
        raise
    except Exception as error:
        raise AfterPublicationError(
            f"the run is published, but {what_failed}: {type(error).__name__}: {error}"
        ) from error


_MOST_NAMES: Final = 30
_MOST_CHARACTERS: Final = 100


_OF_A_USER: Final = re.compile(r"""(?<=://)([^/\s'"@]+|[^/\s'":@]+:(?!\d+/)[^\s'"@]*)@""")
"""What follows a colon may hold slashes, as keys of AWS do, and is no number of a port."""
_SIGNED: Final = re.compile(
    r"(?<=X-Amz-)(Signature|Credential|Security-Token)=[\w%/+=.-]+", re.IGNORECASE
)


def without_credentials(text: str) -> str:
    """Make text that may be logged: `***` in place of user and password of a URL, and of what signs one of AWS."""
    return _SIGNED.sub(r"\1=***", _OF_A_USER.sub("***@", text))


def printable(text: str) -> str:
    """Make text that can be shown and stored: what is not printable becomes an escape such as `\\n`.

    Bytes of a file name that are no text (surrogates, by PEP 383) become `\\xff`.
    """
    return "".join(char if char.isprintable() else _escaped(char) for char in text)


def _escaped(char: str) -> str:
    byte = ord(char) - 0xDC00
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else repr(char)[1:-1]


def shown(value: object, most: int = _MOST_CHARACTERS) -> str:
    """A value as messages show it: its repr without credentials, cut where it is longer than `most` characters."""
    text = without_credentials(repr(value))
    return text if len(text) <= most else f"{text[:most]}.. ({len(text)} characters)"


def nearest(name: str, known: Iterable[str]) -> str:
    """A hint naming the known name closest to `name`, or the known names, as far as few, when none is close."""
    choices = sorted(choice[:_MOST_CHARACTERS] for choice in known)
    close = difflib.get_close_matches(name[:_MOST_CHARACTERS], choices, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    more = f" and {len(choices) - _MOST_NAMES} more" if len(choices) > _MOST_NAMES else ""
    return "known: " + ", ".join(choices[:_MOST_NAMES]) + more


def too_many(count: int, most: int) -> str:
    """Say that a list in a JobSpec has too many entries."""
    return f"has {count} entries; at most {most} are possible"
