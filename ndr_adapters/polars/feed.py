"""What feeds a query with the frames of a batch."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import polars as pl
from attrs import define, field
from polars.io.plugins import register_io_source

from ndr_core.errors import NdrError


@define
class Feed:
    """Frames of a batch, made as a query asks for them; `failure`: why that ended early."""

    make: Callable[[], Iterator[pl.DataFrame]]
    schema: Mapping[str, pl.DataType]
    failure: NdrError | None = None
    _stopped: bool = field(default=False, init=False)

    def frames(self) -> pl.LazyFrame:
        """Give the frames as one."""
        return register_io_source(self._frames, schema=self.schema, is_pure=True)

    def stop(self) -> None:
        """Have the reading end with its next frame."""
        self._stopped = True

    def _frames(
        self,
        with_columns: list[str] | None,
        predicate: pl.Expr | None,
        n_rows: int | None,
        batch_size: int | None,
    ) -> Iterator[pl.DataFrame]:
        del n_rows, batch_size  # no query here takes a head
        try:
            for frame in self.make():
                if self._stopped:
                    return
                if predicate is not None:
                    frame = frame.filter(predicate)
                yield frame if with_columns is None else frame.select(with_columns)
        except NdrError as error:
            self.failure = error
            raise
