"""Plain text: files, lines or paragraphs as documents, any encoding, long texts cut where a paragraph ends."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from mothertongue.corpus.config import Source
from mothertongue.corpus.readers import Reading, read_file
from mothertongue.corpus.readers.text import read_text, split_text
from mothertongue.errors import ConfigError, SourceError

TEXT = "První odstavec\r\nmá dva řádky.\r\n \r\n\r\nDruhý odstavec.\r\n"


def documents(path: Path, reading: Reading) -> list[str]:
    return [document.text for document in read_text(path, reading)]


@pytest.mark.parametrize(
    ("unit", "expected"),
    [
        ("file", ["První odstavec\nmá dva řádky.\n \n\nDruhý odstavec.\n"]),
        ("line", ["První odstavec", "má dva řádky.", "Druhý odstavec."]),
        ("blank-line", ["První odstavec\nmá dva řádky.", "Druhý odstavec.\n"]),
    ],
)
def test_the_unit_says_what_a_document_is(
    tmp_path: Path, reading: Callable[..., Reading], unit: str, expected: list[str]
) -> None:
    (tmp_path / "a.txt").write_text(TEXT, "utf-8", newline="")
    assert documents(tmp_path / "a.txt", reading(Source("x", unit=unit))) == expected


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1250"])
def test_byte_order_marks_and_the_setting_decide_the_encoding(
    tmp_path: Path, reading: Callable[..., Reading], encoding: str
) -> None:
    (tmp_path / "a.txt").write_text("Žluťoučký kůň", encoding)
    source = Source("x", encoding=encoding if encoding == "cp1250" else "utf-8")
    assert documents(tmp_path / "a.txt", reading(source)) == ["Žluťoučký kůň"]


@pytest.mark.parametrize("encoding", ["utf-9", "base64", "idna", "undefined"])
def test_what_is_no_encoding_of_text_is_a_config_error(
    tmp_path: Path, reading: Callable[..., Reading], encoding: str
) -> None:
    (tmp_path / "a.txt").write_text("x")
    with pytest.raises(ConfigError, match=encoding):
        documents(tmp_path / "a.txt", reading(Source("x", encoding=encoding)))


@pytest.mark.parametrize("encoding", ["utf-16", "utf-32"])
def test_a_file_in_another_encoding_is_named(tmp_path: Path, reading: Callable[..., Reading], encoding: str) -> None:
    (tmp_path / "a.txt").write_text("Dobrý den, tady je text.", "utf-8")
    with pytest.raises(SourceError, match=rf"a\.txt is not {encoding}"):
        documents(tmp_path / "a.txt", reading(Source("x", encoding=encoding)))


def test_invalid_utf8_costs_single_characters(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    (tmp_path / "a.txt").write_bytes("před ".encode() + b"\xff\xfe\x00" + b" po")
    assert documents(tmp_path / "a.txt", reading()) == ["před \ufffd\ufffd\x00 po"]


def test_a_long_text_is_cut_after_a_paragraph_and_nothing_is_lost() -> None:
    text = "\n\n".join(f"odstavec {number} " + "slovo " * 60 for number in range(50))
    pieces = list(split_text(iter([text[:5000], text[5000:]]), separator=None, limit=2000))
    assert "".join(pieces) == text
    assert all(len(piece) <= 2000 for piece in pieces)
    assert all(piece.endswith("\n\n") for piece in pieces[:-1])


def test_a_file_that_is_one_endless_line_stays_in_bounded_memory() -> None:
    def endless() -> Iterator[str]:
        for _ in range(2000):
            yield "slovo " * 10_000

    tracemalloc.start()
    longest = max(len(piece) for piece in split_text(endless(), separator=None, limit=10_000))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert longest <= 10_000
    assert peak < 4_000_000


def test_the_reader_is_chosen_by_the_name(tmp_path: Path, reading: Callable[..., Reading], drops: list[object]) -> None:
    for name in ("a.txt", "b.jsonl", "picture.png"):
        (tmp_path / name).write_text('{"text": "z"}')
    folder = reading(Source(str(tmp_path)))
    texts = [d.text for file in sorted(tmp_path.iterdir()) for d in read_file(file, folder)]
    assert texts == ['{"text": "z"}', "z"]
    assert drops == [("unknown-kind-of-file", "picture.png", "")]


def test_a_named_file_of_unknown_kind_is_an_error(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    path = tmp_path / "picture.png"
    path.touch()
    with pytest.raises(SourceError, match="reader ="):
        list(read_file(path, reading(Source(str(path)))))
