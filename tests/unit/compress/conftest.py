"""Predecessors of six layers in three families, and a corpus of sentences put together here by the corpus stage."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import PreTrainedModel

LAYERS = 6
WHO = ["mlynář", "kovář", "pes", "soused", "rybník", "kocour", "lékař", "hodinář", "sedlák", "potok"]
DID = ["hledal", "viděl", "potkal", "ztratil", "našel", "opravil", "pozoroval", "slyšel", "maloval", "nesl"]
WHAT = ["klíč", "chleba", "košík", "strom", "kámen", "dopis", "obraz", "stroj", "most", "klobouk"]
WHERE = ["v lese", "na mostě", "u řeky", "za domem", "pod skálou", "ve městě", "na louce", "u studny"]


def make(family: str, tied: bool, size: int, dropout: float) -> PreTrainedModel:
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, Qwen3Config, Qwen3ForCausalLM

    torch.manual_seed(0)
    ends = {"bos_token_id": 0, "eos_token_id": 0, "pad_token_id": 2, "tie_word_embeddings": tied}
    if family == "gpt2":
        drop = dict.fromkeys(("attn_pdrop", "resid_pdrop", "embd_pdrop"), dropout)
        return GPT2LMHeadModel(
            GPT2Config(vocab_size=size, n_positions=64, n_embd=16, n_layer=LAYERS, n_head=2, **ends, **drop)
        ).eval()
    kind, config = {"llama": (LlamaForCausalLM, LlamaConfig), "qwen3": (Qwen3ForCausalLM, Qwen3Config)}[family]
    extra = {"head_dim": 8} if family == "qwen3" else {}
    return kind(
        config(
            vocab_size=size, hidden_size=16, intermediate_size=24, num_hidden_layers=LAYERS, num_attention_heads=4,
            num_key_value_heads=2, max_position_embeddings=64, attention_dropout=dropout, **ends, **extra,
        )
    ).eval()  # fmt: skip


@pytest.fixture
def make_model() -> Callable[..., PreTrainedModel]:
    """`make_model("llama", tied=False)`: six layers, 16 wide, context 64, seeded weights, frozen, in eval mode."""

    def build(family: str = "gpt2", *, tied: bool = True, size: int = 320, dropout: float = 0.0) -> PreTrainedModel:
        return make(family, tied, size, dropout).requires_grad_(False)

    return build


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished corpus of about 70 documents, made by the corpus stage."""
    from mothertongue.corpus.config import CorpusConfig, Source
    from mothertongue.corpus.stage import corpus

    folder = tmp_path_factory.mktemp("compress")
    chance = random.Random(0)
    lines = []
    for _ in range(80):
        parts = [" ".join(map(chance.choice, (WHO, DID, WHAT, WHERE))).capitalize() for _ in range(8)]
        lines.append(". ".join(parts) + ".")
    (folder / "texts.txt").write_text("\n".join(lines), "utf-8")
    source = Source(path=str(folder / "texts.txt"), unit="line", skip_rules=("all",), licence="CC0")
    out = folder / "corpus"
    out.mkdir()
    corpus(CorpusConfig(sources=(source,), heldout_share=0.1, dev_share=0.1), out)
    return out


@pytest.fixture(scope="session")
def vocabulary(corpus: Path) -> Tokenizer:
    """A tokenizer of at most 320 tokens for the corpus."""
    from mothertongue.corpus.shards import read_documents
    from mothertongue.tokenizer.bytelevel import train_bytelevel

    return train_bytelevel((document.text for document in read_documents(corpus, "train")), vocab_size=320)


@pytest.fixture(scope="session")
def save_predecessor(tmp_path_factory: pytest.TempPathFactory, vocabulary: Tokenizer) -> Callable[..., Path]:
    """`save_predecessor("qwen3", tied=False)`: the folder of an untrained predecessor for the corpus."""
    from mothertongue.model.checkpoint import save_checkpoint

    def save(family: str = "gpt2", *, tied: bool = True, dropout: float = 0.0) -> Path:
        folder = tmp_path_factory.mktemp(family)
        save_checkpoint(make(family, tied, vocabulary.get_vocab_size(), dropout), vocabulary, folder)
        return folder

    return save


@pytest.fixture(scope="session")
def predecessor(save_predecessor: Callable[..., Path], corpus: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A GPT-2 of six layers that has learnt something of the corpus, made by the train stage."""
    from mothertongue.run.progress import be_quiet
    from mothertongue.train.config import TrainConfig
    from mothertongue.train.stage import train

    be_quiet()
    out = tmp_path_factory.mktemp("predecessor")
    config = TrainConfig(steps=60, batch_size=8, sequence_length=32, learning_rate=5e-3, dev_kilobytes=0.0)
    train(config, out, checkpoint=save_predecessor(), corpus=corpus)
    return out
