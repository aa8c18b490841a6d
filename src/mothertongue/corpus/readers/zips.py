"""Members of a zip archive, read in memory and never written to disk: the one safe way for every reader that meets one.

Refused, each with a reason: names that leave the folder (`..`, absolute, with a backslash), links, encrypted members,
packings other than stored and deflate (the others may ask for gigabytes of memory), members that unpack to far more
than text ever does, members that lie in one another, and archives whose directory alone is huge. What is left comes in
blocks of bounded size.
"""

from __future__ import annotations

import io
import stat
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import pairwise
from pathlib import Path, PurePosixPath

from mothertongue.corpus.outage import refuse_outage
from mothertongue.errors import SourceError

_BLOCK_BYTES = 1 << 20
_HEADER_BYTES = 30  # before a member, at least
_MAX_DIRECTORY_BYTES = 1 << 25  # about 300,000 members; zipfile reads the directory at once
_MAX_RATIO = 200  # deflated prose is 2-5 times smaller, the most repetitive XML some 100 times
_RATIO_FROM_BYTES = 1 << 20  # below that no ratio is suspicious
_PACKINGS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)


class UnsafeMemberError(Exception):
    """One member must not be read on; `reason` is a name for the ledger."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class _Bounded(io.FileIO):
    """A file that refuses to be read in one piece larger than a sane directory."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > _MAX_DIRECTORY_BYTES:
            raise SourceError(f"{self.name}: its zip directory has {size:,} bytes, more than any real archive's.")
        return super().read(-1 if size is None else size) or b""


@contextmanager
def open_zip(source: Path | bytes, *, name: str = "") -> Iterator[zipfile.ZipFile]:
    """The archive at a path or in memory; SourceError with the `name` if it is none, or damaged."""
    name = name or (source.name if isinstance(source, Path) else "archive")
    with ExitStack() as stack:
        try:
            file = stack.enter_context(_Bounded(source) if isinstance(source, Path) else io.BytesIO(source))
            archive = stack.enter_context(zipfile.ZipFile(file))
        except (zipfile.BadZipFile, OSError, EOFError, ValueError, RuntimeError) as error:
            refuse_outage(name, error)
            raise SourceError(
                f"{name} cannot be read as a zip archive: {error}. "
                "Download or copy the file again; then run the same command."
            ) from error
        yield archive


def zip_members(
    archive: zipfile.ZipFile, *, drop: Callable[[str, str], None] = lambda reason, name: None
) -> Iterator[zipfile.ZipInfo]:
    """The files of an archive that may be read, in its order; the others are told to `drop(reason, name)`."""
    overlapping = set(_overlapping(archive.infolist()))
    for info in archive.infolist():
        if info.is_dir():
            continue
        if reason := "overlapping-members" if id(info) in overlapping else _unsafe(info):
            drop(reason, info.filename[:200])
        else:
            yield info


def _overlapping(members: list[zipfile.ZipInfo]) -> Iterator[int]:
    """The id() of members whose bytes are also those of another: a small archive can be terabytes long that way."""
    for one, after in pairwise(sorted(members, key=lambda info: info.header_offset)):
        if one.header_offset + _HEADER_BYTES + one.compress_size > after.header_offset:
            yield id(one)


def _unsafe(info: zipfile.ZipInfo) -> str | None:
    # orig_filename: zipfile cuts a name at a null byte and turns backslashes into slashes
    path = PurePosixPath(info.orig_filename)
    if path.is_absolute() or ".." in path.parts or "\\" in info.orig_filename or ":" in "".join(path.parts[:1]):
        return "unsafe-path"
    if stat.S_ISLNK(info.external_attr >> 16):
        return "link-in-archive"
    if info.flag_bits & 1:
        return "encrypted"
    return None if info.compress_type in _PACKINGS else "unknown-packing"


def member_blocks(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> Iterator[bytes]:
    """The unpacked bytes of a member. UnsafeMemberError if it is damaged or grows like a bomb."""
    unpacked, most = 0, max(_RATIO_FROM_BYTES, _MAX_RATIO * info.compress_size)
    try:
        with archive.open(info) as file:
            while block := file.read(_BLOCK_BYTES):
                unpacked += len(block)
                if unpacked > most:
                    raise UnsafeMemberError("archive-bomb")
                yield block
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError, OSError, ValueError) as error:
        refuse_outage(archive.filename, error)
        raise UnsafeMemberError("damaged-archive") from error


def read_member(archive: zipfile.ZipFile, info: zipfile.ZipInfo, *, max_bytes: int) -> bytes:
    """A whole member; UnsafeMemberError also if it is larger than `max_bytes`."""
    parts, size = [], 0
    for block in member_blocks(archive, info):
        size += len(block)
        if size > max_bytes:
            raise UnsafeMemberError("book-too-large")
        parts.append(block)
    return b"".join(parts)
