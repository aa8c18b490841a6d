"""The vocabulary as a table: all tokens that begin with given bytes are one slice of a sorted list, found by bisection.

Sorted bytes are a trie that is laid flat: 50,000 tokens take 30 ms to sort, once, and a question a few microseconds.
"""

# Axes: V vocabulary

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from enum import IntEnum
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

Ids = NDArray[np.int64]


class Kind(IntEnum):
    """What the first character of some bytes is, where a whole character stood before them."""

    END = 0  # no bytes at all: a special token
    SPACE = 1
    LETTER = 2  # letters, digits and combining marks of any script, and the sign that parts letters in Persian words
    SYMBOL = 3
    TORN = 4  # the beginning of a character that is not whole yet
    INNER = 5  # the rest of a character
    NEVER = 6  # bytes that are in no text


NON_JOINER = "\u200c"  # U+200D would be one as well in scripts of India, but joins emoji, which are symbols


@lru_cache(maxsize=1 << 15)
def kind_of(char: str) -> Kind:
    """Whether a character is white space, part of a word, or a symbol."""
    if char.isspace():
        return Kind.SPACE
    return Kind.LETTER if unicodedata.category(char)[0] in "LNM" or char == NON_JOINER else Kind.SYMBOL


def kind_of_bytes(data: bytes) -> Kind:
    """The kind of the first character of `data`.

    >>> [kind_of_bytes(data).name for data in (b" a", "ж,".encode(), b"\\xd0", b"\\xb6", b"")]
    ['SPACE', 'LETTER', 'TORN', 'INNER', 'END']
    """
    if not data:
        return Kind.END
    if data[0] & 0xC0 == 0x80:
        return Kind.INNER
    text, torn = whole_letters(data[:4])  # the first character; the last of four bytes may be torn
    if text:
        return kind_of(text[0])
    return Kind.TORN if torn else Kind.NEVER


@lru_cache(maxsize=4096)
def torn_kind(torn: bytes) -> Kind | None:
    """The kind of every character that begins with the bytes `torn`; None if there are several kinds, or very many.

    >>> torn_kind(b"\xd0"), torn_kind(b"\xe2\x80")
    (<Kind.LETTER: 2>, None)
    """
    length = 2 if torn[0] < 0xE0 else 3 if torn[0] < 0xF0 else 4
    missing = length - len(torn)
    if missing > 2:
        return None
    ends = [bytes(end) for end in product(range(0x80, 0xC0), repeat=missing)]
    kinds = {kind_of(char) for end in ends if (char := (torn + end).decode("utf-8", errors="ignore"))}
    return kinds.pop() if len(kinds) == 1 else None


def whole_letters(data: bytes) -> tuple[str | None, bytes]:
    """The text at the beginning of `data` and the torn character at its end; None if it can never become text."""
    try:
        return data.decode("utf-8"), b""
    except UnicodeDecodeError as error:
        if error.reason == "unexpected end of data":
            return data[: error.start].decode("utf-8"), data[error.start :]
        return None, b""


class TokenTable:
    """For each token of a vocabulary its bytes and the kind of its first character."""

    def __init__(self, vocabulary: dict[int, bytes], size: int) -> None:
        self.data = [vocabulary.get(i, b"") for i in range(size)]
        self.kinds_V = np.array([kind_of_bytes(data) for data in self.data], dtype=np.int8)
        order = sorted((i for i in range(size) if self.data[i]), key=self.data.__getitem__)
        self._sorted = [self.data[i] for i in order]
        self._ids = np.array(order, dtype=np.int64)
        self._longest = max(map(len, self._sorted), default=0)

    def beginning_with(self, start: bytes) -> Ids:
        """The tokens whose bytes begin with `start`."""
        return self._ids[bisect_left(self._sorted, start) : self._after(start)]

    def inside(self, data: bytes) -> list[int]:
        """The tokens that are a beginning of `data`, and not all of it, shortest first."""
        found: list[int] = []
        for length in range(1, min(len(data) - 1, self._longest) + 1):
            start = bisect_left(self._sorted, data[:length])
            while start < len(self._sorted) and self._sorted[start] == data[:length]:
                found.append(int(self._ids[start]))
                start += 1
        return found

    def of_kinds(self, *kinds: Kind) -> NDArray[np.bool_]:
        """Which tokens [V] begin with a character of one of `kinds`."""
        wanted = np.zeros(len(Kind), dtype=bool)
        wanted[list(kinds)] = True
        return np.asarray(wanted[self.kinds_V])

    def _after(self, start: bytes) -> int:
        """Where the tokens that begin with `start` end."""
        stem = start.rstrip(b"\xff")
        if not stem:
            return len(self._sorted)
        return bisect_left(self._sorted, stem[:-1] + bytes([stem[-1] + 1]))
