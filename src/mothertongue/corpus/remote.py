"""Files on servers, read as they come through fsspec: http(s), s3, gs, az, memory and what else it knows.

What is asked for is what is read: size and version (ETag or date) are noted when the source is looked up, a file that
has changed since is refused. A cut connection is taken up again where it broke, a few times; a stream without a size
must end before a limit.
"""

from __future__ import annotations

import io
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Any, BinaryIO, Literal, cast
from urllib.parse import urlsplit

from mothertongue.corpus.extras import need
from mothertongue.corpus.outage import GO_ON, OutageError
from mothertongue.errors import ConfigError, SourceError

MAX_FILES = 100_000
TRIES = 5
WAIT_SECONDS = 0.5  # before the second try, then twice as long each time
_BLOCK_BYTES = 1 << 22
_VERSIONS = ("ETag", "etag", "md5Hash", "Content-MD5", "VersionId", "LastModified", "Last-Modified", "mtime", "created")
_PROTOCOL_EXTRAS = {"s3": "s3fs", "gs": "gcsfs", "gcs": "gcsfs", "az": "adlfs", "abfs": "adlfs"}
_WANT_MORE = ("ftp", "sftp", "ssh", "smb", "hdfs", "webhdfs", "git", "github")  # a host apart, a library of the system


@dataclass(frozen=True)
class RemoteFile:
    """A file at an address, as it was when it was looked up; `size` 0: its server does not say."""

    address: str
    size: int
    version: str
    most: int  # bytes, if there is no size

    @property
    def name(self) -> str:
        return PurePosixPath(urlsplit(self.address).path or self.address).name or "index.html"

    def open(self, mode: Literal["rb"], /) -> BinaryIO:
        try:
            info = _system(self.address).info(self.address)
            if _version(info) == self.version:
                return cast(BinaryIO, io.BufferedReader(_Steady(self, in_parts=info.get("partial", True)), 1 << 20))
        except Exception as error:  # of every protocol's own library
            raise OutageError(f"{self} cannot be opened any more: {_words(error)}. {GO_ON}") from error
        raise OutageError(
            f"{self} has changed since it was looked up ({self.version} is now {_version(info)}). "
            "Make the corpus of what is there now: with another --out."
        )

    def __str__(self) -> str:
        return self.address


_found: dict[tuple[str, int], tuple[RemoteFile, ...]] = {}


def find_files(address: str, *, most: int, fresh: bool = False) -> tuple[RemoteFile, ...]:
    """The files at an address, in a folder or a pattern there, sorted; SourceError if nothing is there.

    What is read must be what was asked for, so the answer is kept in this process until a `fresh` one is wanted.
    """
    if fresh or (address, most) not in _found:
        _found[address, most] = _find(address, most)
    return _found[address, most]


def _find(address: str, most: int) -> tuple[RemoteFile, ...]:
    system = _system(address)
    try:
        found = _look(system, address)
    except Exception as error:  # of every protocol's own library: all mean that it cannot be had
        raise SourceError(
            f"{address} cannot be looked up: {_words(error)}. Check the address, the connection and your right to read "
            "it; then run the same command."
        ) from error
    files = [info for info in found if not PurePosixPath(str(info["name"])).name.startswith(".")]
    if not files or len(files) > MAX_FILES:
        raise SourceError(f"{address} has {len(files):,} files; between 1 and {MAX_FILES:,} can be read. Correct it.")
    return tuple(
        RemoteFile(_address(info, address), int(info.get("size") or 0), _version(info), most)
        for info in sorted(files, key=lambda info: str(info["name"]))
    )


def _look(system: Any, address: str) -> list[Mapping[str, Any]]:
    if any(char in urlsplit(address).path for char in "*["):
        found = system.glob(address, detail=True).values()
    elif (info := system.info(address))["type"] == "file":
        return [info]
    else:
        found = system.find(address, detail=True).values()
    files = [info for info in found if info["type"] == "file"]
    # a listing may tell less of a file than the file itself
    return [info if info.get("ETag") else system.info(info["name"]) for info in files[: MAX_FILES + 1]]


def _address(info: Mapping[str, Any], asked: str) -> str:
    name, protocol = str(info["name"]), asked.partition("://")[0]
    return name if "://" in name else f"{protocol}://{name.lstrip('/')}"


def _words(error: Exception) -> str:
    return f"{type(error).__name__}: {str(error)[:300]}"


def _version(info: Mapping[str, Any]) -> str:
    told = next((f"{key} {info[key]}" for key in _VERSIONS if info.get(key)), "no version")
    return f"{told}, {info.get('size') or 'unknown'} bytes"


@lru_cache(maxsize=16)
def _system_of(protocol: str) -> Any:
    cannot = f"{protocol}:// addresses cannot be read here; download the file and give its path."
    if protocol in _WANT_MORE:
        raise ConfigError(cannot)
    fsspec = need("fsspec", extra="remote", to="read files from servers")
    options: dict[str, Any] = {}
    if protocol in ("http", "https"):
        aiohttp = need("aiohttp", extra="remote", to="read files from web servers")
        options["client_kwargs"] = {"timeout": aiohttp.ClientTimeout(total=None, sock_connect=30, sock_read=60)}
    try:
        return fsspec.filesystem(protocol, use_listings_cache=False, **options)
    except ImportError as error:
        package = _PROTOCOL_EXTRAS.get(protocol, "its library")
        raise ConfigError(f'{protocol}:// takes: pip install "mothertongue[remote]" {package} ({error}).') from error
    except ValueError as error:
        known = ", ".join(sorted(fsspec.available_protocols()))
        raise ConfigError(f"{protocol}:// is not known. There are: {known}.") from error
    except (TypeError, OSError) as error:
        raise ConfigError(cannot) from error


def _system(address: str) -> Any:
    protocol = address.partition("://")[0].lower()
    if protocol in ("file", "local") or "::" in address:
        raise ConfigError(f"{address}: give a file of this machine by its path, and an archive by its own address.")
    return _system_of(protocol)


class _Steady(io.RawIOBase):
    """A remote file that is opened again where it broke off; `in_parts`: its server gives any part of it."""

    def __init__(self, file: RemoteFile, *, in_parts: bool) -> None:
        self._remote, self._in_parts, self._at = file, in_parts and file.size > 0, 0
        self._file = self._open()

    def _open(self) -> Any:
        size = _BLOCK_BYTES if self._in_parts else 0  # 0: as a stream
        return _system(self._remote.address).open(self._remote.address, "rb", block_size=size)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """Whether one can move about in it."""
        return self._in_parts

    def seek(self, offset: int, whence: int = 0, /) -> int:
        """Go to a place."""
        if not self._in_parts:
            raise io.UnsupportedOperation("seek")
        base = {0: 0, 1: self._at, 2: self._remote.size}[whence]
        self._at = int(self._file.seek(base + offset))
        return self._at

    def tell(self) -> int:
        """Where it stands."""
        return self._at

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]
        """Fill `buffer` as far as the server gives; OutageError after a few tries."""
        data = self._read(len(buffer))
        buffer[: len(data)] = data
        self._at += len(data)
        if not self._remote.size and self._at > self._remote.most:
            raise OSError(f"it has not ended after {self._at:,} bytes, and its server does not say how many there are")
        return len(data)

    def _read(self, size: int) -> bytes:
        failed = ""
        for attempt in range(TRIES):
            try:
                if failed:
                    time.sleep(WAIT_SECONDS * 2 ** (attempt - 1))
                    self._take_up()
                data = bytes(self._file.read(size))
                if data or not self._remote.size or self._at >= self._remote.size:
                    return data
                failed = f"it ends there, but has {self._remote.size:,} bytes"
            except Exception as error:  # of every protocol's own library
                self._in_parts = self._in_parts and "range" not in str(error).lower()  # a server that gives no parts
                failed = _words(error)
        raise OutageError(
            f"{self._remote}: the connection broke off at byte {self._at:,}, {TRIES} times: {failed}. {GO_ON}"
        )

    def _take_up(self) -> None:
        """Open it again at the same place; what only comes as a stream is read again up to there."""
        with suppress(Exception):
            self._file.close()
        self._file = self._open()
        if self._in_parts:
            self._file.seek(self._at)
            return
        left = self._at
        while left and (data := self._file.read(min(left, _BLOCK_BYTES))):
            left -= len(data)

    def close(self) -> None:
        """Let the connection go."""
        if not self.closed:
            self._file.close()
        super().close()
