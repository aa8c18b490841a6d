"""Shared fixtures: a two-layer GPT-2 and a tiny byte-level tokenizer, built here; nothing is downloaded."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import settings

# the same examples every time; new ones: pytest tests/property --hypothesis-profile=default
settings.register_profile("same", derandomize=True)
settings.load_profile("same")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")

if TYPE_CHECKING:
    from tokenizers import Tokenizer
    from transformers import GPT2LMHeadModel

    from mothertongue.use.engine import Floats

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


@pytest.fixture(scope="session")
def framing_tokenizer() -> Tokenizer:
    """A byte-level BPE tokenizer that itself puts a token before a text, as Llama's and Gemma's do."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    alphabet = pre_tokenizers.ByteLevel.alphabet()
    trainer = trainers.BpeTrainer(
        vocab_size=300, special_tokens=["<s>", "</s>"], initial_alphabet=alphabet, show_progress=False
    )
    tokenizer.train_from_iterator(SENTENCES, trainer=trainer)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 0)])
    return tokenizer


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


class FakeEngine:
    """An engine without weights, quick: the next token hangs on the last two; `sharpness` is how far chances differ."""

    def __init__(self, tokenizer: Tokenizer, *, context: int = 256, sharpness: float = 3.0, seed: int = 0) -> None:
        self.tokenizer, self.end_id, self.context = tokenizer, 0, context
        self.vocab_size = tokenizer.get_vocab_size()
        random = np.random.default_rng(seed)
        shape = (self.vocab_size, self.vocab_size)
        self.last_VV = random.normal(0, sharpness, shape).astype(np.float32)
        self.second_VV = random.normal(0, sharpness / 2, shape).astype(np.float32)
        self.read = 0  # tokens

    def next_tokens(self, ids: Sequence[int]) -> Floats:
        """Log-probabilities [V] of the token after `ids`."""
        before = ids[-2] if len(ids) > 1 else 0
        from mothertongue.use.engine import log_softmax

        return log_softmax(self.last_VV[ids[-1]] + self.second_VV[before])

    def session(self) -> FakeSession:
        """An empty session."""
        return FakeSession(self)


class FakeSession:
    """Counts what it reads, and refuses what no session allows."""

    def __init__(self, engine: FakeEngine) -> None:
        self.engine, self.ids, self.closed = engine, list[int](), False

    def extend(self, ids: Sequence[int]) -> Floats:
        """Read `ids`, at least one."""
        assert ids and not self.closed
        self.ids = [*self.ids, *ids]
        assert len(self.ids) <= self.engine.context
        self.engine.read += len(ids)
        return self.engine.next_tokens(self.ids)

    def crop(self, length: int) -> None:
        """Forget the end."""
        assert 0 <= length <= len(self.ids)
        self.ids = self.ids[:length]

    def close(self) -> None:
        """Nothing may be asked afterwards."""
        self.closed = True


@pytest.fixture(scope="session")
def make_engine(tiny_tokenizer: Tokenizer) -> Callable[..., FakeEngine]:
    """An engine of numbers drawn by lot, with the tiny tokenizer."""
    return lambda **options: FakeEngine(tiny_tokenizer, **options)
