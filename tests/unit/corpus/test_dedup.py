"""Near-duplicates are found however they are spread, different texts are left alone, and containment is exact."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from mothertongue.corpus import dedup
from mothertongue.corpus.shingle import shingle_sets

Many = Callable[..., list[str]]


def groups(texts: list[str], *, threshold: float = 0.7, order: list[int] | None = None) -> list[int]:
    signatures = dedup.sign([dedup.shingles(dedup.word_hashes(text), dedup.SHINGLE_WORDS) for text in texts])
    rows = np.array(order if order is not None else range(len(texts)), dtype=np.int64)
    return dedup.near_duplicates(signatures, rows, threshold=threshold).tolist()


def edited(text: str, share: float, *, seed: int = 0) -> str:
    words, draw = text.split(), random.Random(seed)
    for at in draw.sample(range(len(words)), round(share * len(words))):
        words[at] = f"změna{at}"
    return " ".join(words)


def test_lightly_edited_copies_are_found_and_the_first_is_kept(many: Many) -> None:
    texts = many(60, sentences=12)
    copies = [edited(text, 0.02) for text in texts[:20]]
    assert groups(texts + copies) == [*range(60), *range(20)]


def test_heavily_edited_copies_and_strangers_are_left_alone(many: Many) -> None:
    texts = many(200)
    assert groups([*texts, edited(texts[0], 0.3)]) == list(range(201))


def test_the_order_of_preference_decides_which_copy_stays(many: Many) -> None:
    text = many(1)[0]
    assert groups([text, edited(text, 0.01), text.upper()], order=[2, 1, 0]) == [2, 2, 2]


def test_case_and_punctuation_do_not_hide_a_copy(many: Many) -> None:
    text = many(1)[0]
    assert groups([text, text.replace(".", " !").upper()]) == [0, 0]


def test_short_texts_are_compared_as_a_whole() -> None:
    assert groups(["Dobrý den!", "dobrý den", "Dobrou noc", "", "Ahoj"]) == [0, 0, 2, 3, 4]


def test_no_documents_and_one_document_work() -> None:
    assert groups([]) == []
    assert groups(["jen jeden"]) == [0]


def test_a_hundred_copies_are_one_group(many: Many) -> None:
    text = many(1, sentences=20)[0]
    assert groups([edited(text, 0.01, seed=seed) for seed in range(100)]) == [0] * 100


def test_signatures_do_not_depend_on_the_process() -> None:
    code = (
        "from mothertongue.corpus import dedup;"
        "print(dedup.sign([dedup.shingles(dedup.word_hashes('jedna dvě tři čtyři pět šest'), 5)]).tobytes().hex())"
    )
    results = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(results) == 1
    assert len(results.pop().strip()) == dedup.PERMUTATIONS * 8


def test_shingles_are_windows_of_words() -> None:
    words = dedup.word_hashes("a b c d e f")
    assert len(dedup.shingles(words, 5)) == 2
    assert len(dedup.shingles(words[:3], 5)) == 1
    assert len(dedup.shingles(words[:0], 5)) == 0


def test_a_passage_inside_a_long_document_is_found(many: Many) -> None:
    heldout, stranger, train = many(1, seed=1)[0], many(1, seed=2)[0], many(50, seed=3)
    containment = dedup.Containment([heldout, stranger, ""])
    for text in [*train, "Úvod. " + " ".join(train[:5]) + heldout + " ".join(train[5:9])]:
        containment.see(text)
    shares = containment.shares()
    assert shares[0] > 0.9
    assert shares[1] < 0.1
    assert shares[2] == 0


def test_half_of_a_passage_counts_half(many: Many) -> None:
    text = many(1, sentences=30)[0]
    containment = dedup.Containment([text])
    containment.see(text[: len(text) // 2])
    assert containment.shares()[0] == pytest.approx(0.5, abs=0.1)


def test_an_index_on_disk_searched_in_parts_finds_the_same(
    many: Many, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    texts = many(80, sentences=12)
    texts += [edited(text, 0.02) for text in texts[:30]]
    signatures = dedup.sign(shingle_sets(texts, dedup.SHINGLE_WORDS))
    rows = np.arange(len(texts))
    expected = dedup.near_duplicates(signatures, rows, threshold=0.7)
    monkeypatch.setattr(dedup, "ROWS_IN_MEMORY", 16)
    assert dedup.near_duplicates(signatures, rows, threshold=0.7, folder=tmp_path).tolist() == expected.tolist()
    assert list(tmp_path.iterdir()) == []


def test_texts_hashed_together_give_the_same_as_each_alone(many: Many, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = ["", "jen", *many(20), "a b c d e", "Вълкът   и седемте козлета!", "\n", "🙂 हिन्दी में", many(1)[0]]
    alone = [dedup.shingles(dedup.word_hashes(text), 5).tolist() for text in texts]
    assert [found.tolist() for found in shingle_sets(texts, 5)] == alone
    monkeypatch.setattr("mothertongue.corpus.shingle.PIECE", 64)
    assert [found.tolist() for found in shingle_sets(texts, 5)] == alone


def test_one_endless_word_takes_little_memory_and_is_still_words() -> None:
    assert 1 <= len(dedup.word_hashes("a" * 600_000)) <= 4
