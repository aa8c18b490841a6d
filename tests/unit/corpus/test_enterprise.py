"""Wikimedia's HTML dumps: JSON lines of articles in a tar.gz; the text of pages without boxes, tables and notes."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("lxml")
from mothertongue.corpus.config import Source
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.enterprise import article_text

PAGE = """<!DOCTYPE html><html><head><title>Mlýn</title></head><body><section><table class="infobox"><tr><td>Box</td>
</tr></table><p><b>Mlýn</b> je <a href="./Stavba">stavba</a><sup class="mw-ref reference"><a>[1]</a></sup> u řeky,
vysoká 12&nbsp;m.<style>.a{}</style></p><figure><img src="a"/><figcaption>Obrázek</figcaption></figure></section>
<section><h2>Dějiny</h2><p>Stojí od roku 1500; platí
<span class="mwe-math-element"><math alttext="{\\displaystyle a+b}">
<mi>a</mi></math></span> vždy.</p><ul><li>mouka<ul><li>hladká</li></ul></li><li>otruby</li></ul></section>
<section><h2>Poznámky</h2><div class="mw-references-wrap"><ol class="references"><li>Kniha</li></ol></div></section>
<section><h2>Odkazy</h2><div class="navbox"><p>Menu</p></div></section></body></html>"""
TEXT = """Mlýn je stavba u řeky, vysoká 12 m.

Dějiny

Stojí od roku 1500; platí a+b vždy.

mouka
hladká
otruby"""


def record(page: str = PAGE, **changes: Any) -> dict[str, Any]:
    return {
        "name": "Mlýn",
        "identifier": 7,
        "url": "https://cs.example.org/wiki/Mlýn",
        "namespace": {"identifier": 0},
        "is_part_of": {"identifier": "cswiki"},
        "article_body": {"html": page, "wikitext": "'''Mlýn'''"},
        **changes,
    }


def test_a_dump_of_html_gives_the_text_of_its_articles(
    tmp_path: Path, reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    records = [
        record(),
        record(namespace={"identifier": 14}, identifier=8),
        record("<p> </p>", identifier=9),
        record("<p " + " ".join(f"a{n}" for n in range(5000)) + ">", identifier=10),
        {"article_body": 3},
    ]
    data = "\n".join(json.dumps(one) for one in records).encode()
    path = tmp_path / "cswiki-NS0-20260101-ENTERPRISE-HTML.json.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        info = tarfile.TarInfo("cswiki_namespace_0_0.ndjson")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    (document,) = read_file(path, reading(Source(str(path))))
    assert document.text == TEXT
    assert document.id == f"{path.name}/cswiki:7"
    assert document.meta == {"title": "Mlýn", "url": "https://cs.example.org/wiki/Mlýn"}
    assert [reason for reason, _, _ in drops] == ["not-an-article", "no-text", "broken-markup", "no-text"]


@pytest.mark.parametrize(
    "page", ["", "<", "<p>" * 50_000, "<ul><li>" * 20_000 + "a", "\0\ud800<p>a", "<math>" * 20_000]
)
def test_hostile_pages_take_bounded_time(page: str) -> None:
    start = time.process_time()
    assert isinstance(article_text(page), str)
    assert time.process_time() - start < 5
