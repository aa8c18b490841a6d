"""Polite HTTP: one connection, a name in the User-Agent, patience after errors, and a bound on every answer.

Downloads continue where they were cut (Range), go to `NAME.partial`, and get their name only when their checksum is
right. A server that sends more than it announced, or hardly anything for a long time, is given up.
"""

from __future__ import annotations

import hashlib
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, TypeVar

from mothertongue.corpus.wikimedia.patience import AgainError, Failures, Patience, patiently, retry_after
from mothertongue.errors import SourceError

if TYPE_CHECKING:
    import httpx2

T = TypeVar("T")
MAX_REDIRECTS = 5
PARTIAL = ".partial"
_RETRIED = frozenset({408, 425, 429, 500, 502, 503, 504})
_NOT_THERE = frozenset({403, 404, 410})


class NotThereError(SourceError):
    """The site answers, and has no such page."""


@dataclass(frozen=True)
class RemoteFile:
    """A file of a site: where it is, how long, and its SHA-1."""

    url: str
    name: str
    bytes: int
    sha1: str


class Web:
    """A client with one connection at a time. Use it as a context manager."""

    def __init__(
        self,
        *,
        contact: str = "",
        patience: Patience | None = None,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        import httpx2

        self.patience, self._sleep, self._clock = patience or Patience(), sleep, clock
        self._reached = False
        nobody = (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.ProxyError)
        self._failures = Failures(
            passing=(AgainError, httpx2.HTTPError, httpx2.StreamError),
            unreached=lambda error: isinstance(error, nobody) and not self._reached,
        )
        self._client = httpx2.Client(
            headers={"User-Agent": user_agent(contact), "Accept-Encoding": "identity"},
            verify=_tls(),
            limits=httpx2.Limits(max_connections=1, max_keepalive_connections=1),
            timeout=httpx2.Timeout(self.patience.timeout_seconds, connect=self.patience.connect_seconds),
            follow_redirects=False,  # the library would read the whole body of a redirect, however long
        )

    def __enter__(self) -> Web:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def get(self, url: str, *, max_bytes: int) -> bytes:
        """A small answer as a whole. NotThereError if there is no such page, SourceError after the last attempt."""

        def attempt() -> bytes:
            body, end = bytearray(), self._clock() + self.patience.small_seconds
            with self._stream(url) as answer:
                for block in answer.iter_raw():
                    body += block
                    if len(body) > max_bytes:
                        raise SourceError(
                            f"{url} sends more than the {max_bytes:,} bytes that such a page may have. "
                            "Use another mirror."
                        )
                    if self._clock() > end:
                        raise AgainError(f"it is not through after {self.patience.small_seconds:.0f} s")
            return bytes(body)

        return self._patiently(url, attempt, lambda: 0)

    def download(self, file: RemoteFile, path: Path, *, advance: Callable[[int], None] = lambda n: None) -> None:
        """Fetch `file` to `path`, from where an earlier attempt stopped. SourceError if its checksum stays wrong."""
        partial = path.with_name(path.name + PARTIAL)
        for last in (False, True):
            self._patiently(file.url, lambda: self._fetch(file, partial, advance), lambda: size_of(partial))
            if sha1_of(partial) == file.sha1:
                partial.replace(path)
                return
            advance(-size_of(partial))
            partial.unlink()
            if last:
                raise SourceError(
                    f"{file.url} came twice with a wrong checksum: not the SHA-1 {file.sha1} that its dump announces. "
                    "The copy on the site is damaged, or changed on its way: use another mirror, or another date."
                )

    def _fetch(self, file: RemoteFile, partial: Path, advance: Callable[[int], None]) -> None:
        """Append what is missing of `file`; AgainError if it ends early."""
        have = size_of(partial)
        if have > file.bytes:
            advance(-have)
            partial.unlink()
            have = 0
        if have == file.bytes and partial.exists():
            return
        with self._stream(file.url, {"Range": f"bytes={have}-"} if have else {}) as answer:
            if answer.status_code == 416:
                advance(-have)
                partial.unlink()
                raise AgainError(f"it has no byte {have:,}: what was begun is of another file")
            if have and not _continues(answer, have):
                advance(-have)
                have = 0
            with partial.open("ab" if have else "wb") as out:
                for block in self._not_too_slow(answer.iter_raw()):
                    have += len(block)
                    if have > file.bytes:
                        raise SourceError(
                            f"{file.url} sends more than the {file.bytes:,} bytes that its dump announces. "
                            f"Use another mirror, and delete {partial}."
                        )
                    out.write(block)
                    advance(len(block))
        if have < file.bytes:
            raise AgainError(f"it ended after {have:,} of {file.bytes:,} bytes")

    def _not_too_slow(self, blocks: Iterator[bytes]) -> Iterator[bytes]:
        since, brought = self._clock(), 0
        for block in blocks:
            yield block
            brought += len(block)
            if brought >= self.patience.slow_bytes:
                since, brought = self._clock(), 0
            elif self._clock() - since > self.patience.slow_seconds:
                raise AgainError(f"it brought only {brought:,} bytes in {self.patience.slow_seconds:.0f} s")

    @contextmanager
    def _stream(self, url: str, headers: dict[str, str] | None = None) -> Iterator[httpx2.Response]:
        """An answer whose status is good, after redirects; 416 is good if a Range was asked for."""
        place = url
        for _ in range(MAX_REDIRECTS + 1):
            with self._client.stream("GET", place, headers=headers) as answer:
                self._reached = True
                if answer.next_request is None:
                    if not (headers and answer.status_code == 416):
                        _check(answer, url)
                    yield answer
                    return
                before, place = place, str(answer.next_request.url)
                if before.startswith("https:") and not place.startswith("https:"):
                    raise SourceError(f"{url} leads to {place}, which is not encrypted. Use another mirror.")
        raise SourceError(
            f"{url} leads through more than {MAX_REDIRECTS} redirects, the last to {place}. Use another mirror."
        )

    def _patiently(self, url: str, attempt: Callable[[], T], brought: Callable[[], int]) -> T:
        return patiently(
            url, attempt, patience=self.patience, failures=self._failures, sleep=self._sleep, brought=brought
        )


@cache
def _tls() -> ssl.SSLContext:
    import httpx2

    return httpx2.create_ssl_context()  # takes a fifth of a second


def _check(answer: httpx2.Response, url: str) -> None:
    status = answer.status_code
    if status in _NOT_THERE:
        raise NotThereError(f"{url} is not there (HTTP {status}).")
    if status in _RETRIED:
        raise AgainError(f"HTTP {status}", retry_after(answer.headers.get("Retry-After", "")))
    if not answer.is_success:
        raise SourceError(f"{url} answers HTTP {status}. Use another mirror, or try again later.")


def user_agent(contact: str) -> str:
    """How we introduce ourselves: the project, its version, and whom to write to."""
    return (
        f"mothertongue/{version('mothertongue')} (makes corpora for small language models; {contact or 'no contact'})"
    )


def size_of(path: Path) -> int:
    """Its bytes, 0 if it is not there."""
    return path.stat().st_size if path.exists() else 0


def sha1_of(path: Path) -> str:
    """SHA-1 of a file's bytes, as hexadecimal: what dumps announce."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha1").hexdigest()


def _continues(answer: httpx2.Response, have: int) -> bool:
    """Whether the answer begins at byte `have`: a server may send everything again instead."""
    return answer.status_code == 206 and answer.headers.get("Content-Range", "").startswith(f"bytes {have}-")
