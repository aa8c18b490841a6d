"""Page numbers and running heads that a scan or a PDF left in the middle of a text.

A line is one of them if lines of its shape come at least three times, a page or so apart, their number grows, and half
of them stand inside a sentence: what is above does not end one, what is below goes on in small letters. So chapter
numbers, lists, verse numbers and refrains stay.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import pairwise

from mothertongue.languages import Language

_NUMBERED = re.compile(r"^[^\n\d]{0,50}+\d{1,4}+[^\n\d]{0,50}+$", re.M)
_CAPITALS = re.compile("^[A-ZÀ-ÞĀ-ŽА-Я][A-ZÀ-ÞĀ-ŽА-Я .,:„“”\"'’–—-]{2,60}+$", re.M)
_NUMBER = re.compile(r"\d{1,4}")
_LONGEST = 104  # characters of a line that one of the expressions fits
_LEAST = 3
_PAGE_CHARACTERS = 500  # less text than that stands on no page
_NEAR = 200  # characters looked at above and below
_ENDS = frozenset('.!?…:;"“”»«)]*')

Line = re.Match[str]


def drop_page_furniture(text: str, language: Language) -> str:
    """`text` without page numbers and running heads; where one stood inside a sentence, the sentence is whole again."""
    # most texts have too few of such lines, which their short lines alone can tell
    short = "\n".join([line for line in text.split("\n") if len(line) <= _LONGEST])
    if not (_by_shape(_NUMBERED.finditer(short), grows=True) or _by_shape(_CAPITALS.finditer(short), grows=False)):
        return text
    groups = [*_by_shape(_NUMBERED.finditer(text), grows=True), *_by_shape(_CAPITALS.finditer(text), grows=False)]
    dropped = [line for group in groups if _is_furniture(group, text) for line in group]
    if not dropped:
        return text
    parts, end = list[str](), 0
    for line in sorted(dropped, key=Line.start):
        above = text[end : line.start()]
        inside = _inside(line, text)
        parts.append(above.rstrip() if inside else above.rstrip(" \t"))
        end = line.end() + (_blank(text, line.end()) if inside else 1)
        if inside and above.strip():
            parts.append("\n" if above.rstrip().endswith("-") else " ")
    return "".join([*parts, text[end:]])


def _by_shape(lines: Iterable[Line], *, grows: bool) -> list[list[Line]]:
    shapes: dict[str, list[Line]] = {}
    for line in lines:
        shapes.setdefault(_NUMBER.sub("#", line[0].strip()) if grows else line[0].strip(), []).append(line)
    groups = [group for group in shapes.values() if len(group) >= _LEAST]
    return [group for group in groups if not grows or _grows(group)]


def _grows(group: list[Line]) -> bool:
    """Whether the numbers of at least four in five lines are above the one before."""
    numbers = [int(found[0]) for line in group if (found := _NUMBER.search(line[0]))]
    steps = [later > earlier for earlier, later in pairwise(numbers)]
    return sum(steps) >= 0.8 * len(steps)


def _is_furniture(group: list[Line], text: str) -> bool:
    far_apart = group[-1].start() - group[0].start() >= _PAGE_CHARACTERS * (len(group) - 1)
    return far_apart and sum(_inside(line, text) for line in group) * 2 >= len(group)


def _inside(line: Line, text: str) -> bool:
    """Whether the line stands inside a sentence."""
    above = text[max(0, line.start() - _NEAR) : line.start()].rstrip()
    below = text[line.end() : line.end() + _NEAR].lstrip()
    return above != "" and above[-1] not in _ENDS and not above[-1].isdigit() and below[:1].islower()


def _blank(text: str, start: int) -> int:
    near = text[start : start + _NEAR]
    return len(near) - len(near.lstrip())
