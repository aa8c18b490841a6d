"""Wikitext -> the places where mark-up begins or ends, and which of them belong together.

One regular expression cuts a page into text, mark, text, mark, ... text. What can be told at once is one mark: a
comment, a reference without tags in it, a template with at most one level of templates in it, a link without mark-up
in its label, a table without tables in it. Only for the rest does `pair` look for the other end. Both take time in
proportion to the text, whatever it holds: no alternative of the expression looks twice at the same characters for
more than two marks, and `pair` pushes and pops each mark once.
"""

from __future__ import annotations

import re
from typing import Final

from mothertongue.corpus.wikitext import scan

# every alternative begins with its own character, so that the engine skips to the next of these
_COMMENT: Final = r"<!--(?:[^-]++|-(?!->))*+(?:-->)?"  # an unclosed one swallows the page, as in MediaWiki
_REFERENCE: Final = r"<ref\b[^<>]*+>(?:(?<=/>)|[^<]*+</ref>)"
_TAG: Final = r"</?[a-zA-Z][^<>]*+>"
_OPAQUE: Final = "!--|nowiki|math|pre|syntaxhighlight|source"  # braces in these are no braces
_PLAIN: Final = rf"[^{{}}<]++|<(?!{_OPAQUE})|<!--(?:[^-]++|-(?!->))*+-->"
_TEMPLATE: Final = rf"\{{(?:\{{(?:{_PLAIN}|\{{\{{(?:{_PLAIN})*+\}}\}})*+\}}\}}|\{{\{{(?!\{{)|\{{)"
_LINK: Final = r"\[(?:\[[^][{}<\n]*+\]\]|\[|(?:https?:|ftp:)?//[^][{}<\n]*+\]|(?=(?:https?|ftp)://|mailto:))"
_ROW: Final = r"\n[ \t:]*+"
_TABLE: Final = (
    rf"{_ROW}(?:\{{\|(?:[^\n]++|\n(?![ \t:]*+(?:\{{\||\|\}}(?!\}}))))*+{_ROW}\|\}}(?!\}})"
    r"|\{\||\|\}(?!\})|\|[-+]?|!)"
)
MARK: Final = re.compile(
    rf"({_COMMENT}|{_REFERENCE}|{_TAG}|{_TEMPLATE}|\}}\}}+|{_LINK}|\]+|\||{_TABLE})", re.IGNORECASE
)
COMPILED: Final = not str(scan.__file__).endswith(".py")
_SIGNS: Final = re.compile(r"[\[\]{}<|]")
_TAG_NAME: Final = re.compile(r"</?([a-z][a-z0-9]*)", re.IGNORECASE)
_HIDDEN: Final = re.compile(r"display\s*:\s*none", re.IGNORECASE)

# elements whose content is no wikitext, or not shown: they reach to the first closing tag
RAW: Final = frozenset({
    "ref", "references", "gallery", "timeline", "imagemap", "graph", "score", "hiero", "chem", "ce", "math",
    "nowiki", "pre", "syntaxhighlight", "source", "templatedata", "templatestyles", "inputbox", "categorytree",
    "mapframe", "maplink", "indicator", "includeonly", "pages",
})  # fmt: skip


def split_marks(text: str) -> list[str]:
    """Text at even places, marks at odd ones; joined they are `text` again. Table marks need a line break before."""
    if not _SIGNS.search(text):
        return [text]
    return scan.scan_marks(text) if COMPILED else MARK.split(text)


def tag_name(mark: str) -> str:
    """`ref` of `<ref name=x>` and of `</Ref>`."""
    found = _TAG_NAME.match(mark)
    return found[1].lower() if found else ""


def is_hidden(tag: str) -> bool:
    """True if the element is not shown."""
    return "none" in tag and _HIDDEN.search(tag) is not None


def pair(parts: list[str]) -> list[int]:
    """For the place of each opening mark the place of its closing one, 0 if there is none.

    A closing run like `]]]` may close several; what is left of it stays in `parts`.
    """
    partner = [0] * len(parts)
    opened: list[int] = []  # places of [[ [ {{ {{{ {| that wait for their end
    templates = 0  # how many of them are {{ or {{{
    elements: dict[str, list[int]] = {}  # hidden elements and HTML tables
    unclosed: set[str] = set()  # raw tags without an end from here on
    end = len(parts)
    place = 1
    while place < end:
        mark = parts[place]
        first = mark[0]
        if first == "[":
            if len(mark) <= 2:
                opened.append(place)
        elif first == "]":
            parts[place] = _close_links(parts, partner, opened, place)
        elif first == "{":
            if len(mark) <= 3:
                opened.append(place)
                templates += 1
        elif first == "}":
            templates -= _close_templates(parts, partner, opened, place, templates)
        elif first == "\n":
            _table_mark(parts, partner, opened, place)
        elif first == "<":
            place = _element(parts, partner, elements, unclosed, place)
        place += 2
    return partner


def _close_links(parts: list[str], partner: list[int], opened: list[int], place: int) -> str:
    left = len(parts[place])
    while left and opened:
        top = parts[opened[-1]]
        if top == "[" and not (left == 2 and len(opened) > 1 and parts[opened[-2]] == "[["):
            left -= 1
        elif top == "[[" and left >= 2:
            left -= 2
        elif top == "[":
            opened.pop()  # [[a [http://b ]]: the inner one is broken
            continue
        else:
            break
        partner[opened.pop()] = place
    return "]" * left


def _close_templates(parts: list[str], partner: list[int], opened: list[int], place: int, templates: int) -> int:
    left, closed = len(parts[place]), 0
    while left >= 2 and closed < templates:
        top = opened.pop()
        if parts[top][0] != "{":
            continue  # links and tables do not reach beyond the template
        partner[top] = place
        left -= min(len(parts[top]), left)
        closed += 1
    return closed


def _table_mark(parts: list[str], partner: list[int], opened: list[int], place: int) -> None:
    kind = parts[place].lstrip("\n\t :")
    if kind == "{|":
        opened.append(place)
    elif kind == "|}":
        while opened and parts[opened[-1]][0] == "[":
            opened.pop()  # a link does not reach beyond its table
        if opened and parts[opened[-1]][0] == "\n":
            partner[opened.pop()] = place


def _element(
    parts: list[str], partner: list[int], elements: dict[str, list[int]], unclosed: set[str], place: int
) -> int:
    """Pair a tag; the place from which to go on."""
    mark = parts[place]
    if mark.endswith(("/>", "</ref>", "-->")):  # whole elements, by far most of them
        return place
    if mark[1] == "/":
        waiting = elements.get(tag_name(mark)) if elements else None
        if waiting:
            partner[waiting.pop()] = place
        return place
    if mark[1] == "!":
        return place
    name = tag_name(mark)
    if name in RAW:
        return _raw_element(parts, partner, unclosed, place, name)
    # within a hidden element the shown ones of its name count as well
    if name == "table" or name in elements or is_hidden(mark):
        elements.setdefault(name, []).append(place)
    return place


def _raw_element(parts: list[str], partner: list[int], unclosed: set[str], place: int, name: str) -> int:
    if name in unclosed:
        return place
    closing = "</" + name
    for later in range(place + 2, len(parts), 2):
        mark = parts[later]
        if mark.startswith("</") and mark.lower().startswith(closing):
            partner[place] = later
            return later
        if name == "ref" and mark.startswith("<ref"):
            return place  # no reference stands in another: this one was never closed
    unclosed.add(name)
    return place
