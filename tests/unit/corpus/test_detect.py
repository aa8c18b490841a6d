"""Which reader a file takes: the setting, then the name, then what is in it; a folder gives nothing away to a guess."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from mothertongue.corpus.config import Source
from mothertongue.corpus.readers import READERS, Reading, read_file
from mothertongue.corpus.readers.detect import reader_of
from mothertongue.errors import SourceError


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("a.txt", "text"),
        ("a.TXT.GZ", "text"),
        ("a.md", "markdown"),
        ("a.html", "html"),
        ("a.htm.zst", "html"),
        ("a.csv.xz", "csv"),
        ("a.tsv", "tsv"),
        ("a.jsonl.zst", "jsonl"),
        ("a.parquet", "parquet"),
        ("data-00000-of-00001.arrow", "arrow"),
        ("a.tar.zst", "archive"),
        ("a.tgz", "archive"),
        ("a.zip", "archive"),
        ("a.pdf", "pdf"),
        ("cswiki-latest-pages-articles.xml-p1p41242.bz2", "wikipedia"),
        ("a.png", None),
        ("a.docx", None),
        ("a.safetensors", None),
    ],
)
def test_a_name_says_what_a_file_holds(tmp_path: Path, name: str, reader: str | None) -> None:
    (tmp_path / name).write_bytes(b"")
    assert reader_of(tmp_path / name, Source("x"), alone=True) == reader


def packed(make: str) -> bytes:
    buffer = io.BytesIO()
    if make == "zip":
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("a.txt", "a")
    else:
        with tarfile.open(fileobj=buffer, mode="w") as tar:
            tar.addfile(tarfile.TarInfo("a.txt"))
    return buffer.getvalue()


@pytest.mark.parametrize(
    ("data", "reader"),
    [
        (b'\xef\xbb\xbf\n{"text": "a"}\n{"text"', "jsonl"),
        (b'{"text": "' + b"x" * 100_000, "jsonl"),
        (gzip.compress(b'{"text": "a"}'), "jsonl"),
        (b"<mediawiki xmlns='x'>", "wikipedia"),
        (b"\n<!-- a --><!DOCTYPE HTML><html>", "html"),
        (b"<?xml version='1.0'?>\n<!-- a --> <!-- <html> -->\n<html>", "html"),
        (b"<!-- <html> --><p>", "text"),
        (b"<!---->" * 500 + b"x", "text"),  # at once: backtracking would never end
        (b"PAR1\x00\x01", "parquet"),
        (b"%PDF-1.4", "pdf"),
        (packed("zip"), "archive"),
        (packed("tar"), "archive"),
        (gzip.compress(packed("tar")), "archive"),
        ("Obyčejný text.\n{}\n".encode(), "text"),
        ("Обикновен текст.".encode("utf-16"), "text"),
        ("Обикновен текст.".encode("cp1251"), "text"),
        (b"{not json}\n", "text"),
        (b"{\n", "text"),
        (b"\x7fELF\x00\x01\x02", None),
        (bytes(range(1, 32)) * 10, None),
        (b"", None),
        (gzip.compress(b"a" * 100_000)[:-30], "text"),
    ],
)
def test_content_says_it_where_the_name_does_not(tmp_path: Path, data: bytes, reader: str | None) -> None:
    (tmp_path / "dump").write_bytes(data)
    assert reader_of(tmp_path / "dump", Source("x"), alone=True) == reader


def test_text_without_a_telling_name_is_not_guessed_in_a_folder(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n")
    assert reader_of(tmp_path / "Makefile", Source("x"), alone=False) is None
    (tmp_path / "records").write_text('{"text": "a"}\n')
    assert reader_of(tmp_path / "records", Source("x"), alone=False) == "jsonl"


def test_the_setting_comes_first_but_archives_are_opened(tmp_path: Path) -> None:
    source = Source("x", reader="text")
    assert reader_of(tmp_path / "a.csv", source, alone=True) == "text"
    assert reader_of(tmp_path / "a.tar.gz", source, alone=True) == "archive"
    assert reader_of(tmp_path / "a.zip", Source("x", reader="epub"), alone=True) == "epub"


def test_every_reader_of_the_table_is_there() -> None:
    from mothertongue.run.stages import resolve

    assert all(callable(resolve(name)) for name in READERS.values())


def test_a_damaged_file_of_many_is_counted_and_the_others_are_read(
    tmp_path: Path, reading: Callable[..., Reading], drops: list[tuple[str, str, str]]
) -> None:
    (tmp_path / "a.txt.gz").write_bytes(gzip.compress(b"a" * 1000)[:-9])
    (tmp_path / "b.txt").write_text("dobr")
    told = reading(Source(str(tmp_path)))
    found = [document.text for file in sorted(tmp_path.iterdir()) for document in read_file(file, told)]
    assert found[-1] == "dobr"
    assert [(reason, id) for reason, id, _ in drops] == [("damaged-file", "a.txt.gz")]
    with pytest.raises(SourceError, match="ends before its archive does"):
        list(read_file(tmp_path / "a.txt.gz", reading(Source(str(tmp_path / "a.txt.gz")))))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b'{"text": "ahoj"}\n{"text": "b"}\n', "text"),
        (b'{"text": "ahoj", "meta": {}, "id": 1}\n', "jsonl"),
        (b'\xef\xbb\xbf{"content": "a", "warc_headers": {}, "metadata": {}}\n', "jsonl"),
        (b'{"name": "ahoj"}\n', "text"),
        (b'{"text": "ahoj", and so on', "text"),
        (b"{" * 100_000, "text"),
        (b"\x1f\x8bnothing", "text"),
        (b"", "text"),
    ],
)
def test_records_of_oscar_in_a_file_that_is_called_text_are_records(tmp_path: Path, content: bytes, kind: str) -> None:
    (tmp_path / "a.txt").write_bytes(content)
    assert reader_of(tmp_path / "a.txt", Source("x"), alone=False) == kind
