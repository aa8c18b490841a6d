"""An e-book, whatever its format: a stream of blocks, which become documents cut at chapters and paragraphs.

Every e-book reader gives the same four kinds of block, so a book has the same text whether it came as SFB, FB2 or
EPUB. In the text an empty line stands between paragraphs, and a line break between lines of a verse, table or drawing.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.text import split_text

TITLE, AUTHOR, TRANSLATOR = "title", "author", "translator"
LANGUAGE, ORIGINAL_LANGUAGE, LICENCE = "language", "orig_lang", "licence"

_DIVIDER = re.compile(r"[\s*⁂•·~_=—–-]*")
_VOWELS = "аеиоуъыэюяёіїєѣѫАЕИОУЪЫЭЮЯЁІЇЄѢѪ"
_LONE_I = re.compile("(?<!\\w)([иИ])\u0300(?!\\w)")  # the pronoun ѝ is spelled with its accent
_STRESS = re.compile(f"(?<=[{_VOWELS}])[\u0300\u0301]")
_RAISED = str.maketrans("0123456789+-−=()n", "⁰¹²³⁴⁵⁶⁷⁸⁹⁺⁻⁻⁼⁽⁾ⁿ")
_LOWERED = str.maketrans("0123456789+-−=()", "₀₁₂₃₄₅₆₇₈₉₊₋₋₌₍₎")
_HAS_SMALL_FORM = re.compile(r"[0-9+\-−=()n]+")


@dataclass(frozen=True, slots=True)
class Block:
    """A piece of a book. Lines that follow each other belong together; a break ends them and has no text."""

    kind: Literal["paragraph", "line", "heading", "break"]
    text: str = ""


BREAK = Block("break")


@dataclass(frozen=True)
class Book:
    """The blocks of a book, to be walked once, and what it says of itself."""

    blocks: Iterable[Block]
    meta: dict[str, str] = field(default_factory=dict)

    @property
    def translated(self) -> bool:
        """True if it names a translator, or an original language other than its own."""
        original = self.meta.get(ORIGINAL_LANGUAGE)
        return bool(self.meta.get(TRANSLATOR) or (original and original != self.meta.get(LANGUAGE, original)))


def book_documents(book: Book, where: str, reading: Reading) -> Iterator[Document]:
    """The documents of a book, at most `max_document_characters` each; their ids are `where`#number."""
    if book.translated and reading.source.translations == "drop":
        reading.drop("translation", where, " / ".join(book.meta.values()))
        return
    texts, number = book_texts(book.blocks, limit=reading.config.max_document_characters), 0
    for number, text in enumerate(texts, start=1):
        yield Document(text, f"{where}#{number}", reading.name, dict(book.meta))
    if not number:
        reading.drop("no-text", where, " / ".join(book.meta.values()))


def book_texts(blocks: Iterable[Block], *, limit: int) -> Iterator[str]:
    """The text of a book in pieces of at most `limit` characters. A piece ends before a chapter if it is half full,
    else after the last paragraph that fits, and never after a heading.
    """
    parts, size = list[tuple[str, bool]](), 0
    for text, heading in _units(blocks, limit):
        if parts and (size + len(text) > limit or (heading and size > limit // 2)):
            carried = _trailing_headings(parts)
            yield _joined(parts[: len(parts) - carried])
            parts = parts[len(parts) - carried :]
            size = sum(len(part) + 2 for part, _ in parts)
            if size + len(text) > limit:  # only headings of absurd length
                yield _joined(parts)
                parts, size = [], 0
        parts.append((text, heading))
        size += len(text) + 2
    if parts:
        yield _joined(parts)


def _units(blocks: Iterable[Block], limit: int) -> Iterator[tuple[str, bool]]:
    """(text, is it a heading?) of what stands between empty lines."""
    lines = list[str]()
    for block in blocks:
        if block.kind == "line":
            lines.append(block.text)
            continue
        yield from ((piece, False) for piece in split_text(iter(["\n".join(lines)]), separator=None, limit=limit))
        lines = []
        if block.text:
            pieces = split_text(iter([block.text]), separator=None, limit=limit)
            yield from ((piece, block.kind == "heading") for piece in pieces)
    yield from ((piece, False) for piece in split_text(iter(["\n".join(lines)]), separator=None, limit=limit))


def _trailing_headings(parts: list[tuple[str, bool]]) -> int:
    count = 0
    while count < len(parts) - 1 and parts[-1 - count][1]:
        count += 1
    return count


def _joined(parts: list[tuple[str, bool]]) -> str:
    return "\n\n".join(text for text, _ in parts)


def is_divider(text: str) -> bool:
    """True for `* * *`, a row of dashes, and nothing at all."""
    return _DIVIDER.fullmatch(text) is not None


def unstressed(text: str) -> str:
    """Without the combining accents that mark stress on Cyrillic vowels.

    >>> unstressed("ужа\\u0300сен, а тя и\\u0300 каза") == "ужасен, а тя ѝ каза"
    True
    """
    if "\u0300" not in text and "\u0301" not in text:
        return text
    return _STRESS.sub("", _LONE_I.sub(lambda found: "ѝ" if found[1] == "и" else "Ѝ", text))


def raised(text: str) -> str:
    """Superscript: 10 and 12 become 10¹²; what has no raised form stays on the line."""
    return text.translate(_RAISED) if _HAS_SMALL_FORM.fullmatch(text) else text


def lowered(text: str) -> str:
    """Subscript: H, 2, O become H₂O; what has no lowered form stays on the line."""
    return text.translate(_LOWERED) if _HAS_SMALL_FORM.fullmatch(text) and "n" not in text else text
