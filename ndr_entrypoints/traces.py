"""Stack traces that hold no credentials."""

from __future__ import annotations

import sys
import traceback
from types import TracebackType

from ndr_core.errors import without_credentials


def show_traces_without_credentials() -> None:
    """Let this process write the stack trace of what ends it without credentials of URLs in its messages."""
    sys.excepthook = _show


def _show(kind: type[BaseException], error: BaseException, trace: TracebackType | None) -> None:
    lines = traceback.format_exception(kind, error, trace)
    sys.stderr.write(without_credentials("".join(lines)))
