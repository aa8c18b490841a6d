"""The last step from wikitext to text: signs that mean something only at the beginning of a line or between others,
entities, and headings without a section. Gaps are closed by gaps.py.
"""

from __future__ import annotations

import html
import re
from collections.abc import Callable
from typing import Final

from mothertongue.corpus.wikitext import scan
from mothertongue.corpus.wikitext.gaps import GAP, close_gaps
from mothertongue.corpus.wikitext.octets import bytes_of, text_of
from mothertongue.corpus.wikitext.scan import word_in
from mothertongue.corpus.wikitext.spaces import plain_runs
from mothertongue.corpus.wikitext.spaces import plain_spaces as spaces_in_c

KEPT: Final = "\x02"  # stands before text in which signs are hidden
COMPILED: Final = not str(scan.__file__).endswith(".py")
_KEPT: Final = b"\x02"
CONTROLS: Final = b"\x01\x02"  # what no page may bring along

# Characters that are text and not mark-up (from <nowiki>, formulas) hide in the private use area until all is tidied.
_MARKUP: Final = "[]{}|'<>=*#:;_!&~-"
_HIDE: Final = {ord(char): chr(0xF700 + number) for number, char in enumerate(_MARKUP)}
_HIDDEN: Final = b"\xef\x9c"  # how each of these begins, in UTF-8; what follows is 0x80 and the number of the sign

_QUOTES: Final = (b"'''''", b"'''", b"''")  # bold and italic, bold, italic: a run gives away the longest first
_MAGIC: Final = re.compile(r"__[^\W\d_]+__")
_MAGIC_SMALL: Final = frozenset({"__notoc__", "__toc__", "__forcetoc__", "__noeditsection__"})
_VARIANT: Final = re.compile(r"-\{(?:[^{}|]*+\|)?(?:[a-z-]++:([^;{}]*+);?+)?([^{}]*+)\}-")  # -{zh-hans:a; zh-hant:b}-
_ADDRESS: Final = re.compile(r"\b(?:https?|ftp)://[^\s\[\]\x01]+")
_ENTITY: Final = re.compile(rb"#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31}")
_LONGEST_ENTITY: Final = 32
_MOST_REMEMBERED: Final = 20_000
_CHARACTERS: Final[dict[bytes, bytes | None]] = {}  # what stands between & and ; -> what it means, None if nothing
_DEFINITION: Final = re.compile(" ?:(?: |$)")  # ;term :definition
_HEADING: Final = re.compile(b"(={1,6})(.*[^=])(={1,6})")
_WORD: Final = re.compile(r"\w")
_WORD_BYTE: Final = re.compile(rb"\w")
_GAP: Final = GAP[0]  # a number: looking for one byte as bytes costs ten times as much
_SPACE: Final = ord(" ")
_EQUALS: Final = ord("=")
_AMPERSAND: Final = ord("&")
_SIGNS: Final = _MARKUP.encode("ascii")
_LINE_MARKS: Final = b"*#:;-"


def protect(text: str, signs: str = _MARKUP) -> str:
    """`text` in which none of the `signs` will be taken for mark-up any more."""
    hidden = text.translate(_HIDE if signs == _MARKUP else {ord(sign): _HIDE[ord(sign)] for sign in signs})
    return KEPT + hidden if hidden != text else text


def tidy(data: bytes, reference_sections: frozenset[str] = frozenset()) -> str:
    """Running text from what the walk over a page has shown."""
    hidden = _KEPT in data
    if hidden:
        data = data.replace(_KEPT, b"")
    data, rare = spaces_in_c(data) if COMPILED else (plain_spaces(data), True)
    if rare:
        without = _rare_signs(data)
        data = data if without is data else _single_spaces(without)
    data = b"\n".join(_lines(plain_runs(data) if COMPILED else data.split(b"\n"), reference_sections))
    if _AMPERSAND in data:
        data = _without_entities(data)
    if hidden:
        data = _shown(data)
    return text_of(data).strip()


def _without_entities(data: bytes) -> bytes:
    """The characters that entities stand for; what is none stays."""
    pieces = data.split(b"&")
    for number in range(1, len(pieces)):
        piece = pieces[number]
        end = piece.find(b";", 0, _LONGEST_ENTITY + 1)
        char = _character(piece[:end]) if end > 0 else None
        pieces[number] = b"&" + piece if char is None else char + piece[end + 1 :]
    return b"".join(pieces)


def _character(name: bytes) -> bytes | None:
    """What stands for an entity; None if it is none."""
    if name not in _CHARACTERS:
        if len(_CHARACTERS) >= _MOST_REMEMBERED:
            _CHARACTERS.clear()
        is_one = _ENTITY.fullmatch(name)
        _CHARACTERS[name] = bytes_of(html.unescape(f"&{name.decode()};")) if is_one else None
    return _CHARACTERS[name]


def _shown(data: bytes) -> bytes:
    """With the signs that `protect` has hidden."""
    pieces = data.split(_HIDDEN)
    for number in range(1, len(pieces)):
        piece = pieces[number]
        sign = piece[0] - 0x80
        pieces[number] = _SIGNS[sign : sign + 1] + piece[1:] if 0 <= sign < len(_SIGNS) else _HIDDEN + piece
    return b"".join(pieces)


def _rare_signs(data: bytes) -> bytes:
    if b"__" in data:
        data = _in_lines(data, b"__", _MAGIC, _magic)
    if b"-{" in data:
        data = bytes_of(_VARIANT.sub(_variant, text_of(data)))
    return _in_lines(data, b"://", _ADDRESS, "\x01") if b"://" in data else data


def _in_lines(
    data: bytes, sign: bytes, expression: re.Pattern[str], shown: str | Callable[[re.Match[str]], str]
) -> bytes:
    """Replace, in the few lines with this sign only, what goes beyond no line."""
    lines = data.split(b"\n")
    for number, line in enumerate(lines):
        if line.find(sign) >= 0:
            lines[number] = bytes_of(expression.sub(shown, text_of(line)))
    return b"\n".join(lines)


def plain_spaces(text: bytes) -> bytes:
    """What scan.py does when it is compiled."""
    text = text.replace(b"&nbsp;", b" ").replace(b"\xc2\xa0", b" ").replace(b"\t", b" ")
    for quotes in _QUOTES:
        text = text.replace(quotes, b"")
    return _single_spaces(text)


def _single_spaces(text: bytes) -> bytes:
    while b"  " in text:
        text = text.replace(b"  ", b" ")
    return text


def _lines(lines: list[bytes], reference_sections: frozenset[str]) -> list[bytes]:
    """Lines of text and single empty ones: without their marks, without sections of references, and without headings
    that have no text before the next one of their level. Lines that stay as they are may come joined.
    """
    kept: list[bytes] = []
    pending: list[tuple[int, bytes]] = []  # headings above the next text
    silent = 0  # level of the reference section that we are in
    empty = True  # the line before
    for line in lines:
        if _GAP in line:
            line = close_gaps(line)
        if line and (line[0] == _SPACE or line[-1] == _SPACE):
            line = line.strip(b" ")
        if line and line[0] == _EQUALS and line[-1] == _EQUALS and (found := _HEADING.fullmatch(line)):
            level, title = min(len(found[1]), len(found[3])), found[2].strip(b"= ")
            pending = [entry for entry in pending if entry[0] < level]
            if not silent or level <= silent:
                silent = level if text_of(title).casefold() in reference_sections else 0
                if title and not silent:
                    pending.append((level, title))
        elif not silent:
            if line and line[0] in _LINE_MARKS:
                line = _without_marks(line)
            if not line or not has_word(line):
                if not empty:
                    kept.append(b"")
                    empty = True
                continue
            for _, title in pending:
                kept += [title, b""] if empty else [b"", title, b""]
                empty = True
            if pending:
                pending = []
            kept.append(line)
            empty = False
    if kept and empty:
        kept.pop()
    return kept


def has_word(line: bytes) -> bool:
    """Whether a letter, a digit or an underscore stands in it."""
    if COMPILED:
        found = word_in(line)
        return found > 0 or (found < 0 and _WORD.search(text_of(line)) is not None)
    return _WORD_BYTE.search(line) is not None or (not line.isascii() and _WORD.search(text_of(line)) is not None)


def _without_marks(line: bytes) -> bytes:
    """A list item, a definition or a line after a rule, as a line of text."""
    text = line.lstrip(b"*#:; ")
    marks = line[: len(line) - len(text)]
    if b";" in marks:
        return bytes_of(_DEFINITION.sub(": ", text_of(text), count=1).strip())
    return text.lstrip(b"- ") if text.startswith(b"----") else text


def _magic(found: re.Match[str]) -> str:
    word = found[0]
    return "" if word == word.upper() or word.lower() in _MAGIC_SMALL else word


def _variant(found: re.Match[str]) -> str:
    return str(found[1] or found[2]).strip()
