"""Documents as one array of token ids, and what a 5-gram that counts them needs for others: the line every model is
drawn beside.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mothertongue.corpus.shards import read_documents
from mothertongue.errors import ArtifactError
from mothertongue.model.ngram import token_nats, train_ngram
from mothertongue.run.disk import write_json
from mothertongue.run.progress import track
from mothertongue.tokenizer.bytelevel import encode_text, end_of_text_id, start_of_text_id
from mothertongue.tokenizer.encode import Encoder

BATCH_CHARACTERS = 1_000_000
FIVEGRAM_TOKENS = 2_000_000  # counted in two seconds and 0.3 GB

Ids = NDArray[np.uint16] | NDArray[np.uint32]
Stream = NDArray[Any]  # token ids: <|endoftext|> document <|endoftext|> ... <|endoftext|>


@dataclass(frozen=True)
class Sample:
    """Some whole documents of a stream."""

    stream: Stream
    share: float  # of all tokens, 0-1


def vocabulary_of(tokenizer: Tokenizer) -> int:
    """Number of ids of a tokenizer, from 0 to the highest: the rows that a model needs (some may be unused)."""
    return max(tokenizer.get_vocab().values(), default=-1) + 1


def make_stream(tokenizer: Tokenizer, texts: Iterable[str], *, start_id: int) -> Stream:
    """The documents as one array of token ids, `start_id` before, between and after them."""
    ids = [start_id]
    for text in texts:
        ids += [*encode_text(tokenizer, text), start_id]
    return np.array(ids)


def sample_documents(stream: Stream, *, end_id: int, start_id: int, max_tokens: int, seed: int) -> Sample:
    """Whole documents of a tokenized corpus by lot, in their order, `max_tokens` at most (but at least one document).

    Of what stands between two of them only `end_id` is kept.
    """
    ends = np.flatnonzero(stream == end_id)
    lengths = np.diff(ends)
    lot = np.random.default_rng(seed).permutation(len(lengths))
    chosen = np.sort(lot[: max(1, int(np.searchsorted(np.cumsum(lengths[lot]), max_tokens)))])
    pieces = [stream[ends[n] : ends[n + 1]] for n in chosen]
    sample = np.concatenate([*pieces, [end_id]]) if len(stream) > max_tokens else np.asarray(stream)
    return Sample(sample if start_id == end_id else sample[sample != start_id], len(sample) / len(stream))


def fivegram_nats(training: Stream, heldout: Stream, *, start_id: int, vocabulary: int) -> float:
    """Nats of the held-out documents' tokens after training a 5-gram."""
    model = train_ngram(training, start_id=start_id, vocab_size=vocabulary)
    return float(token_nats(model, heldout)[heldout != start_id].sum())


def fivegram_line(
    texts: Sequence[str], training: Stream, tokenizer: Tokenizer, folder: Path, *, seed: int
) -> dict[str, float]:
    """Bits per byte of a 5-gram that has counted (at most 2 million of) the same tokens; kept in `folder`."""
    file = folder / "fivegram.json"
    if not texts:
        return {}
    if not file.is_file():
        end, start = end_of_text_id(tokenizer), start_of_text_id(tokenizer)
        sample = sample_documents(training, end_id=end, start_id=start, max_tokens=FIVEGRAM_TOKENS, seed=seed)
        stream = make_stream(tokenizer, texts, start_id=end)
        nats = fivegram_nats(sample.stream, stream, start_id=end, vocabulary=vocabulary_of(tokenizer))
        write_json(file, {"5-gram": nats / math.log(2) / sum(len(text.encode()) for text in texts)})
    return dict(json.loads(file.read_text("utf-8")))


def tokenize_corpus(corpus: Path, tokenizer: Tokenizer, file: Path) -> Ids:
    """Write the training side of `corpus` as token ids into `file` (raw uint16 or uint32) and map it into memory.

    A finished file is used again: its sidecar `.json`, written last, says how many tokens it has.
    Raises ArtifactError if the corpus has no training text.
    """
    kind = np.uint16 if vocabulary_of(tokenizer) <= 1 << 16 else np.uint32
    sidecar = file.with_suffix(".json")
    if not _is_whole(file, sidecar, np.dtype(kind).itemsize):
        # one token if, as in our vocabularies, what ends a document also begins one
        border = np.array(list(dict.fromkeys([end_of_text_id(tokenizer), start_of_text_id(tokenizer)])), dtype=kind)
        tokens, read, encode = len(border), 0.0, Encoder(tokenizer)
        with file.open("wb") as stream, track("tokenizing", unit="MB") as bar:
            stream.write(border.tobytes())
            for texts in batches(document.text for document in read_documents(corpus, "train")):
                ids = np.concatenate([part for found in encode(texts) for part in (found.astype(kind), border)])
                stream.write(ids.tobytes())
                tokens += len(ids)
                megabytes = sum(len(text.encode()) for text in texts) / 1e6
                read += megabytes
                bar.advance(megabytes, note=f"{tokens:,} tokens")
        if not read:
            raise ArtifactError(f"{corpus} has no training text. Make a corpus of more text: `mothertongue corpus`.")
        write_json(sidecar, {"tokens": tokens})
    return np.memmap(file, dtype=kind, mode="r")


def _is_whole(file: Path, sidecar: Path, itemsize: int) -> bool:
    if not (file.is_file() and sidecar.is_file()):
        return False
    return bool(file.stat().st_size == json.loads(sidecar.read_text("utf-8"))["tokens"] * itemsize)


def batches(texts: Iterable[str]) -> Iterator[list[str]]:
    """`texts` in lists of about a million characters."""
    batch: list[str] = []
    characters = 0
    for text in texts:
        batch.append(text)
        characters += len(text)
        if characters >= BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch
