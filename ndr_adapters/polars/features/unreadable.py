"""Published files that can't be read: Polars says what is wrong with one, but not with which."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from polars.exceptions import ComputeError

from ndr_core.errors import NdrError
from ndr_core.publishing.published import PublishedTables


@contextmanager
def unreadable_named(*outputs: PublishedTables | None) -> Iterator[None]:
    """Raise NdrError, naming the outputs that are read, in place of an error of Polars while it reads their files."""
    try:
        yield
    except ComputeError as error:
        roots = sorted({output.root for output in outputs if output is not None})
        raise NdrError(
            f"a published file of {' or '.join(roots)} can't be read: {error}; `ndr verify` names it: restore it, or "
            "run its mini-batch again"
        ) from error
