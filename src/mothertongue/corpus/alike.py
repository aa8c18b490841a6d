"""Between near-duplicates and shares: articles made from a template go, then paragraphs that another document keeps."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeAlias

import numpy as np
import zstandard

from mothertongue.corpus.common import First, Likeness, Paragraphs, Patterns, first_pass, keepers, template_made
from mothertongue.corpus.config import CorpusConfig
from mothertongue.corpus.document import Document
from mothertongue.corpus.gather import SPOOL, Census
from mothertongue.corpus.ledger import Ledger
from mothertongue.corpus.shards import encode_document, read_shard, read_shards
from mothertongue.corpus.sources import source_name
from mothertongue.languages import open_language
from mothertongue.run.progress import track

Writer: TypeAlias = Callable[[Document], object]

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
    lines = work / "paragraphs"
    first = first_pass(_alive(work, gone), lines, total_bytes=sum(census.bytes))
    reasons = dict[int, str]()
    if drop[TEMPLATE_MADE]:
        reasons |= _made(first, _alive(work, gone), alive, config, skip)
    if drop[REPEATED] and len(first.repeated):
        rank = [_rank(index, census, skip, reasons, doubtful) for index in alive]
        paragraphs = Paragraphs(first.repeated, keepers(first, lines, np.array(rank, dtype=np.int64)))
        numbers = {index: number for index, number in zip(alive, rank, strict=True) if number >= 0}
        reasons |= _rewrite(paragraphs, numbers, census, config, work, ledger)
    lines.unlink()
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
    """The spool without repeated paragraphs; which documents are too short for it."""
    shortest, reasons = {source_name(source): source.min_characters for source in config.sources}, dict[int, str]()
    with track("taking out paragraphs", total=len(census), unit="documents") as bar:
        for index, document, write in _rewritten(work):
            text = document.text
            if index in numbers:
                text, away = paragraphs.without(text, numbers[index])
                for line in away:
                    ledger.drop("paragraph:repeated", source=document.source, id=document.id, text=line)
                if away and len(text) < _least(shortest[document.source], config):
                    reasons[index], text = REPEATED, document.text
                    paragraphs.release()
            census.bytes[index] = len(text.encode("utf-8"))
            write(Document(text, document.id, document.source, document.meta))
            bar.advance()
    return reasons


def _least(own: int, config: CorpusConfig) -> int:
    return config.min_characters if own < 0 else own


def _rewritten(work: Path) -> Iterator[tuple[int, Document, Writer]]:
    """Every spooled document, its number, and where to put what stays of it."""
    index = 0
    for place in sorted(work.glob(f"{SPOOL}-*.jsonl.zst")):
        changed = place.with_name(f".{place.name}")
        with zstandard.open(changed, "wb", cctx=zstandard.ZstdCompressor(level=1)) as out:
            for document in read_shard(place):
                yield index, document, lambda each: out.write(encode_document(each))
                index += 1
        changed.replace(place)
