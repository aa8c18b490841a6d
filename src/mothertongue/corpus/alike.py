"""Between near-duplicates and shares: articles made from a template go, then paragraphs that another document keeps."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO

import numpy as np
import zstandard

from mothertongue.corpus.common import (
    TEMPLATE_COPIES,
    First,
    Likeness,
    Paragraphs,
    Patterns,
    each_length,
    first_pass,
    keepers,
    template_made,
)
from mothertongue.corpus.config import CorpusConfig
from mothertongue.corpus.document import Document
from mothertongue.corpus.gather import SPOOL, Census, spool_files
from mothertongue.corpus.ledger import Ledger
from mothertongue.corpus.shards import decode_document, encode_document, read_lines, read_shards
from mothertongue.corpus.sources import source_name
from mothertongue.languages import open_language
from mothertongue.run.progress import track

TEMPLATE_MADE = "template-made"
REPEATED = "repeated-paragraph"
BETWEEN_RULES = (TEMPLATE_MADE, REPEATED)  # for skip_rules
_LEAST_DOCUMENTS = 30  # fewer cannot show what is a template


def take_out_common(
    census: Census,
    config: CorpusConfig,
    work: Path,
    gone: Collection[int],
    ledger: Ledger,
    *,
    doubtful: Collection[int] = (),
) -> dict[int, str]:
    """Why further documents go; those that stay lose what another keeps. The spool in `work` is rewritten.

    A paragraph is kept by a document that stays: never by one made from a template, by one of the `doubtful` (which a
    share may cut off) or of the sides that are held out only if no other has it.
    """
    drop = {"template-made": config.template_made == "drop", "repeated-paragraph": config.repeated_paragraphs == "drop"}
    if not any(drop.values()):
        return {}
    skip = {source_name(source): set(source.skip_rules) for source in config.sources}
    alive = [index for index in range(len(census)) if index not in gone]
    first = first_pass(_alive(work, gone), work / f"{SPOOL}.paragraphs", total_bytes=sum(census.bytes))
    reasons = dict[int, str]()
    if drop[TEMPLATE_MADE] and (first.runs >= TEMPLATE_COPIES).any():
        reasons |= _made(first, _alive(work, gone), alive, config, skip)
    if drop[REPEATED] and len(first.repeated):
        rank = [_rank(index, census, skip, reasons, doubtful) for index in alive]
        paragraphs = Paragraphs(first.repeated, keepers(first, np.array(rank, dtype=np.int64)))
        own = zip(alive, rank, each_length(first.paragraphs, first.lengths), strict=True)
        concerned = {index: number for index, number, lines in own if number >= 0 and paragraphs.concern(lines, number)}
        reasons |= _rewrite(paragraphs, concerned, census, config, work, ledger)
    return reasons


def _alive(work: Path, gone: Collection[int]) -> Iterator[Document]:
    return (each for index, each in enumerate(read_shards(work, SPOOL)) if index not in gone)


def _made(
    first: First, documents: Iterator[Document], alive: list[int], config: CorpusConfig, skip: dict[str, set[str]]
) -> dict[int, str]:
    """The documents that were made from a template, but for the first of each."""
    least = open_language(config.language).quality.get(TEMPLATE_MADE)
    if least is None:
        return {}
    patterns, found = Patterns(first, least=least), dict[int, Likeness]()
    with track("comparing documents", total=len(alive), unit="documents") as bar:
        for index, document in zip(alive, documents, strict=True):
            if not skip[document.source] & {TEMPLATE_MADE, "all"}:
                found[index] = patterns.likeness(document.text)
            bar.advance()
    if len(found) < _LEAST_DOCUMENTS:
        return {}
    made = template_made(list(found.values()), least=least)
    return {index: TEMPLATE_MADE for index, is_made in zip(found, made, strict=True) if is_made}


def _rank(
    index: int, census: Census, skip: dict[str, set[str]], gone: Collection[int], doubtful: Collection[int]
) -> int:
    """Where a document stands among those that may keep a paragraph; -1: it takes no part."""
    if index in gone or skip[census.sources[index]] & {REPEATED, "all"}:
        return -1
    kind = 2 if census.sides[index] != "train" else 1 if index in doubtful else 0
    return kind * len(census) + index


def _rewrite(
    paragraphs: Paragraphs, numbers: dict[int, int], census: Census, config: CorpusConfig, work: Path, ledger: Ledger
) -> dict[int, str]:
    """The spool without repeated paragraphs of the documents in `numbers`; which of them are too short without."""
    shortest, reasons = {source_name(source): source.min_characters for source in config.sources}, dict[int, str]()
    with track("taking out paragraphs", total=len(census), unit="documents") as bar:
        for index, line, shard in _spooled(work):
            bar.advance()
            if index not in numbers:
                continue
            document = decode_document(line, shard.place)
            text, away = paragraphs.without(document.text, numbers[index])
            for paragraph in away:
                ledger.drop("paragraph:repeated", source=document.source, id=document.id, text=paragraph)
            if away and len(text) < _least(shortest[document.source], config):
                reasons[index] = REPEATED
                paragraphs.release()
            elif away:
                census.bytes[index] = len(text.encode("utf-8"))
                shard.change(Document(text, document.id, document.source, document.meta))
    return reasons


def _least(own: int, config: CorpusConfig) -> int:
    return config.min_characters if own < 0 else own


class _Shard:
    """A shard of the spool while it is read: written anew from the first document that changes on."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self._new = place.with_name(f".{place.name}")
        self._out: IO[bytes] | None = None
        self._changed: bytes | None = None

    def change(self, document: Document) -> None:
        """Put `document` in place of the one that was read last."""
        self._changed = encode_document(document)

    def lines(self) -> Iterator[bytes]:
        """Every document, as it was."""
        with ExitStack() as stack:
            for number, line in enumerate(read_lines(self.place)):
                yield line
                if self._changed and not self._out:
                    level = zstandard.ZstdCompressor(level=1)
                    self._out = stack.enter_context(zstandard.open(self._new, "wb", cctx=level))
                    for before in islice(read_lines(self.place), number):
                        self._out.write(before)
                if self._out:
                    self._out.write(self._changed or line)
                    self._changed = None
        if self._out:
            self._new.replace(self.place)


def _spooled(work: Path) -> Iterator[tuple[int, bytes, _Shard]]:
    """Every spooled document as a line, its number, and the shard that it is in."""
    index = 0
    for shard in map(_Shard, spool_files(work)):
        for line in shard.lines():
            yield index, line, shard
            index += 1
