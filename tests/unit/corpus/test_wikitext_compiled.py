"""The compiled wikitext reader and the pure one give the same bytes; skipped where nothing is compiled."""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from mothertongue.corpus.build import ROOM, WIKITEXT, compile_in, stage
from mothertongue.corpus.readers import articles
from mothertongue.corpus.wikitext import extract, extract_text, gaps, octets, scan, spaces
from mothertongue.corpus.wikitext.links import link_text
from mothertongue.corpus.wikitext.marks import MARK
from mothertongue.corpus.wikitext.tidy import _WORD, plain_spaces

GOLDEN = Path(__file__).parents[2] / "golden" / "wikitext"
DIGEST = """
import hashlib, sys
from pathlib import Path
from mothertongue.corpus.wikitext import extract, extract_text
assert extract.__file__.endswith(".py")
print(hashlib.sha256("".join(extract_text(Path(p).read_text("utf-8")) for p in sys.argv[1:]).encode()).hexdigest())
"""

SIGNS = [
    "[[", "]]", "[", "]", "{", "}", "{{", "}}", "{{{", "}}}", "|", "<", ">", "<ref>", "</ref>", "<ReF/>", "<ref_a>",
    "<!--", "-->", "-", "<nowiki>", "</nowiki>", "<math>", "</math>", "<br/>", "<pre>", "<div>", "http://", "[//a",
    "[ftp:", "mailto:", "[mailto:", "[http://a", "{|", "|}", "!", ":", "a", "b", "й", "=", "==", "*", "#", "/", "'",
    "''", "'''", "'''''", "&nbsp;", "&amp;", "__", "__TOC__", "-{", "}-", "{{lang|en|", "{{convert|5|km}}", "{{a}}",
    "[[a|b]]", "[[File:a|", "<sup>", "</sup>", "<table>", "</table>",
    "\n", "\n", "\n{|", "\n|}", "\n|-", " ", "  ", "\t", "\u00a0", "\n :{|", "\n==a==\n", "\nSlovo. ",
    "<ref\u0130", "<\u017fource>", "<\u212a>", "\x01", "\x02", "\ud800", "\U0001f600", "(", ")", ",", "\u2003", "[[a_",
    "[[\u0439]]", "Category:", "{{ \n", "://", "_", "<ref name=a/>", "<!--b-->",
]  # fmt: skip
ALL = """
import hashlib, json, sys
from mothertongue.corpus.wikitext import dump, extract, extract_text, site
from mothertongue.languages import open_language
assert extract.__file__.endswith(sys.argv[1])
wikis = [site(open_language(language), {6: "Soubor"}, tables=tables, formulas=formulas)
         for language, tables, formulas in (("en", "drop", "text"), ("cs", "keep", "latex"))]
given = json.load(sys.stdin)
texts = [extract_text(page, wiki) for page in given[0] for wiki in wikis]
digests = [hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest() for text in texts]
for text in (*texts, *given[1]):
    data = text.encode("utf-8", "surrogatepass")
    page = dump.read_page(data, 0, len(data))
    digests.append([repr(dump.unescaped(data)), dump.page_end(data, 0), page and [page.title, page.text].__repr__()])
print(json.dumps(digests))
"""


TAGS = [
    "<title>", "</title>", "<ns>", "</ns>", "<id>", "</id>", "<redirect title=\"a>b\" />", "<revision>", "</revision>",
    "<text xml:space=\"preserve\">", "</text>", "<text />", "<text>", "<contributor>", "</contributor>", "<minor />",
    "<unknown>", "a", "<", ">", "/", "&lt;", "&gt;", "&amp;", "&quot;", "&apos;", "&#10;", "&l", "&quot", "\n", " ",
    "</page>", "<page>", "й", "\x00", "\r", "\uffff", "<model>wikitext</model>", "<!-- -->", "]]>",
]  # fmt: skip


def random_pages(count: int) -> list[str]:
    """Of a third the end is cut off."""
    chance = random.Random(3)
    pages = ["".join(chance.choices(SIGNS, k=chance.randrange(80))) for _ in range(count)]
    return [page[: chance.randrange(len(page) + 1)] if number % 3 == 0 else page for number, page in enumerate(pages)]


def random_octets(count: int) -> list[bytes]:
    return [page.encode("utf-8", "surrogatepass") for page in random_pages(count)]


def random_exports(count: int) -> list[str]:
    chance = random.Random(4)
    return ["".join(chance.choices(TAGS, k=chance.randrange(30))) for _ in range(count)]


def pages() -> list[str]:
    return sorted(str(page) for page in GOLDEN.glob("*.wiki"))


def test_the_pure_reader_stands_alone_and_gives_the_bytes_of_whatever_is_installed(tmp_path: Path) -> None:
    stage(tmp_path)
    command = [sys.executable, "-c", DIGEST, *pages()]
    pure = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, check=True)
    here = "".join(extract_text(Path(page).read_text("utf-8")) for page in pages())
    assert pure.stdout.decode().strip() == hashlib.sha256(here.encode()).hexdigest()


@pytest.mark.skipif(str(extract.__file__).endswith(".py"), reason="the wikitext reader is not compiled here")
def test_all_inner_files_are_compiled_together() -> None:
    for name in WIKITEXT:
        assert list((ROOM / "wikitext").glob(f"{name}.*.so")) or list((ROOM / "wikitext").glob(f"{name}.*.pyd"))


def test_the_scanner_cuts_as_the_expression_does() -> None:
    """As plain Python, or as compiled: where a mark begins and ends is the same."""
    for page in random_octets(3000):
        assert scan.scan_marks(page) == MARK.split(page)


def test_the_scanner_tidies_as_plain_replacing_does() -> None:
    for page in random_octets(3000):
        text, more = spaces.plain_spaces(page)
        assert text == plain_spaces(page)
        assert more or not any(sign in text for sign in (b"__", b"-{", b"://"))
    for code in [*range(0xD800), *range(0xE000, 0x30000, 7)]:
        found = scan.word_in(chr(code).encode())
        assert found == (1 if _WORD.search(chr(code)) else 0) if code < 0x80 else found == -1


def test_the_scanner_looks_into_marks_as_expressions_do() -> None:
    for page in random_octets(3000):
        names, links, _ = articles._names_in(page)
        found = scan.names_in(page)
        assert found[0] == names and found[1] >= links and found[2] == (b"__" in page)
        last_line = page[page.rfind(b"\n") + 1 :]
        assert scan.ends_in_text(page) in (-1, int(octets.stripped(last_line) != b""))
        for mark in MARK.split(page)[1::2]:
            whole = 2 if mark.endswith(b"</ref>") else int(mark.endswith((b"/>", b"-->")))
            assert scan.whole_element(mark) == whole
            if mark.startswith(b"{{") and len(mark) > 3:
                assert scan.template_name(mark) == mark[2:-2].partition(b"|")[0]
            if mark.startswith(b"[[") and len(mark) > 3 and (shown := scan.simple_link(mark)):
                target, bar, label = octets.text_of(mark[2:-2]).partition("|")
                assert octets.text_of(shown) == link_text(target, label if bar else None)


def test_brackets_are_looked_at_only_where_one_holds_a_gap() -> None:
    for page in random_octets(3000):
        for line in page.split(b"\n"):
            changed = gaps._close_brackets(octets.text_of(line)) != octets.text_of(line)
            assert scan.gap_in_brackets(line) or not changed


@pytest.mark.parametrize(("begin", "end"), [(-1, 2), (2, 1), (0, 4), (4, 5)])
def test_nothing_is_cut_from_beyond_the_bytes(begin: int, end: int) -> None:
    with pytest.raises(IndexError):
        octets.cut(b"abc", begin, end)


@pytest.mark.skipif(
    not (find_spec("Cython") and find_spec("setuptools") and (shutil.which("cc") or shutil.which("cl"))),
    reason="Cython or a C compiler is not here",
)
@pytest.mark.slow
def test_what_is_compiled_now_gives_the_same_bytes_on_goldens_and_on_random_mark_up(tmp_path: Path) -> None:
    golden = [Path(page).read_text("utf-8") for page in pages()]
    given = json.dumps([golden + random_pages(4000), random_exports(2000)])
    found = []
    for ending in (".py", (".so", ".pyd")[os.name == "nt"]):
        folder = tmp_path / ending.strip(".")
        stage(folder)
        if ending != ".py":
            assert len(compile_in(folder, [f"wikitext/{name}" for name in WIKITEXT])) == len(WIKITEXT)
        command, env = (
            [sys.executable, "-c", ALL, ending],
            {**os.environ, "PYTHONPATH": str(folder)},
        )
        done = subprocess.run(command, input=given, cwd=folder, env=env, capture_output=True, text=True, check=True)
        found.append(json.loads(done.stdout))
    assert found[0] == found[1]


def test_the_files_to_compile_exist() -> None:
    assert all((ROOM / "wikitext" / f"{name}.py").exists() for name in WIKITEXT)
