"""A watcher that is killed anywhere loses nothing and counts nothing twice: the next one does the rest."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from ndr_adapters.local.notes import NotesFile
from tests.e2e.cli import rows, snapshot
from tests.makers import flow
from tests.soak import SOAK, only_in_soak
from tests.storages.watch_runs import dies, first_hour, go, land, lines, second_hour

STEPS = 400
"""More than a round takes."""
EVERY = 1 if SOAK else 29
"""Of the steps of a round one in so many is a death."""


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of watchers that nobody kills."""
    folder = tmp_path_factory.mktemp("undisturbed")
    for happens in (first_hour, second_hour):
        happens(folder / "landing")
        assert go(folder / "landing", folder / "out").failed == {}
    return folder / "out"


def sessions(output: Path) -> int:
    deltas, _ = rows(output)
    return sum(row["sessions_cnt"] for row in deltas if row["role"] == "outbound")


def test_a_watcher_that_is_killed_at_any_step_leaves_what_the_next_one_completes(
    undisturbed: Path, tmp_path: Path
) -> None:
    deaths = []
    for step in range(0, STEPS, EVERY):
        landing, output = tmp_path / str(step) / "landing", tmp_path / str(step) / "out"
        landing.parent.mkdir()
        for happens in (first_hour, second_hour):
            happens(landing)
            deaths.append(dies(landing, output, step))
            assert go(landing, output).failed == {}
        assert rows(output) == rows(undisturbed), step
        assert go(landing, output).built == ()
        if not any(deaths[-2:]):
            break

    assert not any(deaths[-2:]), "a round has more steps"
    assert sum(deaths) > 100 // EVERY
    assert sessions(undisturbed) == 6


def test_a_note_of_a_run_that_was_not_published_says_nothing(tmp_path: Path) -> None:
    landing, output = tmp_path / "landing", tmp_path / "out"
    first_hour(landing)
    assert dies(landing, output, 8)
    notes = NotesFile(output).attempts()

    assert [note.mini_batch_id for note in notes] == ["20250301T11.json"]
    assert set(go(landing, output).built) == {"20250301T10.json", "20250301T11.json"}


def test_a_note_that_a_loss_of_power_has_cut_spoils_no_other(tmp_path: Path) -> None:
    landing, output = tmp_path / "landing", tmp_path / "out"
    first_hour(landing)
    go(landing, output)
    notes = NotesFile(output).path
    content = notes.read_bytes()
    notes.write_bytes(content + content[: len(content) // 3])
    second_hour(landing)
    again = go(landing, output)

    assert len(again.built) == 3
    assert len(NotesFile(output).attempts()) == 5
    assert go(landing, output).built == ()


def test_without_notes_what_is_counted_is_still_known_by_its_content(tmp_path: Path) -> None:
    landing, output = tmp_path / "landing", tmp_path / "out"
    first_hour(landing)
    go(landing, output)
    NotesFile(output).path.unlink()
    before = snapshot(output)

    assert go(landing, output).built == ()
    assert snapshot(output).keys() - before.keys() <= {"_watch/attempts.jsonl"}


def test_notes_are_cut_down_to_those_that_count(tmp_path: Path) -> None:
    landing, output = tmp_path / "landing", tmp_path / "out"
    first_hour(landing)
    go(landing, output)
    notes = NotesFile(output)
    known = list(notes.attempts())
    for _ in range(3):
        notes.add(known[0])

    notes.keep(known)

    assert list(NotesFile(output).attempts()) == known
    notes.keep(known[:2])
    assert list(NotesFile(output).attempts()) == known


@only_in_soak
def test_ten_thousand_files_are_caught_up_with(tmp_path: Path) -> None:
    landing, output, files = tmp_path / "landing", tmp_path / "out", 10_000
    landing.mkdir()
    for number in range(files):
        land(landing / f"20250301T10.{number:05}.json", lines(flow(source_port=number)))

    assert len(go(landing, output).built) == files
    assert go(landing, output).built == ()
    assert sessions(output) == files


def test_a_gzip_file_that_was_added_to_has_grown(tmp_path: Path) -> None:
    landing, output = tmp_path / "landing", tmp_path / "out"
    landing.mkdir()
    file = landing / "20250301T10.json.gz"
    file.write_bytes(gzip.compress(lines(flow())))
    go(landing, output)
    with file.open("ab") as stream:
        stream.write(gzip.compress(lines(flow(source_ip="10.0.0.3"))))

    assert go(landing, output).built == (file.name,)
    assert sessions(output) == 2
