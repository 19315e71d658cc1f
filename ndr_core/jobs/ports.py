"""What any job asks of the world outside: where specs are kept, and where a run says what it does."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from ndr_core.jobs.run import Stage
from ndr_core.progress import Progress

SpecT_co = TypeVar("SpecT_co", covariant=True)


class JobSpecStore(Protocol[SpecT_co]):
    """Where JobSpecs are kept."""

    def load(self, project_name: str, job_name: str, feature_spec_version: str) -> SpecT_co:
        """Give the JobSpec of that key. Raises SpecError when there is none or it is wrong."""
        ...


class RunLog(Protocol):
    """Where a run says what it does."""

    def stage(self, stage: Stage, **facts: Any) -> None:
        """Note that a stage began; `facts` are its inputs."""
        ...

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        """Note that a stage ended; `facts` are its outcome."""
        ...

    def progress(self, progress: Progress) -> None:
        """Note how far the build is; called about once a second, from any thread."""
        ...

    def notice(self, message: str) -> None:
        """Pass on what a user should know, though the run goes on."""
        ...


class QuietLog:
    """Says nothing: for tests and for use as a library."""

    def stage(self, stage: Stage, **facts: Any) -> None:
        """Say nothing."""

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        """Say nothing."""

    def progress(self, progress: Progress) -> None:
        """Say nothing."""

    def notice(self, message: str) -> None:
        """Say nothing."""
