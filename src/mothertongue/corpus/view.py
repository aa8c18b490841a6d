"""A text seen once and asked by every rule: how often each character stands in it, its lines, words and runs of words.

Rules ask for few of these, and most of them only to be sure that a text is far from a threshold; each is made when it
is first asked for and kept as long as the text is judged.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from functools import cache, cached_property
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mothertongue.corpus import tally
from mothertongue.corpus.shingle import PIECE, Hashes, counted, shingles, word_hashes

Points: TypeAlias = npt.NDArray[np.uint32]

RUN_WORDS = 5
_PLANE = 1 << 16
_FEW = 500  # characters that are counted one by one as quickly
COMPILED = not str(tally.__file__).endswith(".py")


class View:
    """What rules want to know of `text`."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def points(self) -> Points:
        """The code point of each character."""
        return np.frombuffer(self.text.encode("utf-32-le", "surrogatepass"), dtype="<u4")

    @cached_property
    def counts(self) -> Mapping[str, int]:
        """How often each character stands there; those that do not are missing."""
        if self._is_short:
            return Counter(self.text)
        if COMPILED:
            return _known(self._counted[1]) if self._counted[1] is not None else Counter(self.text)
        if self.points.max() >= _PLANE:
            return Counter(self.text)
        total = np.bincount(self.points[:PIECE], minlength=_PLANE)
        for at in range(PIECE, len(self.points), PIECE):
            total += np.bincount(self.points[at : at + PIECE], minlength=_PLANE)
        return _known(total)

    @property
    def _is_short(self) -> bool:
        return len(self.text) < _FEW

    @cached_property
    def _counted(self) -> tuple[Hashes, npt.NDArray[np.int32] | None, int]:
        return counted(self.text)

    def count(self, characters: Iterable[str]) -> int:
        """How many characters of the text are one of these."""
        return sum(self.counts.get(character, 0) for character in characters)

    @cached_property
    def lines(self) -> list[str]:
        """The lines with something in them."""
        return [line for line in self.text.split("\n") if line]

    @cached_property
    def pieces(self) -> int:
        """How many pieces there are between white space: len(text.split())."""
        if self._is_short:
            return len(self.text.split())
        if COMPILED:
            return self._counted[2]
        space = _spaces()[self.points]
        return int(np.count_nonzero(space[:-1] & ~space[1:])) + int(len(space) > 0 and not space[0])

    @cached_property
    def words(self) -> Hashes:
        """A number for each word."""
        return self._counted[0] if COMPILED else word_hashes(self.text)

    @cached_property
    def runs(self) -> Hashes:
        """A number for each run of RUN_WORDS words; a text of fewer is one run."""
        return shingles(self.words, RUN_WORDS)

    @cached_property
    def most_of_a_word(self) -> int:
        """At least as many as the most frequent word, as split() gives words, stands there without regard to case."""
        often = int(np.bincount((self.words >> np.uint64(52)).astype(np.intp), minlength=1).max())
        signs = (count for sign, count in self.counts.items() if not (sign.isalnum() or sign.isspace()))
        surely = max(self.counts) < chr(_PLANE) and "Σ" not in self.counts  # whose small letters are not all known
        return max(often + len(self.text) // PIECE, max(signs, default=0)) if surely else len(self.text)

    @cached_property
    def most_repeated_runs(self) -> int:
        """At least as many as there are runs that stand earlier in the text."""
        bits = max(10, (16 * len(self.runs)).bit_length())
        there = np.zeros(1 << bits, dtype=np.bool_)
        there[(self.runs * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - bits)] = True
        return len(self.runs) - int(np.count_nonzero(there))


def _known(counts: npt.NDArray[np.signedinteger[Any]]) -> dict[str, int]:
    known = np.flatnonzero(counts)
    return dict(zip(map(chr, known.tolist()), counts[known].tolist(), strict=True))


def view(text: str | View) -> View:
    """The view of a text; a view itself stays as it is."""
    return View(text) if isinstance(text, str) else text


@cache
def _spaces() -> npt.NDArray[np.bool_]:
    table = np.zeros(0x110000, dtype=np.bool_)
    table[[point for point in range(0x3001) if chr(point).isspace()]] = True
    return table
