"""A quiet log takes all that a run says, and passes nothing on."""

from __future__ import annotations

import pytest

from ndr_core.jobs.ports import QuietLog, RunLog
from ndr_core.jobs.run import Stage


def test_a_quiet_log_says_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    log: RunLog = QuietLog()

    log.stage(Stage.LOOK, files=1)
    log.done(Stage.LOOK, 0.5, files=1)
    log.notice("careful")

    assert capfd.readouterr() == ("", "")
