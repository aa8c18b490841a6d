"""Bytes of a file in blocks of bounded size, whatever it is packed with: plain, .gz, .bz2, .xz, .zst, also several
streams in a row.

What packs is told by the first bytes, not by the name. A cut or damaged archive is one clear error that says how far
it got.
"""

from __future__ import annotations

import bz2
import lzma
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

from mothertongue.errors import SourceError

READ_BYTES = 1 << 16
BLOCK_BYTES = 1 << 20  # an unpacked block is never larger, so an archive bomb costs time but no memory
_ZSTD_PART_BYTES = 1 << 8  # zstd cannot be stopped half-way: 256 bytes in mean at most 8 MB out
_ZSTD_WINDOW_BYTES = 1 << 27

_MAGIC: dict[bytes, str] = {b"\x1f\x8b": "gz", b"BZh": "bz2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zst"}


def packing_of(head: bytes) -> str:
    """How a file that begins with `head` is packed; "" if it is not."""
    return next((name for magic, name in _MAGIC.items() if head.startswith(magic)), "")


def read_blocks(path: Path, *, advance: Callable[[int], None] = lambda n: None) -> Iterator[bytes]:
    """The unpacked bytes of `path`, in order. SourceError if it cannot be read to its end."""
    try:
        with path.open("rb") as file:
            packing = packing_of(file.read(8))
            file.seek(0)
            yield from _unpack(file, path, packing, advance) if packing else _plain(file, advance)
    except OSError as error:
        raise SourceError(
            f"{path} cannot be read: {error.strerror or error}. Check that it is there and may be read."
        ) from error


def _plain(file: BinaryIO, advance: Callable[[int], None]) -> Iterator[bytes]:
    while block := file.read(READ_BYTES):
        advance(len(block))
        yield block


def _unpack(file: BinaryIO, path: Path, packing: str, advance: Callable[[int], None]) -> Iterator[bytes]:
    unpacked, stream = 0, None
    try:
        while data := file.read(READ_BYTES):
            advance(len(data))
            while data:
                if stream is None:
                    data = data.lstrip(b"\0") if packing in ("gz", "xz") else data  # padding between streams
                    if not data:
                        break
                    stream = _STREAMS[packing]()
                for block in stream.feed(data):
                    unpacked += len(block)
                    yield block
                data, stream = (stream.rest, None) if stream.ended else (b"", stream)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, ValueError, _zstd_error()) as error:
        raise _broken(path, file, unpacked, f"is damaged ({error})") from error
    if stream is not None:
        raise _broken(path, file, unpacked, "ends before its archive does")


def _broken(path: Path, file: BinaryIO, unpacked: int, what: str) -> SourceError:
    at, size = file.tell(), path.stat().st_size
    return SourceError(
        f"{path} {what}: {unpacked:,} bytes of text were read up to byte {at:,} of {size:,}. "
        "Download or copy the file again and compare its checksum; then run the same command."
    )


class _Stream:
    """One packed stream: `feed` bytes, get blocks; then `ended` and the `rest` that belongs to the next stream."""

    def __init__(self, engine: Any) -> None:
        self.engine = engine

    @property
    def ended(self) -> bool:
        return bool(self.engine.eof)

    @property
    def rest(self) -> bytes:
        return bytes(self.engine.unused_data)

    def feed(self, data: bytes) -> Iterator[bytes]:
        block = self.engine.decompress(data, BLOCK_BYTES)
        while True:
            if block:
                yield block
            if self.engine.eof or self.engine.needs_input:
                return
            block = self.engine.decompress(b"", BLOCK_BYTES)


class _Gzip(_Stream):
    def __init__(self) -> None:
        super().__init__(zlib.decompressobj(31))

    def feed(self, data: bytes) -> Iterator[bytes]:
        while data and not self.engine.eof:
            block = self.engine.decompress(data, BLOCK_BYTES)
            data = self.engine.unconsumed_tail
            if block:
                yield block


class _Zstd(_Stream):
    def __init__(self) -> None:
        import zstandard

        super().__init__(zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW_BYTES).decompressobj())
        self._unread = b""

    @property
    def rest(self) -> bytes:
        return super().rest + self._unread

    def feed(self, data: bytes) -> Iterator[bytes]:
        for at in range(0, len(data), _ZSTD_PART_BYTES):
            if block := self.engine.decompress(data[at : at + _ZSTD_PART_BYTES]):
                yield block
            if self.engine.eof:
                self._unread = data[at + _ZSTD_PART_BYTES :]
                return


_STREAMS: dict[str, Callable[[], _Stream]] = {
    "gz": _Gzip,
    "bz2": lambda: _Stream(bz2.BZ2Decompressor()),
    "xz": lambda: _Stream(lzma.LZMADecompressor(memlimit=1 << 28)),
    "zst": _Zstd,
}


def _zstd_error() -> type[Exception]:
    import zstandard

    error: type[Exception] = zstandard.ZstdError
    return error
