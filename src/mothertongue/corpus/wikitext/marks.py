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
from mothertongue.corpus.wikitext.scan import scan_marks, whole_element

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
_ANY: Final = rf"({_COMMENT}|{_REFERENCE}|{_TAG}|{_TEMPLATE}|\}}\}}+|{_LINK}|\]+|\||{_TABLE})"
MARK: Final = re.compile(_ANY.encode("ascii"), re.IGNORECASE)
COMPILED: Final = not str(scan.__file__).endswith(".py")
_SIGNS: Final = re.compile(rb"[\[\]{}<|]")
_TAG_NAME: Final = re.compile(rb"</?([a-z][a-z0-9]*)", re.IGNORECASE)
_HIDDEN: Final = re.compile(rb"display\s*:\s*none", re.IGNORECASE)
_OPEN_LINK: Final = ord("[")  # the first bytes of marks
_CLOSE_LINK: Final = ord("]")
_OPEN_TEMPLATE: Final = ord("{")
_CLOSE_TEMPLATE: Final = ord("}")
_LINE: Final = ord("\n")
_TAG_MARK: Final = ord("<")
_SLASH: Final = ord("/")
_BANG: Final = ord("!")
_NO_TAG: Final = (b"/>", b"</ref>", b"-->")  # the ends of whole elements, by far most of them

# elements whose content is no wikitext, or not shown: they reach to the first closing tag
RAW: Final = frozenset({
    b"ref", b"references", b"gallery", b"timeline", b"imagemap", b"graph", b"score", b"hiero", b"chem", b"ce", b"math",
    b"nowiki", b"pre", b"syntaxhighlight", b"source", b"templatedata", b"templatestyles", b"inputbox", b"categorytree",
    b"mapframe", b"maplink", b"indicator", b"includeonly", b"pages",
})  # fmt: skip


def split_marks(text: bytes) -> list[bytes]:
    """Text at even places, marks at odd ones; joined they are `text` again. Table marks need a line break before."""
    if not _SIGNS.search(text):
        return [text]
    return scan_marks(text) if COMPILED else MARK.split(text)


def tag_name(mark: bytes) -> bytes:
    """`ref` of `<ref name=x>` and of `</Ref>`."""
    found = _TAG_NAME.match(mark)
    return found[1].lower() if found else b""


def is_hidden(tag: bytes) -> bool:
    """True if the element is not shown."""
    return b"none" in tag and _HIDDEN.search(tag) is not None


def pair(parts: list[bytes]) -> list[int]:
    """For the place of each opening mark the place of its closing one, 0 if there is none.

    A closing run like `]]]` may close several; what is left of it stays in `parts`.
    """
    partner = [0] * len(parts)
    opened: list[int] = []  # places of [[ [ {{ {{{ {| that wait for their end
    templates = 0  # how many of them are {{ or {{{
    elements: dict[bytes, list[int]] = {}  # hidden elements and HTML tables
    unclosed: set[bytes] = set()  # raw tags without an end from here on
    end = len(parts)
    place = 1
    while place < end:
        mark = parts[place]
        first = mark[0]
        if first == _OPEN_LINK:
            if len(mark) <= 2:
                opened.append(place)
        elif first == _CLOSE_LINK:
            parts[place] = _close_links(parts, partner, opened, place)
        elif first == _OPEN_TEMPLATE:
            if len(mark) <= 3:
                opened.append(place)
                templates += 1
        elif first == _CLOSE_TEMPLATE:
            templates -= _close_templates(parts, partner, opened, place, templates)
        elif first == _LINE:
            _table_mark(parts, partner, opened, place)
        elif first == _TAG_MARK:
            place = _element(parts, partner, elements, unclosed, place)
        place += 2
    return partner


def _close_links(parts: list[bytes], partner: list[int], opened: list[int], place: int) -> bytes:
    left = len(parts[place])
    while left and opened:
        top = parts[opened[-1]]
        if top == b"[" and not (left == 2 and len(opened) > 1 and parts[opened[-2]] == b"[["):
            left -= 1
        elif top == b"[[" and left >= 2:
            left -= 2
        elif top == b"[":
            opened.pop()  # [[a [http://b ]]: the inner one is broken
            continue
        else:
            break
        partner[opened.pop()] = place
    return b"]" * left


def _close_templates(parts: list[bytes], partner: list[int], opened: list[int], place: int, templates: int) -> int:
    left, closed = len(parts[place]), 0
    while left >= 2 and closed < templates:
        top = opened.pop()
        if parts[top][0] != _OPEN_TEMPLATE:
            continue  # links and tables do not reach beyond the template
        partner[top] = place
        left -= min(len(parts[top]), left)
        closed += 1
    return closed


def _table_mark(parts: list[bytes], partner: list[int], opened: list[int], place: int) -> None:
    kind = parts[place].lstrip(b"\n\t :")
    if kind == b"{|":
        opened.append(place)
    elif kind == b"|}":
        while opened and parts[opened[-1]][0] == _OPEN_LINK:
            opened.pop()  # a link does not reach beyond its table
        if opened and parts[opened[-1]][0] == _LINE:
            partner[opened.pop()] = place


def _element(
    parts: list[bytes], partner: list[int], elements: dict[bytes, list[int]], unclosed: set[bytes], place: int
) -> int:
    """Pair a tag; the place from which to go on."""
    mark = parts[place]
    if whole_element(mark) if COMPILED else mark.endswith(_NO_TAG):
        return place
    if mark[1] == _SLASH:
        waiting = elements.get(tag_name(mark)) if elements else None
        if waiting:
            partner[waiting.pop()] = place
        return place
    if mark[1] == _BANG:
        return place
    name = tag_name(mark)
    if name in RAW:
        return _raw_element(parts, partner, unclosed, place, name)
    # within a hidden element the shown ones of its name count as well
    if name == b"table" or name in elements or is_hidden(mark):
        elements.setdefault(name, []).append(place)
    return place


def _raw_element(parts: list[bytes], partner: list[int], unclosed: set[bytes], place: int, name: bytes) -> int:
    if name in unclosed:
        return place
    closing = b"</" + name
    for later in range(place + 2, len(parts), 2):
        mark = parts[later]
        if mark.startswith(b"</") and mark.lower().startswith(closing):
            partner[place] = later
            return later
        if name == b"ref" and mark.startswith(b"<ref"):
            return place  # no reference stands in another: this one was never closed
    unclosed.add(name)
    return place
