"""A text as words and punctuation marks, all at once in arrays: where each begins and ends, and a number for it.

Made like the tokens of spaCy's rules, which datatrove counts: a word is a run of letters and digits, `3.5`,
`idnes.cz` and web addresses stay whole, every punctuation mark stands alone, but `...` and `--` are one. Case counts.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mothertongue.corpus.shingle import PIECE, Hashes, mixed, powers

Places: TypeAlias = npt.NDArray[np.int64]
Flags: TypeAlias = npt.NDArray[np.bool_]

_SPACE, _WORD, _LETTER, _UPPER, _DIGIT, _MARK, _INNER, _RUNS = 1, 2, 4, 8, 16, 32, 64, 128
_PLANES = 1 << 17
_ADDRESS = re.compile(r"[a-z]{2,9}://[^\s<>\"“”»)\]]{1,2000}(?<![.,;:!?'])")
_INSIDE = frozenset(".,/:='’@&\\|*({}$#%+~^")  # signs that belong to a word if one stands on either side
_TOGETHER = frozenset(".-=~|^")  # a run of one of these is a single token
# what datatrove's Gopher filter takes for punctuation, beyond what Unicode says of it
_MARKS = frozenset("!/—”:％１〈&(、━\\【#%「」，】；+^]~“《„';’{|∶´[=-`*．（–？！：$～«〉,><》)?）。…@_.\"}►»")


@dataclass(frozen=True)
class Tokens:
    """The tokens of one text, in order."""

    starts: Places
    ends: Places
    hashes: Hashes
    is_word: Flags  # False: a punctuation mark or sign
    has_letter: Flags
    is_symbol: Flags  # punctuation in the sense of datatrove

    def __len__(self) -> int:
        return len(self.starts)


def tokens(text: str) -> Tokens:
    """The tokens of `text`."""
    points = np.frombuffer(text.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    kinds = _kinds()[np.minimum(points, _PLANES - 1)]
    _join_inside(points, kinds)
    for address in _ADDRESS.finditer(text) if "://" in text else ():
        kinds[address.start() : address.end()] = _WORD | _LETTER
    word = np.zeros(len(points) + 2, dtype=np.bool_)
    np.not_equal(kinds & _WORD, 0, out=word[1:-1])
    begins = word[1:-1] & ~word[:-2]
    marks = (kinds & (_WORD | _SPACE)) == 0
    if len(points):
        marks[1:] &= (points[1:] != points[:-1]) | ((kinds[1:] & _RUNS) == 0)
    starts = np.flatnonzero(begins | marks)
    is_word = begins[starts]
    ends = starts + 1
    ends[is_word] = np.flatnonzero(word[:-1] & ~word[1:])
    letters = np.zeros(len(points) + 1, dtype=np.int64)
    np.cumsum((kinds & _LETTER) != 0, out=letters[1:])
    has_letter = letters[ends] > letters[starts]
    is_symbol = ~is_word & ((kinds[starts] & _MARK) != 0)
    return Tokens(starts, ends, _hashes(points, starts, ends), is_word, has_letter, is_symbol)


def token_hash(word: str) -> int:
    """The number that `tokens` gives to a word."""
    points = np.frombuffer(word.encode("utf-32-le", "surrogatepass"), dtype="<u4")
    return int(_hashes(points, np.array([0]), np.array([len(points)]))[0])


def _join_inside(points: npt.NDArray[np.uint32], kinds: npt.NDArray[np.uint8]) -> None:
    """Dots and commas in numbers, dots in addresses, apostrophes in words, signs like those of C# belong to them."""
    at = np.flatnonzero(kinds[1:-1] & _INNER) + 1
    before, after, mark = kinds[at - 1], kinds[at + 1], points[at]
    both = before & after
    digits = (mark == 44) | (mark == 47) | (mark == 58) | (mark == 61)  # , / : =
    inside = np.where(digits, after & before & _DIGIT, both & _WORD) != 0
    inside &= (mark != 46) | ((after & _UPPER) == 0) | ((before & _UPPER) != 0)
    kinds[at[inside]] = _WORD


def _hashes(points: npt.NDArray[np.uint32], starts: Places, ends: Places) -> Hashes:
    # a word across the border of two pieces gets a number of its own: one in 260,000 characters
    factors, inverses = powers(PIECE)
    values = points.astype(np.uint64)
    for at in range(0, len(values), PIECE):
        piece = values[at : at + PIECE]
        piece *= factors[: len(piece)]
    sums = np.zeros(len(values) + 1, dtype=np.uint64)
    np.cumsum(values, out=sums[1:])
    return mixed((sums[ends] - sums[starts]) * inverses[starts & (PIECE - 1)])


@cache
def _kinds() -> npt.NDArray[np.uint8]:
    """Code point -> what it is, as bits."""
    return np.array([_kind(chr(point)) for point in range(_PLANES)], dtype=np.uint8)


def _kind(character: str) -> int:
    if character.isspace():
        return _SPACE
    category = unicodedata.category(character)
    kind = _WORD if category[0] in "LMN" or character == "_" else 0
    kind |= _LETTER if category[0] == "L" else _DIGIT if category == "Nd" else 0
    kind |= _UPPER if category in ("Lu", "Lt") else 0
    foreign = category == "Po" and character > "\u0500"
    kind |= _MARK if character in _MARKS or category == "Cc" or foreign else 0
    return kind | (_INNER if character in _INSIDE else 0) | (_RUNS if character in _TOGETHER else 0)
