# cython: wraparound=False, cdivision=True
"""A text in one pass: how often each character stands there, a number for each word, how many pieces between spaces.

Used only as compiled by Cython (build.py, types in tally.pxd); uncompiled, shingle.py and view.py do the same in numpy,
and a test holds one against the other.
"""

from __future__ import annotations

from typing import Any


def tally(text: str, letters: Any, counts: Any, words: Any, base: int, second: int, mask: int) -> tuple[int, int, int]:
    """How many words, pieces between white space and characters that are not counted `text` has; words go to `words`.

    letters: code point -> number of its small letter, 0 if it is in no word. counts: one place for each code point
    that is counted, added to. words: room for as many numbers as the text has characters, halved and rounded up. base,
    second: of the hash in shingle.py. mask: 2^64 - 1, which numbers of plain Python need.
    """
    number = pieces = uncounted = 0
    limit = len(counts)
    word = 0
    power = 1
    inside = False
    after_space = True
    for char in text:
        point = ord(char)
        if point < limit:
            counts[point] += 1
        else:
            uncounted += 1
        if char.isspace():
            after_space = True
        elif after_space:
            pieces += 1
            after_space = False
        letter = letters[point]
        if letter:
            word = (word + letter * power) & mask
            power = (power * base) & mask
            inside = True
        elif inside:
            word ^= word >> 32
            word = (word * second) & mask
            words[number] = word ^ (word >> 29)
            number += 1
            word = 0
            power = 1
            inside = False
    if inside:
        word ^= word >> 32
        word = (word * second) & mask
        words[number] = word ^ (word >> 29)
        number += 1
    return number, pieces, uncounted
