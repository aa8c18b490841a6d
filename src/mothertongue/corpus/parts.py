"""The input in parts: each is read, cleaned and judged by one process, and finished or not as a whole.

What is in a part depends on the input alone, never on how many processes or machines there are. Small files go
together; a dump in many streams is cut between them; what can only be read from its beginning is read here and handed
on in batches. A part is called by the number of what it is cut from (00000042) and of the batch, if it is one
(00000042-000007), so nobody must read a file to know what the parts of the next one are called.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.ledger import Ledger
from mothertongue.corpus.outage import OutageError
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.export import Page
from mothertongue.corpus.readers.files import Readable
from mothertongue.corpus.readers.multistream import Span, spans_of
from mothertongue.corpus.readers.siteinfo import SiteInfo
from mothertongue.corpus.readers.wikipedia import read_pages
from mothertongue.corpus.sources import is_one_file, source_name
from mothertongue.errors import SourceError
from mothertongue.languages import open_language
from mothertongue.run.disk import write_json

PART_BYTES = 4 << 20  # of small files together; a larger one is read here
BATCH_CHARACTERS = 2 << 20
MAX_ITEMS = 2000  # files or documents
_EXPORT = re.compile(r"\.xml(-p\d+p\d+[^.]*)?(\.(gz|bz2|xz|zst))?$", re.I)
_ITEM_CHARACTERS = 200  # that a document counts for besides its text


@dataclass(frozen=True)
class WikiPage:
    """A page that is not yet judged nor extracted."""

    page: Page
    file: str


Item: TypeAlias = Path | Span | WikiPage | Document


@dataclass(frozen=True)
class Part:
    """Some neighbouring items of one source, for one process."""

    name: str
    source: Source
    items: tuple[Item, ...]
    info: SiteInfo | None = None  # of the wiki that pages are from
    bytes: int = 0  # of the input, read to make it
    dropped: dict[str, Any] | None = None  # Ledger.plain() of what the reader has refused on its way


def part_file(folder: Path, name: str, end: str) -> Path:
    """The file of a part; `end` is jsonl.zst, signatures or json. The last one is there when the part is finished."""
    return folder / f"part-{name}.{end}"


def parts_of(
    files: Sequence[tuple[Source, Readable]], config: CorpusConfig, folder: Path, *, rank: int = 0, ranks: int = 1
) -> Iterator[Part]:
    """All parts of the input in order, or of every `ranks` neighbours the one that is `rank`'s.

    What is known of finished parts in `folder` spares reading again the files that they are from.
    """
    units = ((source, unit) for source, own in groupby(files, lambda entry: entry[0]) for unit in _units(source, own))
    for number, (source, unit) in enumerate(units):
        if number % ranks != rank:
            continue
        if isinstance(unit, tuple):
            yield Part(f"{number:08d}", source, unit)
        else:
            yield from _of_file(f"{number:08d}", source, unit, config, folder)


def _units(source: Source, files: Iterable[tuple[Source, Readable]]) -> Iterator[tuple[Path | Span, ...] | Readable]:
    """What can be worked on apart, told without reading it: small files together, a span, or a whole file."""
    small, size = list[Path](), 0
    for _, file in files:
        spans = spans_of(file) if isinstance(file, Path) and is_export(file, source) else []
        is_small = not spans and isinstance(file, Path) and file.stat().st_size <= PART_BYTES
        if is_small and isinstance(file, Path):
            small.append(file)
            size += file.stat().st_size
        if small and (not is_small or size >= PART_BYTES or len(small) >= MAX_ITEMS):
            yield tuple(small)
            small, size = [], 0
        yield from ((span,) for span in spans)
        if not is_small and not spans:
            yield file
    if small:
        yield tuple(small)


def _of_file(name: str, source: Source, file: Readable, config: CorpusConfig, folder: Path) -> Iterator[Part]:
    """A file in batches; if all are finished, only what they are called."""
    note, number = folder / f"file-{name}.json", 0
    if note.exists():
        names = [f"{name}-{batch:06d}" for batch in range(json.loads(note.read_text("ascii")))]
        if all(part_file(folder, known, "json").exists() for known in names):
            yield from (Part(known, source, ()) for known in names)
            return
    for number, part in enumerate(_batches(source, file, config), start=1):
        yield replace(part, name=f"{name}-{number - 1:06d}")
    write_json(note, number)


def is_export(path: Path, source: Source) -> bool:
    """Whether a file is a MediaWiki export, by the source's setting or its name."""
    return source.reader == "wikipedia" or (source.reader == "auto" and bool(_EXPORT.search(path.name)))


def _batches(source: Source, file: Readable, config: CorpusConfig) -> Iterator[Part]:
    """What a file holds, read here from its beginning. What is refused is only counted: it may be all of the file."""
    items, read, ledger, name = list[Item](), list[int](), Ledger(), source_name(source)

    def drop(reason: str, id: str, text: str) -> None:
        ledger.drop(reason, source=name, id=id, text=text)

    reading = Reading(source, config, open_language(config.language), drop, read.append)
    info: SiteInfo | None = None
    characters = 0
    for item, said in _read(file, reading):
        items.append(item)
        info = said or info
        characters += _ITEM_CHARACTERS + len(item.page.wikitext if isinstance(item, WikiPage) else item.text)
        if characters >= BATCH_CHARACTERS or len(items) + ledger.counts.total() >= MAX_ITEMS:
            yield Part("", source, tuple(items), info, sum(read), ledger.plain())
            items.clear()
            read.clear()
            ledger, characters = Ledger(), 0
    if items or ledger.counts:
        yield Part("", source, tuple(items), info, sum(read), ledger.plain())


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
    """One damaged file of many is counted; one that the recipe names is an error, and so is an outage."""
    if is_one_file(reading.source) or isinstance(error, OutageError):
        raise error
    reading.drop("damaged-file", name, str(error))
