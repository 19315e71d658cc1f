"""A spec of windows implies that of the history that they read."""

from __future__ import annotations

from ndr_core.history.job import meaning_of as meaning_of_history
from ndr_core.history.spec import PairHistorySpec
from ndr_core.windows.history_spec import history_spec_of
from ndr_core.windows.job import meaning_of as meaning_of_windows
from ndr_core.windows.spec_reader import parse_fg_a_spec


def test_it_agrees_in_all_that_both_must_agree_in() -> None:
    windows = parse_fg_a_spec(
        {
            "kind": "fg_a",
            "project_name": "test",
            "feature_spec_version": "v5",
            "inputs": {"feature_spec_version": "v4", "history_job": "ours"},
            "networks": {"internal": ["10.0.0.0/8"]},
            "hosts": "all",
            "storage": {"deltas_prefix": "s3://bucket/out"},
        }
    )

    history = history_spec_of(windows)

    assert isinstance(history, PairHistorySpec)
    assert history.problems() == []
    assert (history.project_name, history.job_name) == ("test", "ours")
    assert history.feature_spec_version == "v5"
    assert str(history.storage.features()) == "s3://bucket/out/features"
    ours, theirs = meaning_of_history(history), meaning_of_windows(windows)
    shared = ours.keys() & theirs.keys()
    assert shared == {
        "hosts",
        "networks.internal",
        "networks.segments",
        "inputs.feature_spec_version",
    }
    assert {key: ours[key] for key in shared} == {key: theirs[key] for key in shared}
