"""What one process does with one part: read, clean, judge and sign its documents, and write them down as finished.

part-00000042.jsonl.zst     its documents that passed every rule for one document alone, in order
part-00000042.signatures    a MinHash signature of each
part-00000042.json          digest and size of each, what was dropped; written last: the part is finished
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from socket import gethostname
from typing import Any

import zstandard

from mothertongue.corpus import dedup
from mothertongue.corpus.clean import clean
from mothertongue.corpus.config import CorpusConfig
from mothertongue.corpus.document import Document
from mothertongue.corpus.judge import judge
from mothertongue.corpus.ledger import Ledger
from mothertongue.corpus.parts import Part, WikiPage, drop_or_raise, part_file
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.multistream import Span
from mothertongue.corpus.readers.wikipedia import open_wiki, page_document, read_span
from mothertongue.corpus.refine import refine
from mothertongue.corpus.repair import repair
from mothertongue.corpus.shards import encode_document
from mothertongue.corpus.shingle import Hashes
from mothertongue.corpus.sources import source_name
from mothertongue.corpus.split import text_digest
from mothertongue.corpus.view import View
from mothertongue.corpus.wordlists import offensive_words
from mothertongue.errors import SourceError
from mothertongue.languages import open_language

LEVEL = 1  # of compression: the files are read again soon
_BATCH_RUNS = 1 << 18


@dataclass
class Finished:
    """What is known of a part that is finished."""

    source: str
    rows: list[tuple[str, int]] = field(default_factory=list)  # digest as hexadecimal, bytes of text
    dropped: dict[str, Any] = field(default_factory=dict)  # Ledger.plain()
    bytes: int = 0  # of the input


def read_finished(folder: Path, name: str) -> Finished | None:
    """What a finished part has noted; None if it is not finished."""
    try:
        noted = json.loads(part_file(folder, name, "json").read_bytes())
    except FileNotFoundError:
        return None
    return Finished(noted["source"], [(row[0], row[1]) for row in noted["rows"]], noted["dropped"], noted["bytes"])


def work(part: Part, config: CorpusConfig, folder: Path) -> int:
    """Do one part, unless it is finished; gives how many bytes of the input it stands for."""
    if finished := read_finished(folder, part.name):
        return finished.bytes
    ledger, read, name = Ledger(), [part.bytes], source_name(part.source)

    def drop(reason: str, id: str, text: str) -> None:
        ledger.drop(reason, source=name, id=id, text=text)

    if part.dropped:
        ledger.merge(part.dropped)
    reading = Reading(part.source, config, open_language(config.language), drop, read.append, ledger.templates)
    rows, signatures = list[tuple[str, int]](), Signatures()
    places = {end: part_file(folder, part.name, end) for end in ("jsonl.zst", "signatures", "json")}
    unfinished = {end: place.with_name(f".{place.name}.{gethostname()}-{os.getpid()}") for end, place in places.items()}
    with (
        zstandard.open(unfinished["jsonl.zst"], "wb", cctx=zstandard.ZstdCompressor(level=LEVEL)) as spool,
        unfinished["signatures"].open("wb") as signed,
    ):
        for document, own in kept_documents(part, reading):
            rows.append((text_digest(document.text).hex(), len(document.text.encode("utf-8"))))
            spool.write(encode_document(document))
            signed.write(signatures.add(own.runs))
        signed.write(signatures.rest())
    finished = Finished(name, rows, ledger.plain(), sum(read))
    unfinished["json"].write_text(json.dumps(finished.__dict__), "ascii")
    for end, place in places.items():
        unfinished[end].replace(place)
    return finished.bytes


def kept_documents(part: Part, reading: Reading) -> Iterator[tuple[Document, View]]:
    """The documents of a part that pass every rule for one document alone, cleaned, and the view of their text."""
    taken_out = list[tuple[str, str, str]]()  # of the document, told if it stays
    refining = replace(reading, drop=lambda *told: taken_out.append(told))
    for document in read_part(part, reading):
        text = clean(repair(document.text, reading.language, skip=reading.source.skip_rules))
        taken_out.clear()
        text = refine(text, document.id, refining)
        own = View(text)
        if reason := judge(own, reading):
            reading.drop(reason, document.id, text or document.text)
        else:
            for told in taken_out:
                reading.drop(*told)
            yield Document(text, document.id, document.source, _flagged(text, document.meta, reading)), own


def _flagged(text: str, meta: dict[str, Any], reading: Reading) -> dict[str, Any]:
    words = reading.config.profanity_words
    return {**meta, "profanity": found} if words and (found := offensive_words(text, words)) else meta


def read_part(part: Part, reading: Reading) -> Iterator[Document]:
    """The documents of a part as their reader gives them."""
    wiki = open_wiki(part.info, reading) if part.info else None
    for item in part.items:
        if isinstance(item, Document):
            yield item
        elif isinstance(item, Span):
            try:
                yield from read_span(item, reading)
            except SourceError as error:
                drop_or_raise(error, str(item), reading)
        elif isinstance(item, WikiPage):
            assert wiki is not None and part.info is not None
            if document := page_document(item.page, wiki, part.info, reading, file=item.file):
                yield document
        else:
            yield from read_file(item, reading)


class Signatures:
    """MinHash signatures as bytes, computed for many documents at once."""

    def __init__(self) -> None:
        self._batch: list[Hashes] = []
        self._runs = 0

    def add(self, own: str | Hashes) -> bytes:
        """One more document, as its text or its runs of words; gives the bytes of those that are ready."""
        self._batch.append(View(own).runs if isinstance(own, str) else own)
        self._runs += len(self._batch[-1])
        return self.rest() if self._runs >= _BATCH_RUNS else b""

    def rest(self) -> bytes:
        """The bytes of those that wait."""
        batch, self._batch, self._runs = self._batch, [], 0
        return dedup.sign(batch).tobytes() if batch else b""
