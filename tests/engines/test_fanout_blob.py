"""Frames on their way between tasks: addresses keep their meaning, equal keys meet, all else is as it was."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path

import polars as pl
import pytest
from polars.testing import assert_frame_equal

from ndr_adapters.polars.addresses import Addresses
from ndr_adapters.spark.fanout.blob import Blob, Packer
from ndr_adapters.spark.fanout.chain import Frames, Kernel, Step, Task
from ndr_adapters.spark.fanout.router import Router

ROOT = Path(__file__).parents[2]
NUMBERED = frozenset({"host", "peer_ip"})


def packer() -> Packer:
    """What one task has: its own numbers of addresses."""
    return Packer(Addresses(), NUMBERED)


def numbers_of(one: Packer, texts: Iterable[str]) -> pl.Series:
    frame = pl.DataFrame({"text": list(texts)}, schema={"text": pl.String})
    return frame.select(one.addresses.number(pl.col("text"))).to_series()


def texts_of(one: Packer, numbers: pl.Series) -> list[str | None]:
    low = numbers.to_frame("number").select(pl.col("number") & 0xFFFF_FFFF)
    return low.select(one.addresses.text(pl.col("number"))).to_series().to_list()


def nothing(_task: Task) -> Frames:
    return iter(())


def step_of(*kernels: Kernel) -> Step:
    return Step(kernels)


def routed(
    router: Router, frames: Iterable[tuple[str, pl.DataFrame]]
) -> Iterator[tuple[int, Blob]]:
    for name, frame in frames:
        yield from router.add(name, frame)
    yield from router.rest()


def test_an_address_is_the_same_one_in_a_task_with_other_numbers() -> None:
    sender, receiver = packer(), packer()
    numbers_of(receiver, ["192.0.2.9", "10.0.0.2", "::1"])
    texts = ["10.0.0.1", "10.0.0.2", "10.0.0.1", "::1"]
    frame = pl.DataFrame({"peer_ip": numbers_of(sender, texts), "sessions": [1, 2, 3, 4]})

    ((name, received),) = receiver.unpack(sender.pack([("pairs", frame)]))

    assert name == "pairs"
    assert texts_of(receiver, received["peer_ip"]) == texts
    assert received["peer_ip"].to_list() != frame["peer_ip"].to_list()
    assert received.schema == frame.schema
    assert received["sessions"].to_list() == [1, 2, 3, 4]


@pytest.mark.parametrize("dtype", [pl.Int64, pl.UInt64])
@pytest.mark.parametrize("high", [0, 1, 5, (1 << 31) - 1])
def test_what_stands_above_a_number_stays(dtype: type[pl.DataType], high: int) -> None:
    sender, receiver = packer(), packer()
    numbers_of(receiver, ["203.0.113.1"])
    low = numbers_of(sender, ["10.0.0.1", "10.0.0.2"]).cast(dtype)
    frame = pl.DataFrame({"host": low + (high << 32)}, schema={"host": dtype})

    ((_, received),) = receiver.unpack(sender.pack([("sums", frame)]))

    assert (received["host"] // (1 << 32)).to_list() == [high, high]
    assert texts_of(receiver, received["host"]) == ["10.0.0.1", "10.0.0.2"]
    assert received.schema == frame.schema


def test_only_the_addresses_that_a_blob_speaks_of_are_sent() -> None:
    sender = packer()
    numbers = numbers_of(sender, [f"10.0.{n // 250}.{n % 250}" for n in range(50_000)])
    few = pl.DataFrame({"peer_ip": numbers.slice(49_990, 3)})

    blob = sender.pack([("pairs", few)])

    assert sum(map(len, blob.values())) < 4096


def test_several_frames_share_the_addresses_of_one_blob() -> None:
    sender, receiver = packer(), packer()
    hosts = pl.DataFrame({"host": numbers_of(sender, ["10.0.0.1", "10.0.0.2"]).cast(pl.Int64)})
    peers = pl.DataFrame({"peer_ip": numbers_of(sender, ["10.0.0.2", "10.0.0.3"])})

    received = dict(receiver.unpack(sender.pack([("hosts", hosts), ("peers", peers)])))

    assert texts_of(receiver, received["hosts"]["host"]) == ["10.0.0.1", "10.0.0.2"]
    assert texts_of(receiver, received["peers"]["peer_ip"]) == ["10.0.0.2", "10.0.0.3"]


def test_a_column_of_text_is_left_alone_whatever_its_name() -> None:
    sender, receiver = packer(), packer()
    numbers_of(sender, ["10.0.0.1"])
    frame = pl.DataFrame({"peer_ip": ["10.0.0.9", None, ""], "port": [1, 2, 3]})

    blob = sender.pack([("rejected", frame)])
    ((_, received),) = receiver.unpack(blob)

    assert list(blob) == ["rejected"], "no addresses go along"
    assert_frame_equal(received, frame)


def test_a_frame_without_rows_keeps_its_columns() -> None:
    sender, receiver = packer(), packer()
    numbers_of(sender, ["10.0.0.1"])
    schema = {"host": pl.Int64(), "peer_ip": pl.UInt32(), "text": pl.String(), "wide": pl.Int128()}
    frame = pl.DataFrame(schema=schema)

    ((_, received),) = receiver.unpack(sender.pack([("pairs", frame)]))

    assert_frame_equal(received, frame)


def test_a_blob_without_frames_gives_none() -> None:
    sender, receiver = packer(), packer()

    assert list(receiver.unpack(sender.pack([]))) == []


@pytest.mark.parametrize("shares", [1, 2, 7])
def test_rows_with_one_key_meet_in_one_share_and_no_row_is_lost(shares: int) -> None:
    kernel = Kernel("pairs", nothing, {"pairs": ("host", "peer_ip")}, shares)
    found: dict[int, Counter[tuple[str | None, str | None, int]]] = {}
    sent: Counter[tuple[str | None, str | None, int]] = Counter()
    for task in range(3):
        sender = packer()
        numbers_of(sender, [f"192.0.2.{n}" for n in range(task * 40)])  # numbers of its own
        hosts = [f"10.0.0.{n % 11}" for n in range(200)]
        peers = [f"10.1.0.{n % 17}" for n in range(200)]
        sent.update(zip(hosts, peers, [n % 5 for n in range(200)], strict=True))
        frame = pl.DataFrame(
            {
                "host": numbers_of(sender, hosts).cast(pl.Int64) + (3 << 32),
                "peer_ip": numbers_of(sender, peers),
                "port": [n % 5 for n in range(200)],
            }
        )
        router = Router(step_of(kernel), sender, task)
        for share, blob in routed(router, [("pairs", frame)]):
            receiver = packer()
            for _, part in receiver.unpack(blob):
                rows = zip(
                    texts_of(receiver, part["host"]),
                    texts_of(receiver, part["peer_ip"]),
                    part["port"].to_list(),
                    strict=True,
                )
                found.setdefault(share, Counter()).update(rows)

    assert sum(found.values(), Counter()) == sent
    assert found.keys() <= set(range(shares))
    homes: dict[tuple[str | None, str | None], set[int]] = {}
    for share, rows_of_share in found.items():
        for host, peer, _ in rows_of_share:
            homes.setdefault((host, peer), set()).add(share)
    assert {len(places) for places in homes.values()} == {1}
    assert shares == 1 or len(found) > 1, "and not all keys in one"


SHARES_OF_KEYS = """
import json, sys
import polars as pl
from tests.engines.test_fanout_blob import homes_of_keys
print(json.dumps(homes_of_keys(sys.argv[1:])))
"""


def homes_of_keys(before: list[str]) -> dict[str, int]:
    """Share of each key, in a process that has met other addresses `before`."""
    sender = packer()
    numbers_of(sender, before)
    texts = [f"10.0.{n}.1" for n in range(50)] + [f"fd00::{n:x}" for n in range(50)]
    frame = pl.DataFrame(
        {"host": numbers_of(sender, texts).cast(pl.Int64), "name": texts, "bucket": range(100)},
        schema_overrides={"bucket": pl.Int64},
    )
    homes: dict[str, int] = {}
    for key in (("host",), ("host", "bucket"), ("name",), ("name", "bucket")):
        kernel = Kernel("hosts", nothing, {"rows": key}, shares=13)
        for share, blob in routed(Router(step_of(kernel), sender, 0), [("rows", frame)]):
            for _, part in packer().unpack(blob):
                homes |= {f"{key} {name}": share for name in part["name"]}
    return homes


def test_a_key_has_the_same_share_in_every_process_whatever_addresses_it_has_met() -> None:
    here = homes_of_keys([])
    there = [
        json.loads(
            subprocess.check_output(
                [sys.executable, "-c", SHARES_OF_KEYS, *before], cwd=ROOT, text=True
            )
        )
        for before in ([], ["10.0.7.1", "fd00::3", "192.0.2.1"])
    ]

    assert len(here) == 400
    assert there == [here, here]


def test_frames_without_a_key_are_dealt_out_to_all_shares() -> None:
    kernel = Kernel("read", nothing, {"lines": ()}, shares=4)
    frames = [("lines", pl.DataFrame({"block": [bytes([n])]})) for n in range(8)]

    found = {
        share: b"".join(block for _, part in packer().unpack(blob) for block in part["block"])
        for share, blob in routed(Router(step_of(kernel), packer(), 2), frames)
    }

    assert sorted(found) == [0, 1, 2, 3]
    assert {len(blocks) for blocks in found.values()} == {2}


def test_frames_without_rows_are_not_sent_and_shares_without_rows_get_nothing() -> None:
    kernel = Kernel("rows", nothing, {"rows": ("name",)}, shares=50)
    router = Router(step_of(kernel), packer(), 0)
    empty, one = pl.DataFrame({"name": []}, schema={"name": pl.String}), pl.DataFrame({"name": "a"})

    assert list(routed(router, [("rows", empty)])) == []
    assert len(list(routed(router, [("rows", one), ("rows", empty)]))) == 1


def test_a_frame_goes_to_each_kernel_that_takes_it_and_their_shares_come_one_after_the_other() -> (
    None
):
    step = step_of(
        Kernel("first", nothing, {"a": ("name",)}, shares=3),
        Kernel("second", nothing, {"a": ("name",), "b": ()}, shares=1),
    )
    a, b = pl.DataFrame({"name": ["x"]}), pl.DataFrame({"name": ["y"]})

    blobs = dict(routed(Router(step, packer(), 0), [("a", a), ("b", b)]))

    assert len(blobs) == 2
    assert set(blobs[3]) == {"a", "b"}
    (share,) = blobs.keys() - {3}
    assert share in range(3)
    assert set(blobs[share]) == {"a"}


def test_a_frame_that_all_shares_of_a_kernel_need_goes_to_each_of_them_whole() -> None:
    step = step_of(
        Kernel("first", nothing, {"a": ()}, shares=1),
        Kernel("second", nothing, {"a": None}, shares=3),
    )
    frame = pl.DataFrame({"name": ["x", "y"]})

    blobs = dict(routed(Router(step, packer(), 0), [("a", frame)]))

    assert sorted(blobs) == [0, 1, 2, 3]
    for blob in blobs.values():
        ((_, found),) = packer().unpack(blob)
        assert_frame_equal(found, frame)


def test_a_frame_that_no_kernel_takes_is_a_fault_of_the_chain() -> None:
    router = Router(step_of(Kernel("rows", nothing, {"rows": ()})), packer(), 0)

    with pytest.raises(AssertionError, match="no kernel takes other"):
        list(router.add("other", pl.DataFrame({"name": ["x"]})))


def test_a_task_holds_so_many_bytes_before_it_sends_them_on(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("ndr_adapters.spark.fanout.router._HELD_BYTES", 1000)
    router = Router(step_of(Kernel("rows", nothing, {"rows": ("name",)})), packer(), 0)
    frame = pl.DataFrame({"name": ["x" * 300] * 2})

    sent = [list(router.add("rows", frame)) for _ in range(4)]

    assert [len(blobs) for blobs in sent] == [0, 1, 0, 1]
    assert list(router.rest()) == []
    heights = [
        part.height for blobs in sent for _, blob in blobs for _, part in packer().unpack(blob)
    ]
    assert heights == [4, 4]
