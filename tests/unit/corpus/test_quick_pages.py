"""Pages found in the bytes of an export are those that expat finds, whatever the export looks like and however it is
cut; the functions are plain Python or compiled, as installed.
"""

from __future__ import annotations

import random
from collections.abc import Iterable
from itertools import pairwise
from xml.parsers import expat
from xml.sax.saxutils import escape

import pytest

from mothertongue.corpus.readers import export
from mothertongue.corpus.readers.export import Export, characters, quick_pages
from mothertongue.corpus.wikitext import dump

HEAD = '<mediawiki xmlns="x" version="0.11">\n<siteinfo><dbname>cswiki</dbname></siteinfo>\n'
ODD = [
    "<![CDATA[a<b]]>", "<!-- c -->", "&#65;", "&#x41;", "&apos;", "\r\n", "\x00", "\x0b", "\ufffe", "a>b", "]]", "\t",
    "<b>x</b>", "&lt;!-- &quot;", "\U0001f600", "é", "&amp;lt;", "", "<>", "< b>",
]  # fmt: skip


def page(number: int, text: str, *, extra: str = "", attributes: str = ' bytes="3" xml:space="preserve"') -> str:
    return (
        f"  <page>\n    <title>T&amp;{number}</title>\n    <ns>0</ns>\n    <id>{number}</id>\n{extra}    <revision>\n"
        f"      <id>9</id>\n      <contributor>\n        <username>x</username>\n        <id>8</id>\n"
        f"      </contributor>\n      <minor />\n      <model>wikitext</model>\n      <text{attributes}>{text}</text>\n"
        "    </revision>\n  </page>\n"
    )


def found(whole: bytes, blocks: Iterable[bytes], *, quick: bool, max_bytes: int = 1 << 20) -> object:
    one = Export(max_bytes=max_bytes)
    pages: list[tuple[object, ...]] = []
    try:
        for given in quick_pages(blocks, one) if quick else export._fed(characters([whole]), one):
            pages.append((given.title, given.ns, given.id, given.model, given.redirect, given.too_large, given.text))
        pages += [(given.title, given.text) for given in one.close()]
    except expat.ExpatError:
        return "damaged", one.last  # how many pages came out before depends on the blocks
    return pages, one.pages, one.last, one.info


def blocks_of(data: bytes, chance: random.Random) -> list[bytes]:
    places = sorted({0, len(data), *(chance.randrange(len(data) + 1) for _ in range(chance.randrange(6)))})
    return [data[begin:end] for begin, end in pairwise(places)]


def test_pages_are_those_that_expat_finds_however_the_bytes_are_cut() -> None:
    chance = random.Random(5)
    for number in range(1500):
        texts = [escape(chance.choice(["'''a'''\n{{b|<ref>c</ref>}}", 'kůň & "osel"', ""])) for _ in range(4)]
        pages = [page(place, text) for place, text in enumerate(texts)]
        if number % 3:
            pages[2] = page(2, texts[2] + chance.choice(ODD))
        if number % 5 == 0:
            pages[1] = page(1, texts[1], extra='    <redirect title="a&gt;b" />\n')
        if number % 7 == 0:
            pages[3] = page(3, texts[3]).replace("</page>", "<revision><text>nova</text></revision></page>")
        if number % 11 == 0:
            pages[0] = page(0, "", attributes=" a='>'") + "<!-- <page> -->"
        whole = (HEAD + "".join(pages) + "</mediawiki>\n").encode()
        assert found(whole, blocks_of(whole, chance), quick=True) == found(whole, [], quick=False)


def test_a_cut_export_is_damaged_for_both() -> None:
    chance = random.Random(6)
    whole = (HEAD + "".join(page(number, "a &lt;b&gt;") for number in range(3)) + "</mediawiki>\n").encode()
    for _ in range(300):
        cut = whole[: chance.randrange(len(whole))]
        assert found(cut, blocks_of(cut, chance), quick=True) == found(cut, [], quick=False)


@pytest.mark.parametrize(
    "bad", [b"\xc3", b"\xff", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc0\x80", b"\xe2\x82", b"\x01"]
)
def test_bytes_that_are_no_characters_are_replaced_or_dropped_as_everywhere(bad: bytes) -> None:
    whole = (HEAD + page(1, "a@''b'' @") + page(2, "c") + "</mediawiki>").encode().replace(b"@", bad)
    assert found(whole, [whole], quick=True) == found(whole, [], quick=False)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-8-sig", "cp1250"])
def test_other_encodings_go_through_expat(encoding: str) -> None:
    said = '<?xml version="1.0" encoding="windows-1250"?>' if encoding == "cp1250" else ""
    whole = (said + HEAD + page(1, "kůň") + "</mediawiki>").encode(encoding)
    assert found(whole, [whole[:100], whole[100:]], quick=True) == found(whole, [], quick=False)


def test_a_page_beyond_the_limit_goes_through_expat() -> None:
    whole = (HEAD + page(1, "a") + page(2, "slovo " * 5000) + page(3, "b") + "</mediawiki>").encode()
    parts = [whole[at : at + 1000] for at in range(0, len(whole), 1000)]
    given = found(whole, parts, quick=True, max_bytes=20_000)
    assert given == found(whole, [], quick=False, max_bytes=20_000)


def test_characters_are_told_from_other_bytes_as_python_tells_them() -> None:
    chance = random.Random(7)
    wanted = [bytes(chance.choices([0x41, 0x80, 0xBF, 0xC2, 0xE0, 0xA0, 0xED, 0x9F, 0xF0, 0x90, 0xF4, 0x8F, 0xEF], k=4))
              for _ in range(4000)]  # fmt: skip
    wanted += [chr(code).encode() for code in (*range(0x20, 0xD800, 11), *range(0xE000, 0x110000, 97))]
    for data in wanted:
        try:
            text = data.decode()
        except UnicodeDecodeError:
            text = "\ufffe"
        allowed = "&" in text or not set(text) & {"\ufffe", "\uffff"}
        assert (dump.unescaped(data) is not None) == (allowed and "&" not in text)
