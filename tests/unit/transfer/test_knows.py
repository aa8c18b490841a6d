"""Does the base know the language? A measurement says so, with a bounded piece of text."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.transfer.knows import COUNTED_BYTES, SCORED_BYTES, Knowledge, base_knows, knowledge, suggest_for_plan

from .conftest import CZECH, sentences


def test_an_untrained_base_knows_nothing(source_checkpoint: Path, corpus_folder: Path) -> None:
    found = base_knows(open_checkpoint(source_checkpoint), corpus_folder)
    assert found and not found.knows and found.base_bits_per_byte > 2 * found.fivegram_bits_per_byte
    assert "new tokenizer" in found.suggestion and found.as_metrics()["base_knows"] is False


def test_a_base_that_predicts_the_text_knows_it(source_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = open_checkpoint(source_checkpoint)
    text = sentences(CZECH, count=1, seed=8)[0]
    ids = [0, *encode_text(base.tokenizer, text)]

    class Knower(torch.nn.Module):
        """Says at each place what follows there in the text."""

        config = SimpleNamespace(max_position_embeddings=10_000, vocab_size=300)

        def forward(self, input_ids: torch.Tensor) -> SimpleNamespace:
            following = torch.tensor([*ids[1:], 0])[: input_ids.shape[1]]
            return SimpleNamespace(logits=20 * torch.nn.functional.one_hot(following, 300).float()[None])

    monkeypatch.setattr("mothertongue.transfer.knows.anatomy", lambda model: SimpleNamespace(context=10_000))
    found = knowledge(SimpleNamespace(model=Knower(), tokenizer=base.tokenizer), [text], [])  # type: ignore[arg-type]
    assert found.knows and found.base_bits_per_byte < 0.01
    assert '"trim"' in found.suggestion


def test_only_so_much_text_is_read(source_checkpoint: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    read = 0

    def endless() -> Iterator[str]:
        nonlocal read
        while True:
            read += 1
            yield "řeka teče " * 100

    monkeypatch.setattr("mothertongue.transfer.knows.SCORED_BYTES", 2000)
    monkeypatch.setattr("mothertongue.transfer.knows.COUNTED_BYTES", 50_000)
    knowledge(open_checkpoint(source_checkpoint), ["řeka teče " * 5000], endless())
    assert read < 60 and SCORED_BYTES <= 20_000 and COUNTED_BYTES <= 4_000_000


def test_a_corpus_without_development_side_gives_no_answer(source_checkpoint: Path, corpus_folder: Path) -> None:
    for file in corpus_folder.glob("dev-*"):
        file.unlink()
    assert base_knows(open_checkpoint(source_checkpoint), corpus_folder) is None


def test_the_figures_are_told_with_two_digits() -> None:
    assert "1.23 bits per byte" in Knowledge(1.234, 2.0).suggestion


def test_a_plan_asks_the_texts_themselves(source_checkpoint: Path, english_file: Path, tmp_path: Path) -> None:
    assert "new tokenizer" in suggest_for_plan(source_checkpoint, [str(english_file)])
    assert suggest_for_plan(tmp_path, [str(english_file)]) == ""  # no weights there
    assert suggest_for_plan(source_checkpoint, [str(tmp_path / "none.txt")]) == ""
