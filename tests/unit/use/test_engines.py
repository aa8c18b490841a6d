"""Every engine against the model itself: the same numbers, whatever is read once, cropped, branched or shared."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from tokenizers import Tokenizer
from transformers import GPT2Config, GPT2LMHeadModel

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.use.config import GenerateConfig
from mothertongue.use.engine import Engine, Floats
from mothertongue.use.int8 import Int8Linear
from mothertongue.use.load import open_engine
from mothertongue.use.torch_engine import TorchEngine

TEXT = [0, 20, 30, 40, 50, 60, 70, 21, 31, 41]
CLOSE = 1e-4  # of log-probabilities; llama.cpp's activation of GPT-2 is a table of 16 bits, felt in larger models


def reference(model: GPT2LMHeadModel, ids: list[int]) -> Floats:
    """Log-probabilities (T, V) after each token of `ids`, by the model itself."""
    with torch.inference_mode():
        return model(torch.tensor([ids])).logits[0].log_softmax(-1).numpy()


def llama_of(model: GPT2LMHeadModel, tokenizer: Tokenizer, folder: Path) -> Engine:
    pytest.importorskip("xllamacpp", exc_type=ImportError)
    pytest.importorskip("gguf")
    from mothertongue.export.gguf import write_model
    from mothertongue.use.llama_engine import LlamaEngine

    write_model(model, tokenizer, folder / "model.gguf", dtype="float32")
    return LlamaEngine(folder / "model.gguf", tokenizer, threads=1)


@pytest.fixture
def tiny_llama(tiny_model: GPT2LMHeadModel, tiny_tokenizer: Tokenizer, tmp_path: Path) -> Engine:
    return llama_of(tiny_model, tiny_tokenizer, tmp_path)


@pytest.fixture(params=["torch", "llama"])
def make_engine(
    request: pytest.FixtureRequest, tiny_model: GPT2LMHeadModel, tiny_tokenizer: Tokenizer, tmp_path: Path
) -> Callable[[int], Engine]:
    def make(context: int) -> Engine:
        model = tiny_model
        if context != model.config.n_positions:
            model = GPT2LMHeadModel(GPT2Config(**{**model.config.to_dict(), "n_positions": context})).eval()
        if request.param == "torch":
            return TorchEngine(model, tiny_tokenizer)
        return llama_of(model, tiny_tokenizer, tmp_path)

    return make


@pytest.fixture
def engine(make_engine: Callable[[int], Engine]) -> Engine:
    return make_engine(64)


def test_next_tokens_are_the_models_own(engine: Engine, tiny_model: GPT2LMHeadModel) -> None:
    found = engine.next_tokens(TEXT)
    assert found.shape == (engine.vocab_size,)
    assert found.dtype == np.float32
    assert found == pytest.approx(reference(tiny_model, TEXT)[-1], abs=CLOSE)
    assert np.exp(found).sum() == pytest.approx(1, abs=1e-5)


def test_candidates_behind_a_prefix_have_the_scores_of_whole_texts(engine: Engine, tiny_model: GPT2LMHeadModel) -> None:
    candidates = [[5, 6, 7], [], [8], [9] * 20, [5, 6], *([i, i + 1, i + 2] for i in range(70))]
    for candidate, found in zip(candidates, engine.score(TEXT, candidates), strict=True):
        logs = reference(tiny_model, TEXT + candidate)[len(TEXT) - 1 : -1]
        assert found.dtype == np.float32
        assert found == pytest.approx(logs[range(len(candidate)), candidate], abs=CLOSE)


def test_a_session_extends_and_crops(engine: Engine, tiny_model: GPT2LMHeadModel) -> None:
    session = engine.session()
    session.extend(TEXT[:4])
    assert session.extend(TEXT[4:]) == pytest.approx(reference(tiny_model, TEXT)[-1], abs=CLOSE)
    session.crop(3)
    assert session.ids == TEXT[:3]
    assert session.extend([99]) == pytest.approx(reference(tiny_model, [*TEXT[:3], 99])[-1], abs=CLOSE)
    session.crop(0)
    assert session.ids == []
    assert session.extend([7]) == pytest.approx(reference(tiny_model, [7])[-1], abs=CLOSE)
    session.crop(9)
    assert session.ids == [7]
    session.close()


def test_two_sessions_do_not_disturb_each_other(engine: Engine, tiny_model: GPT2LMHeadModel) -> None:
    one, two = engine.session(), engine.session()
    one.extend([3, 4])
    two.extend([5])
    assert one.extend([6]) == pytest.approx(reference(tiny_model, [3, 4, 6])[-1], abs=CLOSE)
    assert two.extend([7, 8]) == pytest.approx(reference(tiny_model, [5, 7, 8])[-1], abs=CLOSE)
    one.close()
    assert two.extend([9]) == pytest.approx(reference(tiny_model, [5, 7, 8, 9])[-1], abs=CLOSE)
    two.close()


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, MemoryError])
def test_a_session_that_was_interrupted_is_empty_and_can_be_used(
    engine: Engine, tiny_model: GPT2LMHeadModel, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    def interrupt(logits: Floats) -> Floats:
        raise interruption

    session = engine.session()
    session.extend(TEXT[:4])
    with monkeypatch.context() as patch, pytest.raises(interruption):
        patch.setattr(f"{type(engine).__module__}.log_softmax", interrupt)
        session.extend(TEXT[4:])
    assert session.ids == []
    assert session.extend(TEXT) == pytest.approx(reference(tiny_model, TEXT)[-1], abs=CLOSE)
    session.close()
    assert session.ids == []
    assert session.extend([7]) == pytest.approx(reference(tiny_model, [7])[-1], abs=CLOSE)
    session.close()


def test_a_session_grows_to_the_context(make_engine: Callable[[int], Engine]) -> None:
    engine = make_engine(1100)  # more than a session of llama.cpp has memory for at first
    session, whole, ids = engine.session(), engine.session(), [number % 300 for number in range(1100)]
    for start in range(0, 1100, 100):
        answer = session.extend(ids[start : start + 100])
    assert session.ids == ids
    assert answer == pytest.approx(whole.extend(ids), abs=CLOSE)
    for each in (session, whole):
        each.close()


def test_nothing_to_score_and_no_room_to_grow_are_no_end(engine: Engine, tiny_model: GPT2LMHeadModel) -> None:
    assert [len(found) for found in engine.score([1], [[]])] == [0]
    assert engine.score([1], []) == []
    rows = engine.rows([[3]] * 3, room=0)
    with torch.inference_mode():
        assert rows.logits[2] == pytest.approx(tiny_model(torch.tensor([[3]])).logits[0, -1].numpy(), abs=CLOSE)
    rows.close()


def test_memory_that_was_given_back_is_not_touched(tiny_llama: Engine) -> None:
    rows = tiny_llama.rows([TEXT])
    rows.close()
    with pytest.raises(ConfigError, match="given back"):
        rows.step([5])
    with pytest.raises(ConfigError, match="given back"):
        rows.keep([])


def test_a_file_beside_another_models_tokenizer_is_refused(tiny_llama: Engine, tmp_path: Path) -> None:
    tokenizer = json.loads(tiny_llama.tokenizer.to_str())
    vocabulary = tokenizer["model"]["vocab"]
    tokenizer["model"]["vocab"] = {token: 579 - i if i >= 260 else i for token, i in vocabulary.items()}
    (tmp_path / "tokenizer.json").write_text(json.dumps(tokenizer), "utf-8")
    with pytest.raises(CheckpointError, match="other tokens than the tokenizer beside it"):
        open_engine(tmp_path, engine="llama")


def test_rows_grow_side_by_side_and_may_be_fewer(engine: Engine, tiny_model: GPT2LMHeadModel) -> None:
    rows = engine.rows([TEXT] * 3)
    assert rows.logits.shape == (3, engine.vocab_size)
    rows.step([5, 6, 7])
    rows.keep([2, 0])
    rows.step([8, 9])
    with torch.inference_mode():
        expected = [tiny_model(torch.tensor([[*TEXT, *end]])).logits[0, -1].numpy() for end in ([7, 8], [5, 9])]
    assert rows.logits == pytest.approx(np.stack(expected), abs=CLOSE)
    rows.close()
    rows = engine.rows([[3, 4], [5, 6]])
    with torch.inference_mode():
        expected = [tiny_model(torch.tensor([ids])).logits[0, -1].numpy() for ids in ([3, 4], [5, 6])]
    assert rows.logits == pytest.approx(np.stack(expected), abs=CLOSE)
    rows.close()


def test_texts_beyond_the_context_are_refused(engine: Engine) -> None:
    full = [5] * engine.context
    engine.next_tokens(full)
    engine.score(full, [[5], [6]])
    for ask in (
        lambda: engine.next_tokens([]),
        lambda: engine.next_tokens([*full, 5]),
        lambda: engine.score(full, [[5, 6]]),
        lambda: engine.rows([[*full, 5]]),
        lambda: engine.session().extend([]),
    ):
        with pytest.raises(ConfigError, match=f"reads 1 to {engine.context} at once"):
            ask()
    session = engine.session()
    session.extend(full)
    with pytest.raises(ConfigError, match="at once"):
        session.extend([5])
    session.close()


def test_tokens_that_do_not_exist_are_refused(engine: Engine) -> None:
    for ids in ([engine.vocab_size], [-1]):
        with pytest.raises(ConfigError, match="no token"):
            engine.next_tokens(ids)
        with pytest.raises(ConfigError, match="no token"):
            engine.score([5], [[6], ids])


def test_generate_can_be_cancelled_and_tells_its_tokens(engine: Engine) -> None:
    options = GenerateConfig(max_new_tokens=20, seed=1)
    told: list[int] = []
    tokens = list(engine.generate(TEXT, options, on_token=told.append))
    assert tokens == told
    assert len(tokens) == 20
    again: list[int] = []
    stopped = engine.generate(TEXT, options, on_token=again.append, cancel=lambda: len(again) >= 4)
    assert list(stopped) == tokens[:4]
    assert len(list(engine.generate(TEXT * 20, options))) == 20
    assert list(engine.generate(TEXT, GenerateConfig(max_length=len(TEXT) + 3, seed=1))) == tokens[:3]
    assert list(engine.generate(TEXT, GenerateConfig(max_length=len(TEXT)))) == []


def test_damaged_weights_are_named_as_the_cause(tiny_model: GPT2LMHeadModel, tiny_tokenizer: Tokenizer) -> None:
    engine = TorchEngine(tiny_model, tiny_tokenizer)
    with torch.no_grad():
        tiny_model.transformer.ln_f.weight.fill_(float("nan"))
    for ask in (
        lambda: engine.next_tokens(TEXT),
        lambda: engine.score(TEXT, [[5, 6]]),
        lambda: engine.session().extend(TEXT),
        lambda: list(engine.generate(TEXT, GenerateConfig())),
    ):
        with pytest.raises(CheckpointError, match="no numbers"):
            ask()


def test_a_vocabulary_without_an_end_is_refused(tiny_model: GPT2LMHeadModel) -> None:
    from tokenizers import models

    with pytest.raises(CheckpointError, match="no end-of-text token"):
        TorchEngine(tiny_model, Tokenizer(models.BPE()))


def test_8_bits_are_close_to_the_model(tiny_checkpoint: Path, tiny_model: GPT2LMHeadModel) -> None:
    engine = open_engine(tiny_checkpoint, engine="torch-int8")
    assert engine.next_tokens(TEXT) == pytest.approx(reference(tiny_model, TEXT)[-1], abs=0.02)
    assert engine.score(TEXT[:5], [TEXT[5:]])[0].sum() == pytest.approx(
        sum(reference(tiny_model, TEXT)[i - 1][TEXT[i]] for i in range(5, 10)), abs=0.02
    )


def test_a_layer_in_8_bits_keeps_rows_of_zeros() -> None:
    layer = Int8Linear(torch.tensor([[0.0, 0.0], [1.0, -2.0]]), torch.tensor([3.0, 0.0]))
    output = layer(torch.tensor([[[2.0, 1.0], [0.0, 0.0], [1.0, 1.0]]]))
    assert output.numpy() == pytest.approx(np.array([[[3.0, 0.0], [3.0, 0.0], [3.0, -1.0]]]), abs=0.05)
