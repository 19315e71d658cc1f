"""Runs of the job on a cluster of two executors, each with a fault; a process of its own, as it needs its own Spark.

Arguments: the batch, the folder for outputs, the faults as `step:fault`. Prints a line of JSON for each run.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from pyspark.sql import SparkSession

from ndr_adapters.local.sink import FolderSink
from ndr_adapters.local.source import FolderSource
from ndr_adapters.spark.fanout.engine import FanoutEngine
from ndr_adapters.spark.fanout.exchange import SparkRunner
from ndr_adapters.spark.fanout.shares import Shares
from ndr_core.deltas.job import DeltaBuilderRunner
from ndr_core.flows.source import InputBatch
from ndr_core.jobs.ports import QuietLog
from ndr_core.jobs.run import RuntimeParams
from tests.faults import FAULTS, FaultyRunner
from tests.makers import make_spec, started

SPEC = make_spec(quality={"deduplicate_on": ["source_ip", "source_port", "event_start"]})
STEPS = ("unpack", "read", "compare", "last")


def in_all_steps(batch: InputBatch, _cores: int) -> Shares:
    """The first file is one whose lines others read."""
    first, *others = batch.files
    return Shares(tuple((file,) for file in others), ((first,),), lines=3, built=3)


def session() -> SparkSession:
    settings = {
        "spark.ui.enabled": "false",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.host": "127.0.0.1",
        "spark.speculation": "true",
        "spark.speculation.interval": "200ms",
        "spark.speculation.quantile": "0.3",
        "spark.speculation.multiplier": "1.5",
        "spark.speculation.minTaskRuntime": "3s",
        "spark.local.dir": tempfile.mkdtemp(),
    }
    builder = SparkSession.builder.master("local-cluster[2,1,1024]")
    return builder.config(map=dict(settings)).getOrCreate()


def main(batch: str, outputs: str, *faults: str) -> None:
    runner = SparkRunner(session())
    for fault in faults:
        step, _, kind = fault.partition(":")
        met = Path(outputs, f"{step}-{kind}.met")
        output = Path(outputs, f"{step}-{kind}")
        faulty = FaultyRunner(runner, STEPS.index(step), FAULTS[kind], met)
        DeltaBuilderRunner(
            spec=SPEC,
            params=RuntimeParams("mb", "run"),
            source=FolderSource(Path(batch)),
            start_engine=started(FanoutEngine(faulty, cut=in_all_steps)),
            sink=FolderSink(output),
            log=QuietLog(),
        ).run()
        print(json.dumps({"fault": fault, "met": met.exists(), "output": str(output)}), flush=True)


if __name__ == "__main__":
    main(*sys.argv[1:])
