"""How duplicates are found: MinHash signatures of word shingles, banded (LSH), and containment of held-out text in
training text.

Two documents are near-duplicates if the Jaccard similarity of their sets of 5-word shingles, estimated by MinHash
(Broder 1997), reaches the threshold. Signatures that agree in a whole band of 4 values become candidates; candidates
are checked on the whole signature. A document that stands inside a longer one has a small Jaccard similarity:
`contained_share` finds it in held-out text, exactly.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mothertongue.corpus.shingle import Hashes, shingles, word_hashes

Signatures: TypeAlias = npt.NDArray[np.uint32]
Rows: TypeAlias = npt.NDArray[np.int64]

SHINGLE_WORDS = 5
CONTAINED_WORDS = 8
PERMUTATIONS = 128
# 32 bands of 4: a pair of similarity 0.7 becomes a candidate with probability 0.9998, one of 0.3 with 0.23
BAND_ROWS = 4
_NEIGHBOURS = 4
ROWS_IN_MEMORY = 1 << 20  # an index of more documents goes to disk, and is searched in parts
_ROWS_AT_ONCE = 1 << 14
_SEED = 20_26
_MIX = np.uint64(0x9E3779B97F4A7C15)
_SHIFT = np.uint64(29)


def sign(shingle_sets: Sequence[Hashes]) -> Signatures:
    """MinHash signatures, one row of PERMUTATIONS numbers per set of shingles."""
    from rensa import RMinHash

    flat = np.concatenate(shingle_sets) if shingle_sets else np.empty(0, dtype=np.uint64)
    offsets = np.cumsum([0, *map(len, shingle_sets)], dtype=np.uint64)
    rows = RMinHash.digest_matrix_from_flat_token_hashes(flat, offsets, PERMUTATIONS, _SEED).to_rows()
    return np.array(rows, dtype=np.uint32).reshape(len(shingle_sets), PERMUTATIONS)


def near_duplicates(signatures: Signatures, order: Rows, *, threshold: float, folder: Path | None = None) -> Rows:
    """For each row of `signatures` the row that it duplicates, directly or through others in between; its own index if
    none.

    `order` lists all rows by preference: of a group of duplicates the first in this order is the one kept. With more
    than a million rows the index of the bands is kept in a file in `folder`.
    """
    parents = np.arange(len(order))  # by rank in `order`
    with _band_keys(signatures, folder) as bands:
        for band in bands:
            for first, second in _candidates(np.asarray(band)[order]):
                different = _roots(parents, first) != _roots(parents, second)
                first, second = first[different], second[different]
                similar = _similarity(signatures, order[first], order[second]) >= threshold
                for one, other in zip(first[similar].tolist(), second[similar].tolist(), strict=True):
                    _join(parents, one, other)
    kept = np.empty_like(order)
    kept[order] = order[_roots(parents, np.arange(len(order)))]
    return kept


@contextmanager
def _band_keys(signatures: Signatures, folder: Path | None) -> Iterator[Hashes]:
    """One number for each band and row, in one pass over the signatures: in memory, or past a limit in a file."""
    shape = (PERMUTATIONS // BAND_ROWS, len(signatures))
    with ExitStack() as stack:
        if len(signatures) > ROWS_IN_MEMORY and folder is not None:
            file = stack.enter_context(tempfile.TemporaryFile(dir=folder, prefix="bands-"))
            keys: Hashes = np.memmap(file, dtype=np.uint64, mode="w+", shape=shape)
        else:
            keys = np.zeros(shape, dtype=np.uint64)
        for at in range(0, len(signatures), _ROWS_AT_ONCE):
            rows = signatures[at : at + _ROWS_AT_ONCE].astype(np.uint64)
            mixed = np.zeros((shape[0], len(rows)), dtype=np.uint64)
            for column in range(BAND_ROWS):
                mixed = mixed * _MIX + rows[:, column::BAND_ROWS].T
                mixed ^= mixed >> _SHIFT
            keys[:, at : at + _ROWS_AT_ONCE] = mixed
        yield keys


def _candidates(keys: Hashes) -> Iterator[tuple[Rows, Rows]]:
    """Pairs of rows with the same key, some keys at a time: each row with its nearest neighbours before it, and with
    the first of its group.
    """
    parts = len(keys) // ROWS_IN_MEMORY + 1
    share = keys % np.uint64(parts) if parts > 1 else None
    for part in range(parts):
        rows = np.arange(len(keys)) if share is None else np.flatnonzero(share == part)
        yield from _same_keys(keys[rows], rows)


def _same_keys(keys: Hashes, rows: Rows) -> Iterator[tuple[Rows, Rows]]:
    order = np.argsort(keys, kind="stable")
    keys, rows = keys[order], rows[order]
    starts = np.flatnonzero(np.r_[True, keys[1:] != keys[:-1]]) if len(keys) else np.empty(0, dtype=np.int64)
    heads = np.repeat(starts, np.diff(np.r_[starts, len(keys)]))
    inside = np.flatnonzero(heads != np.arange(len(keys)))
    yield rows[heads[inside]], rows[inside]
    for back in range(1, _NEIGHBOURS):
        same = np.flatnonzero(keys[back:] == keys[:-back])
        yield rows[same], rows[same + back]


def _similarity(signatures: Signatures, first: Rows, second: Rows) -> npt.NDArray[np.float64]:
    result = np.empty(len(first), dtype=np.float64)
    for at in range(0, len(first), 4096):  # in parts: the signatures may be larger than memory
        part = slice(at, at + 4096)
        result[part] = (signatures[first[part]] == signatures[second[part]]).mean(axis=1)
    return result


def _roots(parents: Rows, rows: Rows) -> Rows:
    roots = parents[rows]
    while not np.array_equal(higher := parents[roots], roots):
        roots = higher
    return roots


def _join(parents: Rows, one: int, other: int) -> None:
    while parents[one] != one:
        one = int(parents[one])
    while parents[other] != other:
        other = int(parents[other])
    parents[max(one, other)] = min(one, other)


class Containment:
    """How much of each held-out document stands word for word in training text, which is shown to it piece by piece."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._sets = [np.unique(shingles(word_hashes(text), CONTAINED_WORDS)) for text in texts]
        self._all = np.unique(np.concatenate(self._sets)) if self._sets else np.empty(0, dtype=np.uint64)
        self._seen = np.zeros(len(self._all), dtype=bool)

    def see(self, text: str) -> None:
        """One document of the training side."""
        if len(self._all):
            found = shingles(word_hashes(text), CONTAINED_WORDS)
            at = np.minimum(np.searchsorted(self._all, found), len(self._all) - 1)
            self._seen[at[self._all[at] == found]] = True

    def shares(self) -> list[float]:
        """For each held-out text the share of its 8-word shingles that were seen, 0-1."""
        return [float(self._seen[np.searchsorted(self._all, own)].mean()) if len(own) else 0.0 for own in self._sets]
