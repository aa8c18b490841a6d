"""JSON lines: good lines become documents, bad ones are counted, none is held beyond its limit."""

from __future__ import annotations

import json
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path

from mothertongue.corpus.config import Source
from mothertongue.corpus.readers import Reading
from mothertongue.corpus.readers.jsonl import read_jsonl, split_lines

Drops = list[tuple[str, str, str]]


def test_a_document_keeps_where_it_stood_and_what_is_said_of_it(
    tmp_path: Path, reading: Callable[..., Reading]
) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('\n{"text": "Ahoj", "title": "Pozdrav", "source": "deb:x#1", "n": 3}\n', "utf-8")
    (document,) = read_jsonl(path, reading())
    assert (document.text, document.id, document.source) == ("Ahoj", "a.jsonl#2", "x")
    assert document.meta == {"title": "Pozdrav", "origin": "deb:x#1"}


def test_the_text_may_stand_under_another_key(tmp_path: Path, reading: Callable[..., Reading]) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"content": "Ahoj"}', "utf-8")
    assert [d.text for d in read_jsonl(path, reading(Source("x", text_key="content")))] == ["Ahoj"]


def test_bad_lines_are_dropped_with_a_reason_and_the_rest_is_read(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops
) -> None:
    path = tmp_path / "a.jsonl"
    lines = [
        b'\xef\xbb\xbf{"text": "first"}',
        b'{"text": ',
        b'{"title": "no text"}',
        b'{"text": 7}',
        b"[1, 2]",
        b'{"text": "\xff\xfe"}',
        b'{"text": "nul\x00"}',
        b"[" * 100_000,
        b'{"text": "last \\u0000"}',
    ]
    path.write_bytes(b"\r\n".join(lines))
    assert [d.text for d in read_jsonl(path, reading())] == ["first", "last \x00"]
    reasons = ["invalid-json", "no-text", "no-text", "no-text", "invalid-utf8", "invalid-json", "invalid-json"]
    assert [reason for reason, _, _ in drops] == reasons


def test_a_line_of_one_gigabyte_is_skipped_in_bounded_memory() -> None:
    def blocks() -> Iterator[bytes]:
        yield b'{"text": "before"}\n{"text": "'
        for _ in range(1024):
            yield block
        yield b'"}\n{"text": "after"}\n'

    block = b"x" * (1 << 20)
    tracemalloc.start()
    lines = list(split_lines(blocks(), max_bytes=4 << 20))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 16 << 20
    assert [(number, whole) for number, _, whole in lines] == [(1, True), (2, False), (3, True)]
    assert lines[2][1] == b'{"text": "after"}'


def test_a_long_line_is_counted_with_a_sample(tmp_path: Path, reading: Callable[..., Reading], drops: Drops) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text("\n".join(json.dumps({"text": text}) for text in ("y" * 3_000_000, "short")), "utf-8")
    assert [d.text for d in read_jsonl(path, reading(max_line_megabytes=1))] == ["short"]
    assert drops[0][:2] == ("line-too-long", "a.jsonl#1")
    assert len(drops[0][2]) == 1000


def test_a_line_that_only_fills_memory_is_refused_before_it_is_parsed(
    tmp_path: Path, reading: Callable[..., Reading], drops: Drops
) -> None:
    path = tmp_path / "a.jsonl"
    commas = json.dumps({"text": "a, b, " * 200_000})
    path.write_text('{"text": [' + "{}," * 3_000_000 + "{}]}\n" + commas + '\n{"n": 1e9999, "text": "last"}\n', "utf-8")
    tracemalloc.start()
    found = [len(document.text) for document in read_jsonl(path, reading())]
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert found == [1_200_000, 4]
    assert [(reason, id) for reason, id, _ in drops] == [("invalid-json", "a.jsonl#1")]
    assert peak < 64 << 20
