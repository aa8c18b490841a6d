"""The input in parts: each is read, cleaned and judged by one process, and finished or not as a whole.

What is in a part depends on the input alone, never on how many processes there are. Small files go together; a dump
in many streams is cut between them; what can only be read from its beginning is read here and handed on in batches.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count, groupby
from pathlib import Path
from typing import TypeAlias

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.ledger import SAMPLE_CHARACTERS
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.export import Page
from mothertongue.corpus.readers.files import Readable
from mothertongue.corpus.readers.multistream import Span, spans_of
from mothertongue.corpus.readers.siteinfo import SiteInfo
from mothertongue.corpus.readers.wikipedia import read_pages
from mothertongue.corpus.sources import is_one_file
from mothertongue.errors import SourceError
from mothertongue.languages import open_language

PART_BYTES = 4 << 20  # of small files together; a larger one is read here
BATCH_CHARACTERS = 2 << 20
MAX_ITEMS = 2000  # files or documents
_EXPORT = re.compile(r"\.xml(-p\d+p\d+[^.]*)?(\.(gz|bz2|xz|zst))?$", re.I)
_ITEM_CHARACTERS = 200  # that a document counts for besides its text


@dataclass(frozen=True)
class Drop:
    """What a reader has refused, on its way to the ledger."""

    reason: str
    id: str
    text: str


@dataclass(frozen=True)
class WikiPage:
    """A page that is not yet judged nor extracted."""

    page: Page
    file: str


Item: TypeAlias = Path | Span | WikiPage | Document | Drop


@dataclass(frozen=True)
class Part:
    """Some neighbouring items of one source, for one process."""

    number: int
    source: Source
    items: tuple[Item, ...]
    info: SiteInfo | None = None  # of the wiki that pages are from
    bytes: int = 0  # of the input, read to make it


def parts_of(files: Sequence[tuple[Source, Readable]], config: CorpusConfig) -> Iterator[Part]:
    """All parts of the input, in order."""
    numbers = count()
    for source, own in groupby(files, key=lambda entry: entry[0]):
        for part in _of_source(source, [file for _, file in own], config):
            yield replace(part, number=next(numbers))


def _of_source(source: Source, files: Iterable[Readable], config: CorpusConfig) -> Iterator[Part]:
    small, size = list[Path](), 0
    for file in files:
        if isinstance(file, Path):
            spans = spans_of(file) if is_export(file, source) else []
            if not spans and file.stat().st_size <= PART_BYTES:
                small.append(file)
                size += file.stat().st_size
                if size < PART_BYTES and len(small) < MAX_ITEMS:
                    continue
        else:
            spans = []
        if small:
            yield Part(0, source, tuple(small))
        if spans:
            yield from (Part(0, source, (span,)) for span in spans)
        elif not small or file is not small[-1]:
            yield from _batches(source, file, config)
        small, size = [], 0
    if small:
        yield Part(0, source, tuple(small))


def is_export(path: Path, source: Source) -> bool:
    """Whether a file is a MediaWiki export, by the source's setting or its name."""
    return source.reader == "wikipedia" or (source.reader == "auto" and bool(_EXPORT.search(path.name)))


def _batches(source: Source, file: Readable, config: CorpusConfig) -> Iterator[Part]:
    """What a file holds, read here from its beginning."""
    items, read = list[Item](), list[int]()
    reading = Reading(
        source,
        config,
        open_language(config.language),
        drop=lambda reason, id, text: items.append(Drop(reason, id, text[:SAMPLE_CHARACTERS])),
        advance=read.append,
    )
    info: SiteInfo | None = None
    characters = 0
    for item, said in _read(file, reading):
        items.append(item)
        info = said or info
        characters += _ITEM_CHARACTERS + len(item.page.text if isinstance(item, WikiPage) else item.text)
        if characters >= BATCH_CHARACTERS or len(items) >= MAX_ITEMS:
            yield Part(0, source, tuple(items), info, sum(read))
            items.clear()
            read.clear()
            characters = 0
    if items:
        yield Part(0, source, tuple(items), info, sum(read))


def _read(file: Readable, reading: Reading) -> Iterator[tuple[WikiPage | Document, SiteInfo | None]]:
    """Documents of a file; of an export its pages, which are extracted elsewhere."""
    if not (isinstance(file, Path) and is_export(file, reading.source)):
        yield from ((document, None) for document in read_file(file, reading))
        return
    try:
        yield from ((WikiPage(page, file.name), info) for page, info in read_pages(file, reading))
    except SourceError as error:
        drop_or_raise(error, file.name, reading)


def drop_or_raise(error: SourceError, name: str, reading: Reading) -> None:
    """One damaged file of many is counted; one that the recipe names is an error."""
    if is_one_file(reading.source):
        raise error
    reading.drop("damaged-file", name, str(error))
