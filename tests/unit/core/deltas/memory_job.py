"""A delta job whose ports are in memory."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from attrs import define, field

from ndr_core.deltas.engine import ChosenEngine
from ndr_core.deltas.job import DeltaBuilderRunner, RunSummary
from ndr_core.deltas.plan import DeltaPlan
from ndr_core.errors import UnreadableFileError
from ndr_core.flows.records import ReadRows, no_rows
from ndr_core.flows.source import InputBatch
from ndr_core.jobs.run import RuntimeParams
from ndr_core.publishing.standing import Overrides
from ndr_core.tables.slices import SliceBounds
from tests.makers import flow, make_spec, us
from tests.unit.core.fakes import (
    Events,
    MemoryEngine,
    MemoryLog,
    MemorySink,
    MemorySource,
    MemoryStaging,
    lines,
    noted,
)

TEN, QUARTER_PAST = us("2025-03-01T10:00:00Z"), us("2025-03-01T10:15:00Z")
GOING_ON = {"on_unreadable_file": "quarantine"}
CUT = UnreadableFileError("is cut short")


@define
class Job:
    """A job with ports in memory; `quality` and `params` are those of its spec and its run."""

    contents: dict[str, bytes | Exception] = field(
        factory=lambda: {"a.gz": lines(flow(), flow()), "b.gz": lines(flow(source_ip="10.0.0.2"))}
    )
    quality: dict[str, Any] = field(factory=dict)
    params: RuntimeParams = field(default=RuntimeParams("mb-1", "run-1", TEN, QUARTER_PAST))
    parts: dict[str, Any] = field(factory=dict)
    """Other parts of the spec."""
    overrides: Overrides = field(factory=Overrides)
    read_rows: ReadRows = no_rows
    """Gives the rows of Parquet."""
    span_pattern: re.Pattern[str] | None = None
    find_bounds: Callable[[DeltaPlan, InputBatch], SliceBounds | None] | None = None
    events: Events = field(factory=list)
    engine: MemoryEngine = field(factory=MemoryEngine)
    source: MemorySource = field(init=False)
    staging: MemoryStaging = field(init=False)
    sink: MemorySink = field(init=False)
    log: MemoryLog = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.source = MemorySource(self.contents)
        self.staging = MemoryStaging(self.events)
        self.sink = MemorySink(self.staging)
        self.log = MemoryLog(self.events)

    @property
    def runner(self) -> DeltaBuilderRunner:
        def start_engine(batch: InputBatch) -> ChosenEngine:
            self.events.append(f"engine for {len(batch.files)}")
            return ChosenEngine(self.engine, "it is here")

        return DeltaBuilderRunner(
            spec=make_spec(quality=self.quality, **self.parts),
            params=self.params,
            source=self.source,
            start_engine=start_engine,
            sink=self.sink,
            log=self.log,
            code_version="1.2.3",
            undisturbed=lambda: noted(self.events),
            read_rows=self.read_rows,
            overrides=self.overrides,
            span_pattern=self.span_pattern,
            find_bounds=self.find_bounds,
        )

    def __call__(self) -> RunSummary:
        return self.runner.run()

    def fails(self, kind: type[BaseException], match: str) -> None:
        """Run, and see it fail without publishing."""
        with pytest.raises(kind, match=match):
            self()
        assert self.staging.published == []
