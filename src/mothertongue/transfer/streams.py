"""Text as streams of token ids, for counting: a fair sample of a corpus, or text of the source language.

Every document starts with the end-of-text token, as it does in training.
"""

# Axes: B windows, T tokens, V vocabulary

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from tokenizers import Tokenizer
from torch import Tensor

from mothertongue.corpus.clean import clean
from mothertongue.corpus.config import CorpusConfig, Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.shards import read_documents
from mothertongue.corpus.sources import source_files
from mothertongue.languages import open_language
from mothertongue.model.stream import batches
from mothertongue.run.artifact import MANIFEST, read_manifest
from mothertongue.run.progress import track
from mothertongue.tokenizer.bytelevel import end_of_text_id
from mothertongue.tokenizer.encode import Encoder

Stream = npt.NDArray[np.int32]
PIECE_CHARACTERS = 20_000
EXCERPT_CHARACTERS = 4_000  # of each development document, so that many are heard


def token_streams(tokenizer: Tokenizer, texts: Iterable[str], *, what: str) -> Iterator[Stream]:
    """Token ids of each text after the end-of-text token; special tokens inside a text are letters."""
    end, encode = np.array([end_of_text_id(tokenizer)], dtype=np.int32), Encoder(tokenizer)
    with track(what, unit="MB") as bar:
        for batch in batches(texts):
            for ids in encode(batch):
                yield np.concatenate([end, ids.astype(np.int32)])
            bar.advance(sum(len(text.encode()) for text in batch) / 1e6)


def train_texts(corpus: Path, *, max_bytes: float) -> Iterator[str]:
    """Documents of the training side, about `max_bytes` in all, picked evenly from all sources where there are more.

    Of books (more than PIECE_CHARACTERS) parts are picked.
    """
    share = min(1.0, max_bytes / max(train_bytes(corpus), 1))
    documents = read_documents(corpus, "train")
    # by a hash of the id and not one in n: two sources may take turns in a corpus
    pieces = documents if share == 1 else (piece for document in documents for piece in _pieces(document))
    return up_to((piece.text for piece in pieces if _place(piece) < share), max_bytes=max_bytes)


def train_bytes(corpus: Path) -> int:
    """Bytes of text on the training side; 0 if the corpus has no manifest that says so."""
    if not (corpus / MANIFEST).is_file():
        return 0
    splits = read_manifest(corpus)["metrics"].get("splits", {})
    return int(splits.get("train", {}).get("bytes", 0))


def source_texts(sources: Sequence[Source], *, max_bytes: float) -> Iterator[str]:
    """Cleaned texts of the files that `sources` name, an equal part of `max_bytes` from each source."""
    language = open_language("any")
    for source in sources:
        reading = Reading(source, CorpusConfig(), language)
        documents = (item for file in source_files(source) for item in read_file(file, reading))
        yield from up_to((clean(item.text) for item in documents), max_bytes=max_bytes / len(sources))


def dev_texts(corpus: Path, *, max_bytes: int) -> list[str]:
    """Beginnings of development documents, `max_bytes` in all, always the same ones for the same corpus."""
    documents = sorted(read_documents(corpus, "dev"), key=_place) if any(corpus.glob("dev-*")) else []
    return list(up_to((item.text[:EXCERPT_CHARACTERS] for item in documents), max_bytes=max_bytes))


def up_to(texts: Iterable[str], *, max_bytes: float) -> Iterator[str]:
    """`texts` until `max_bytes` are reached; the last one is cut there.

    >>> list(up_to(["ahoj", "světe"], max_bytes=7))
    ['ahoj', 'svě']
    """
    room = int(max_bytes)
    for text in texts:
        if room <= 0:
            return
        raw = text.encode()
        yield text if len(raw) <= room else raw[:room].decode(errors="ignore")
        room -= len(raw)


def sample_windows(streams: Sequence[Stream], *, count: int, length: int) -> Tensor:
    """`count` windows [B, T] of `length` tokens at even distances in the joined streams; shorter text gives fewer."""
    joined = np.concatenate(streams)
    length = min(length, len(joined))
    starts = np.linspace(0, len(joined) - length, min(count, max(1, len(joined) // length))).astype(np.int64)
    return torch.from_numpy(np.stack([joined[start : start + length] for start in starts]).astype(np.int64))


def token_counts(streams: Iterable[Stream], vocab_size: int) -> Tensor:
    """How often each token occurs, int64 [V]."""
    counts_V = np.zeros(vocab_size, dtype=np.int64)
    for stream in streams:
        counts_V += np.bincount(stream, minlength=vocab_size)
    return torch.from_numpy(counts_V)


def _pieces(document: Document) -> Iterator[Document]:
    """The document in parts of PIECE_CHARACTERS, the first one under the document's own id."""
    for start in range(0, len(document.text), PIECE_CHARACTERS):
        part = f"#{start}" if start else ""
        yield replace(document, text=document.text[start : start + PIECE_CHARACTERS], id=document.id + part)


def _place(document: Document) -> float:
    return zlib.crc32(document.id.encode("utf-8", "replace")) / (1 << 32)
