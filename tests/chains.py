"""Chains of kernels run in this process, task by task: what kernels do does not need a cluster to be tested."""

from __future__ import annotations

import pickle
import random
from collections.abc import Mapping
from functools import partial

import polars as pl
from attrs import frozen

from ndr_adapters.spark.fanout.blob import Blob
from ndr_adapters.spark.fanout.chain import Chain
from ndr_adapters.spark.fanout.task import StepTask, results_of
from ndr_adapters.spark.fanout.worker import Order
from ndr_core.progress import Meter


@frozen
class RunnerHere:
    """Runs each task by itself, and lets what they make arrive in an order that a seed decides, as shuffles do."""

    cores: int = 2
    seed: int = 0

    def run(self, chain: Chain, meter: Meter) -> Mapping[str, pl.DataFrame]:
        order = random.Random(self.seed)
        boxes: dict[int, list[Blob]] = {}
        for number, step in enumerate(chain.steps):
            task = pickle.loads(pickle.dumps(StepTask(chain, number)))
            tasks: list[tuple[int, list[Blob] | list[Order]]] = [
                *((share, boxes.get(share, [])) for share in range(step.shares)),
                *((n, [Order(work)]) for n, work in enumerate(step.orders, step.shares)),
            ]
            boxes = {}
            for share, items in order.sample(tasks, len(tasks)):
                for target, blob in task(share, items, partial(_count, meter)):
                    boxes.setdefault(target, []).append(blob)
            for blobs in boxes.values():
                order.shuffle(blobs)
        return results_of(blob for blobs in boxes.values() for blob in blobs)


def _count(meter: Meter, packed_bytes: int, records: int) -> None:
    meter.add(packed_bytes=packed_bytes, records=records)
