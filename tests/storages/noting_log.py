"""What a run says of its output."""

from __future__ import annotations

from attrs import define, field

from ndr_core.jobs.ports import QuietLog


@define
class NotingLog(QuietLog):
    """Keeps what a run says beside its outcome, but for what it says of columns of the input."""

    notices: list[str] = field(factory=list)

    def notice(self, message: str) -> None:
        if not message.startswith("input."):
            self.notices.append(message)
