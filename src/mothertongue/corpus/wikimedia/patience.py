"""How long an unwilling server is waited for: again after failures, with growing pauses, and every attempt is told.

A site that was never reached (no such name, nobody answers there) is given up after seconds: it is the connection or
the address. One that was reached and then fails is waited for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TypeVar
from urllib.parse import urlsplit

from mothertongue.errors import SourceError
from mothertongue.run.progress import say

T = TypeVar("T")


@dataclass(frozen=True)
class Patience:
    """How long an unwilling server is waited for."""

    attempts: int = 6  # in a row that bring nothing
    unreached_attempts: int = 2  # the same, of a site that was never reached
    first_wait_seconds: float = 2.0  # doubled after each attempt
    longest_wait_seconds: float = 600.0  # a server that asks for more is given up
    connect_seconds: float = 10.0
    timeout_seconds: float = 60.0  # without a single byte
    small_seconds: float = 300.0  # for a page or list as a whole
    slow_seconds: float = 120.0  # a download must have brought `slow_bytes` after each such span
    slow_bytes: int = 1 << 17
    progress_bytes: int = 1 << 20  # an attempt that brought as much is no failure: counting begins again


class AgainError(Exception):
    """This attempt failed; another may not. The server may have said how long to wait."""

    def __init__(self, why: str, wait_seconds: float | None = None) -> None:
        super().__init__(why)
        self.wait_seconds = wait_seconds


@dataclass(frozen=True)
class Failures:
    """Which errors may pass, and which of them mean that nobody was reached at all."""

    passing: tuple[type[Exception], ...]
    unreached: Callable[[Exception], bool]


def patiently(
    url: str,
    attempt: Callable[[], T],
    *,
    patience: Patience,
    failures: Failures,
    sleep: Callable[[float], None],
    brought: Callable[[], int] = lambda: 0,
) -> T:
    """What `attempt` gives, perhaps after some that failed; SourceError after the last. `brought`: bytes until now."""
    failed, wait, before = 0, patience.first_wait_seconds, brought()
    while True:
        try:
            return attempt()
        except failures.passing as error:
            now = brought()
            if now - before >= patience.progress_bytes:
                failed, wait = 0, patience.first_wait_seconds
            before, failed = now, failed + 1
            unreached = failures.unreached(error)
            most = min(patience.attempts, patience.unreached_attempts) if unreached else patience.attempts
            asked = error.wait_seconds if isinstance(error, AgainError) else None
            if failed >= most or (asked or 0) > patience.longest_wait_seconds:
                raise _given_up(url, error, failed, asked, unreached=unreached) from error
            pause = wait if asked is None else asked
            say(f"  {url}: {_words(error)}; attempt {failed + 1} of {most} in {pause:.0f} s")
            sleep(pause)
            wait = min(2 * wait, patience.longest_wait_seconds)


def _given_up(url: str, error: Exception, failed: int, asked: float | None, *, unreached: bool) -> SourceError:
    if unreached:
        return SourceError(
            f"{urlsplit(url).netloc} cannot be reached: {_words(error)}. Check the connection and the address. Without "
            "a network, give a dump that lies on this machine as the source, like cswiki-latest-pages-articles.xml.bz2."
        )
    later = f" It asks to wait {asked:.0f} s." if asked else ""
    return SourceError(
        f"{url} cannot be had: {_words(error)}, {failed} attempts in a row.{later} "
        "Run the same command later (it continues where it was), or use another mirror."
    )


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__


def retry_after(value: str) -> float | None:
    """Seconds that a Retry-After header asks for, as number or date; None if it does not say.

    >>> retry_after("120"), retry_after("soon")
    (120.0, None)
    """
    if value.strip().isdigit():
        return float(value[:12])
    try:
        until = parsedate_to_datetime(value)
    except ValueError:
        return None
    return max(0.0, (until.astimezone(UTC) - datetime.now(UTC)).total_seconds())
