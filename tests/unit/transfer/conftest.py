"""A small source model of each anatomy, a target tokenizer of another size, and a corpus in the target language."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from torch import Tensor
    from transformers import PreTrainedModel

ENGLISH = (
    "the old river",
    "a young king",
    "7 boats, 12 horses",
    "sleeps by",
    "walks to",
    "the green hill",
    "in 1918",
    "a mountain above the lake",
)
CZECH = (
    "stará řeka",
    "mladý král",
    "7 lodí, 12 koní",
    "spí u",
    "jde k",
    "zelený kopec",
    "v roce 1918",
    "vysoká hora nad jezerem",
)


def sentences(words: tuple[str, ...], *, count: int, seed: int) -> list[str]:
    """`count` documents of a few sentences each, put together at random from `words`."""
    rng = random.Random(seed)
    return [" ".join(rng.choice(words) + rng.choice((".", ",", "")) for _ in range(30)) for _ in range(count)]


@pytest.fixture(scope="session")
def source_tokenizer() -> Tokenizer:
    from mothertongue.tokenizer.bytelevel import train_bytelevel

    return train_bytelevel(sentences(ENGLISH, count=30, seed=1), vocab_size=300)


@pytest.fixture(scope="session")
def target_tokenizer() -> Tokenizer:
    from mothertongue.tokenizer.bytelevel import train_bytelevel

    return train_bytelevel(sentences(CZECH, count=30, seed=2), vocab_size=320)


def source_rows(count: int) -> Tensor:
    """Random rows [count, 16] with something in common, as the rows of a trained model have."""
    import torch

    return torch.randn(count, 16) * 0.3 + torch.linspace(-0.5, 0.5, 16)


@pytest.fixture
def build_model(source_tokenizer: Tokenizer) -> Callable[[str], PreTrainedModel]:
    """A seeded two-layer model by its anatomy: "gpt2" (tied), "gpt2-untied", "llama" (untied), "llama-tied"."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

    shared: dict[str, Any] = {"bos_token_id": 0, "eos_token_id": 0, "vocab_size": source_tokenizer.get_vocab_size()}

    def build(anatomy: str) -> PreTrainedModel:
        torch.manual_seed(0)
        tied = anatomy in ("gpt2", "llama-tied")
        model: PreTrainedModel
        if anatomy.startswith("gpt2"):
            config = GPT2Config(n_positions=64, n_embd=16, n_layer=2, n_head=2, tie_word_embeddings=tied, **shared)
            model = GPT2LMHeadModel(config)
        else:
            sizes = {"hidden_size": 16, "intermediate_size": 32, "num_hidden_layers": 2, "num_attention_heads": 2}
            rest = {"max_position_embeddings": 64, "tie_word_embeddings": tied}
            model = LlamaForCausalLM(LlamaConfig(**sizes, **rest, **shared))
        with torch.no_grad():
            for matrix in {model.get_input_embeddings().weight, model.get_output_embeddings().weight}:
                matrix.copy_(source_rows(len(matrix)))
        return model.eval()

    return build


@pytest.fixture
def source_checkpoint(tmp_path: Path, build_model: Callable[[str], Any], source_tokenizer: Tokenizer) -> Path:
    """The tied GPT-2 with its tokenizer, as a folder."""
    from mothertongue.model.checkpoint import save_checkpoint

    folder = tmp_path / "source"
    folder.mkdir()
    save_checkpoint(build_model("gpt2"), source_tokenizer, folder)
    return folder


@pytest.fixture
def target_folder(tmp_path: Path, target_tokenizer: Tokenizer) -> Path:
    from mothertongue.tokenizer.bytelevel import save_tokenizer

    folder = tmp_path / "tokenizer"
    folder.mkdir()
    save_tokenizer(target_tokenizer, folder)
    return folder


@pytest.fixture
def corpus_folder(tmp_path: Path) -> Path:
    """60 training and 10 development documents in the target language."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split, count, seed in (("train", 60, 3), ("dev", 10, 4)):
        with ShardWriter(folder, split, max_bytes=10_000) as writer:
            for number, text in enumerate(sentences(CZECH, count=count, seed=seed)):
                writer.write(Document(text, f"{split}-{number}", "made up"))
    return folder


@pytest.fixture
def english_file(tmp_path: Path) -> Path:
    file = tmp_path / "english.txt"
    file.write_text("\n\n".join(sentences(ENGLISH, count=60, seed=5)), "utf-8")
    return file
