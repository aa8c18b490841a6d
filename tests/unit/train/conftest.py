"""A few hundred sentences of our own, a tokenizer and a two-layer model for them, and a corpus folder."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer
from transformers import GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter
from mothertongue.model.checkpoint import save_checkpoint
from mothertongue.model.config import ModelConfig
from mothertongue.model.stage import fresh_gpt2
from mothertongue.tokenizer.bytelevel import encode_text, train_bytelevel
from mothertongue.train.data import Windows

WHO = ["bába", "děda", "kočka", "sousedka", "pošťák", "kominík", "tetička", "ovčák"]
DOES = ["vidí", "hledá", "potkal", "nese", "krmí", "maluje", "slyší", "hlídá"]
WHAT = ["husu", "vlak", "strom", "mlýn", "sýr", "koš", "měsíc", "potok"]
WHERE = ["u lesa", "v zahradě", "na dvoře", "za řekou", "pod kopcem", "před kostelem"]


def write_story(seed: int, sentences: int = 12) -> str:
    """Text that a small model can learn much of in a few seconds."""
    draw = random.Random(seed)
    lines = (
        f"{draw.choice(WHO).capitalize()} {draw.choice(DOES)} {draw.choice(WHAT)} {draw.choice(WHERE)}."
        for _ in range(sentences)
    )
    return " ".join(lines)


TRAIN, DEV = [write_story(i) for i in range(40)], [write_story(1000 + i) for i in range(4)]


@pytest.fixture(scope="session")
def story_tokenizer() -> Tokenizer:
    return train_bytelevel(TRAIN, vocab_size=320)


@pytest.fixture(scope="session")
def stream(story_tokenizer: Tokenizer) -> np.ndarray:
    """All training text as one stream of ids."""
    return np.array([i for text in TRAIN for i in [0, *encode_text(story_tokenizer, text)]] + [0], dtype=np.uint16)


@pytest.fixture
def windows(stream: np.ndarray) -> Windows:
    return Windows(stream, 32, seed=3)


@pytest.fixture
def make_gpt2(story_tokenizer: Tokenizer) -> Callable[..., GPT2LMHeadModel]:
    """`make_gpt2(layers=3, tied=False)`: a fresh model, 16 wide, of context 32; always the same weights."""

    def make(*, layers: int = 3, tied: bool = True, width: int = 16) -> GPT2LMHeadModel:
        return fresh_gpt2(ModelConfig(layers, width, 2, 32, tied=tied), story_tokenizer)

    return make


@pytest.fixture
def make_llama(story_tokenizer: Tokenizer) -> Callable[..., PreTrainedModel]:
    def make(*, layers: int = 3, tied: bool = False) -> PreTrainedModel:
        import torch

        torch.manual_seed(0)
        config = LlamaConfig(
            vocab_size=story_tokenizer.get_vocab_size(),
            hidden_size=16,
            intermediate_size=32,
            num_hidden_layers=layers,
            num_attention_heads=2,
            num_key_value_heads=1,
            max_position_embeddings=32,
            bos_token_id=0,
            eos_token_id=0,
            pad_token_id=2,
            tie_word_embeddings=tied,
        )
        return LlamaForCausalLM(config)

    return make


@pytest.fixture
def story_corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split, texts in (("train", TRAIN), ("dev", DEV)):
        with ShardWriter(folder, split, max_bytes=1 << 20) as shards:
            for number, text in enumerate(texts):
                shards.write(Document(text, f"{split}-{number}", "ours", {}))
    return folder


@pytest.fixture
def story_checkpoint(tmp_path: Path, make_gpt2: Callable[..., GPT2LMHeadModel], story_tokenizer: Tokenizer) -> Path:
    folder = tmp_path / "checkpoint"
    folder.mkdir()
    save_checkpoint(make_gpt2(), story_tokenizer, folder)
    return folder


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "train.partial"
    folder.mkdir()
    return folder
