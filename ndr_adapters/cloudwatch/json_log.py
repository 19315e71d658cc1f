"""What a deployed run tells: JSON lines for a log service, metrics among them.

Metrics are in CloudWatch's embedded metric format: a log line with an `_aws` member that says which of its
other members are metrics, and by which dimensions. CloudWatch makes metrics of such lines by itself.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import IO, Any, Final

from attrs import define, field

from ndr_core.deltas.job import RunSummary
from ndr_core.deltas.tables import DELTA, PAIR
from ndr_core.jobs.run import Stage
from ndr_core.progress import PROGRESS_SECONDS, Every, Progress

NAMESPACE: Final = "NDR/DeltaBuilder"
FEATURES_NAMESPACE: Final = "NDR/Features"
"""Of the metrics of feature jobs."""


@define
class JsonLog:
    """One JSON line per ended stage, each with what identifies the run."""

    identity: Mapping[str, Any]
    """Members of every line."""
    stream: IO[str] = field(factory=lambda: sys.stdout)
    seconds: dict[str, float] = field(factory=dict)
    """Stage -> seconds of all of its kind that ended: a job may publish several times."""
    namespace: str = NAMESPACE
    """Under which CloudWatch shows the metrics."""
    _progress_due: Every = field(factory=lambda: Every(PROGRESS_SECONDS), init=False)

    def stage(self, stage: Stage, **facts: Any) -> None:
        del stage, facts

    def done(self, stage: Stage, seconds: float, **facts: Any) -> None:
        name = stage.value
        self.seconds[name] = self.seconds.get(name, 0.0) + seconds
        self.line("INFO", f"{name} done", stage=name, seconds=round(seconds, 3), **facts)

    def progress(self, progress: Progress) -> None:
        if self._progress_due.lets_through(progress.seconds):
            left = progress.seconds_left
            self.line(
                "INFO",
                "build under way",
                stage="build",
                bytes_read=progress.done_bytes,
                bytes=progress.total_bytes,
                records=progress.records,
                records_per_second=round(progress.records_per_second),
                seconds_left=None if left is None else round(left),
            )

    def notice(self, message: str) -> None:
        self.line("WARNING", message)

    def line(self, level: str, message: str, **facts: Any) -> None:
        """Write one line."""
        moment = datetime.now(UTC).isoformat(timespec="milliseconds")
        self._write({"time": moment, "level": level, "message": message, **self.identity, **facts})

    def metrics(self, run: RunSummary) -> None:
        """Write what a finished run counted."""
        report, manifest = run.report, run.manifest
        self._metric(
            {},
            {
                "RunFailed": 0,
                "RecordsRead": report.read,
                "RecordsKept": report.kept,
                "RecordsSkipped": report.skipped,
                "RecordsRejected": sum(report.rejected.values()),
                "DeltaRows": sum(manifest.rows(DELTA).values()),
                "PairRows": sum(manifest.rows(PAIR.name).values()),
                "RunSeconds": round(run.seconds, 3),
            },
        )
        for rule, records in report.rejected.items():
            self._metric({"rule": rule}, {"RecordsRejected": records})
        self._stage_metrics()

    def feature_metrics(
        self, rows: Mapping[str, int], publications: int, seconds: float, not_renewed: int = 0
    ) -> None:
        """Write what a finished feature job published.

        `rows`: of each table, of all publications together. `not_renewed`: what is stale and could not be built.
        """
        self._metric(
            {},
            {
                "RunFailed": 0,
                "Publications": publications,
                "NotRenewed": not_renewed,
                "RunSeconds": round(seconds, 3),
            },
        )
        for table, count in rows.items():
            self._metric({"table": table}, {"Rows": count})
        self._stage_metrics()

    def _stage_metrics(self) -> None:
        for stage, seconds in self.seconds.items():
            self._metric({"stage": stage}, {"StageSeconds": round(seconds, 3)})

    def failed(self) -> None:
        """Write that the run failed, for alarms."""
        self._metric({}, {"RunFailed": 1})

    def _metric(self, extra: Mapping[str, str], values: Mapping[str, float]) -> None:
        dimensions = ["project_name", "job_name", *extra]
        metrics = [
            {"Name": name, "Unit": "Seconds" if name.endswith("Seconds") else "Count"}
            for name in values
        ]
        directive = {"Namespace": self.namespace, "Dimensions": [dimensions], "Metrics": metrics}
        stamp = int(datetime.now(UTC).timestamp() * 1000)
        about = {"_aws": {"Timestamp": stamp, "CloudWatchMetrics": [directive]}}
        self._write({**about, **self.identity, **extra, **values})

    def _write(self, members: Mapping[str, Any]) -> None:
        print(json.dumps(members, default=str), file=self.stream, flush=True)
