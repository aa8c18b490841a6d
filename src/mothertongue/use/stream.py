"""A blocking stream for asyncio: each piece is made in one worker thread, so other tasks run on meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor


async def in_thread(pieces: Iterator[str]) -> AsyncIterator[str]:
    """The pieces as they come. Leaving the loop, or cancelling the task, closes `pieces` after the token under way."""
    loop, worker = asyncio.get_running_loop(), ThreadPoolExecutor(1, thread_name_prefix="mothertongue-stream")
    try:
        while (piece := await loop.run_in_executor(worker, next, pieces, None)) is not None:
            yield piece
    finally:
        worker.submit(getattr(pieces, "close", lambda: None))  # one thread: it waits for its turn
        worker.shutdown(wait=False)
