"""Ctrl-C that waits for the end of a step."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from mothertongue.run.progress import say


@contextmanager
def stop_after_step() -> Iterator[Callable[[], bool]]:
    """Ctrl-C or SIGTERM only asks: the function given says whether. The second time it stops at once."""
    if threading.current_thread() is not threading.main_thread():  # only there can signals be handled
        yield lambda: False
        return
    asked: list[int] = []

    def ask(number: int, _: object) -> None:
        if asked:
            raise KeyboardInterrupt
        asked.append(number)
        say("  stopping: this step is finished and saved first (once more: stop at once)")

    # a job in the background ignores Ctrl-C; None is a handler that C has set and Python could not give back
    heard = [each for each in (signal.SIGINT, signal.SIGTERM) if signal.getsignal(each) not in (signal.SIG_IGN, None)]
    before = {number: signal.signal(number, ask) for number in heard}
    try:
        yield lambda: bool(asked)
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
