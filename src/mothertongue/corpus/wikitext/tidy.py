"""The last step from wikitext to text: signs that mean something only at the beginning of a line or between others,
entities, and headings without a section. Gaps are closed by gaps.py.
"""

from __future__ import annotations

import html
import re
from typing import Final

from mothertongue.corpus.wikitext import scan
from mothertongue.corpus.wikitext.gaps import GAP, close_gaps

KEPT: Final = "\x02"  # stands before text in which signs are hidden
COMPILED: Final = not str(scan.__file__).endswith(".py")
CONTROLS: Final = {ord(GAP): None, ord(KEPT): None}  # what no page may bring along

# Characters that are text and not mark-up (from <nowiki>, formulas) hide in the private use area until all is tidied.
_MARKUP: Final = "[]{}|'<>=*#:;_!&~-"
_HIDE: Final = {ord(char): chr(0xF700 + number) for number, char in enumerate(_MARKUP)}
_SHOW: Final = tuple((hidden, chr(char)) for char, hidden in _HIDE.items())

_QUOTES: Final = ("'''''", "'''", "''")  # bold and italic, bold, italic: a run gives away the longest first
_MAGIC: Final = re.compile(r"__[^\W\d_]+__")
_MAGIC_SMALL: Final = frozenset({"__notoc__", "__toc__", "__forcetoc__", "__noeditsection__"})
_VARIANT: Final = re.compile(r"-\{(?:[^{}|]*\|)?(?:[a-z-]+:([^;{}]*);?)?([^{}]*)\}-")  # -{zh-hans:a; zh-hant:b}-
_ADDRESS: Final = re.compile(r"\b(?:https?|ftp)://[^\s\[\]\x01]+")
_ENTITY: Final = re.compile("&(?:#[0-9]{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});")
_DEFINITION: Final = re.compile(" ?:(?: |$)")  # ;term :definition
_HEADING: Final = re.compile("(={1,6})(.*[^=])(={1,6})")
_WORD: Final = re.compile(r"\w")


def protect(text: str, signs: str = _MARKUP) -> str:
    """`text` in which none of the `signs` will be taken for mark-up any more."""
    hidden = text.translate(_HIDE if signs == _MARKUP else {ord(sign): _HIDE[ord(sign)] for sign in signs})
    return KEPT + hidden if hidden != text else text


def tidy(text: str, reference_sections: frozenset[str] = frozenset()) -> str:
    """Running text from what the walk over a page has shown."""
    hidden = KEPT in text
    if hidden:
        text = text.replace(KEPT, "")
    text, more = scan.plain_spaces(text) if COMPILED else (plain_spaces(text), True)
    if more:
        text = _single_spaces(_rare_signs(text))
    text = "\n".join(_lines(text.split("\n"), reference_sections))
    if "&" in text:
        text = _ENTITY.sub(_character, text)
    if hidden:
        for sign, char in _SHOW:
            text = text.replace(sign, char)
    return text.strip()


def _rare_signs(text: str) -> str:
    if "__" in text:
        text = _MAGIC.sub(_magic, text)
    if "-{" in text:
        text = _VARIANT.sub(_variant, text)
    return _ADDRESS.sub(GAP, text) if "://" in text else text


def plain_spaces(text: str) -> str:
    """What scan.py does when it is compiled."""
    text = text.replace("&nbsp;", " ").replace("\u00a0", " ").replace("\t", " ")
    for quotes in _QUOTES:
        text = text.replace(quotes, "")
    return _single_spaces(text)


def _single_spaces(text: str) -> str:
    while "  " in text:
        text = text.replace("  ", " ")
    return text


def _lines(lines: list[str], reference_sections: frozenset[str]) -> list[str]:
    """Lines of text and single empty ones: without their marks, without sections of references, and without headings
    that have no text before the next one of their level.
    """
    kept: list[str] = []
    pending: list[tuple[int, str]] = []  # headings above the next text
    silent = 0  # level of the reference section that we are in
    empty = True  # the line before
    for line in lines:
        if GAP in line:
            line = close_gaps(line)
        line = line.strip(" ")
        if line.startswith("=") and line.endswith("=") and (found := _HEADING.fullmatch(line)):
            level, title = min(len(found[1]), len(found[3])), found[2].strip("= ")
            pending = [entry for entry in pending if entry[0] < level]
            if not silent or level <= silent:
                silent = level if title.casefold() in reference_sections else 0
                if title and not silent:
                    pending.append((level, title))
        elif not silent:
            if line[:1] in _LINE_MARKS:
                line = _without_marks(line)
            if not line or not (scan.has_word(line) if COMPILED else _WORD.search(line)):
                if not empty:
                    kept.append("")
                    empty = True
                continue
            for _, title in pending:
                kept += [title, ""] if empty else ["", title, ""]
                empty = True
            if pending:
                pending = []
            kept.append(line)
            empty = False
    return kept


_LINE_MARKS: Final = frozenset("*#:;-")


def _without_marks(line: str) -> str:
    """A list item, a definition or a line after a rule, as a line of text."""
    text = line.lstrip("*#:; ")
    marks = line[: len(line) - len(text)]
    if ";" in marks:
        return _DEFINITION.sub(": ", text, count=1).strip()
    return text.lstrip("- ") if text.startswith("----") else text


def _magic(found: re.Match[str]) -> str:
    word = found[0]
    return "" if word == word.upper() or word.lower() in _MAGIC_SMALL else word


def _variant(found: re.Match[str]) -> str:
    return str(found[1] or found[2]).strip()


def _character(found: re.Match[str]) -> str:
    return html.unescape(found[0])
