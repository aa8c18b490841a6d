"""What a token means by the company it keeps: static vectors of a token stream, in seconds and without training.

A truncated singular value decomposition of the positive pointwise mutual information, which is what word2vec factorises
implicitly (Levy and Goldberg 2014) and, for the few million tokens that a small language has, is no worse
(Levy, Goldberg and Dagan 2015, TACL 3). A base model ships them, so that its users need no text of its language:

    save_static_vectors(count_vectors(streams, vocab_size=8192), folder)      # 8,192 x 64 in fp16: 1.0 MB
"""

# Axes: V vocabulary, C contexts, D dimensions, R dimensions plus oversampling

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mothertongue.errors import CheckpointError
from mothertongue.transfer.config import MOST_WINDOW
from mothertongue.transfer.cooccurrence import SparseRows, TokenStream, count_pairs, positive_pmi

STATIC_VECTORS_FILE = "static_vectors.safetensors"
LEAST_COUNT = 5  # a token seen fewer times is noise


@dataclass(frozen=True)
class StaticVectors:
    """Unit vectors whose rows follow a vocabulary; a token that is too rare to be known has a zero row."""

    vectors: Tensor  # [V, D]
    counts: Tensor  # [V], how often each token occurred, float
    window: int  # tokens on each side that were counted


def static_vectors(
    token_streams: Iterable[TokenStream], vocab_size: int, dimensions: int = 64, window: int = 2
) -> Tensor:
    """Unit vectors [vocab_size, dimensions] of the tokens in `token_streams`; see `count_vectors`.

    >>> static_vectors([[0, 1, 0, 1, 2]] * 9, vocab_size=4, dimensions=2).shape
    torch.Size([4, 2])
    """
    return count_vectors(token_streams, vocab_size=vocab_size, dimensions=dimensions, window=window).vectors


def count_vectors(
    token_streams: Iterable[TokenStream], *, vocab_size: int, dimensions: int = 64, window: int = 2, seed: int = 0
) -> StaticVectors:
    """Static vectors and token counts; the same for the same streams and seed.

    `token_streams` gives the ids of one document after another; no window crosses from one into the next. A token seen
    fewer than LEAST_COUNT times gets a zero row.
    """
    pairs = count_pairs(token_streams, vocab_size=vocab_size, window=window)
    vectors_VD = truncated_svd(positive_pmi(pairs), dimensions, seed=seed)
    counts_V = torch.from_numpy(pairs.tokens).float()
    vectors_VD[counts_V < LEAST_COUNT] = 0.0
    return StaticVectors(torch.nn.functional.normalize(vectors_VD, dim=1), counts_V, window)


def truncated_svd(
    matrix_VC: SparseRows, dimensions: int, *, seed: int = 0, iterations: int = 3, oversampling: int = 10
) -> Tensor:
    """Left singular vectors times the root of the singular values, [V, dimensions].

    A randomized range finder with subspace iterations (Halko, Martinsson and Tropp 2011, algorithms 4.4 and 5.1).
    Dimensions that the matrix does not have are zero.
    """
    width = min(matrix_VC.width, len(matrix_VC.starts), dimensions + oversampling)
    transposed_CV = matrix_VC.transposed()
    start_CR = torch.randn(matrix_VC.width, width, generator=torch.Generator().manual_seed(seed))
    basis_VR = _orthonormal(matrix_VC @ start_CR)
    for _ in range(iterations):
        basis_VR = _orthonormal(matrix_VC @ _orthonormal(transposed_CV @ basis_VR))
    left_RR, values_R, _ = torch.linalg.svd((transposed_CV @ basis_VR).T, full_matrices=False)
    vectors_VD = (basis_VR @ left_RR * values_R.sqrt())[:, :dimensions]
    return torch.nn.functional.pad(vectors_VD, (0, dimensions - vectors_VD.shape[1]))


def _orthonormal(matrix_VR: Tensor) -> Tensor:
    basis_VR: Tensor = torch.linalg.qr(matrix_VR).Q
    return basis_VR


def save_static_vectors(vectors: StaticVectors, folder: Path) -> Path:
    """Write static_vectors.safetensors (vectors in fp16) into a checkpoint's folder."""
    file = Path(folder) / STATIC_VECTORS_FILE
    tensors = {"vectors": vectors.vectors.half().contiguous(), "counts": vectors.counts.float().contiguous()}
    save_file(tensors, file, metadata={"window": str(vectors.window)})
    return file


def read_static_vectors(folder: Path, *, vocab_size: int) -> StaticVectors | None:
    """The vectors that a checkpoint ships, or None; CheckpointError unless they have a row for each of its tokens."""
    file = Path(folder) / STATIC_VECTORS_FILE
    if not file.is_file():
        return None
    try:
        with safe_open(file, framework="pt") as opened:
            vectors_VD, counts_V = opened.get_tensor("vectors").float(), opened.get_tensor("counts").float()
            window = int((opened.metadata() or {})["window"])
    except (SafetensorError, OSError, KeyError, ValueError) as error:
        raise CheckpointError(
            f"{file} cannot be read: {error}. Delete it, and name text of the model's own language with source_text."
        ) from error
    if vectors_VD.ndim != 2 or not len(vectors_VD) == len(counts_V) == vocab_size:
        raise CheckpointError(
            f"{file} has vectors for {len(vectors_VD)} tokens, but the tokenizer beside it has {vocab_size}. They come "
            "from different runs: delete the file, and name text of the model's own language with source_text."
        )
    numbers = all(bool(part.isfinite().all()) for part in (vectors_VD, counts_V)) and bool((counts_V >= 0).all())
    if not (numbers and counts_V.ndim == 1 and 1 <= window <= MOST_WINDOW):
        raise CheckpointError(
            f"{file} has no vectors that can be used (a window of {window} tokens, counts of shape "
            f"{list(counts_V.shape)}{'' if numbers else ', values that are no numbers'}). Delete it, and name text of "
            "the model's own language with source_text."
        )
    return StaticVectors(torch.nn.functional.normalize(vectors_VD, dim=1), counts_V, window)
