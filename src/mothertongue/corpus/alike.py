"""The pass between near-duplicates and shares: repeated paragraphs go, and articles made from a template."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import IO

import zstandard

from mothertongue.corpus.common import (
    TEMPLATE_COPIES,
    Likeness,
    Paragraphs,
    each_length,
    first_pass,
    likeness,
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
    census: Census, config: CorpusConfig, work: Path, gone: Collection[int], ledger: Ledger
) -> dict[int, str]:
    """Why further documents go; those that stay lose what an earlier document has. The spool in `work` is rewritten."""
    drop = {"template-made": config.template_made == "drop", "repeated-paragraph": config.repeated_paragraphs == "drop"}
    if not any(drop.values()):
        return {}
    skip = {source_name(source): set(source.skip_rules) for source in config.sources}
    shortest = {source_name(source): source.min_characters for source in config.sources}
    alive = (each for index, each in enumerate(read_shards(work, SPOOL)) if index not in gone)
    first = first_pass(alive, work / f"{SPOOL}.paragraphs", total_bytes=sum(census.bytes))
    drop[REPEATED] &= len(first.repeated) > 0
    drop[TEMPLATE_MADE] &= bool((first.runs >= TEMPLATE_COPIES).any())
    paragraphs, reasons, found = Paragraphs(first.repeated), dict[int, str](), dict[int, Likeness]()
    numbers = each_length(first.paragraphs, first.lengths)
    with track("comparing documents", total=len(census), unit="documents") as bar:
        for index, line, shard in _spooled(work) if any(drop.values()) else ():
            bar.advance()
            if index in gone:
                continue
            own, skipped = next(numbers), skip[census.sources[index]]
            if drop[TEMPLATE_MADE] and not skipped & {TEMPLATE_MADE, "all"}:
                found[index] = likeness(decode_document(line, shard.place).text, first)
            if not drop[REPEATED] or skipped & {REPEATED, "all"} or paragraphs.is_new(own):
                continue
            document = decode_document(line, shard.place)
            text, away = paragraphs.without(document.text)
            for paragraph in away:
                ledger.drop("paragraph:repeated", source=document.source, id=document.id, text=paragraph)
            if away and len(text) < _least(shortest[document.source], config):
                reasons[index] = REPEATED
            elif away:
                census.bytes[index] = len(text.encode("utf-8"))
                shard.change(Document(text, document.id, document.source, document.meta))
    least = open_language(config.language).quality.get(TEMPLATE_MADE)
    if least is not None and len(found) >= _LEAST_DOCUMENTS:
        made = template_made(list(found.values()), least=least)
        reasons |= {index: TEMPLATE_MADE for index, is_made in zip(found, made, strict=True) if is_made}
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
