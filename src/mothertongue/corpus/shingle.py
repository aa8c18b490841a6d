"""Words and runs of words as numbers, for many texts at once: what duplicates are found by.

No word is ever a Python object. A text becomes an array of code points; a table gives each letter, in either case, a
random number and every other character 0; the hash of a word is a polynomial over its letters modulo 2^64, taken from
one running sum (a rolling hash, Karp and Rabin 1987) and mixed at the end. That is several times faster than a regex.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mothertongue.corpus import tally

Hashes: TypeAlias = npt.NDArray[np.uint64]

_PLANE = 1 << 16
_IDEOGRAPHS = range(0x20000, 0x32400)  # planes 2 and 3, letters all
PIECE = 1 << 18  # characters hashed at once: what is worked on stays in the processor's cache
_BASE = 0x9E3779B97F4A7C15  # odd, so that it has an inverse modulo 2^64
_MIX = np.uint64(_BASE)
_SECOND = np.uint64(0xBF58476D1CE4E5B9)
_SHIFT = np.uint64(29)
_LATE = np.uint64(32)
_WORD = re.compile(r"\w+")


def word_hashes(text: str) -> Hashes:
    """One number per word of `text`, without regard to case and punctuation."""
    pieces = [_hash(piece)[0] for piece in _pieces(text)]
    return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)


def counted(text: str) -> tuple[Hashes, npt.NDArray[np.int32] | None, int]:
    """By tally.py: `word_hashes(text)`, how often each code point stands there (None if one is beyond the first plane),
    and len(text.split()).
    """
    counts = np.zeros(_PLANE if not text.isascii() else 1 << 7, dtype=np.int32)
    words, total, beyond, cut = list[Hashes](), 0, 0, " "
    for piece in _pieces(text):
        own = np.empty(len(piece) // 2 + 1, dtype=np.uint64)
        number, pieces, uncounted = tally.tally(piece, _letters(), counts, own, _BASE, int(_SECOND), (1 << 64) - 1)
        words.append(own[:number])
        total += pieces - (not (cut.isspace() or piece[:1].isspace()))
        beyond += uncounted
        cut = piece[-1:]
    return (words[0] if len(words) == 1 else np.concatenate(words)), None if beyond else counts, total


def shingles(words: Hashes, width: int) -> Hashes:
    """One number per run of `width` words; a text with fewer words is one shingle."""
    width = max(1, min(width, len(words)))
    length = len(words) - width + 1
    result = np.full(max(length, 0), width, dtype=np.uint64)
    for offset in range(width if length > 0 else 0):
        result = result * _MIX + words[offset : offset + length]
        result ^= result >> _SHIFT
    return result


def shingle_sets(texts: Sequence[str], width: int) -> list[Hashes]:
    """`shingles(word_hashes(text), width)` of each text, hashed together where they are short."""
    result, batch, size = list[Hashes](), list[str](), 0
    for text in texts:
        if size + len(text) > PIECE and batch:
            result += _together(batch, width)
            batch, size = [], 0
        batch.append(text)
        size += len(text) + 1
    return result + (_together(batch, width) if batch else [])


def _together(texts: list[str], width: int) -> list[Hashes]:
    if len(texts) == 1:
        return [shingles(word_hashes(texts[0]), width)]
    words, starts = _hash("\n".join(texts))
    ends = np.searchsorted(starts, np.cumsum([len(text) + 1 for text in texts])).tolist()
    runs = shingles(words, width)
    sets, begin = list[Hashes](), 0
    for end in ends:
        whole = end - begin >= width and len(words) >= width
        sets.append(runs[begin : end - width + 1] if whole else shingles(words[begin:end], width))
        begin = end
    return sets


def _pieces(text: str) -> Iterator[str]:
    """`text` in pieces that end between words, or anywhere if no white space comes for long."""
    begin = 0
    while len(text) - begin > PIECE:
        end = max(text.rfind(" ", begin, begin + PIECE), text.rfind("\n", begin, begin + PIECE))
        end = end if end > begin else begin + PIECE
        yield text[begin:end]
        begin = end
    yield text[begin:] if begin else text


def _hash(text: str) -> tuple[Hashes, npt.NDArray[np.int64]]:
    """The hash of each word and where it starts."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    letters = _letters()[points]
    inside = np.empty(len(points) + 2, dtype=np.bool_)
    inside[0] = inside[-1] = False
    np.not_equal(letters, 0, out=inside[1:-1])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    starts, ends = edges[::2], edges[1::2]
    factors, inverses = powers(max(PIECE, len(points)))
    letters *= factors[: len(letters)]
    sums = np.empty(len(letters) + 1, dtype=np.uint64)
    sums[0] = 0
    np.cumsum(letters, out=sums[1:])
    return mixed((sums[ends] - sums[starts]) * inverses[starts]), starts


def mixed(numbers: Hashes) -> Hashes:
    """Each number with all of its bits stirred, in place."""
    numbers ^= numbers >> _LATE
    numbers *= _SECOND
    numbers ^= numbers >> _SHIFT
    return numbers


@cache
def _letters() -> Hashes:
    """Code point -> a number for its small letter, 0 if it is in no word."""
    numbers = np.zeros(_IDEOGRAPHS.stop, dtype=np.uint64)
    numbers[_IDEOGRAPHS.start :] = np.arange(_IDEOGRAPHS.start, _IDEOGRAPHS.stop)
    everything = np.arange(_IDEOGRAPHS.start, dtype="<u4").tobytes().decode("utf-32-le", "surrogatepass")
    for run in _WORD.finditer(everything):
        numbers[run.start() : run.end()] = np.arange(run.start(), run.end())
    plane = everything[:_PLANE]  # case and marks beyond it are too rare to matter
    # all at once: but for these two, a small letter is one letter and does not depend on its neighbours
    small = plane.replace("\u0130", "i").replace("\u03a3", "\u03c3").lower()
    is_letter = numbers[:_PLANE] != 0
    numbers[:_PLANE][is_letter] = np.frombuffer(small.encode("utf-32-le", "surrogatepass"), dtype="<u4")[is_letter]
    marks = [point for point in np.flatnonzero(~is_letter).tolist() if unicodedata.category(plane[point])[0] == "M"]
    numbers[marks] = marks
    known = numbers != 0
    numbers *= _MIX
    numbers ^= numbers >> _SHIFT
    numbers *= _SECOND
    numbers ^= numbers >> _LATE
    numbers[known & (numbers == 0)] = 1
    table = np.zeros(sys.maxunicode + 1, dtype=np.uint64)
    table[: len(numbers)] = numbers
    return table


@cache
def powers(length: int) -> tuple[Hashes, Hashes]:
    """Powers of the base, and of its inverse, modulo 2^64."""
    result = []
    for base in (_BASE, pow(_BASE, -1, 1 << 64)):
        ones = np.full(length, base, dtype=np.uint64)
        ones[0] = 1
        result.append(np.multiply.accumulate(ones))
    return result[0], result[1]
