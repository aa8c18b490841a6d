from __future__ import annotations

import lzma
import math
from pathlib import Path

import numpy as np
import pytest

from mothertongue.evaluate.baselines import baselines, make_stream, sample_documents, unigram_nats, vocabulary_of
from mothertongue.evaluate.config import EvaluateConfig
from mothertongue.evaluate.tasks import Subject
from mothertongue.model.checkpoint import Checkpoint

from .conftest import HELDOUT


@pytest.fixture
def figures(opened: Checkpoint, tiny_corpus: Path, tmp_path: Path) -> dict[str, float]:
    return baselines(Subject(opened, tiny_corpus, HELDOUT, EvaluateConfig(), tmp_path)).figures


def test_uniform_is_the_logarithm_of_the_vocabulary_for_each_token(
    figures: dict[str, float], opened: Checkpoint
) -> None:
    size = sum(len(text.encode()) for text in HELDOUT)
    tokens = len(make_stream(opened.tokenizer, HELDOUT, start_id=0)) - len(HELDOUT) - 1
    assert figures["uniform_bits_per_byte"] == pytest.approx(tokens * math.log2(vocabulary_of(opened.tokenizer)) / size)


def test_more_knowledge_needs_fewer_bits(figures: dict[str, float]) -> None:
    assert figures["fivegram_bits_per_byte"] < figures["unigram_bits_per_byte"] < figures["uniform_bits_per_byte"]
    assert figures["xz_primed_bits_per_byte"] < figures["xz_bits_per_byte"]


def test_xz_is_what_the_command_would_write(figures: dict[str, float]) -> None:
    text = "\n".join(HELDOUT).encode()
    size = sum(len(text.encode()) for text in HELDOUT)
    packed = lzma.compress(text, preset=9 | lzma.PRESET_EXTREME)
    assert figures["xz_bits_per_byte"] == pytest.approx(8 * len(packed) / size)


def test_unigram_knows_frequencies_plus_one() -> None:
    nats = unigram_nats(np.array([0, 3, 3, 0]), np.array([0, 3, 2, 0]), start_id=0, vocabulary=4)
    assert nats == pytest.approx(-math.log(3 / 7) - math.log(1 / 7))


def test_a_sample_of_a_long_stream_is_whole_documents() -> None:
    documents = [[n] * n for n in range(1, 30)]
    stream = np.array([0, *(token for document in documents for token in [*document, 0])])
    sample = sample_documents(stream, end_id=0, start_id=0, max_tokens=100, seed=3)
    assert len(sample.stream) <= 101
    assert sample.share == pytest.approx(len(sample.stream) / len(stream))
    pieces = np.split(sample.stream[1:], np.flatnonzero(sample.stream[1:] == 0) + 1)
    assert all(list(piece) == [*documents[piece[0] - 1], 0] for piece in pieces if len(piece))
    assert sample_documents(stream, end_id=0, start_id=0, max_tokens=10**6, seed=3).share == 1


@pytest.mark.parametrize("most", [3, 10**6])
def test_what_only_begins_a_document_is_not_counted(most: int) -> None:
    stream = np.array([0, 1, 5, 6, 0, 1, 7, 8, 0, 1])
    sample = sample_documents(stream, end_id=0, start_id=1, max_tokens=most, seed=0)
    assert sample.stream.tolist() in ([0, 5, 6, 0], [0, 7, 8, 0], [0, 5, 6, 0, 7, 8, 0])
    assert (sample.share == 1) == (most > 3)


def test_the_training_side_is_named_in_the_rows(opened: Checkpoint, tiny_corpus: Path, tmp_path: Path) -> None:
    outcome = baselines(Subject(opened, tiny_corpus, HELDOUT, EvaluateConfig(), tmp_path))
    assert [row["name"] for row in outcome.rows] == ["5-gram", "unigram", "xz", "uniform"]
    assert "Kneser-Ney, trained on" in outcome.rows[0]["what"]
