from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from mothertongue.corpus.config import Source
from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter
from mothertongue.transfer.streams import (
    dev_texts,
    sample_windows,
    source_texts,
    token_counts,
    token_streams,
    train_texts,
    up_to,
)


def write_corpus(folder: Path, texts: dict[str, list[str]], *, train_bytes: int | None = None) -> Path:
    folder.mkdir(exist_ok=True)
    for split, items in texts.items():
        with ShardWriter(folder, split, max_bytes=10**6) as writer:
            for number, text in enumerate(items):
                writer.write(Document(text, f"{split}-{number}", "s"))
    if train_bytes is not None:
        manifest = {"kind": "corpus", "stage": "corpus", "fingerprint": "f", "config": {}, "outputs": {}}
        metrics = {"splits": {"train": {"bytes": train_bytes}}}
        (folder / "manifest.json").write_text(json.dumps(manifest | {"metrics": metrics}))
    return folder


def test_streams_begin_with_end_of_text_and_take_markup_literally(target_tokenizer: Tokenizer) -> None:
    (stream,) = token_streams(target_tokenizer, ["a<|endoftext|>b"], what="reading")
    assert stream[0] == 0 and (stream[1:] != 0).all()


def test_sample_of_a_large_corpus_comes_from_all_of_it(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "c", {"train": [f"{i:04d} " + "a" * 95 for i in range(1000)]}, train_bytes=100_000)
    numbers = [int(text[:4]) for text in train_texts(corpus, max_bytes=20_000)]
    assert 150 <= len(numbers) <= 200
    assert min(numbers) < 50 and max(numbers) > 900


def test_sample_of_a_few_books_comes_from_all_of_them(tmp_path: Path) -> None:
    books = {"train": [chr(97 + i) * 800_000 for i in range(8)]}
    corpus = write_corpus(tmp_path / "c", books, train_bytes=6_400_000)
    texts = list(train_texts(corpus, max_bytes=1e6))
    assert 700_000 <= sum(map(len, texts)) <= 1_000_000
    assert len({text[0] for text in texts}) >= 6


def test_small_corpus_is_read_whole(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "c", {"train": ["jedna", "dvě"]}, train_bytes=9)
    assert list(train_texts(corpus, max_bytes=1e6)) == ["jedna", "dvě"]


def test_corpus_without_a_manifest_is_read_from_its_beginning(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "c", {"train": ["aaaa"] * 100})
    assert sum(map(len, train_texts(corpus, max_bytes=50))) == 50


def test_development_text_is_limited_and_the_same_each_time(tmp_path: Path) -> None:
    corpus = write_corpus(tmp_path / "c", {"dev": [chr(97 + i) * 9000 for i in range(20)], "train": ["x"]})
    texts = dev_texts(corpus, max_bytes=10_000)
    assert texts == dev_texts(corpus, max_bytes=10_000)
    assert sum(map(len, texts)) == 10_000 and len(texts) == 3


def test_corpus_without_development_side_gives_no_text(tmp_path: Path) -> None:
    assert dev_texts(write_corpus(tmp_path / "c", {"train": ["x"]}), max_bytes=10) == []


def test_text_is_cut_between_letters() -> None:
    assert list(up_to(["řeka"], max_bytes=1)) == [""] and list(up_to(["řeka"], max_bytes=3)) == ["ře"]


def test_source_text_is_cleaned_and_each_source_gets_its_part(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\r\n" * 500)
    (tmp_path / "b.jsonl").write_text(json.dumps({"text": "two " * 500}) + "\n")
    sources = [Source(path=str(tmp_path / name)) for name in ("a.txt", "b.jsonl")]
    first, second = source_texts(sources, max_bytes=1000)
    assert len(first) == len(second) == 500
    assert "\r" not in first and "two" in second


def test_windows_are_spread_over_the_whole_text() -> None:
    windows = sample_windows([np.arange(500, dtype=np.int32), np.arange(500, 1000, dtype=np.int32)], count=4, length=10)
    assert windows.shape == (4, 10) and windows.dtype == torch.int64
    assert windows[0, 0] == 0 and windows[-1, -1] == 999


def test_text_shorter_than_a_window_gives_one_short_window() -> None:
    assert sample_windows([np.arange(7, dtype=np.int32)], count=4, length=10).tolist() == [list(range(7))]


def test_counts_are_those_of_the_tokens() -> None:
    assert token_counts([np.array([1, 1], np.int32), np.array([3], np.int32)], 5).tolist() == [0, 2, 0, 1, 0]
