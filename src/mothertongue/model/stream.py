"""Documents as one array of token ids, and what a 5-gram that counts them needs for others: the line every model is
drawn beside.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from tokenizers import Tokenizer

from mothertongue.model.ngram import token_nats, train_ngram
from mothertongue.tokenizer.bytelevel import encode_text

Stream = NDArray[Any]  # token ids: <|endoftext|> document <|endoftext|> ... <|endoftext|>


@dataclass(frozen=True)
class Sample:
    """Some whole documents of a stream."""

    stream: Stream
    share: float  # of all tokens, 0-1


def vocabulary_of(tokenizer: Tokenizer) -> int:
    """Number of ids of a tokenizer, counted from 0 to the highest."""
    return int(max(tokenizer.get_vocab().values())) + 1


def make_stream(tokenizer: Tokenizer, texts: Iterable[str], *, start_id: int) -> Stream:
    """The documents as one array of token ids, `start_id` before, between and after them."""
    ids = [start_id]
    for text in texts:
        ids += [*encode_text(tokenizer, text), start_id]
    return np.array(ids)


def sample_documents(stream: Stream, *, start_id: int, max_tokens: int, seed: int) -> Sample:
    """Whole documents of `stream` by lot, in their order, at most `max_tokens` of them (but at least one document)."""
    if len(stream) <= max_tokens:
        return Sample(np.asarray(stream), 1.0)
    starts = np.flatnonzero(stream == start_id)
    lengths = np.diff(starts)
    lot = np.random.default_rng(seed).permutation(len(lengths))
    chosen = np.sort(lot[: max(1, int(np.searchsorted(np.cumsum(lengths[lot]), max_tokens)))])
    pieces = [stream[starts[n] : starts[n + 1]] for n in chosen]
    sample = np.concatenate([*pieces, [start_id]])
    return Sample(sample, len(sample) / len(stream))


def fivegram_nats(training: Stream, heldout: Stream, *, start_id: int, vocabulary: int) -> float:
    """Nats of the held-out documents' tokens after training a 5-gram."""
    model = train_ngram(training, start_id=start_id, vocab_size=vocabulary)
    return float(token_nats(model, heldout)[heldout != start_id].sum())
