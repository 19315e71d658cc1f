"""Feature jobs as they are deployed: their JobSpecs in a table, deltas in S3, and the same deltas in a folder."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import uuid
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

import polars as pl
from attrs import evolve, frozen

from ndr_adapters.aws.clients import dynamodb_client
from ndr_adapters.dynamodb.job_specs import JobSpecTable
from ndr_adapters.outputs import open_output
from ndr_adapters.reference.baselines import ReferenceBaselineEngine, ReferenceSummaryEngine
from ndr_adapters.reference.correlations import ReferenceCorrelationEngine
from ndr_adapters.reference.features import ReferenceHistoryEngine, ReferenceWindowEngine
from ndr_core.baselines.job import BaselineRunner, SummaryRunner
from ndr_core.baselines.spec import FgBSpec
from ndr_core.correlations.job import FgCRunner
from ndr_core.correlations.spec import FgCSpec
from ndr_core.deltas.spec import JobSpec
from ndr_core.features.running import Chosen
from ndr_core.features.settings import FeatureStorage
from ndr_core.history.job import HistoryRunner
from ndr_core.history.spec import PairHistorySpec
from ndr_core.jobs.ports import QuietLog
from ndr_core.spec_kinds import AnySpec, expect, parse_spec
from ndr_core.times import HOUR_US, day_of, iso_text
from ndr_core.windows.job import FgARunner
from ndr_core.windows.spec import FgASpec
from ndr_entrypoints.wiring import sink_of
from tests.makers import flow, make_spec, us, write_batch
from tests.storages.s3_run import FAST_START, publish
from tests.support import upload

ROOT: Final = Path(__file__).parents[2]
MIDNIGHT: Final = us("2025-03-02T00:00:00Z")
BEACON: Final = ("10.0.0.1", "198.51.100.9")
"""A host that calls an external peer each five minutes."""
LABELS: Final = {"w_1h": "1h", "w_24h": "1h"}

Rows = list[dict[str, Any]]


def traffic(first: int, hours: int) -> list[dict[str, Any]]:
    """Records of some hours from a moment on, us: a beacon, and each hour a session to one more internal peer."""
    end = first + hours * HOUR_US
    host, peer = BEACON
    calls = [
        flow(
            source_ip=host,
            destination_ip=peer,
            event_start=iso_text(start),
            event_end=iso_text(start + 2_000_000),
        )
        for start in range(first, end, HOUR_US // 12)
    ]
    others = [
        flow(
            source_ip="10.0.0.2",
            destination_ip=f"10.0.1.{start // HOUR_US % 24}",
            destination_port=22,
            event_start=iso_text(start + 420_000_000),
            event_end=None,
        )
        for start in range(first, end, HOUR_US)
    ]
    return calls + others


@frozen
class FeatureDeployment:
    """JobSpecs in a table; deltas below a prefix, and in a folder the same for runs on this machine."""

    bucket: str
    table: str
    folder: Path
    spec: JobSpec
    """Of the deltas."""
    windows: FgASpec
    history: PairHistorySpec
    baselines: FgBSpec
    correlations: FgCSpec

    @property
    def prefix(self) -> str:
        """Address of the deployed output of deltas."""
        return str(self.spec.storage.output())

    @property
    def here(self) -> str:
        """Address of the output of deltas on this machine."""
        return str(self.folder / "out")

    def land(self, name: str, records: list[dict[str, Any]]) -> str:
        """Put a mini-batch where it is looked for. Gives its address."""
        batch = write_batch(self.folder / "in" / name, [records])
        return upload(batch, self.bucket, f"landing/demo/{name}")

    def publish(self, name: str, first: int, hours: int, records: list[dict[str, Any]]) -> None:
        """Publish the deltas of a mini-batch, with bounds, in S3 and in the folder."""
        bounds: dict[str, Any] = {"start": first, "end": first + hours * HOUR_US}
        source = self.land(name, records)
        publish(source, self.prefix, mini_batch=name, spec=self.spec, **bounds)
        self.publish_here(name, first, hours)

    def publish_here(self, name: str, first: int, hours: int) -> None:
        """Publish the deltas of a mini-batch that has landed in the folder only."""
        publish(
            str(self.folder / "in" / name),
            self.here,
            start=first,
            end=first + hours * HOUR_US,
            mini_batch=name,
            spec=self.spec,
        )

    def put(self, spec: AnySpec) -> None:
        """Put a JobSpec into the table."""
        JobSpecTable(dynamodb_client(), self.table).put(spec)

    def arguments(self, job: str, /, **more: str) -> list[str]:
        """Give the arguments of a job."""
        options = {
            "project_name": "test",
            "job_name": job,
            "feature_spec_version": "v1",
            "run_id": "run-1",
            "job_spec_ddb_table_name": self.table,
        } | more
        return [
            part
            for name, value in options.items()
            for part in (f"--{name.replace('_', '-')}", value)
        ]

    def of_mini_batch(self, name: str, job: str = "fg_a", **more: str) -> list[str]:
        """Give the arguments of the FG-A job, or of FG-C, after a mini-batch."""
        batch = {"delta_job_name": "delta_builder", "mini_batch_id": name}
        return self.arguments(job, **(batch | more))

    def windows_here(self, anchor: int) -> Rows:
        """Build the windows that end at a moment, us, on this machine, by the reference.

        Gives the rows of `fg_a` and of `beacon`.
        """
        FgARunner(
            spec=self.windows,
            anchor=anchor,
            start_engine=lambda _: Chosen(ReferenceWindowEngine()),
            deltas=open_output(self.here),
            **self._ports_here(),
        ).run()
        return [row for table in ("fg_a", "beacon") for row in rows(self.features_here, table)]

    def history_here(self, day: int) -> Rows:
        """Build the history of a day likewise. Gives its rows."""
        HistoryRunner(
            spec=self.history,
            day=day,
            start_engine=lambda _: Chosen(ReferenceHistoryEngine()),
            deltas=open_output(self.here),
            **self._ports_here(),
        ).run()
        return rows(self.features_here, "pair_history")

    def summary_here(self, date: int) -> None:
        """Sum up the windows of a local date likewise."""
        SummaryRunner(
            spec=self.baselines,
            date=date,
            start_engine=lambda _: Chosen(ReferenceSummaryEngine()),
            **self._ports_here(),
        ).run()

    def baselines_here(self, date: int) -> None:
        """Make the baselines of a local date likewise."""
        BaselineRunner(
            spec=self.baselines,
            date=date,
            start_engine=lambda _: Chosen(ReferenceBaselineEngine()),
            **self._ports_here(),
        ).run()

    def correlations_here(self, anchor: int) -> None:
        """Compare the windows that end at a moment, us, likewise."""
        FgCRunner(
            spec=self.correlations,
            anchor=anchor,
            start_engine=lambda _: Chosen(ReferenceCorrelationEngine()),
            **self._ports_here(),
        ).run()

    @property
    def features_here(self) -> str:
        return f"{self.here}/features"

    @property
    def features(self) -> str:
        """Address of the deployed output of features."""
        return str(self.windows.storage.features())

    def _ports_here(self) -> dict[str, Any]:
        return {
            "run_id": "run-1",
            "features": open_output(self.features_here),
            "sink": sink_of(self.features_here)[0],
            "log": QuietLog(),
        }


def deploy_features(
    folder: Path,
    bucket: str,
    labels: Mapping[str, str] = MappingProxyType(LABELS),
    kms_key: str | None = None,
) -> FeatureDeployment:
    """Deploy JobSpecs of deltas by the hour, and of features: windows of an hour and of a day, baselines of gap 1."""
    key = {} if kms_key is None else {"kms_key": kms_key}
    deltas = make_spec(
        delta={"slice_minutes": 60},
        storage={
            "input_prefix": f"s3://{bucket}/landing/demo",
            "output_prefix": f"s3://{bucket}/deltas/demo",
            **key,
        },
    )
    places = {"deltas_prefix": f"s3://{bucket}/deltas/demo", **key}
    common = {"project_name": "test", "storage": places}
    of_windows = {"windows": {"labels": dict(labels)}, **common}
    gaps = {"baselines": {"gap_days_7d": 1, "gap_days_30d": 1}}
    windows = expect(parse_spec({"kind": "fg_a", **of_windows}), FgASpec, "test")
    history = expect(parse_spec({"kind": "pair_history", **common}), PairHistorySpec, "test")
    baselines = expect(parse_spec({"kind": "fg_b", **of_windows, **gaps}), FgBSpec, "test")
    correlations = expect(parse_spec({"kind": "fg_c", **of_windows, **gaps}), FgCSpec, "test")
    table = f"specs-{uuid.uuid4().hex[:8]}"
    JobSpecTable(dynamodb_client(), table).create()
    deployed = FeatureDeployment(
        bucket, table, folder, deltas, windows, history, baselines, correlations
    )
    for spec in (deltas, windows, history, baselines, correlations):
        deployed.put(spec)
    return deployed


def without_places(spec: FgASpec) -> FgASpec:
    """The same JobSpec with no place to read or to write."""
    return evolve(spec, storage=FeatureStorage())


def run_job(name: str, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run the script of a job in a process of its own."""
    return subprocess.run(
        [sys.executable, "-m", f"ndr_entrypoints.{name}", *arguments],
        cwd=ROOT,
        env={**os.environ, **FAST_START, **environment},
        capture_output=True,
        text=True,
        timeout=300,
    )


def rows(address: str, table: str) -> Rows:
    """The live rows of a table with what their paths spell, in the order of their content, but when they were made."""
    output = open_output(address)
    found = []
    for run in output.manifests(None, None):
        for file in run.files:
            if file.table == table:
                frame = pl.read_parquet(io.BytesIO(b"".join(output.content(file.path))))
                found += [
                    {**row, **file.partition} for row in frame.drop("published_at").to_dicts()
                ]
    return sorted(found, key=repr)


def days(*texts: str) -> list[int]:
    """The numbers of days, from their dates."""
    return [day_of(us(f"{text}T00:00:00Z")) for text in texts]
