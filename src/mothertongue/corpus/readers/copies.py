"""A copy on disk of what is no file of its own, for readers that must move about in it: bounded, removed after use."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, BinaryIO

from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import READ_BYTES, Readable
from mothertongue.errors import SourceError


@contextmanager
def copied(path: Readable, reading: Reading) -> Iterator[Path | None]:
    """A file with the bytes of `path` as they are; None, and the reason `too-large-to-copy`, if there are too many."""
    if isinstance(path, Path):
        yield path
        return
    most = reading.config.max_copy_megabytes << 20
    with tempfile.TemporaryDirectory(prefix="mothertongue-") as folder:
        copy = Path(folder) / (Path(path.name).name or "copy")
        with path.open("rb") as source, copy.open("wb") as target:
            whole = copy_at_most(source, target, most)
        if not whole:
            copy.unlink()
            reading.drop("too-large-to-copy", path.name, f"more than {most >> 20} MB")
        yield copy if whole else None


def copy_at_most(source: BinaryIO, target: IO[bytes], most: int) -> bool:
    """Copy `source` to its end, at most `most` bytes; whether that was all. SourceError if the disk is full."""
    left = most
    try:
        while block := source.read(READ_BYTES):
            left -= len(block)
            if left < 0:
                return False
            target.write(block)
    except OSError as error:
        free = shutil.disk_usage(tempfile.gettempdir()).free >> 20
        raise SourceError(
            f"Copying to {tempfile.gettempdir()} failed: {error.strerror or error} ({free:,} MB are free there). "
            "Free space, or set TMPDIR to a larger disk."
        ) from error
    return True
