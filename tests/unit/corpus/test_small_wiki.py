"""A small wiki needs no code and no file of its own: a made-up export in Latgalian, whose words nobody told us."""

from __future__ import annotations

import random
from pathlib import Path

from mothertongue.corpus.config import Source
from mothertongue.corpus.shards import read_documents
from mothertongue.corpus.split import SPLITS
from mothertongue.languages import language_codes

from .test_stage import run
from .test_wikipedia import page

HEAD = """<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" version="0.11" xml:lang="ltg">
<siteinfo><sitename>Vikipedeja</sitename><dbname>ltgwiki</dbname><namespaces>
<namespace key="-2">Medeja</namespace><namespace key="0" /><namespace key="1">Sprīža</namespace>
<namespace key="6">Fails</namespace><namespace key="10">Taiss</namespace>
<namespace key="14">Kategoreja</namespace></namespaces></siteinfo>
"""
LETTERS = "aābcčdeēgģiījkļlmnņoōprsštuūyvzž"


def article(number: int) -> str:
    draw = random.Random(number)
    words = ["".join(draw.choices(LETTERS, k=draw.randint(2, 9))) for _ in range(200)]
    lines = [
        f"{' '.join(draw.choices(words, k=9)).capitalize()} [[upe|upis]] {draw.randint(1, 9999)}." for _ in range(9)
    ]
    return (
        f"[[Fails:a{number}.jpg|thumb|apraksts]]'''Nūsaukums {number}''' ({{{{lang|lv|Nosaukums}}}}) ir "
        f"{{{{convert|{number}|km}}}} nu {{{{formatnum:{number}000}}}}. {' '.join(lines)}<ref>Olūts</ref>\n"
        f"{{{{Taiss:Infobox|a=b}}}}\n[[Kategoreja:Vītys]]"
    )


def test_a_wiki_in_a_language_without_a_file_becomes_a_clean_corpus(tmp_path: Path) -> None:
    assert "ltg" not in language_codes()
    pages = [page(f"Nūsaukums {number}", article(number), id=number) for number in range(1, 41)]
    pages += [
        page("Puoradresiešona", "#PUORADRESEJS [[Nūsaukums 1]]", id=50),
        page("Taiss:Infobox", "x", ns="10", id=51),
        page("Nūzeimis", "* [[a]]\n__DISAMBIG__", id=52),
    ]
    path = tmp_path / "ltgwiki-20261101-pages-articles.xml"
    path.write_text(HEAD + "".join(pages) + "</mediawiki>\n", "utf-8")
    metrics = run(tmp_path / "out", Source(str(path)), language="ltg", heldout_share=0.1, dev_share=0.1)
    assert metrics["documents"] == 40
    assert metrics["dropped"] == {"disambiguation": 1, "not-an-article": 1, "redirect": 1}
    documents = [document for split in SPLITS for document in read_documents(tmp_path / "out", split)]
    assert {document.id for document in documents} == {f"ltgwiki:{number}" for number in range(1, 41)}
    (seventh,) = (document.text for document in documents if document.id == "ltgwiki:7")
    assert seventh.startswith("Nūsaukums 7 (Nosaukums) ir 7 km nu 7")
    assert not any(mark in document.text for document in documents for mark in ("[[", "{{", "<ref", "Fails", "Kategor"))
