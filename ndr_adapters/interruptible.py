"""Long calls into engines that a signal can interrupt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Final, TypeVar

QUERY_THREAD: Final = "ndr-query"
"""Name of the threads that queries run in. One that goes on after its wait was interrupted can't be stopped."""

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
    thread = threading.Thread(target=_settle, args=(done, query), name=QUERY_THREAD, daemon=True)
    thread.start()
    try:
        while thread.is_alive():
            thread.join(_LOOK_SECONDS)
    finally:
        if to_its_end:
            thread.join()
    return done.result()


def _settle(done: Future[Result], query: Callable[[], Result]) -> None:
    try:
        done.set_result(query())
    except BaseException as error:  # it is the waiting thread's to handle
        done.set_exception(error)
