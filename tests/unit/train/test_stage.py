from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer
from transformers import AutoModelForCausalLM, PreTrainedModel

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter, read_documents
from mothertongue.model.anatomy import set_dropout
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.tokenizer.sample import sample_texts
from mothertongue.train.config import TrainConfig
from mothertongue.train.stage import dev_score, dev_texts, longest_sequence, train

Maker = Callable[..., PreTrainedModel]
CONFIG = TrainConfig(steps=60, batch_size=4, learning_rate=5e-3, dev_scores=2, dev_kilobytes=2.0)


def dev_bits(folder: Path, corpus: Path) -> float:
    opened = open_checkpoint(folder)
    texts = (document.text for document in read_documents(corpus, "dev"))
    return score_documents(opened.model, opened.tokenizer, texts).bits_per_byte


@pytest.mark.parametrize("family", ["gpt2", "gpt2-untied", "llama"])
def test_training_lowers_bits_per_byte_of_text_it_has_not_seen(
    make_gpt2: Maker, make_llama: Maker, story_tokenizer: Tokenizer, story_corpus: Path, tmp_path: Path, family: str
) -> None:
    makers = {"gpt2": make_gpt2, "gpt2-untied": lambda: make_gpt2(tied=False), "llama": make_llama}
    checkpoint, out = tmp_path / "checkpoint", tmp_path / "out"
    checkpoint.mkdir()
    out.mkdir()
    save_checkpoint(makers[family](), story_tokenizer, checkpoint)
    metrics = train(CONFIG, out, checkpoint=checkpoint, corpus=story_corpus)
    assert dev_bits(out, story_corpus) < 0.8 * dev_bits(checkpoint, story_corpus)
    assert (metrics["steps"], metrics["learning_rate"]) == (60, 5e-3)
    assert metrics["parameters"] == open_checkpoint(out).model.num_parameters()
    scores = [line for line in map(json.loads, (out / "log.jsonl").read_text().splitlines()) if "phase" not in line]
    assert [line["step"] for line in scores] == [30, 60]
    assert scores[-1]["dev_bits_per_byte"] == pytest.approx(dev_bits(out, story_corpus), rel=0.1)
    assert AutoModelForCausalLM.from_pretrained(out).config.vocab_size == 320
    left = {file.name for file in out.iterdir() if file.name != "progress"}
    assert left == {file.name for file in checkpoint.iterdir()} | {"log.jsonl", "training.png"}


@pytest.mark.parametrize(
    ("settings", "phases"),
    [
        ({"schedule": "one-cycle", "embeddings_first": 0.3}, ["embeddings", "everything"]),
        ({"preset": "guillou"}, ["epoch 1", "epoch 2", "epoch 3", "epochs 4-5"]),
    ],
)
def test_presets_run_through_the_stage(
    story_checkpoint: Path, story_corpus: Path, out: Path, settings: dict[str, Any], phases: list[str]
) -> None:
    train(replace(CONFIG, steps=10, **settings), out, checkpoint=story_checkpoint, corpus=story_corpus)
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    assert list(dict.fromkeys(line["phase"] for line in lines if "phase" in line)) == phases


def test_the_same_settings_give_the_same_weights_and_another_seed_others(
    story_checkpoint: Path, story_corpus: Path, tmp_path: Path
) -> None:
    weights = []
    for number, seed in enumerate((0, 0, 1)):
        out = tmp_path / str(number)
        out.mkdir()
        train(replace(CONFIG, steps=3, seed=seed), out, checkpoint=story_checkpoint, corpus=story_corpus)
        weights.append((out / "model.safetensors").read_bytes())
    assert weights[0] == weights[1] != weights[2]


def test_the_checkpoint_that_training_starts_from_is_not_touched(
    story_checkpoint: Path, story_corpus: Path, out: Path
) -> None:
    before = {file.name: file.read_bytes() for file in story_checkpoint.iterdir()}
    train(replace(CONFIG, steps=2), out, checkpoint=story_checkpoint, corpus=story_corpus)
    assert before == {file.name: file.read_bytes() for file in story_checkpoint.iterdir()}


@pytest.mark.parametrize("family", ["gpt2", "llama"])
def test_dropout_is_set_everywhere_and_off_in_use(make_gpt2: Maker, make_llama: Maker, family: str) -> None:
    model = set_dropout({"gpt2": make_gpt2, "llama": make_llama}[family](), 0.5)
    ids = torch.arange(4, 24)[None]
    with torch.no_grad():
        assert torch.equal(model.eval()(ids).logits, model(ids).logits)
        assert not torch.equal(model.train()(ids).logits, model(ids).logits)
        set_dropout(model, 0.0)
        assert torch.equal(model(ids).logits, model(ids).logits)
    shares = [
        getattr(model.config, name) for name in ("attn_pdrop", "attention_dropout") if hasattr(model.config, name)
    ]
    assert shares == [0.0]


def test_the_score_on_the_way_hears_every_source(story_tokenizer: Tokenizer, make_gpt2: Maker, tmp_path: Path) -> None:
    # a corpus holds its sources one after the other, and its first document may be a long novel
    with ShardWriter(tmp_path, "dev", max_bytes=1 << 20) as shards:
        for number, text in enumerate(["bába " * 20_000, *["děda"] * 500, "koš " * 10_000]):
            shards.write(Document(text, str(number), "ours", {}))
    heard = list(sample_texts(tmp_path, "dev", max_bytes=20_000, least_bytes=4000))
    assert heard[0].startswith("bába")
    assert {"děda", "koš"} <= {word for text in heard for word in text.split()}
    assert 15_000 < sum(len(text.encode()) for text in heard) <= 20_000
    config = replace(CONFIG, dev_kilobytes=1.0)
    score = dev_score(config, make_gpt2(), story_tokenizer, dev_texts(config, tmp_path))
    assert score is not None and 0 < score() < 20


def test_no_score_where_none_is_wanted(story_tokenizer: Tokenizer, make_gpt2: Maker, tmp_path: Path) -> None:
    config = replace(CONFIG, dev_kilobytes=0.0)
    assert dev_score(config, make_gpt2(), story_tokenizer, dev_texts(config, tmp_path)) is None


def test_the_score_on_the_way_reads_windows_of_the_trained_length(
    story_checkpoint: Path, story_corpus: Path, story_tokenizer: Tokenizer
) -> None:
    model = open_checkpoint(story_checkpoint).model
    texts = list(sample_texts(story_corpus, "dev", max_bytes=2000, least_bytes=4000))
    config = replace(CONFIG, sequence_length=8)
    score = dev_score(config, model, story_tokenizer, dev_texts(config, story_corpus))
    assert score is not None
    assert score() == score_documents(model, story_tokenizer, texts, context=8).bits_per_byte
    assert score() != score_documents(model, story_tokenizer, texts).bits_per_byte


@pytest.mark.parametrize(
    ("settings", "length", "context", "longest"),
    [
        ({}, 256, 512, 512),
        ({}, 128, 1024, 512),  # a batch has no more tokens
        ({"batch_size": 3}, 256, 512, 384),
        ({"batch_size": 3}, 32, 40, 0),
        ({"batch_size": 8, "micro_batch": 2}, 128, 1024, 256),
        ({"micro_batch": 1}, 256, 512, 0),
        ({}, 512, 512, 0),
    ],
)
def test_long_sequences_make_up_a_batch_and_fit_where_the_others_do(
    settings: dict[str, int], length: int, context: int, longest: int
) -> None:
    config = TrainConfig(**{"batch_size": 4, "sequence_length": length, **settings})  # type: ignore[arg-type]
    assert longest_sequence(config, length, context) == longest


@pytest.mark.parametrize("share", [0.0, 0.25])
def test_positions_behind_the_sequences_length_are_taught_at_the_end(
    story_checkpoint: Path, story_corpus: Path, out: Path, share: float
) -> None:
    config = TrainConfig(
        steps=8, batch_size=4, sequence_length=8, weight_decay=0.0, dev_kilobytes=0.0, long_share=share, micro_batch=4
    )
    before = open_checkpoint(story_checkpoint).model.get_parameter("transformer.wpe.weight")
    metrics = train(config, out, checkpoint=story_checkpoint, corpus=story_corpus)
    after = open_checkpoint(out).model.get_parameter("transformer.wpe.weight")
    taught = (before != after).any(dim=1)
    assert taught[:8].all()
    assert taught[8:].all() == taught[8:].any() == bool(share)
    assert metrics["tokens"] == 8 * 4 * 8
    log = [line["phase"] for line in map(json.loads, (out / "log.jsonl").read_text().splitlines())]
    assert log == ["everything"] * (8 - round(8 * share)) + ["long"] * round(8 * share)
