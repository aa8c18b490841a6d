"""A corpus as one memory-mapped stream of token ids, read in windows whose order depends only on (seed, step).

<|endoftext|> first document <|endoftext|> second document ... <|endoftext|>
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from mothertongue.corpus.shards import read_documents
from mothertongue.errors import ArtifactError
from mothertongue.model.checkpoint import end_of_text_id
from mothertongue.run.disk import write_json
from mothertongue.run.progress import track
from mothertongue.tokenizer.encode import Encoder

Ids = NDArray[np.uint16] | NDArray[np.uint32]


@dataclass(frozen=True)
class Windows:
    """Sequences of `length` + 1 tokens (inputs and, one further, labels), reshuffled and shifted in each epoch.

    >>> windows = Windows(np.arange(100, dtype=np.uint16), length=8, seed=0)
    >>> windows.per_epoch, windows.batch(3, 2).shape
    (12, torch.Size([2, 9]))
    """

    ids: Ids
    length: int
    seed: int

    @property
    def per_epoch(self) -> int:
        """Windows in one pass."""
        return max(1, (len(self.ids) - 1) // self.length)

    def batch(self, step: int, size: int) -> Tensor:
        """The `size` windows of optimizer step `step`, as int64 of shape [size, length + 1]."""
        first = step * size
        rows = [self._window(index) for index in range(first, first + size)]
        return torch.from_numpy(np.stack(rows).astype(np.int64))

    def _window(self, index: int) -> Ids:
        epoch, place = divmod(index, self.per_epoch)
        shift, order = _order(self.seed, epoch, self.per_epoch, self.length)
        start = int(order[place]) * self.length + shift
        # the stream is a ring, so that a corpus shorter than one window works as well
        return self.ids.take(range(start, start + self.length + 1), mode="wrap")


_orders: dict[tuple[int, int, int, int], tuple[int, NDArray[np.int64]]] = {}


def _order(seed: int, epoch: int, count: int, length: int) -> tuple[int, NDArray[np.int64]]:
    key = (seed, epoch, count, length)
    if key not in _orders:
        if len(_orders) > 3:
            _orders.clear()
        random = np.random.default_rng([seed, epoch])
        _orders[key] = (int(random.integers(length)), random.permutation(count))
    return _orders[key]


def tokenize_corpus(corpus: Path, tokenizer: Tokenizer, file: Path) -> Ids:
    """Write the training side of `corpus` as token ids into `file` (raw uint16 or uint32) and map it into memory.

    A finished file is used again: its sidecar `.json`, written last, says how many tokens it has.
    Raises ArtifactError if the corpus has no training text.
    """
    kind = np.uint16 if tokenizer.get_vocab_size() <= 1 << 16 else np.uint32
    sidecar = file.with_suffix(".json")
    if not _is_whole(file, sidecar, np.dtype(kind).itemsize):
        end = np.array([end_of_text_id(tokenizer)], dtype=kind)
        tokens, encode = 1, Encoder(tokenizer)
        with file.open("wb") as stream, track("tokenizing", unit="MB") as bar:
            stream.write(end.tobytes())
            for texts in _batches(corpus):
                ids = np.concatenate([part for found in encode(texts) for part in (found.astype(kind), end)])
                stream.write(ids.tobytes())
                tokens += len(ids)
                bar.advance(sum(len(text.encode()) for text in texts) / 1e6, note=f"{tokens:,} tokens")
        write_json(sidecar, {"tokens": tokens})
    return np.memmap(file, dtype=kind, mode="r")


def _is_whole(file: Path, sidecar: Path, itemsize: int) -> bool:
    if not (file.is_file() and sidecar.is_file()):
        return False
    return bool(file.stat().st_size == json.loads(sidecar.read_text("utf-8"))["tokens"] * itemsize)


def _batches(corpus: Path, most_characters: int = 1_000_000) -> Iterator[list[str]]:
    texts: list[str] = []
    characters = total = 0
    for document in read_documents(corpus, "train"):
        texts.append(document.text)
        characters += len(document.text)
        total += len(document.text)
        if characters >= most_characters:
            yield texts
            texts, characters = [], 0
    if texts:
        yield texts
    if not total:
        raise ArtifactError(f"{corpus} has no training text. Make a corpus of more text: `mothertongue corpus`.")
