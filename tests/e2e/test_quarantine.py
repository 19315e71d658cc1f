"""Rejected records are shown by rule and field, and run again by another JobSpec."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from attrs import frozen

from ndr_core.flows.json_line import MAX_RAW_BYTES
from tests.e2e.cli import Answer, ndr, rows, run, snapshot, write_spec
from tests.makers import flow, write_batch

GOOD = flow()
NAMED = flow(source_ip=None, client="10.0.0.2")
"""Its address lies in another column than the first JobSpec says."""
TWICE = flow(source_port=1)
LONG = flow(source_ip=None, client="10.0.0.3", more="x" * MAX_RAW_BYTES)
BROKEN = flow(source_ip=None)
LINES: list[Any] = [GOOD, NAMED, TWICE, TWICE, LONG, BROKEN, "bad", b'{"a": "\xff"}']
LOOSE = {"max_rejected_fraction": 1.0, "deduplicate_on": ["source_ip", "source_port"]}
MAPPED = {"preset": "paloalto", "fields": {"source_ip": {"column": "client", "optional": True}}}


@frozen
class Setting:
    """An output with one run, and the JobSpec that reads what it rejected."""

    output: str | Path
    old: Path
    new: Path
    batch: Path

    def quarantine(self, *more: object) -> Answer:
        return ndr("quarantine", self.output, *more)

    def replay(self, *more: object) -> Answer:
        return ndr("replay", self.output, "--spec", self.new, *more)

    def run(self, batch: Path, name: str, spec: Path | None = None) -> Answer:
        target: Any = self.output
        answer = run(spec or self.old, batch, target, "--mini-batch-id", name, "--json")
        assert answer.exit_code == 0, answer.errors
        return answer

    def sessions(self) -> list[tuple[str, int]]:
        """The hosts that ask, and how often."""
        deltas = rows(self.output)[0]  # type: ignore[arg-type]
        return [
            (row["host_ip"], row["sessions_cnt"]) for row in deltas if row["role"] == "outbound"
        ]


def made(output: str | Path, folder: Path) -> Setting:
    setting = Setting(
        output,
        write_spec(folder / "old.json", quality=LOOSE),
        write_spec(folder / "new.json", input=MAPPED),
        write_batch(folder / "in", [LINES[:4], LINES[4:]]),
    )
    setting.run(setting.batch, "a")
    return setting


@pytest.fixture
def setting(tmp_path: Path) -> Setting:
    return made(tmp_path / "out", tmp_path)


def test_rejected_records_are_shown_with_rule_mini_batch_and_text(setting: Setting) -> None:
    answer = setting.quarantine()

    assert answer.exit_code == 0
    assert "malformed_ip" in answer.output
    assert "(mini-batch a):" in answer.output
    assert json.dumps(NAMED) in answer.output


def test_json_has_all_of_them_with_all_that_is_known(setting: Setting) -> None:
    found = setting.quarantine("--json").json()

    assert len(found) == 6
    (duplicate,) = [one for one in found if one["rule"] == "duplicate"]
    assert json.loads(duplicate["raw"]) == TWICE
    assert duplicate["replay_leaves"] == "duplicate"
    assert (duplicate["mini_batch_id"], duplicate["job_name"]) == ("a", "delta_builder")
    assert sorted(str(one["replay_leaves"]) for one in found) == [
        *("None", "None", "None", "cut", "duplicate", "not UTF-8"),
    ]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--rule", "malformed_ip"), 3),
        (("--rule", "duplicate"), 1),
        (("--rule", "non_traffic"), 0),
        (("--rule", "malformed_ip", "--limit", "1"), 1),
        (("--limit", "0"), 6),
        (("--mini-batch-id", "a"), 6),
        (("--field", "source_port"), 0),
    ],
)
def test_a_part_of_them_is_chosen(setting: Setting, options: tuple[str, ...], count: int) -> None:
    assert len(setting.quarantine("--json", *options).json()) == count


def test_a_screen_shows_some_and_says_so(setting: Setting) -> None:
    some, none = setting.quarantine("--limit", 2), setting.quarantine("--rule", "non_traffic")

    assert some.output.count("(mini-batch a):") == 2
    assert "2 are shown, there are more; --limit 0 shows all" in some.output
    assert none.output == "no such record was rejected\n"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--rule", "malformd_ip"), "rule: 'malformd_ip' is unknown, did you mean 'malformed_ip'?"),
        (("--field", "sorce_ip"), "field: 'sorce_ip' is unknown, did you mean 'source_ip'?"),
        (("--mini-batch-id", "b"), "mini-batch-id: 'b' is unknown, known: a"),
    ],
)
def test_what_is_unknown_is_named(setting: Setting, options: tuple[str, ...], message: str) -> None:
    answer = setting.quarantine(*options)

    assert (answer.exit_code, answer.errors) == (2, f"ndr: {message}\n")


def test_a_replay_adds_what_the_new_job_spec_can_read(setting: Setting) -> None:
    before = setting.sessions()

    answer = setting.replay("--json")

    assert before == [("10.0.0.1", 2)]
    assert setting.sessions() == [("10.0.0.1", 2), ("10.0.0.2", 1)]
    done = answer.json()
    assert done["mini_batch_id"] == "a.replay"
    assert (done["report"]["read"], done["report"]["kept"]) == (3, 1)
    assert done["left"] == {"cut": 1, "not UTF-8": 1, "duplicate": 1}


def test_an_output_in_s3_is_shown_and_replayed_likewise(bucket: str, tmp_path: Path) -> None:
    setting = made(f"s3://{bucket}/out", tmp_path)

    shown = setting.quarantine("--rule", "malformed_ip", "--json").json()
    once, again = setting.replay("--json").json(), setting.replay("--json").json()

    assert len(shown) == 3
    assert (once["report"]["kept"], again["replaced"]["kept"]) == (1, 1)
    assert setting.sessions() == [("10.0.0.1", 2), ("10.0.0.2", 1)]


def test_a_replay_says_what_it_left(setting: Setting) -> None:
    answer = setting.replay()

    assert answer.exit_code == 0
    assert "Left in quarantine" in answer.output
    assert "duplicate" in answer.output


def test_a_second_replay_takes_the_place_of_the_first(setting: Setting) -> None:
    setting.replay()

    again = setting.replay("--mini-batch-id", "a", "--json").json()

    assert again["replaced"]["kept"] == 1
    assert setting.sessions() == [("10.0.0.1", 2), ("10.0.0.2", 1)]


def test_a_mini_batch_that_is_mended_is_replayed_to_count_nothing_twice(
    setting: Setting, tmp_path: Path
) -> None:
    setting.replay()
    both = {
        "preset": "paloalto",
        "fields": {"source_ip": {"column": "client"}, "destination_ip": "destination_ip"},
    }
    mended = write_spec(tmp_path / "mended.json", input=both, quality={"max_rejected_fraction": 1})

    told = setting.run(setting.batch, "a", mended)
    twice = dict(setting.sessions())
    taken_back = setting.replay("--json")

    assert "counts twice until `ndr replay` is run again" in told.errors
    assert twice["10.0.0.2"] == 2
    assert "What a.replay held is taken back" in taken_back.errors
    assert taken_back.json()["report"]["read"] == 0
    assert dict(setting.sessions())["10.0.0.2"] == 1
    assert setting.replay("--json").json()["replaced"]["kept"] == 0


def test_of_several_mini_batches_one_is_named(setting: Setting, tmp_path: Path) -> None:
    other = write_batch(tmp_path / "other", [[flow(), "worse", NAMED]])
    setting.run(other, "b")

    unnamed = setting.replay()
    unknown = setting.replay("--mini-batch-id", "c")
    named = setting.replay("--mini-batch-id", "b", "--json").json()
    of_replay = setting.replay("--mini-batch-id", "b.replay")

    assert unnamed.exit_code == 2
    assert "have rejected records; give one of a (6), b (2)" in unnamed.errors
    assert unknown.exit_code == 2
    assert "has published no mini-batch 'c', known: a, b" in unknown.errors
    assert (named["mini_batch_id"], named["report"]["kept"]) == ("b.replay", 1)
    assert of_replay.exit_code == 2
    assert "holds what another mini-batch rejected" in of_replay.errors


def test_a_replay_that_can_read_nothing_publishes_nothing(setting: Setting) -> None:
    answer = ndr("replay", setting.output, "--spec", setting.old)

    assert answer.exit_code == 1
    assert "none of 3 records can be used" in answer.errors
    assert setting.sessions() == [("10.0.0.1", 2)]


def test_of_a_job_that_rejected_nothing_nothing_is_replayed(
    setting: Setting, tmp_path: Path
) -> None:
    other = write_spec(tmp_path / "other.json", job_name="other")

    answer = ndr("replay", setting.output, "--spec", other)

    assert answer.exit_code == 2
    assert "job other, feature_spec_version v1 has published no rejected records" in answer.errors


def test_an_output_without_runs_has_no_rejected_records(tmp_path: Path) -> None:
    answer = ndr("quarantine", tmp_path)

    assert (answer.exit_code, answer.errors) == (2, f"ndr: {tmp_path}: holds no published run\n")


def test_a_quarantine_that_is_damaged_is_named(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[GOOD, NAMED]])
    run(write_spec(tmp_path / "job.json"), batch, tmp_path / "out")
    (file,) = (tmp_path / "out" / "quarantine").rglob("rejected-*")
    name = str(file)

    file.write_bytes(file.read_bytes()[:-9])
    cut = ndr("quarantine", tmp_path / "out", "--json")
    file.unlink()
    gone = ndr("quarantine", tmp_path / "out")

    assert (cut.exit_code, gone.exit_code) == (1, 1)
    assert f"{name}: can't be read to its end" in cut.errors
    assert f"{name}: can't be read: No such file or directory" in gone.errors


def test_a_replay_of_records_outside_of_the_bounds_is_for_the_same_span(tmp_path: Path) -> None:
    late = flow(event_start="2025-02-01T10:00:00Z", event_end="2025-02-01T10:00:01Z")
    batch = write_batch(tmp_path / "in", [[GOOD, late]])
    span = ("--slice-start", "2025-03-01T10:00:00Z", "--slice-end", "2025-03-01T10:15:00Z")
    run(write_spec(tmp_path / "old.json"), batch, tmp_path / "out", *span)
    patient = write_spec(tmp_path / "new.json", quality={"allowed_lateness": "60d"})

    done = ndr("replay", tmp_path / "out", "--spec", patient, "--json").json()

    assert done["report"]["late"] == 1
    assert done["bounds"] == {"start": "2025-03-01T10:00:00Z", "end": "2025-03-01T10:15:00Z"}


def test_nothing_of_a_mini_batch_itself_is_touched(tmp_path: Path) -> None:
    batch = write_batch(tmp_path / "in", [[GOOD, NAMED]])
    run(write_spec(tmp_path / "old.json"), batch, tmp_path / "out")
    before = snapshot(tmp_path / "out")

    ndr("replay", tmp_path / "out", "--spec", write_spec(tmp_path / "new.json", input=MAPPED))

    after = snapshot(tmp_path / "out")
    assert before.items() <= after.items()
    assert len(after) > len(before)
