"""From files of any kind to documents: one file per kind, one table of kinds.

A reader is a function `(path, reading) -> Iterator[Document]`. It streams: its memory is bounded by the limits in the
configuration, whatever the file holds. What it refuses goes to `reading.drop(reason, id, text)`; bytes read from disk
go to `reading.advance(n)`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.readers.files import Readable
from mothertongue.corpus.sources import is_one_file, source_name
from mothertongue.corpus.wikitext import TemplateWeights
from mothertongue.errors import SourceError
from mothertongue.languages import Language
from mothertongue.run.progress import say
from mothertongue.run.table import resolve

READERS = {
    "archive": "mothertongue.corpus.readers.archive:read_archive",
    "arrow": "mothertongue.corpus.readers.parquet:read_arrow",
    "csv": "mothertongue.corpus.readers.table:read_table",
    "epub": "mothertongue.corpus.readers.epub:read_epub",
    "fb2": "mothertongue.corpus.readers.fb2:read_fb2",
    "html": "mothertongue.corpus.readers.html:read_html",
    "hub": "mothertongue.corpus.readers.hub:read_hub",
    "jsonl": "mothertongue.corpus.readers.jsonl:read_jsonl",
    "markdown": "mothertongue.corpus.readers.markdown:read_markdown",
    "oscar": "mothertongue.corpus.readers.oscar:read_oscar",
    "parquet": "mothertongue.corpus.readers.parquet:read_parquet",
    "pdf": "mothertongue.corpus.readers.pdf:read_pdf",
    "sfb": "mothertongue.corpus.readers.sfb:read_sfb",
    "text": "mothertongue.corpus.readers.text:read_text",
    "tsv": "mothertongue.corpus.readers.table:read_table",
    "wikipedia": "mothertongue.corpus.readers.wikipedia:read_wikipedia",
}
# the others also read what is no file of its own: members of archives, files on servers
_NEED_A_PATH = ("epub", "fb2", "sfb", "wikipedia")


@dataclass
class Room:
    """How many bytes may still be unpacked of an archive and all that lie in it."""

    bytes: float

    def take(self, count: int) -> bool:
        """Whether there was room for so many more."""
        self.bytes -= count
        return self.bytes >= 0


@dataclass(frozen=True)
class Reading:
    """What a reader is told, and whom it tells."""

    source: Source
    config: CorpusConfig
    language: Language
    drop: Callable[[str, str, str], None] = lambda reason, id, text: None
    advance: Callable[[int], None] = lambda n: None
    templates: TemplateWeights = field(default_factory=TemplateWeights)  # of wiki pages: those that show nothing
    depth: int = 0  # how many archives the file lies in
    room: Room | None = None  # what may still be unpacked of the outermost of them

    @cached_property
    def name(self) -> str:
        return source_name(self.source)

    @cached_property
    def alone(self) -> bool:
        """Whether the recipe names this very file: then what is wrong with it is an error; one of many is counted."""
        return not self.depth and is_one_file(self.source)


def read_file(path: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of one file. SourceError if it cannot be read and the recipe names it; one of many is counted,
    unless the fault is not its own.
    """
    try:
        yield from read_one(path, reading)
    except SourceError as error:
        if reading.alone or isinstance(error, OutageError):
            raise
        say(f"  {error} The other files of {reading.name} are read on.")
        reading.drop("damaged-file", path.name, str(error))


def read_one(path: Readable, reading: Reading) -> Iterator[Document]:
    """The documents of one file; SourceError if it cannot be read."""
    from mothertongue.corpus.readers.copies import copied
    from mothertongue.corpus.readers.detect import reader_of

    reader = reader_of(path, reading.source, alone=reading.alone)
    if reader is None:
        _unknown(path, reading)
        return
    read: Callable[[Readable, Reading], Iterator[Document]] = resolve(READERS[reader])
    if isinstance(path, Path) or reader not in _NEED_A_PATH:
        yield from read(path, reading)
        return
    with copied(path, reading) as copy:
        if copy:
            yield from read(copy, reading)


def _unknown(path: Readable, reading: Reading) -> None:
    if reading.alone:
        raise SourceError(
            f'{path}: neither its name nor its content says what it holds. Give the source reader = "text", "jsonl" or '
            "another of docs/formats/sources.md."
        )
    reading.drop("unknown-kind-of-file", path.name, "")
