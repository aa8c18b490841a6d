"""Markdown: the text of headings, paragraphs, quotes, lists and tables, without their marks.

Blocks of code and of HTML, pictures and the front matter that site generators use are left out. The parser is
markdown-it-py, which keeps to CommonMark and is bounded in depth.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from mothertongue.corpus.document import Document
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.files import Readable
from mothertongue.corpus.readers.pages import read_page
from mothertongue.corpus.readers.text import split_text

if TYPE_CHECKING:
    from markdown_it.token import Token

_FRONT_MATTER = re.compile(r"\A(---|\+\+\+)\n.{0,20000}?\n(---|\+\+\+)\n", re.S)
_CELLS = ("td_open", "th_open")
_BREAKS = {"softbreak": " ", "hardbreak": "\n"}


def read_markdown(path: Readable, reading: Reading) -> Iterator[Document]:
    """The text of a file, cut where a paragraph ends if it is longer than `max_document_characters`."""
    for page in read_page(path, reading):
        text = plain_text(page.replace("\r\n", "\n"))
        if not text:
            reading.drop("no-text", path.name, page)
        limit = reading.config.max_document_characters
        for number, piece in enumerate(split_text(iter([text]), separator=None, limit=limit), start=1):
            yield Document(piece, f"{path.name}#{number}", reading.name)


def plain_text(markdown: str) -> str:
    """The text in Markdown; an empty line between paragraphs, none between the items of a tight list.

    >>> plain_text("# Vlak\\n\\nJede *rychle* do [Brna](https://x).\\n\\n- jedna\\n- dvě\\n")
    'Vlak\\n\\nJede rychle do Brna.\\n\\njedna\\ndvě'
    """
    from markdown_it import MarkdownIt

    parser = MarkdownIt("commonmark").enable(["table", "strikethrough"])
    return "".join(_blocks(parser.parse(_FRONT_MATTER.sub("", markdown, count=1)))).strip()


def _blocks(tokens: list[Token]) -> Iterator[str]:
    """The text of blocks, each with the white space that ends it."""
    before = None
    for token in tokens:
        kind = before.type if before else ""
        if token.type == "inline":
            yield "".join(_inline(token))
            if kind not in _CELLS:
                yield "\n" if before is not None and before.hidden else "\n\n"
        elif token.type in _CELLS and kind in ("td_close", "th_close"):
            yield " | "
        elif token.type in ("tr_close", "table_close", "bullet_list_close", "ordered_list_close"):
            yield "\n"
        before = token


def _inline(token: Token) -> Iterator[str]:
    for child in token.children or ():
        if child.type in ("text", "code_inline"):
            yield child.content
        elif child.type in _BREAKS:
            yield _BREAKS[child.type]
