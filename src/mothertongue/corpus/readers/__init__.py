"""From files of any kind to documents: one file per kind, one table of kinds.

A reader is a function `(path, reading) -> Iterator[Document]`. It streams: its memory is bounded by the limits in the
configuration, whatever the file holds. What it refuses goes to `reading.drop(reason, id, text)`; bytes read from disk
go to `reading.advance(n)`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.sources import source_name
from mothertongue.errors import SourceError
from mothertongue.languages import Language
from mothertongue.run.table import resolve

READERS = {
    "jsonl": "mothertongue.corpus.readers.jsonl:read_jsonl",
    "text": "mothertongue.corpus.readers.text:read_text",
    "wikipedia": "mothertongue.corpus.readers.wikipedia:read_wikipedia",
}

# dumps of large wikis are called NAME.xml-p1p41242.bz2
_BY_NAME = {
    "jsonl": re.compile(r"\.(jsonl|ndjson)(\.(gz|bz2|xz|zst))?$", re.I),
    "text": re.compile(r"\.(txt|text|md)(\.(gz|bz2|xz|zst))?$", re.I),
    "wikipedia": re.compile(r"\.xml(-p\d+p\d+[^.]*)?(\.(gz|bz2|xz|zst))?$", re.I),
}


@dataclass(frozen=True)
class Reading:
    """What a reader is told, and whom it tells."""

    source: Source
    config: CorpusConfig
    language: Language
    drop: Callable[[str, str, str], None] = lambda reason, id, text: None
    advance: Callable[[int], None] = lambda n: None

    @property
    def name(self) -> str:
        return source_name(self.source)


def reader_of(path: Path, source: Source) -> str | None:
    """The name of the reader for the file, from the source's setting or the file's name; None if the name says
    nothing.
    """
    if source.reader != "auto":
        return source.reader
    return next((reader for reader, pattern in _BY_NAME.items() if pattern.search(path.name)), None)


def read_file(path: Path, reading: Reading) -> Iterator[Document]:
    """The documents of one file. SourceError if its kind cannot be told and the recipe names it."""
    reader = reader_of(path, reading.source)
    if reader is None:
        if not Path(reading.source.path).is_dir() and not any(char in reading.source.path for char in "*?["):
            raise SourceError(
                f'{path}: its name does not say what it holds. Give the source reader = "text", "jsonl" or "wikipedia".'
            )
        reading.drop("unknown-kind-of-file", str(path.name), "")
        return
    yield from resolve(READERS[reader])(path, reading)
