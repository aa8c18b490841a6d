"""First pass: read every source once, clean and judge each document alone, and spool what stays.

What must be known of all documents together (duplicates, shares, sides) is kept as small figures per document; the
text itself goes to a spool on disk, so memory does not grow with it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO

import numpy as np

from mothertongue.corpus import dedup
from mothertongue.corpus.clean import clean
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.identify import identify
from mothertongue.corpus.ledger import Ledger
from mothertongue.corpus.quality import reason_to_drop
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.shards import ShardWriter
from mothertongue.corpus.sources import source_files, source_name
from mothertongue.corpus.split import Split, side_of, text_digest
from mothertongue.languages import Language, open_language
from mothertongue.run.progress import track

SPOOL = "spool"
SIGNATURES = "spool.signatures"
_BATCH_WORDS = 1 << 20


@dataclass
class Census:
    """What is known of the spooled documents, in their order."""

    digests: list[bytes] = field(default_factory=list)
    sides: list[Split] = field(default_factory=list)
    sources: list[str] = field(default_factory=list)
    bytes: list[int] = field(default_factory=list)

    def __len__(self) -> int:
        return len(self.digests)


def gather(config: CorpusConfig, folder: Path, ledger: Ledger) -> Census:
    """Spool the documents of all sources into `folder`; those refused go to the `ledger`."""
    language, census, seen = open_language(config.language), Census(), set[bytes]()
    files = [(source, file) for source in config.sources for file in source_files(source, config)]
    total = sum(file.stat().st_size for _, file in files) / 1e6
    with (
        track("reading", total=total, unit="MB") as bar,
        ShardWriter(folder, SPOOL, max_bytes=1 << 40, level=1) as spool,
        SignatureFile(folder / SIGNATURES) as signatures,
    ):
        for source, file in files:
            reading = _reading(source, config, language, ledger, advance=lambda n: bar.advance(n / 1e6))
            bar.advance(0, note=file.name)
            for document, digest in _kept(file, reading, seen):
                census.digests.append(digest)
                census.sides.append(
                    side_of(
                        digest,
                        heldout_share=config.heldout_share,
                        dev_share=config.dev_share,
                        draw=config.split_draw,
                    )
                )
                census.sources.append(document.source)
                census.bytes.append(len(document.text.encode("utf-8")))
                spool.write(document)
                signatures.add(document.text)
    return census


def _reading(
    source: Source, config: CorpusConfig, language: Language, ledger: Ledger, *, advance: Callable[[int], None]
) -> Reading:
    name = source_name(source)

    def drop(reason: str, id: str, text: str) -> None:
        ledger.drop(reason, source=name, id=id, text=text)

    return Reading(source, config, language, drop, advance)


def _kept(file: Path, reading: Reading, seen: set[bytes]) -> Iterator[tuple[Document, bytes]]:
    """The documents of a file that pass every rule that looks at one document alone, cleaned, each text once."""
    for document in read_file(file, reading):
        text = clean(document.text)
        digest = text_digest(text)
        reason = "duplicate" if digest in seen else judge(text, reading)
        if reason:
            reading.drop(reason, document.id, text or document.text)
        else:
            seen.add(digest)
            yield Document(text, document.id, document.source, document.meta), digest


def judge(text: str, reading: Reading) -> str | None:
    """Why a cleaned text is refused, or None if it is kept."""
    least = reading.source.min_characters
    if not text:
        return "empty"
    if len(text) < (reading.config.min_characters if least < 0 else least):
        return "too-short"
    reason = reason_to_drop(text, reading.language, skip=reading.source.skip_rules)
    if reason in (
        None,
        "few-function-words",
    ):  # text without our small words may well be of another language: then say so
        return _other_language(text, reading) or reason
    return reason


def _other_language(text: str, reading: Reading) -> str | None:
    found = identify(text, reading.language)
    sure = found and found.confidence >= reading.config.language_confidence
    return f"language:{found.language}" if found and sure and found.language != reading.language.code else None


class SignatureFile:
    """MinHash signatures of the spooled documents, computed in batches and kept on disk."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._batch: list[dedup.Hashes] = []
        self._words = 0
        self._file: IO[bytes] | None = None

    def add(self, text: str) -> None:
        """Sign one more document."""
        self._batch.append(dedup.shingles(dedup.word_hashes(text), dedup.SHINGLE_WORDS))
        self._words += len(self._batch[-1])
        if self._words >= _BATCH_WORDS:
            self._flush()

    def _flush(self) -> None:
        if self._batch and self._file:
            self._file.write(dedup.sign(self._batch).tobytes())
        self._batch, self._words = [], 0

    def __enter__(self) -> SignatureFile:
        self._file = self.path.open("wb")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None:
            self._flush()
        if self._file:
            self._file.close()


def open_signatures(path: Path) -> dedup.Signatures:
    """The rows of a SignatureFile, mapped from disk."""
    if not path.stat().st_size:
        return np.empty((0, dedup.PERMUTATIONS), dtype=np.uint32)
    return np.memmap(path, dtype=np.uint32, mode="r").reshape(-1, dedup.PERMUTATIONS)
