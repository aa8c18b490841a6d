from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers

from mothertongue.errors import CheckpointError
from mothertongue.evaluate.bits_per_byte import bits_per_byte, read_as_tokens, standard_error
from mothertongue.evaluate.config import EvaluateConfig
from mothertongue.evaluate.tasks import Subject
from mothertongue.model.checkpoint import Checkpoint
from mothertongue.model.score import Score, score_documents

TEXTS = ["Řeka tekla pomalu.", "Реката течеше бавно и тихо, както винаги."]


def subject(checkpoint: Checkpoint, tmp_path: Path, **settings: int) -> Subject:
    return Subject(checkpoint, tmp_path, TEXTS, EvaluateConfig(**settings), tmp_path)


def test_the_task_gives_the_measure_that_training_uses(opened: Checkpoint, tmp_path: Path) -> None:
    outcome = bits_per_byte(subject(opened, tmp_path, context=8, stride=3))
    score = score_documents(opened.model, opened.tokenizer, TEXTS, context=8, stride=3)
    assert outcome.figures["bits_per_byte"] == pytest.approx(score.bits_per_byte)
    assert outcome.figures["bytes"] == sum(len(text.encode()) for text in TEXTS)
    assert outcome.rows[0]["name"] == "model"
    assert not outcome.notes


def test_context_and_stride_that_were_used_are_reported(opened: Checkpoint, tmp_path: Path) -> None:
    figures = bits_per_byte(subject(opened, tmp_path)).figures
    assert (figures["context"], figures["stride"]) == (64, 32)


def test_a_diverged_model_is_an_error_and_not_a_figure(opened: Checkpoint, tmp_path: Path) -> None:
    with torch.no_grad():
        opened.model.get_input_embeddings().weight[:] = math.nan
    with pytest.raises(CheckpointError, match="no numbers"):
        bits_per_byte(subject(replace(opened), tmp_path))


def test_a_tokenizer_that_loses_letters_is_noted() -> None:
    tokenizer = Tokenizer(models.WordLevel({"řeka": 0, "?": 1}, unk_token="?"))
    tokenizer.normalizer = normalizers.Lowercase()
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    found = read_as_tokens(tokenizer, ["řeka", "Řeka", "potok"])
    assert found.tokens == 3
    assert "loses something of 2 of 3 documents" in found.notes[0]


def test_documents_that_cost_alike_leave_no_error() -> None:
    alike = [Score(nats=10.0, bytes=20, documents=1)] * 5
    assert standard_error(alike) == pytest.approx(0)
    assert standard_error(alike[:1]) == 0
    assert standard_error([*alike, Score(nats=30.0, bytes=20, documents=1)]) > 0.1
