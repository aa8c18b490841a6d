"""Many tasks by several processes: results in the order of the tasks, a bounded number of tasks at once, clear words
when a process is lost.

Processes are started afresh (spawn): a fork of a process with threads may hang. They end with the process that
started them, however that ends.
"""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import connection, get_context, parent_process
from typing import TypeVar

from mothertongue.corpus.outage import OutageError
from mothertongue.run.progress import be_quiet

T = TypeVar("T")
R = TypeVar("R")
_AT_ONCE = 3  # tasks for each process: one at work, the others ready


class WorkerLostError(OutageError):
    """A process has ended in the middle of its task."""


def cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def run_tasks(function: Callable[[T], R], tasks: Iterable[T], *, processes: int) -> Iterator[R]:
    """`function(task)` of every task, in their order; one process: here, without starting any.

    `function` and the tasks must be picklable. At most `processes` x 3 tasks exist at any moment. WorkerLostError if a
    process is killed.
    """
    if processes <= 1:
        yield from map(function, tasks)
        return
    pool = ProcessPoolExecutor(processes, mp_context=get_context("spawn"), initializer=_begin)
    waiting = deque[Future[R]]()
    try:
        for task in tasks:
            waiting.append(pool.submit(function, task))
            if len(waiting) >= processes * _AT_ONCE:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    except BrokenProcessPool as error:
        raise WorkerLostError(
            f"One of {processes} processes was killed in the middle of its work, most often by the system for want of "
            "memory. What is finished is kept: run the same command again, with fewer processes (--processes 1) if it "
            f"happens again.{_hint()}"
        ) from error
    finally:
        pool.shutdown(wait=True, cancel_futures=True)


def _hint() -> str:
    """For somebody's own script: new processes import it, and must not begin its work again."""
    file = getattr(sys.modules.get("__main__"), "__file__", None) or ""
    if not file.endswith(".py") or file.endswith("__main__.py"):
        return ""
    return f' If {file} is your script: its work must stand below `if __name__ == "__main__":`.'


def _begin() -> None:
    """In a new process: no talk, no part in Ctrl-C, one thread, and an end when the parent has ended."""
    be_quiet()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    os.environ["RAYON_NUM_THREADS"] = "1"
    threading.Thread(target=_end_with_parent, daemon=True).start()


def _end_with_parent() -> None:
    parent = parent_process()
    if parent is not None:
        connection.wait([parent.sentinel])
        os._exit(1)
