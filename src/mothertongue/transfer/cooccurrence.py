"""Which tokens stand near which: sparse counts of a token stream, and how surprising each count is (PPMI).

Left and right company are counted apart: what may follow a token tells its grammar, what is near only its topic.

    counted = count_pairs(streams, vocab_size=8192, window=2)     # streams: token ids, one array per document
    matrix_VC = positive_pmi(counted)
"""

# Axes: V vocabulary, C contexts (2 V: the token to the left, then the token to the right), R any columns

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

CHUNK_TOKENS = 1_000_000  # counted at once: with a window of 5 this needs about 0.1 GB
CHUNK_PAIRS = 1 << 21
CONTEXT_SMOOTHING = 0.75  # exponent of context frequencies (Levy et al. 2015), so that rare contexts don't always win

TokenStream = Sequence[int] | npt.NDArray[np.integer]
Integers = npt.NDArray[np.integer]
Floats = npt.NDArray[np.float32]
Doubles = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Pairs:
    """Weights of ordered pairs of tokens, and how often each token occurs."""

    keys: Integers  # left * vocab_size + right, ascending
    weights: Floats
    tokens: Integers  # [V]

    @property
    def vocab_size(self) -> int:
        return len(self.tokens)


@dataclass(frozen=True)
class SparseRows:
    """A sparse matrix, row after row. torch's own sparse kernels are slow (COO) or not on every machine (CSR)."""

    starts: Tensor  # of each row in the two below
    columns: Tensor
    values: Tensor
    width: int

    def __matmul__(self, dense_CR: Tensor) -> Tensor:
        return torch.nn.functional.embedding_bag(
            self.columns, dense_CR.contiguous(), self.starts, mode="sum", per_sample_weights=self.values
        )

    def transposed(self) -> SparseRows:
        """The same matrix, column after column."""
        height = len(self.starts)
        lengths = np.diff(self.starts.numpy(), append=len(self.values))
        rows = np.repeat(np.arange(height, dtype=np.int32), lengths)
        order = np.argsort(self.columns.numpy(), kind="stable").astype(np.int32)
        columns, values = self.columns.numpy()[order], self.values.numpy()[order]
        return sparse_rows(columns, rows[order], values, height=self.width, width=height)


def sparse_rows(rows: Integers, columns: Integers, values: Floats, *, height: int, width: int) -> SparseRows:
    """A sparse matrix [height, width] from entries in the order of their rows."""
    lengths = np.bincount(rows, minlength=height)
    starts = torch.from_numpy((np.cumsum(lengths) - lengths).astype(columns.dtype))
    return SparseRows(starts, torch.from_numpy(columns), torch.from_numpy(values), width)


def count_pairs(token_streams: Iterable[TokenStream], *, vocab_size: int, window: int) -> Pairs:
    """How often a token stands at most `window` before another; a pair at distance d weighs (window + 1 - d) / window.

    No pair crosses from one stream into the next.
    """
    keys: Integers = np.empty(0, dtype=np.int64)
    weights: Floats = np.empty(0, dtype=np.float32)
    tokens_V = np.zeros(vocab_size, dtype=np.int64)
    pending: list[tuple[Integers, Floats]] = []
    waiting = 0
    for tokens, streams in _chunks(token_streams):
        tokens_V += np.bincount(tokens, minlength=vocab_size)
        pending.append(_chunk_pairs(tokens, streams, vocab_size, window))
        waiting += len(pending[-1][0])
        if waiting > len(keys):  # merging only when the pile has doubled keeps the whole work at n log n
            keys, weights = _merge([(keys, weights), *pending])
            pending, waiting = [], 0
    keys, weights = _merge([(keys, weights), *pending])
    return Pairs(keys, weights, tokens_V)


def positive_pmi(pairs: Pairs) -> SparseRows:
    """max(0, log p(token, context) / p(token) p(context)) of shape [V, 2 V], contexts smoothed."""
    size = pairs.vocab_size
    left, right = (part.astype(np.int32) for part in np.divmod(pairs.keys, size))
    before_V, after_V = (
        np.bincount(part, weights=pairs.weights, minlength=size).astype(np.float64) for part in (left, right)
    )
    totals_V = before_V + after_V
    smoothed_C = np.concatenate([before_V, after_V]) ** CONTEXT_SMOOTHING  # a context's own total
    shares_C = smoothed_C / max(float(smoothed_C.sum()), 1e-30)
    halves = [
        _positive(rows, columns, pairs.weights, totals_V, shares_C)
        for rows, columns in ((left, right + np.int32(size)), (right, left))
    ]
    del left, right
    rows, columns, values = (np.concatenate(parts) for parts in zip(*halves, strict=True))
    del halves
    order = np.argsort(rows, kind="stable").astype(np.int32)
    return sparse_rows(rows[order], columns[order], values[order], height=size, width=2 * size)


def _positive(
    rows: Integers, columns: Integers, weights: Floats, totals_V: Doubles, shares_C: Doubles
) -> tuple[Integers, Integers, Floats]:
    """The entries above zero, a part at a time: there are tens of millions."""
    kept: list[tuple[Integers, Integers, Floats]] = []
    for start in range(0, max(1, len(rows)), CHUNK_PAIRS):
        part = slice(start, start + CHUNK_PAIRS)
        expected = totals_V[rows[part]] * shares_C[columns[part]]
        values = np.log(weights[part] / expected).astype(np.float32)
        above = values > 0
        kept.append((rows[part][above], columns[part][above], values[above]))
    found = [np.concatenate(parts) for parts in zip(*kept, strict=True)]
    return found[0], found[1], found[2]


def _chunks(streams: Iterable[TokenStream]) -> Iterator[tuple[Integers, Integers]]:
    """Ids of about CHUNK_TOKENS tokens and, for each, the number of its stream. Longer streams are cut."""
    parts: list[Integers] = []
    size = 0
    for stream in streams:
        ids = np.asarray(stream, dtype=np.int64)
        for start in range(0, len(ids), CHUNK_TOKENS):
            parts.append(ids[start : start + CHUNK_TOKENS])
            size += len(parts[-1])
            if size >= CHUNK_TOKENS:
                yield _joined(parts)
                parts, size = [], 0
    if parts:
        yield _joined(parts)


def _joined(parts: list[Integers]) -> tuple[Integers, Integers]:
    return np.concatenate(parts), np.repeat(np.arange(len(parts)), [len(part) for part in parts])


def _chunk_pairs(tokens: Integers, streams: Integers, vocab_size: int, window: int) -> tuple[Integers, Floats]:
    piles = []
    for distance in range(1, min(window, len(tokens) - 1) + 1):
        together = streams[:-distance] == streams[distance:]
        keys, counts = np.unique((tokens[:-distance] * vocab_size + tokens[distance:])[together], return_counts=True)
        piles.append((keys, (counts * ((window + 1 - distance) / window)).astype(np.float32)))
    return _merge(piles)


def _merge(piles: list[tuple[Integers, Floats]]) -> tuple[Integers, Floats]:
    """Piles of (keys, weights) as one, ascending, the weights of equal keys added up."""
    keys = np.concatenate([np.empty(0, dtype=np.int64), *(pile[0] for pile in piles)])
    weights = np.concatenate([np.empty(0, dtype=np.float32), *(pile[1] for pile in piles)])
    if not len(keys):
        return keys, weights
    order = np.argsort(keys, kind="stable")
    keys, weights = keys[order], weights[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]]))
    return keys[starts], np.add.reduceat(weights, starts)
