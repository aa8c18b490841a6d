"""Answers for the newest text only: somebody who types on waits for no answer about what has changed since.

A question waits a moment for the next key (debounce), then goes to the one thread that has the model. A newer question
of the same kind, or whoever asked, takes it back, also while the model computes: between two tokens it looks whether
anybody waits still. The model is opened in that thread, too, so nothing waits for it before the first question.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from mothertongue.use.complete import Completer
from mothertongue.use.reader import TakenBackError, never

T = TypeVar("T")
Cancel = Callable[[], bool]
PAUSE_SECONDS = 0.03


class Keystrokes:
    """Asks one Completer, opened by `open_it`, from an event loop."""

    def __init__(self, open_it: Callable[[], Completer], *, pause_seconds: float = PAUSE_SECONDS) -> None:
        self._pause = pause_seconds
        self._newest: Counter[str] = Counter()
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="completion")
        self._opened = self._thread.submit(open_it)

    async def ask(
        self, question: Callable[[Completer, Cancel], T], *, kind: str = "", stale: Cancel = never
    ) -> T | None:
        """What `question` gives; None if a newer one of its `kind` has come, or the text is `stale`, meanwhile."""
        self._newest[kind] += 1
        mine, given_up = self._newest[kind], False

        def old() -> bool:
            return given_up or self._newest[kind] != mine or stale()

        try:
            await asyncio.sleep(self._pause)
            if old():
                return None
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._answer, question, old)
        except TakenBackError:
            return None
        except asyncio.CancelledError:
            given_up = True
            raise

    def _answer(self, question: Callable[[Completer, Cancel], T], old: Cancel) -> T:
        if old():
            raise TakenBackError
        return question(self._opened.result(), old)

    def close(self) -> None:
        """Take back what is asked, and end the thread."""
        for kind in self._newest:
            self._newest[kind] += 1
        self._thread.shutdown(wait=True, cancel_futures=True)
