"""A copy on disk of what is no file of its own, for readers that must move about in it: bounded, removed after use."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, BinaryIO

from mothertongue.corpus.outage import GO_ON, OutageError
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import READ_BYTES, Readable

_LONGEST_NAME = 255  # bytes, as disks have it


@contextmanager
def copied(path: Readable, reading: Reading) -> Iterator[Path | None]:
    """A file with the bytes of `path` as they are; None, and the reason `too-large-to-copy`, if there are too many."""
    if isinstance(path, Path):
        yield path
        return
    most = reading.config.max_copy_megabytes << 20
    with tempfile.TemporaryDirectory(prefix="mothertongue-") as folder:
        name = Path(path.name).name or "copy"
        if len(os.fsencode(name)) > _LONGEST_NAME:
            name = name[-60:]  # its end tells what it holds
        copy = Path(folder) / name
        with path.open("rb") as source, copy.open("wb") as target:
            whole = copy_at_most(source, target, most)
        if not whole:
            copy.unlink()
            reading.drop("too-large-to-copy", path.name, f"more than {most >> 20} MB")
        yield copy if whole else None


def copy_at_most(source: BinaryIO, target: IO[bytes], most: int) -> bool:
    """Copy `source` to its end, at most `most` bytes; whether that was all. OutageError if the disk is full."""
    left = most
    while block := source.read(READ_BYTES):
        left -= len(block)
        if left < 0:
            return False
        try:
            target.write(block)
            target.flush()
        except OSError as error:
            with suppress(OSError):
                target.close()  # which tries again
            free = shutil.disk_usage(tempfile.gettempdir()).free >> 20
            raise OutageError(
                f"Copying to {tempfile.gettempdir()} failed: {error.strerror or error} ({free:,} MB are free there). "
                f"Free space, or set TMPDIR to a larger disk. {GO_ON}"
            ) from error
    return True
