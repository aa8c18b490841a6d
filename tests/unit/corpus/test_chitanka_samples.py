"""The site's own converter made FB2 and HTML of each SFB sample: our readers find the same text in all three."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from mothertongue.corpus.clean import clean
from mothertongue.corpus.readers.book import Block, book_texts
from mothertongue.corpus.readers.bookxml import parse_xml
from mothertongue.corpus.readers.fb2 import parse_fb2
from mothertongue.corpus.readers.sfb import parse_sfb
from mothertongue.corpus.readers.xhtml import chapter_blocks

pytest.importorskip("lxml")
FOLDER = Path(os.environ.get("MOTHERTONGUE_DATA", "../shared/data")) / "formats" / "chitanka"
NAMES = sorted(path.stem for path in FOLDER.glob("*.sfb"))
# where the converter lost or added structure: the words are the same, the line breaks are not
FB2_DIFFERS = {"poem-center": "a styled verse becomes a stanza of its own"}
HTML_DIFFERS = {
    "all": "two lines of a table's title become one caption",
    "poem-titles": "two lines of a poem's title become two headings",
}


def text(blocks: object) -> str:
    return clean("\n\n".join(book_texts(blocks, limit=100_000)))  # type: ignore[arg-type]


def html_blocks(data: bytes) -> list[Block]:
    return list(chapter_blocks(parse_xml(b"<html><body>" + data + b"</body></html>")))


@pytest.mark.skipif(not NAMES, reason="the samples in formats/chitanka are not here (set MOTHERTONGUE_DATA)")
@pytest.mark.parametrize("name", NAMES or ["none"])
def test_three_formats_one_text(name: str) -> None:
    sfb = text(parse_sfb((FOLDER / f"{name}.sfb").read_text("utf-8")).blocks)
    fb2 = text(parse_fb2((FOLDER / f"{name}.fb2").read_bytes()).blocks)
    html = text(html_blocks((FOLDER / f"{name}.html").read_bytes()))
    for other, differences in ((fb2, FB2_DIFFERS), (html, HTML_DIFFERS)):
        if name in differences:
            assert other != sfb
            assert other.split() == sfb.split()
        else:
            assert other == sfb
    assert not set(sfb) & set("{}`\t\u0300")
    assert sfb
