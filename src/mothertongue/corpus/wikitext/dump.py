# cython: wraparound=False
"""A page as MediaWiki's exporter writes it, found in the bytes of a dump without a parser of XML in between.

Only the exporter's own elements, the four named entities, and no controls: whatever else stands in a page makes it
None, and it goes through expat (readers/export.py), which tests hold this against. Used as compiled by Cython; plain
Python gets pages quicker from expat.
"""

from __future__ import annotations

from typing import Final

from mothertongue.corpus.wikitext import pointers
from mothertongue.corpus.wikitext.octets import cut

_LEAVES: Final = frozenset({
    b"title", b"ns", b"id", b"restrictions", b"parentid", b"timestamp", b"username", b"ip", b"comment", b"origin",
    b"model", b"format", b"text", b"sha1", b"minor", b"redirect",
})  # fmt: skip
_HOLDERS: Final = frozenset({b"revision", b"contributor"})


_KEPT: Final = frozenset({b"title", b"ns", b"id", b"model", b"text", b"redirect"})
_OPENING = bytes([char == 0x3C for char in range(256)])
_CLOSING = bytes([char == 0x3E for char in range(256)])
_NAME_ENDS = bytes([char in (0x20, 0x2F, 0x3E, 9, 10) for char in range(256)])  # a space, a slash, a bracket
_RUN: Final = 256  # bytes are looked at together
_STOPS = bytes([char > 0x7F or char == 0x26 or (char < 0x20 and char not in (9, 10)) for char in range(256)])


class RawPage:
    """What is looked at of a page, with the text as it stands in the export."""

    def __init__(self) -> None:
        self.title = b""
        self.ns = b""
        self.id = b""
        self.model = b"wikitext"
        self.text = b""
        self.redirect = False


def page_end(data: bytes, at: int) -> int:
    """Where the next </page> begins, -1 if there is none; texts hold no bracket, so looking for one is quickest."""
    at = data.find(b"<", at)
    while at >= 0 and not data.startswith(b"</page>", at):
        at = data.find(b"<", at + 1)
    return at


def read_page(data: bytes, at: int, end: int) -> RawPage | None:
    """The page that begins behind its <page> at `at`, its </page> being at `end`."""
    page, opened, revisions = RawPage(), list[bytes](), 0
    while True:
        at = _until(data, at, end, _OPENING)
        if at >= end:
            return page if not opened else None
        close = _until(data, at, end, _CLOSING)
        if close >= end:
            return None
        behind = _until(data, at + 1, close, _NAME_ENDS)
        name = cut(data, at + 1, behind)
        if not name:  # a closing tag
            if data[at + 1] != ord("/") or not opened or opened.pop() != cut(data, at + 2, close):
                return None
            at = close + 1
            continue
        if behind < close and not _plain_attributes(cut(data, behind, close)):
            return None
        empty = data[close - 1] == ord("/")
        at = close + 1
        if name not in _LEAVES:
            if name not in _HOLDERS:
                return None
            revisions += name == b"revision"
            if revisions > 1:
                return None  # the last one counts
            if not empty:
                opened.append(name)
        elif empty:
            _keep(page, name, b"", len(opened))
        else:
            close = data.find(b"<", at, end)
            behind = close + len(name) + 3
            if close < 0 or behind > end or data[close + 1] != ord("/") or data[behind - 1] != ord(">"):
                return None
            if cut(data, close + 2, behind - 1) != name:
                return None
            if name in _KEPT:
                _keep(page, name, cut(data, at, close), len(opened))
            at = behind


def _until(data: bytes, at: int, end: int, stops: bytes) -> int:
    while at < end and not stops[data[at]]:
        at += 1
    return at


def _plain_attributes(tag: bytes) -> bool:
    """Whether no bracket stands in a value, so that the tag ends where it seems to."""
    return b"'" not in tag and b"<" not in tag and tag.count(b'"') % 2 == 0


def _keep(page: RawPage, name: bytes, text: bytes, depth: int) -> None:
    if name == b"text":
        page.text = text
    elif name == b"title":
        page.title = text
    elif name == b"ns":
        page.ns = text
    elif name == b"id":
        if depth == 0:
            page.id = text
    elif name == b"model":
        page.model = text
    elif name == b"redirect":
        page.redirect = True


def unescaped(raw: bytes) -> bytes | None:
    """The characters that are meant; None for entities beyond the four named ones, what XML forbids, and no UTF-8."""
    size = len(raw)
    room = bytearray(size)
    made = memoryview(room)
    stops = _STOPS
    at = length = 0
    while at < size:
        end = pointers.place_of(raw, ord("&"), at, min(at + _RUN, size))
        if pointers.is_plain(raw, at, end):
            pointers.copied(raw, at, end, room, length)
            length += end - at
            at = end
        while at < end:
            char = raw[at]
            behind = _behind_character(raw, at, size) if stops[char] else at + 1
            if behind < 0:
                return None
            while at < behind:
                made[length] = raw[at]
                at += 1
                length += 1
        if at < size and raw[at] == ord("&"):
            behind = _behind_entity(raw, at + 1, size)
            if behind < 0:
                return None
            made[length] = _character(raw[at + 1])
            at = behind
            length += 1
    return bytes(made[:length])


def _behind_character(raw: bytes, at: int, size: int) -> int:
    """The place behind a character of several bytes; -1 if it is none, or none that XML allows."""
    first = raw[at]
    behind = at + (2 if first < 0xE0 else 3 if first < 0xF0 else 4)
    if first < 0xC2 or first > 0xF4 or behind > size:
        return -1
    second = raw[at + 1]
    if (first == 0xE0 and second < 0xA0) or (first == 0xF0 and second < 0x90):  # longer than need be
        return -1
    if (first == 0xED and second > 0x9F) or (first == 0xF4 and second > 0x8F):  # surrogates, beyond Unicode
        return -1
    if first == 0xEF and second == 0xBF and raw[at + 2] > 0xBD:  # U+FFFE and U+FFFF
        return -1
    for place in range(at + 1, behind):
        if raw[place] & 0xC0 != 0x80:
            return -1
    return behind


def _behind_entity(raw: bytes, at: int, size: int) -> int:
    """The place behind the entity whose name begins at `at`; -1 if it is not one of the four."""
    if at + 4 > size:
        return at + 3 if at + 3 == size and _is_sign(raw, at) else -1
    if _is_sign(raw, at):
        return at + 3
    if raw[at] == ord("a"):
        return at + 4 if raw[at + 1] == ord("m") and raw[at + 2] == ord("p") and raw[at + 3] == ord(";") else -1
    if at + 5 > size or raw[at] != ord("q") or raw[at + 1] != ord("u") or raw[at + 2] != ord("o"):
        return -1
    return at + 5 if raw[at + 3] == ord("t") and raw[at + 4] == ord(";") else -1


def _is_sign(raw: bytes, at: int) -> bool:
    return (raw[at] == ord("l") or raw[at] == ord("g")) and raw[at + 1] == ord("t") and raw[at + 2] == ord(";")


def _character(first: int) -> int:
    """What the entity with this first letter stands for."""
    if first == ord("l"):
        return ord("<")
    if first == ord("g"):
        return ord(">")
    return ord("&") if first == ord("a") else ord('"')
