"""What a token means by the company it keeps: static vectors computed from a stream of tokens, in seconds, on one core.

Windowed co-occurrence counts, weighted by distance and turned into positive pointwise mutual information (PPMI), then a
truncated singular value decomposition by a randomized range finder. That is what word2vec factorises implicitly
(Levy and Goldberg 2014) and, for the few million tokens a small language has, it is better and needs no training
(Levy, Goldberg and Dagan 2015, TACL 3).

    vectors_VD = static_vectors(streams, vocab_size=8192)      # streams: token ids, one array per document
"""

# Axes: V vocabulary, D dimensions, R dimensions plus oversampling

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from mothertongue.errors import CheckpointError

STATIC_VECTORS_FILE = "static_vectors.safetensors"
CHUNK_TOKENS = 1_000_000
"""Tokens counted at once: a chunk of a million tokens and a window of 5 needs about 0.1 GB."""

CONTEXT_SMOOTHING = 0.75
"""Exponent of the context frequencies (Levy et al. 2015, section 3.1): keeps rare contexts from winning every PMI."""

TokenStream = Sequence[int] | npt.NDArray[np.integer]
Integers = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Cooccurrence:
    """Sparse symmetric counts: `keys` are row * V + column in ascending order, `counts` the weights, none of them zero."""

    keys: Integers
    counts: Floats
    vocab_size: int


@dataclass(frozen=True)
class SparseRows:
    """A square sparse matrix, row after row. torch's own sparse kernels are slow (COO) or not everywhere (CSR)."""

    starts_V: Tensor
    columns: Tensor
    values: Tensor

    @staticmethod
    def build(rows: Integers, columns: Integers, values: Floats, size: int) -> SparseRows:
        """From entries sorted by row."""
        starts = np.cumsum(np.bincount(rows, minlength=size)) - np.bincount(rows, minlength=size)
        return SparseRows(torch.from_numpy(starts), torch.from_numpy(columns), torch.from_numpy(values))

    def transposed(self) -> SparseRows:
        """The same matrix, column after column."""
        size = len(self.starts_V)
        rows = np.repeat(np.arange(size), np.diff(self.starts_V.numpy(), append=len(self.values)))
        order = np.argsort(self.columns.numpy(), kind="stable")
        return SparseRows.build(self.columns.numpy()[order], rows[order], self.values.numpy()[order], size)

    def __matmul__(self, dense_VR: Tensor) -> Tensor:
        return torch.nn.functional.embedding_bag(
            self.columns, dense_VR.contiguous(), self.starts_V, mode="sum", per_sample_weights=self.values
        )


@dataclass(frozen=True)
class StaticVectors:
    """Vectors whose rows follow a vocabulary, and the window they were counted with; an unknown token's row is zero."""

    vectors_VD: Tensor
    window: int


def static_vectors(
    token_streams: Iterable[TokenStream],
    vocab_size: int,
    dimensions: int = 64,
    window: int = 5,
    *,
    least_count: int = 5,
    seed: int = 0,
) -> Tensor:
    """Unit vectors of the tokens, float32 of shape [vocab_size, dimensions]; the same for the same streams and seed.

    `token_streams` gives the ids of one document after another; no window crosses from one into the next. A token seen
    fewer than `least_count` times gets a zero row: it is unknown rather than noise.

    >>> static_vectors([[0, 1, 0, 1, 2]] * 9, vocab_size=4, dimensions=2).shape
    torch.Size([4, 2])
    """
    counts_V = np.zeros(vocab_size, dtype=np.int64)
    pairs = count_cooccurrences(_counted(token_streams, counts_V), vocab_size, window)
    matrix_VV = positive_pmi(pairs)
    vectors_VD = _truncated_svd(matrix_VV, dimensions, seed=seed)
    vectors_VD[torch.from_numpy(counts_V < least_count)] = 0.0
    return torch.nn.functional.normalize(vectors_VD, dim=1)


def count_cooccurrences(token_streams: Iterable[TokenStream], vocab_size: int, window: int) -> Cooccurrence:
    """How often two tokens stand within `window` of each other, a pair at distance d counting (window + 1 - d) / window."""
    keys, counts = np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    pending: list[tuple[Integers, Floats]] = []
    waiting = 0
    for tokens, documents in _chunks(token_streams):
        pending.append(_chunk_pairs(tokens, documents, vocab_size, window))
        waiting += len(pending[-1][0])
        if waiting > len(keys):  # merging only when the pile has doubled keeps the whole work at n log n
            keys, counts = _merge([(keys, counts), *pending])
            pending, waiting = [], 0
    keys, counts = _merge([(keys, counts), *pending])
    mirrored = keys % vocab_size * vocab_size + keys // vocab_size
    keys, counts = _merge([(keys, counts), (mirrored, counts)])
    return Cooccurrence(keys=keys, counts=counts, vocab_size=vocab_size)


def positive_pmi(pairs: Cooccurrence) -> SparseRows:
    """max(0, log p(a, b) / p(a) p(b)) with smoothed context frequencies, as sparse rows [V, V]."""
    size = pairs.vocab_size
    rows, columns = pairs.keys // size, pairs.keys % size
    totals_V = np.bincount(rows, weights=pairs.counts, minlength=size)
    smoothed_V = totals_V**CONTEXT_SMOOTHING
    context_V = smoothed_V / max(smoothed_V.sum(), 1e-12)
    pmi = np.log(pairs.counts / np.maximum(totals_V[rows] * context_V[columns], 1e-30)).astype(np.float32)
    kept = pmi > 0
    return SparseRows.build(rows[kept], columns[kept], pmi[kept], size)


def save_static_vectors(vectors: StaticVectors, folder: Path) -> Path:
    """Write static_vectors.safetensors (fp16: 8,192 tokens in 64 dimensions take 1.0 MB) beside a checkpoint's weights."""
    from safetensors.torch import save_file

    file = Path(folder) / STATIC_VECTORS_FILE
    tensors = {"vectors": vectors.vectors_VD.to(torch.float16).contiguous()}
    save_file(tensors, file, metadata={"window": str(vectors.window)})
    return file


def read_static_vectors(folder: Path, *, vocab_size: int) -> StaticVectors | None:
    """The vectors shipped in a checkpoint's folder, or None if it has none; they must have a row for each of its tokens."""
    from safetensors import SafetensorError, safe_open

    file = Path(folder) / STATIC_VECTORS_FILE
    if not file.is_file():
        return None
    try:
        with safe_open(file, framework="pt") as opened:
            vectors_VD, window = opened.get_tensor("vectors").float(), int((opened.metadata() or {})["window"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(f"{file} cannot be read: {error}. Delete it and name the source language's text instead.") from error
    if vectors_VD.ndim != 2 or vectors_VD.shape[0] != vocab_size:
        raise CheckpointError(
            f"{file} has the shape {list(vectors_VD.shape)}, but the tokenizer beside it has {vocab_size} tokens. "
            "They come from different runs: delete the file and name the source language's text instead."
        )
    return StaticVectors(torch.nn.functional.normalize(vectors_VD, dim=1), window)


def _counted(streams: Iterable[TokenStream], counts_V: Integers) -> Iterator[TokenStream]:
    for stream in streams:
        counts_V += np.bincount(np.asarray(stream, dtype=np.int64), minlength=len(counts_V))
        yield stream


def _chunks(streams: Iterable[TokenStream]) -> Iterator[tuple[Integers, Integers]]:
    """Ids of about CHUNK_TOKENS tokens and, for each, the number of its document. Longer documents are cut."""
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


def _chunk_pairs(tokens: Integers, documents: Integers, vocab_size: int, window: int) -> tuple[Integers, Floats]:
    """Ordered pairs (left, right) of one chunk with their weights, each pair once."""
    collected = []
    for distance in range(1, min(window, len(tokens) - 1) + 1):
        same = documents[:-distance] == documents[distance:]
        keys, counts = np.unique((tokens[:-distance] * vocab_size + tokens[distance:])[same], return_counts=True)
        collected.append((keys, (counts * ((window + 1 - distance) / window)).astype(np.float32)))
    return _merge(collected)


def _merge(piles: list[tuple[Integers, Floats]]) -> tuple[Integers, Floats]:
    """Piles of (keys, counts) as one, ascending, equal keys added up."""
    if not piles:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.float32)
    keys = np.concatenate([pile[0] for pile in piles])
    counts = np.concatenate([pile[1] for pile in piles])
    order = np.argsort(keys, kind="stable")
    keys, counts = keys[order], counts[order]
    starts = np.flatnonzero(np.concatenate([[True], keys[1:] != keys[:-1]])[: len(keys)])
    return keys[starts], np.add.reduceat(counts, starts) if len(starts) else counts


def _truncated_svd(matrix_VV: SparseRows, dimensions: int, *, seed: int, iterations: int = 3, oversampling: int = 10) -> Tensor:
    """Left singular vectors times the root of the singular values, [V, D] (Halko, Martinsson and Tropp 2011, algorithm 4.4).

    Missing dimensions (fewer tokens than `dimensions`) are zero.
    """
    size = len(matrix_VV.starts_V)
    width = min(size, dimensions + oversampling)
    generator = torch.Generator().manual_seed(seed)
    transposed_VV = matrix_VV.transposed()
    basis_VR = matrix_VV @ torch.randn(size, width, generator=generator)
    for _ in range(iterations):
        basis_VR = torch.linalg.qr(matrix_VV @ torch.linalg.qr(transposed_VV @ torch.linalg.qr(basis_VR).Q).Q).Q
    left_RR, values_R, _ = torch.linalg.svd((transposed_VV @ basis_VR).T, full_matrices=False)
    vectors = (basis_VR @ left_RR * values_R.sqrt())[:, :dimensions]
    return torch.nn.functional.pad(vectors, (0, dimensions - vectors.shape[1]))
