"""Sources that are no files of this machine: addresses (https://, s3://, ...), data sets (hf:owner/name), stdin (-).

ask(path, config)      what stands for the content in a fingerprint, without reading it: the server's ETag or date
                       and the size, the data set's commit; stdin alone must be read, into a file of its own
places(source, config) what is then read, at just that version
"""

from __future__ import annotations

import atexit
import re
import shutil
import sys
import tempfile
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import BinaryIO

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.readers.files import Readable, size_of, version_of
from mothertongue.errors import SourceError
from mothertongue.run.artifact import sha256_file
from mothertongue.run.derive import UNPACKED
from mothertongue.run.remote import Remote

STDIN = "-"
_ADDRESS = re.compile(r"-|hf:.*|[a-zA-Z][a-zA-Z0-9+.-]*://.*", re.S)


def is_address(path: str) -> bool:
    """Whether `path` is what this file knows."""
    return _ADDRESS.fullmatch(path) is not None


def ask(path: str, config: CorpusConfig | None = None) -> Remote:
    """What the source `path` will give; SourceError if there is nothing, or nobody answers."""
    config = config or CorpusConfig()
    sources = [source for source in config.sources if source.path == path] or [Source(path)]
    found = [place for source in sources for place in places(source, config, fresh=True)]
    if path.startswith("hf:"):
        from mothertongue.corpus.readers.hub import file_sizes

        sizes = [entry for source in sources for entry in file_sizes(source)]
    else:
        sizes = [(place.name, size_of(place)) for place in found]
    size = sum(bytes for _, bytes in sizes)
    text = sum(bytes * UNPACKED.get(Path(name).suffix, 1.0) for name, bytes in sizes)
    return Remote(
        contents={path if path == STDIN else str(place): _content_of(place) for place in found},
        bytes=0,
        missing_bytes=0,
        text_bytes=round(text) if sizes and all(bytes for _, bytes in sizes) else None,
        licence="unknown",
        words=f"{path}, {size / 1e6:,.1f} MB" if size else f"{path}, of unknown size",
    )


def places(source: Source, config: CorpusConfig, *, fresh: bool = False) -> Sequence[Readable]:
    """What is to be read of a source, in a fixed order; as it was asked for last, unless a `fresh` look is wanted."""
    if source.path == STDIN:
        return [drain(config.max_copy_megabytes << 20)]
    if source.path.startswith("hf:"):
        from mothertongue.corpus.readers.hub import find_data_set

        return [find_data_set(source)]
    from mothertongue.corpus.remote import find_files

    return find_files(source.path, most=config.max_copy_megabytes << 20, fresh=fresh)


def _content_of(place: Readable) -> str:
    return sha256_file(place) if isinstance(place, Path) else version_of(place)


@lru_cache(maxsize=1)
def drain(most: int) -> Path:
    """All of stdin, once, as a file that goes when the program ends; SourceError if it is more than `most` bytes."""
    if sys.stdin is None or sys.stdin.isatty():
        raise SourceError("The source - is what comes through stdin, and nothing does. Use it like: zcat a.gz | ... -")
    folder = tempfile.mkdtemp(prefix="mothertongue-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return _drain(sys.stdin.buffer, Path(folder) / "stdin", most)


def _drain(stream: BinaryIO, copy: Path, most: int) -> Path:
    from mothertongue.corpus.readers.copies import copy_at_most

    with copy.open("wb") as file:
        if not copy_at_most(stream, file, most):
            raise SourceError(
                f"More than {most >> 20:,} MB came through stdin. Raise max_copy_megabytes, or write them to a file "
                "and give that as the source."
            )
    return copy
