"""An n-gram model of tokens, interpolated modified Kneser-Ney (Chen and Goodman 1998): what a neural model must beat.

Written here because the good ones do not install: KenLM and SRILM need a compiler, NLTK keeps a Python object for each
n-gram. Here an n-gram is one integer, `number of its first n-1 tokens * vocab_size + last token`, and counting is
sorting: 15 million tokens of a made-up stream took 14 seconds and 2.3 GB on one core.

    model = train_ngram(stream, start_id=0, vocab_size=8000)  # <|endoftext|> document <|endoftext|> document ...
    bits = token_nats(model, stream).sum() / math.log(2)

No n-gram reaches over a `start_id`, but it may begin or end with one. Lower orders count distinct left neighbours,
except n-grams that begin with `start_id`, which have none and keep their plain counts (as in KenLM). The unigrams are
interpolated with the uniform distribution over the vocabulary, so every context's probabilities sum to 1.
"""

# Axes: N tokens of the stream, G distinct n-grams of an order, C contexts (n-grams of the order below), V vocabulary

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Level:
    """One order of the model."""

    keys: Integers  # G; context * vocab_size + token, sorted
    share: Floats  # G; discounted count / count of the context
    backoff: Floats  # C; what a context leaves to the order below; 1 if it was never continued


@dataclass(frozen=True, slots=True)
class NGram:
    """A trained model: unigram probabilities and the levels of orders 2, 3, ..."""

    vocab_size: int
    start_id: int
    unigram: Floats  # V
    levels: tuple[Level, ...]

    @property
    def order(self) -> int:
        """Length of the longest n-gram."""
        return 1 + len(self.levels)


@dataclass(frozen=True, slots=True)
class Counted:
    """The distinct n-grams of one order in a stream."""

    keys: Integers  # G; sorted
    counts: Integers  # G
    place: Integers  # G; a position of the stream where each ends
    ending: Integers  # N; number of the n-gram that ends at each position, -1 where none does


def train_ngram(stream: NDArray[Any], *, start_id: int, vocab_size: int, order: int = 5) -> NGram:
    """The model of a stream of token ids (each 0..vocab_size-1) that begins with `start_id`.

    Needs about 150 bytes of memory for each token of the stream.
    """
    tokens_N = stream.astype(np.int64)
    since_N = _since_start(tokens_N, start_id)
    plain = np.bincount(tokens_N[1:], minlength=vocab_size)
    orders = [Counted(np.arange(vocab_size), plain, np.empty(0, dtype=np.int64), tokens_N)]
    for length in range(2, order + 1):
        orders.append(_count(orders[-1], tokens_N, np.flatnonzero(since_N >= length - 1), vocab_size))
    adjusted = [_adjusted(lower, upper) for lower, upper in itertools.pairwise(orders)]
    adjusted.append(orders[-1].counts)
    levels = [
        _level(this.keys, counts_G, vocab_size=vocab_size, contexts=len(below.keys))
        for this, below, counts_G in zip(orders[1:], orders, adjusted[1:], strict=False)
    ]
    return NGram(vocab_size, start_id, _unigram(adjusted[0], vocab_size), tuple(levels))


def token_nats(model: NGram, stream: NDArray[Any]) -> Floats:
    """Nats of each token of `stream`, given up to order-1 tokens before it but none before the last `start_id`.

    The stream begins with `start_id`; that first token is not predicted and costs 0.
    """
    tokens_N = stream.astype(np.int64)
    since_N = _since_start(tokens_N, model.start_id)
    probability_N, ending_N = model.unigram[tokens_N], tokens_N
    for length, level in enumerate(model.levels, start=2):
        at = np.flatnonzero(since_N >= length - 1)
        at = at[ending_N[at - 1] >= 0]  # a context that training never saw leaves the lower order's probability
        context = ending_N[at - 1]
        key = context * model.vocab_size + tokens_N[at]
        found = np.searchsorted(level.keys, key).clip(max=max(0, len(level.keys) - 1))
        seen = level.keys[found] == key if len(level.keys) else np.zeros(len(at), dtype=bool)
        lower = level.backoff[context] * probability_N[at]
        probability_N[at] = lower
        probability_N[at[seen]] += level.share[found[seen]]
        ending_N = np.full(len(tokens_N), -1)
        ending_N[at[seen]] = found[seen]
    probability_N[0] = 1.0
    return np.asarray(-np.log(probability_N))


def discounts(counts_G: Integers) -> Floats:
    """What to take from n-grams with count 0, 1, 2, and 3 or more: [0, D1, D2, D3] (Chen and Goodman, equation 26).

    Where too few n-grams have a count of 1..4 to estimate them, [0, 0.5, 1, 1.5] as in KenLM.
    """
    n1, n2, n3, n4 = (int((counts_G == count).sum()) for count in (1, 2, 3, 4))
    if 0 in (n1, n2, n3, n4):
        return np.array([0.0, 0.5, 1.0, 1.5])
    y = n1 / (n1 + 2 * n2)
    found = np.array([0.0, 1 - 2 * y * n2 / n1, 2 - 3 * y * n3 / n2, 3 - 4 * y * n4 / n3])
    return found if (found[1:] >= 0).all() and (found[1:] <= [1, 2, 3]).all() else np.array([0.0, 0.5, 1.0, 1.5])


def _since_start(tokens_N: Integers, start_id: int) -> Integers:
    """How many tokens before each position, back to and including the last start strictly before it; 0 at the first."""
    if len(tokens_N) == 0 or tokens_N[0] != start_id:
        raise ValueError("a stream of documents begins with the token that starts a document")
    at = np.arange(len(tokens_N))
    last = np.maximum.accumulate(np.where(tokens_N == start_id, at, 0))
    return np.concatenate(([0], at[1:] - last[:-1]))


def _count(below: Counted, tokens_N: Integers, at: Integers, vocab_size: int) -> Counted:
    """The n-grams that end at the positions `at`, given those one token shorter."""
    keys = below.ending[at - 1].astype(np.int64) * vocab_size + tokens_N[at]
    order = np.argsort(keys)
    keys = keys[order]
    new = np.ones(len(keys), dtype=bool)
    np.not_equal(keys[1:], keys[:-1], out=new[1:])
    first = np.flatnonzero(new)
    ending_N = np.full(len(tokens_N), -1, dtype=np.int32)
    ending_N[at[order]] = np.cumsum(new, dtype=np.int32) - 1
    return Counted(keys[first], np.diff(first, append=len(keys)), at[order[first]], ending_N)


def _adjusted(lower: Counted, upper: Counted) -> Integers:
    """Distinct left neighbours of each n-gram of `lower`: each n-gram of `upper` is one more for its suffix."""
    neighbours_G = np.bincount(lower.ending[upper.place], minlength=len(lower.keys))
    return np.where(neighbours_G > 0, neighbours_G, lower.counts)  # none: it begins with start_id


def _level(keys_G: Integers, counts_G: Integers, *, vocab_size: int, contexts: int) -> Level:
    context_G = keys_G // vocab_size
    discount_G = discounts(counts_G)[counts_G.clip(max=3)]
    total_C = np.bincount(context_G, weights=counts_G, minlength=contexts)
    freed_C = np.bincount(context_G, weights=discount_G, minlength=contexts)
    backoff_C = np.divide(freed_C, total_C, out=np.ones(contexts), where=total_C > 0)
    return Level(keys_G, (counts_G - discount_G) / total_C[context_G], backoff_C)


def _unigram(counts_V: Integers, vocab_size: int) -> Floats:
    discount_V = discounts(counts_V)[counts_V.clip(max=3)]
    total = counts_V.sum()
    if total == 0:
        return np.full(vocab_size, 1 / vocab_size)
    return np.asarray((counts_V - discount_V + discount_V.sum() / vocab_size) / total)
