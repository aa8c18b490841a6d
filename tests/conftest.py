"""Shared fixtures: a two-layer GPT-2 and a tiny byte-level tokenizer, built here; nothing is downloaded."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import GPT2LMHeadModel

SENTENCES = (
    "Ráno svítilo slunce a nad řekou ležela mlha.",
    "Vlak do Brna odjíždí v devět hodin z prvního nástupiště.",
    "Сутринта слънцето изгря над реката и мъглата се вдигна.",
    "Влакът за Пловдив тръгва в девет часа от първи коловоз.",
    "The morning train leaves at nine, and the river is still in fog.",
)


@pytest.fixture(autouse=True)
def _quiet() -> None:
    from mothertongue.run.progress import be_quiet

    be_quiet()


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """The folder of real data; the test is skipped, saying so, where it is absent."""
    folder = Path(os.environ.get("MOTHERTONGUE_DATA", Path(__file__).parents[1] / ".." / "shared" / "data")).resolve()
    if not (folder / "text").is_dir():
        pytest.skip(f"real data is not at {folder}; set MOTHERTONGUE_DATA to run this test")
    return folder


@pytest.fixture(scope="session")
def tiny_tokenizer() -> Tokenizer:
    """A byte-level BPE tokenizer of at most 320 tokens."""
    from mothertongue.tokenizer.bytelevel import train_bytelevel

    return train_bytelevel(SENTENCES * 4, vocab_size=320)


@pytest.fixture
def tiny_model(tiny_tokenizer: Tokenizer) -> GPT2LMHeadModel:
    """A GPT-2 of 2 layers, 16 wide, context 64, with seeded weights."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(0)
    size = tiny_tokenizer.get_vocab_size()
    config = GPT2Config(
        vocab_size=size, n_positions=64, n_embd=16, n_layer=2, n_head=2, bos_token_id=0, eos_token_id=0, pad_token_id=2
    )
    return GPT2LMHeadModel(config).eval()


@pytest.fixture
def tiny_checkpoint(tmp_path: Path, tiny_model: GPT2LMHeadModel, tiny_tokenizer: Tokenizer) -> Path:
    """A folder with the tiny model and the tiny tokenizer."""
    from mothertongue.model.checkpoint import save_checkpoint

    folder = tmp_path / "tiny"
    folder.mkdir()
    save_checkpoint(tiny_model, tiny_tokenizer, folder)
    return folder
