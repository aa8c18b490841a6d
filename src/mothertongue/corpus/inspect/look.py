"""A look into the shards: figures of an even and bounded part of the documents, and samples of what was kept.

At most MOST_DOCUMENTS are read, of each shard its first ones, so that a corpus of terabytes takes no longer than one
of 100 MB. Which of those are shown is decided by their checksums: the same corpus shows the same.
"""

from __future__ import annotations

import heapq
import json
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mothertongue.corpus.inspect.findings import SAMPLE_CHARACTERS, Findings
from mothertongue.corpus.readers.files import read_blocks
from mothertongue.corpus.readers.jsonl import split_lines
from mothertongue.corpus.split import SPLITS
from mothertongue.errors import ArtifactError, SourceError

MOST_DOCUMENTS = 20_000
SAMPLES_PER_SOURCE = 5
_MOST_SHARDS = 200  # of a side, evenly chosen
_MAX_LINE_BYTES = 32 << 20
_SHARD_BYTES = 256 << 20  # of unpacked text that is read of one shard
_MEASURED = 20_000  # characters of a document that are looked at
_SHORT = 80  # a shorter one has no meaningful shares


@dataclass
class Kept:
    """A sample of what was kept."""

    id: str
    side: str
    title: str
    text: str


@dataclass
class Look:
    """What was seen in the documents that were read."""

    read: int = 0
    unreadable: int = 0
    bytes: Counter[tuple[str, str]] = field(default_factory=Counter)  # (source, side) -> bytes
    characters: dict[str, list[int]] = field(default_factory=dict)  # by source, of each document
    word_lengths: list[float] = field(default_factory=list)  # mean of a document, in characters
    sentence_words: list[float] = field(default_factory=list)  # words per end of a sentence
    letters: list[float] = field(default_factory=list)  # share of the characters that are no spaces
    samples: dict[str, list[tuple[int, int, Kept]]] = field(default_factory=dict)  # heaps of (-checksum, number, ..)


def look(folder: Path, findings: Findings, *, most: int = MOST_DOCUMENTS) -> Look:
    """Figures of at most about `most` documents of the corpus in `folder`. ArtifactError if a shard is damaged."""
    seen = Look()
    for side in SPLITS:
        shards = sorted(folder.glob(f"{side}-*.jsonl.zst"))
        shards = shards[:: -(-len(shards) // _MOST_SHARDS) or 1]
        documents = findings.sides[side].documents if side in findings.sides else 0
        quota = most if findings.documents <= most else most * documents // findings.documents
        for shard in shards:
            for record in _records(shard, seen, most=max(1, quota // len(shards))):
                _see(seen, record, side)
    return seen


def shown(seen: Look, source: str) -> list[Kept]:
    """The samples of a source, those with the smallest checksums."""
    return [kept for _, _, kept in sorted(seen.samples.get(source, []), reverse=True)]


def _records(path: Path, seen: Look, *, most: int) -> Iterator[dict[str, Any]]:
    size = 0
    try:
        for number, line, whole in split_lines(read_blocks(path), max_bytes=_MAX_LINE_BYTES):
            record = _record(line) if whole else None
            if record is None:
                seen.unreadable += 1
            else:
                yield record
            size += len(line)
            if number >= most or size > _SHARD_BYTES:
                return
    except SourceError as error:
        raise ArtifactError(
            f"{path} is damaged: {error} `mothertongue verify {path.parent}` tells what else is; make the corpus again."
        ) from error


def _record(line: bytes) -> dict[str, Any] | None:
    try:
        record = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return record if isinstance(record, dict) and isinstance(record.get("text"), str) else None


def _see(seen: Look, record: dict[str, Any], side: str) -> None:
    text, source, id = record["text"], str(record.get("source", "")), str(record.get("id", ""))
    encoded = text.encode("utf-8", "replace")
    seen.read += 1
    seen.bytes[source, side] += len(encoded)
    seen.characters.setdefault(source, []).append(len(text))
    _measure(seen, text[:_MEASURED])
    meta = record.get("meta")
    title = str(meta.get("title", ""))[:200] if isinstance(meta, dict) else ""
    kept = Kept(id[:200], side, title, text[:SAMPLE_CHARACTERS])
    heap = seen.samples.setdefault(source, [])
    entry = (-zlib.crc32(encoded), -seen.read, kept)
    if len(heap) < SAMPLES_PER_SOURCE:
        heapq.heappush(heap, entry)
    else:
        heapq.heappushpop(heap, entry)


def _measure(seen: Look, text: str) -> None:
    words = text.split()
    visible = sum(map(len, words))
    if visible < _SHORT:
        return
    seen.word_lengths.append(visible / len(words))
    seen.letters.append(sum(map(str.isalpha, text)) / visible)
    if ends := sum(map(text.count, ".!?…。")):
        seen.sentence_words.append(len(words) / ends)
