"""Long calls into engines that a signal can interrupt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

QUERY_LEFT: Final = threading.Event()
"""Set when the wait for a query was interrupted. The query can't be stopped, and threads of the engine may call
Python for its sake long after it has told its own thread that it ended."""

_LOOK_SECONDS: Final = 0.2
"""A wait without an end is not always woken by a signal, which another thread of the process may take."""

Result = TypeVar("Result")


def interruptible(query: Callable[[], Result], *, to_its_end: bool = False) -> Result:
    """The result of a query, or whatever it raises; `to_its_end`: an interruption waits until it is through.

    Polars does not return before a query ends. Python handles signals in its main thread alone, so that one
    only waits here, and the query has a thread to itself.
    """
    if threading.current_thread() is not threading.main_thread():
        return query()
    done: Future[Result] = Future()
    thread = threading.Thread(target=_settle, args=(done, query), name="ndr-query", daemon=True)
    try:
        thread.start()
        while thread.is_alive():
            thread.join(_LOOK_SECONDS)
    except BaseException:
        if to_its_end:
            done.exception()  # not `join`, which refuses a thread that is just starting
        else:
            QUERY_LEFT.set()
        raise
    return done.result()


def _settle(done: Future[Result], query: Callable[[], Result]) -> None:
    try:
        done.set_result(query())
    except BaseException as error:  # it is the waiting thread's to handle
        done.set_exception(error)
