from __future__ import annotations

import gzip
import string
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mothertongue.errors import ConfigError, SourceError
from mothertongue.transfer.dictd import read_dictd, translations
from mothertongue.transfer.dictionary import MOST_LINE, read_tsv, translate
from mothertongue.transfer.langlinks import MOST_ROW, read_langlinks, sql_rows
from mothertongue.transfer.methods import Translations

SOURCE = {0: b" sky", 1: b"Sky", 2: b" dog", 3: b"dog", 4: "end of text", 5: b" it"}
TARGET = {0: "end of text", 1: b" nebe", 2: b"Nebe", 3: " его".encode(), 4: b" pes", 5: "neměl".encode()}
DIGITS = string.ascii_uppercase + string.ascii_lowercase + "0123456789+/"


def translated(file: Path, *, language: str = "en") -> Translations:
    return translate(file, SOURCE, TARGET, language=language)


def in_base_64(number: int) -> str:
    digits = DIGITS[number % 64]
    while number := number // 64:
        digits = DIGITS[number % 64] + digits
    return digits


def write_dictd(folder: Path, entries: dict[str, str], *, packed: bool = True) -> Path:
    text, lines = b"", []
    for word, body in entries.items():
        raw = f"{word} /x/ <n>\n{body}\n".encode()
        lines.append(f"{word}\t{in_base_64(len(text))}\t{in_base_64(len(raw))}\n")
        text += raw
    index = folder / "eng-xxx.index"
    index.write_text("".join(lines), "utf-8")
    (folder / ("eng-xxx.dict.dz" if packed else "eng-xxx.dict")).write_bytes(gzip.compress(text) if packed else text)
    return index


def write_dumps(folder: Path, links: str, pages: str) -> Path:
    head = "-- dump (c), of a wiki\nCREATE TABLE `t` (\n  `a` int(8),\n  PRIMARY KEY (`a`)\n);\nINSERT INTO `t` VALUES "
    for name, rows in (("langlinks", links), ("page", pages)):
        (folder / f"xxwiki-1-{name}.sql.gz").write_bytes(gzip.compress(f"{head}{rows};\n".encode()))
    return folder / "xxwiki-1-langlinks.sql.gz"


def test_words_pair_as_written_in_small_letters_and_with_a_capital(tmp_path: Path) -> None:
    (tmp_path / "d.tsv").write_text("SKY\tnebe\tnoun\ndog\tpes\n")
    assert set(translated(tmp_path / "d.tsv").pairs) == {(1, 0), (2, 1), (4, 2)}


def test_stress_marks_are_taken_off(tmp_path: Path) -> None:
    (tmp_path / "d.tsv").write_text("it\tего\u0301\n", "utf-8")
    assert translated(tmp_path / "d.tsv").pairs == ((3, 5),)


def test_an_accent_that_is_written_stays(tmp_path: Path) -> None:
    (tmp_path / "d.tsv").write_text("sky\tẹ\u0301\n", "utf-8")
    keys = {0: " ẹ".encode(), 1: " ẹ\u0301".encode()}
    assert translate(tmp_path / "d.tsv", SOURCE, keys, language="en").pairs == ((1, 0),)


def test_a_line_without_a_tab_among_lines_with_tabs_is_no_pair(tmp_path: Path) -> None:
    (tmp_path / "d.tsv").write_text("dog\tpes\n\nsky nebe\n", "utf-8")
    found = translated(tmp_path / "d.tsv")
    assert found.pairs == ((4, 2),) and found.skipped == {"no-pair": 1}


def test_what_is_left_out_is_counted_by_reason(tmp_path: Path) -> None:
    lines = ["dog\tpes", "alone", "dog\tpes domácí", "cat\tkočka", f"dog\t{'p' * 99}", "x" * (MOST_LINE + 1), "dog\t "]
    (tmp_path / "d.tsv").write_text("\n".join(lines), "utf-8")
    found = translated(tmp_path / "d.tsv")
    assert found.pairs == ((4, 2),) and found.entries == 4
    assert found.skipped == {"line-too-long": 1, "no-pair": 2, "not-one-token": 1, "phrase": 1, "too-long": 1}


def test_words_with_a_space_between_are_a_dictionary_too(tmp_path: Path) -> None:
    (tmp_path / "en-xx.txt").write_text("dog pes\n")
    assert translated(tmp_path / "en-xx.txt").pairs == ((4, 2),)


def test_dictionary_of_other_words_is_refused(tmp_path: Path) -> None:
    (tmp_path / "d.tsv").write_text("pes\tdog\n")
    with pytest.raises(ConfigError, match=r"None of the 1 entries of .*d\.tsv.*own language, then a tab"):
        translated(tmp_path / "d.tsv")


@pytest.mark.parametrize("packed", [True, False])
def test_dictd_gives_headword_and_translation(tmp_path: Path, packed: bool) -> None:
    index = write_dictd(
        tmp_path, {"00database": "about", "sky": "1. nebe, obloha\nthe sky", "dog": "pes\nan animal"}, packed=packed
    )
    skipped: Counter[str] = Counter()
    found = list(read_dictd(index, "en", lambda reason: skipped.update([reason])))
    assert found == [("sky", "nebe"), ("sky", "obloha"), ("dog", "pes")] and not skipped
    assert (4, 2) in translated(index.with_name("eng-xxx.dict.dz" if packed else "eng-xxx.dict")).pairs


def test_asides_and_glosses_are_no_translations() -> None:
    entry = "ivory /x/ <n>\n[[слонова]] кост 2.\ncolour\n 3.\nmaterial\n4. (rare) зъб; бивник\ntooth"
    assert translations(entry) == ["] кост", "зъб", "бивник"]


def test_dictd_with_a_forged_index_counts_its_lines(tmp_path: Path) -> None:
    index = write_dictd(tmp_path, {"dog": "pes"})
    index.write_text(index.read_text() + "sky\tA\t//////\nsky\t!\tB\nsky\tAAAAAAAAAAAAAA\tB\nsky\n")
    assert translated(index).skipped == {"damaged-entry": 3, "no-pair": 1}


@pytest.mark.parametrize("missing", ["eng-xxx.index", "eng-xxx.dict.dz"])
def test_half_a_dictd_dictionary_is_refused(tmp_path: Path, missing: str) -> None:
    index = write_dictd(tmp_path, {"dog": "pes"})
    (tmp_path / missing).unlink()
    with pytest.raises(SourceError, match=missing.replace(".", r"\.") + " beside it"):
        translated(index if missing.endswith("dz") else index.with_name("eng-xxx.dict.dz"))


def test_titles_of_articles_in_two_languages_are_a_dictionary(tmp_path: Path) -> None:
    links = r"(1,'en','Sky (poem)'),(1,'de','Himmel'),(2,'en','It\'s (3,\'en\',\'x\')'),(7,'en','Dog')"
    pages = r"(1,0,'Nebe_(báseň)',0,0,0.5,NULL),(2,0,'To',0,0),(7,4,'Pes',0),(9,0,'X',0)"
    found = list(read_langlinks(write_dumps(tmp_path, links, pages), "en", print))
    assert found == [("Sky", "Nebe"), ("It's", "To")]
    assert translated(tmp_path / "xxwiki-1-langlinks.sql.gz").pairs == ((2, 1), (1, 0))


def test_one_of_two_dumps_is_not_enough(tmp_path: Path) -> None:
    links = write_dumps(tmp_path, "(1,'en','Sky')", "(1,0,'Nebe')")
    (tmp_path / "xxwiki-1-page.sql.gz").unlink()
    with pytest.raises(SourceError, match=r"page\.sql\.gz of the same wiki"):
        translated(links)


def test_row_that_never_ends_is_thrown_away_in_bounded_memory(tmp_path: Path) -> None:
    file = tmp_path / "x.sql"
    file.write_bytes(b"(1,'a','" + b"x" * 5 * MOST_ROW + b"');\nINSERT INTO `t` VALUES (2,'b','y');")
    skipped: Counter[str] = Counter()
    assert list(sql_rows(file, 3, lambda reason: skipped.update([reason]))) == [[b"2", b"b", b"y"]]
    assert skipped["row-too-long"] >= 2


@given(st.lists(st.tuples(st.integers(0, 10**9), st.binary(max_size=20), st.binary(max_size=20)), max_size=9))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_rows_come_out_as_they_were_written(tmp_path: Path, rows: list[tuple[int, bytes, bytes]]) -> None:
    def quoted(value: bytes) -> bytes:
        return b"'" + value.replace(b"\\", rb"\\").replace(b"'", rb"\'") + b"'"

    text = b",".join(b"(%d,%s,%s)" % (number, quoted(one), quoted(two)) for number, one, two in rows)
    (tmp_path / "x.sql").write_bytes(b"INSERT INTO `x` VALUES " + text + b";\n")
    assert list(sql_rows(tmp_path / "x.sql", 3, pytest.fail)) == [[b"%d" % number, *rest] for number, *rest in rows]


@given(st.binary(max_size=300))
@settings(max_examples=50, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_break_a_reader(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "x-langlinks.sql"
    for name in (file.name, "x-page.sql", "x.index", "x.dict", "x.tsv"):
        (tmp_path / name).write_bytes(b"x" + data)  # x: not packed
    for reader, given_file in (
        (read_langlinks, file),
        (read_dictd, tmp_path / "x.index"),
        (read_tsv, tmp_path / "x.tsv"),
    ):
        list(reader(given_file, "en", lambda reason: None))
