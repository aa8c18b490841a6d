"""The real export as it is, in part, and many times over with pages that differ, so that nobody is judged by its start.

Copies have titles and numbers of their own, and the paragraphs that stand by themselves (no template, table, list or
reference is open at their ends) in another order, by a seed.
"""

from __future__ import annotations

import bz2
import os
import random
import re
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree
from xml.sax.saxutils import escape, unescape

from results_file import ROOT

DATA = Path(os.environ.get("MOTHERTONGUE_DATA", ROOT.parent / "shared" / "data"))
DUMP = DATA / "dumps" / "enwiki-latest-pages-articles1.xml-p000000010p000030302-shortened.bz2"
_FEW = 6  # pages of an export that costs little but the start
_PER_STREAM = 100  # pages, as in Wikimedia's dumps
_TEXT = re.compile(r"(<text\b[^>]*>)(.*?)(</text>)", re.S)
_PAIRS = (("{{", "}}"), ("{|", "|}"), ("[[", "]]"), ("<", ">"))


def every_article() -> bytes:
    """The real export."""
    return bz2.decompress(DUMP.read_bytes())


def articles(export: bytes) -> Iterator[tuple[str, str]]:
    """Title and wikitext of each page of the first namespace that is no redirect."""
    for page in ElementTree.fromstring(export).iterfind("{*}page"):
        if page.find("{*}redirect") is None and page.findtext("{*}ns") == "0":
            yield page.findtext("{*}title") or "", page.findtext("{*}revision/{*}text") or ""


def write_export(file: Path, *, copies: int) -> None:
    """Write once.xml (the real pages), few.xml (six of them), many.xml (`copies` of each), as the name says packed."""
    whole = every_article().decode("utf-8")
    begin = whole.index("<page>")
    head, pages = whole[:begin], whole[begin : whole.rindex("</page>") + 7].split("</page>")[:-1]
    pages = [f"{page.strip()}\n</page>\n" for page in pages]
    if file.name.startswith("few"):
        pages = pages[:_FEW]
    elif file.name.startswith("many"):
        pages = [_varied(page, copy) for copy in range(copies) for page in pages]
    streams = [head, *("".join(pages[at : at + _PER_STREAM]) for at in range(0, len(pages), _PER_STREAM))]
    streams.append("</mediawiki>\n")
    if "multistream" in file.name:
        _write_streams(file, streams, pages)
    else:
        data = "".join(streams).encode("utf-8")
        file.write_bytes(bz2.compress(data) if file.suffix == ".bz2" else data)


def _write_streams(file: Path, streams: list[str], pages: list[str]) -> None:
    """As Wikimedia does: 100 pages a stream, and an index that says where each is."""
    lines = list[str]()
    with file.open("wb") as out:
        for stream in streams:
            for page in stream.split("</page>")[:-1] if "<page>" in stream else ():
                title = page[page.index("<title>") + 7 : page.index("</title>")]
                number = page[page.index("<id>") + 4 : page.index("</id>")]
                lines.append(f"{out.tell()}:{number}:{unescape(title)}\n")
            out.write(bz2.compress(stream.encode("utf-8")))
    assert len(lines) == len(pages)
    index = file.with_name(file.name.replace("multistream.xml", "multistream-index.txt"))
    index.write_bytes(bz2.compress("".join(lines).encode("utf-8")))


def _varied(page: str, copy: int) -> str:
    if not copy:
        return page
    page = page.replace("</title>", f" ({copy})</title>", 1)
    page = re.sub(r"<id>(\d+)</id>", lambda found: f"<id>{int(found[1]) + copy * 10_000_000}</id>", page, count=1)
    return _TEXT.sub(lambda found: found[1] + escape(shuffled(unescape(found[2]), copy)) + found[3], page, count=1)


def shuffled(wikitext: str, seed: int) -> str:
    """The same page with the paragraphs that stand by themselves in another order."""
    blocks = wikitext.split("\n\n")
    free, depth = list[int](), [0] * len(_PAIRS)
    for at, block in enumerate(blocks):
        before = list(depth)
        for kind, (begin, end) in enumerate(_PAIRS):
            depth[kind] += block.count(begin) - block.count(end)
        if before == depth and block[:1].isalpha():
            free.append(at)
    order = list(free)
    random.Random(seed * 1_000_003 + len(wikitext)).shuffle(order)
    result = list(blocks)
    for target, source in zip(free, order, strict=True):
        result[target] = blocks[source]
    return "\n\n".join(result)
