# cython: wraparound=False
"""One pass over what a page shows: signs of bold and italic go, and no space stands beside another.

Used only as compiled by Cython, like scan.py; tidy.py does the same by replacing.
"""

from __future__ import annotations

from mothertongue.corpus.wikitext import pointers
from mothertongue.corpus.wikitext.octets import cut
from mothertongue.corpus.wikitext.scan import LETTERS, table_of

_SPACE = table_of(b" ")
_LETTERS = LETTERS
_STOPS = table_of(b"\t&'_/{\xc2")  # and rare signs, and the first byte of U+00A0


def plain_spaces(text: bytes) -> tuple[bytes, bool]:
    """The text without signs of bold and italic, its tabs and hard spaces as spaces, one space for several; and whether
    `__`, `-{` or `://` may stand in it, which need another look.
    """
    parts: list[bytes] = []
    size = len(text)
    stops, spaces = _STOPS, _SPACE
    at = begun = 0
    last = 0  # what was kept last
    rare = False
    ahead = 0  # here it is worth looking at many
    while at < size:
        if at >= ahead and last != ord(" "):
            end = pointers.over_words(text, at, size)
            if end > at:
                at = end
                last = text[at - 1]
            ahead = at + 32
        char = text[at]
        if not (stops[char] | (spaces[char] & spaces[last])):
            last = char
            at += 1
            continue
        length = 1
        if char == ord("'"):
            end = at + 1
            while end < size and text[end] == ord("'"):
                end += 1
            left = (end - at) % 5  # five are bold and italic, three bold, two italic; what is over is text
            if end - at > 1:
                if at > begun:
                    parts.append(cut(text, begun, at))
                begun = end - 1 if left == 1 or left == 4 else end
            if left == 1 or left == 4:
                last = char
            at = end
            continue
        if char == ord("_") or char == ord("/"):
            rare = rare or last == char
            length = 0
        elif char == ord("{"):
            rare = rare or last == ord("-")
            length = 0
        elif char == 0xC2:
            length = 2 if at + 1 < size and text[at + 1] == 0xA0 else 0
        elif char == ord("&"):
            length = 6 if _hard_space(text, at, size) else 0
        if length == 0:
            last = char
            at += 1
            continue
        if at > begun:
            parts.append(cut(text, begun, at))
        if last != ord(" "):
            parts.append(b" ")
            last = ord(" ")
        at += length
        begun = at
    if begun == 0:
        return text, rare
    parts.append(cut(text, begun, size))
    return b"".join(parts), rare


def plain_runs(text: bytes) -> list[bytes]:
    """The lines; those that stay as they are, with single empty lines between them, as one.

    They begin with a letter or a digit, do not end with a space, and have no gap.
    """
    runs: list[bytes] = []
    size = len(text)
    at = ended = 0
    begun = -1  # of the run
    gap = pointers.place_of(text, 1, 0, size)
    while True:
        end = pointers.place_of(text, ord("\n"), at, size)
        if gap < at:
            gap = pointers.place_of(text, 1, at, size)
        if end > at and gap >= end and _LETTERS[text[at]] and text[end - 1] != ord(" "):
            if begun < 0:
                begun = at
            ended = end
        elif end > at or begun < 0 or ended != at - 1:
            if begun >= 0:
                runs.append(cut(text, begun, ended))
                if ended != at - 1:
                    runs.append(b"")
                begun = -1
            runs.append(cut(text, at, end))
        if end >= size:
            break
        at = end + 1
    if begun >= 0:
        runs.append(cut(text, begun, ended))
    return runs


def _hard_space(text: bytes, at: int, size: int) -> bool:
    if at + 6 > size or text[at + 1] != ord("n") or text[at + 2] != ord("b"):
        return False
    return text[at + 3] == ord("s") and text[at + 4] == ord("p") and text[at + 5] == ord(";")
