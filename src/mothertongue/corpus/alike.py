"""The pass between near-duplicates and shares: repeated paragraphs go, and articles made from a template."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeAlias

import zstandard

from mothertongue.corpus.common import Likeness, Paragraphs, first_pass, likeness, template_made
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
    census: Census, config: CorpusConfig, work: Path, gone: Collection[int], ledger: Ledger
) -> dict[int, str]:
    """Why further documents go; those that stay lose what an earlier document has. The spool in `work` is rewritten."""
    drop = {"template-made": config.template_made == "drop", "repeated-paragraph": config.repeated_paragraphs == "drop"}
    if not any(drop.values()):
        return {}
    skip = {source_name(source): set(source.skip_rules) for source in config.sources}
    shortest = {source_name(source): source.min_characters for source in config.sources}
    lines = work / "paragraphs"
    alive = (each for index, each in enumerate(read_shards(work, SPOOL)) if index not in gone)
    first = first_pass(alive, lines, total_bytes=sum(census.bytes))
    lines.unlink()
    paragraphs, reasons = Paragraphs(first.repeated), dict[int, str]()
    found = dict[int, Likeness]()
    with track("comparing documents", total=len(census), unit="documents") as bar:
        for index, document, writer in _rewritten(work, rewrite=drop[REPEATED] and len(first.repeated) > 0):
            skipped = skip[document.source]
            text = document.text
            if index not in gone:
                if drop[REPEATED] and not skipped & {REPEATED, "all"}:
                    text, away = paragraphs.without(text)
                    for line in away:
                        ledger.drop("paragraph:repeated", source=document.source, id=document.id, text=line)
                    if away and len(text) < _least(shortest[document.source], config):
                        reasons[index], text = REPEATED, document.text
                if drop[TEMPLATE_MADE] and not skipped & {TEMPLATE_MADE, "all"}:
                    found[index] = likeness(document.text, first)
            census.bytes[index] = len(text.encode("utf-8"))
            writer(Document(text, document.id, document.source, document.meta))
            bar.advance()
    least = open_language(config.language).quality.get(TEMPLATE_MADE)
    if least is not None and len(found) >= _LEAST_DOCUMENTS:
        made = template_made(list(found.values()), least=least)
        reasons |= {index: TEMPLATE_MADE for index, is_made in zip(found, made, strict=True) if is_made}
    return reasons


def _least(own: int, config: CorpusConfig) -> int:
    return config.min_characters if own < 0 else own


def _nowhere(document: Document) -> None:
    """The spool stays as it is."""


def _rewritten(work: Path, *, rewrite: bool) -> Iterator[tuple[int, Document, Writer]]:
    """Every spooled document, its number, and where to put what stays of it."""
    index = 0
    for place in sorted(work.glob(f"{SPOOL}-*.jsonl.zst")):
        if not rewrite:
            for document in read_shard(place):
                yield index, document, _nowhere
                index += 1
            continue
        changed = place.with_name(f".{place.name}")
        with zstandard.open(changed, "wb", cctx=zstandard.ZstdCompressor(level=1)) as out:
            for document in read_shard(place):
                yield index, document, lambda each: out.write(encode_document(each))
                index += 1
        changed.replace(place)
