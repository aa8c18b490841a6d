"""The last step from wikitext to text: what broken mark-up and dropped templates leave behind, and headings
without a section.
"""

from __future__ import annotations

import re

HEADING = "\x02"  # stands before the level and the title of a heading, on a line of its own

# Characters that are text and not mark-up (from <nowiki>, entities, formulas) hide in the private use area until all
# is tidied.
_MARKUP = "[]{}|'<>=*#:;_!&~-"
_HIDE = {ord(char): chr(0xF700 + number) for number, char in enumerate(_MARKUP)}
_SHOW = {ord(hidden): chr(char) for char, hidden in _HIDE.items()}

_QUOTES = re.compile("'{2,}")
_MAGIC = re.compile(r"__[^\W\d_]+__|~{3,5}|-\{|\}-")
_TABLE_LINE = re.compile(r"[ \t:*#;]*(\{\||\|\}|\|-|\|\+|\||!)")
_BROKEN_TEMPLATE = re.compile(r"\{\|[^\n]*|\|\}|\{\{[^{}\n]*(\}\})?|\}\}+")
_BROKEN_TAG = re.compile(r"</?[a-zA-Z][a-zA-Z0-9]*(\s[^<>\n]*)?/?>|<!--.*?(-->|$)", re.S)
_BROKEN_LINK = re.compile(r"\[\[([^\[\]|\n]*\|)?|\]\]")
_LABELLED_URL = re.compile(r"\[?\b(https?|ftp)://[^\s\[\]]+\]?|\bwww\.[^\s\[\]]+")
_HOLLOW = re.compile(r"\s?[(\[]([\s,;:/–-]|\bor\b)*[)\]]")
_OPENING = re.compile(r"([(\[])[\s,;:/–-]*[,;:/–][\s,;:/–-]*|([(\[])[ \t]+")
_CLOSING = re.compile(r"[\s,;:]+([)\]])")
_BEFORE_POINT = re.compile(r"[ \t]+([,.;:!?)](?!\S{2}))")
_COMMAS = re.compile(r"([,;])([ \t]*[,;])+")  # between them stood a template or a formula
_TWO_POINTS = re.compile(r"(?<!\.)\.\.(?!\.)")
_SPACES = re.compile(r"[ \t]{2,}")
_LIST_MARK = re.compile(r"[ \t*#:;]+")
_TEXT = re.compile(r"\w")


def protect(text: str) -> str:
    """`text` in which nothing will be taken for mark-up any more."""
    return text.translate(_HIDE)


def tidy(
    text: str, hidden_prefixes: frozenset[str] = frozenset(), reference_sections: frozenset[str] = frozenset()
) -> str:
    """Running text from the rendered tree: no left-over mark-up, no hollow brackets, no headings without text."""
    text = text.replace("\u00a0", " ")
    text = _file_pattern(hidden_prefixes).sub("", _BROKEN_TAG.sub("", text))
    text = _BROKEN_LINK.sub("", _BROKEN_TEMPLATE.sub("", _MAGIC.sub("", _QUOTES.sub("", text))))
    lines = [_tidy_line(line) for line in _LABELLED_URL.sub("", text).split("\n") if not _TABLE_LINE.match(line)]
    lines = _sections(lines, reference_sections)
    return re.sub("\n{3,}", "\n\n", "\n".join(lines)).strip().translate(_SHOW)


def _file_pattern(prefixes: frozenset[str]) -> re.Pattern[str]:
    names = "|".join(sorted(map(re.escape, prefixes))) or "file"
    return re.compile(rf"\[\[\s*({names})\s*:[^\n]*", re.I)


def _tidy_line(line: str) -> str:
    if line.startswith(HEADING):
        return line
    line = line[found.end() :] if (found := _LIST_MARK.match(line)) else line
    for _ in range(3):  # brackets in brackets
        shorter = _CLOSING.sub(r"\1", _OPENING.sub(lambda match: match[1] or match[2], _HOLLOW.sub("", line)))
        if shorter == line:
            break
        line = shorter
    line = _TWO_POINTS.sub(".", _COMMAS.sub(r"\1", _BEFORE_POINT.sub(r"\1", line)))
    line = _SPACES.sub(" ", line).strip()
    return line if _TEXT.search(line.translate(_SHOW)) else ""


def _sections(lines: list[str], reference_sections: frozenset[str]) -> list[str]:
    """The lines without sections of references, and without headings that have no text before the next one of
    their level.
    """
    kept: list[str] = []
    pending: list[tuple[int, str]] = []  # headings above the next line of text
    silent = 0  # level of the reference section that we are in
    for line in lines:
        if not line.startswith(HEADING):
            if line and not silent:
                for _, title in pending:
                    kept += ["", title, ""]
                pending = []
            if not silent:
                kept.append(line)
            continue
        level, title = int(line[1]), _tidy_line(line[2:])
        pending = [entry for entry in pending if entry[0] < level]
        if silent and level > silent:
            continue
        silent = level if title.casefold() in reference_sections else 0
        if not silent and title:
            pending.append((level, title))
    return kept
