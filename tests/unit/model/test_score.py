from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from transformers import GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM

from mothertongue.errors import ConfigError
from mothertongue.model import score as score_module
from mothertongue.model.score import Score, context_of, cut_windows, document_nats, score_documents, score_each

DOCUMENTS = [[5, 6, 7, 8, 9] * 9, [11], [], list(range(4, 31)), [250, 3, 17]]
TEXTS = ["Ráno svítilo slunce. Řeka byla klidná!", "", "Влакът тръгва в девет часа, а мъглата се вдига бавно.", "x"]


class Uniform(nn.Module):
    """Gives every token of a vocabulary of `size` the same probability."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size

    def forward(self, input_ids: Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=torch.zeros(*input_ids.shape, self.size))


def one_token_at_a_time(model: nn.Module, ids: list[int], *, context: int, stride: int) -> float:
    """The definition: target i of `<|endoftext|> ids` is scored by the window in which it first stands."""
    nats, sequence = 0.0, [0, *ids]
    for target in range(1, len(sequence)):
        window = max(0, math.ceil((target - context) / stride))
        with torch.no_grad():
            logits = model(torch.tensor([sequence[window * stride : target]])).logits[0, -1]
        nats -= float(torch.log_softmax(logits.double(), -1)[sequence[target]])
    return nats


@pytest.mark.parametrize(("context", "stride"), [(8, 4), (8, 1), (8, 8), (7, 3), (64, 32), (1, 1)])
def test_every_token_costs_what_the_definition_says(tiny_model: GPT2LMHeadModel, context: int, stride: int) -> None:
    nats = document_nats(tiny_model, DOCUMENTS, start_id=0, context=context, stride=stride, batch_size=3)
    expected = [one_token_at_a_time(tiny_model, ids, context=context, stride=stride) for ids in DOCUMENTS]
    assert nats == pytest.approx(expected, rel=1e-5)


def test_a_text_is_scored_after_what_the_tokenizer_puts_before_it(framing_tokenizer: Tokenizer) -> None:
    torch.manual_seed(1)
    model = LlamaForCausalLM(
        LlamaConfig(
            vocab_size=framing_tokenizer.get_vocab_size(),
            hidden_size=16,
            intermediate_size=16,
            num_hidden_layers=1,
            num_attention_heads=2,
            max_position_embeddings=64,
        )
    ).eval()
    ids = torch.tensor([framing_tokenizer.encode("baba").ids])  # as every other tool reads it
    with torch.no_grad():
        expected = float(model(ids, labels=ids).loss) * (ids.shape[1] - 1)
    assert score_documents(model, framing_tokenizer, ["baba"]).nats == pytest.approx(expected, rel=1e-5)


def test_llama_is_scored_as_its_own_logits_say() -> None:
    torch.manual_seed(1)
    config = LlamaConfig(
        vocab_size=260, hidden_size=16, intermediate_size=32, num_hidden_layers=2, num_attention_heads=2,
        num_key_value_heads=1, max_position_embeddings=32, bos_token_id=0, eos_token_id=0, tie_word_embeddings=False,
    )  # fmt: skip
    model = LlamaForCausalLM(config).eval()
    nats = document_nats(model, DOCUMENTS, start_id=0, stride=5)
    assert nats == pytest.approx([one_token_at_a_time(model, ids, context=32, stride=5) for ids in DOCUMENTS], rel=1e-5)


@pytest.mark.parametrize("batch_size", [1, 2, 7, 100])
def test_batch_size_changes_no_number(tiny_model: GPT2LMHeadModel, batch_size: int) -> None:
    alone = document_nats(tiny_model, DOCUMENTS, start_id=0, context=6, stride=2, batch_size=1)
    together = document_nats(tiny_model, DOCUMENTS, start_id=0, context=6, stride=2, batch_size=batch_size)
    assert together == pytest.approx(alone, rel=1e-6)


def test_a_big_vocabulary_is_scored_in_parts(tiny_model: GPT2LMHeadModel, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = document_nats(tiny_model, DOCUMENTS, start_id=0)
    monkeypatch.setattr(score_module, "LOGITS_AT_ONCE", 1000)
    assert document_nats(tiny_model, DOCUMENTS, start_id=0) == pytest.approx(whole, rel=1e-6)


def test_windows_of_a_long_context_are_not_computed_all_together(
    tiny_model: GPT2LMHeadModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    def score() -> list[float]:
        sizes.clear()
        return document_nats(tiny_model, DOCUMENTS, start_id=0, context=16, stride=4)

    sizes: list[int] = []
    body = tiny_model.transformer
    hook = body.register_forward_pre_hook(lambda _, inputs: sizes.append(inputs[0].numel()))
    whole = score()
    assert max(sizes) > 40
    for most in (40, 3):
        monkeypatch.setattr(score_module, "TOKENS_AT_ONCE", most)
        assert score() == pytest.approx(whole, rel=1e-6)
        assert max(sizes) <= max(most, 16)
    hook.remove()


def test_documents_do_not_see_each_other(tiny_model: GPT2LMHeadModel) -> None:
    together = document_nats(tiny_model, DOCUMENTS, start_id=0, context=8)
    alone = [document_nats(tiny_model, [ids], start_id=0, context=8)[0] for ids in DOCUMENTS]
    assert together == pytest.approx(alone, rel=1e-6)


def test_a_uniform_model_pays_the_logarithm_of_its_vocabulary_for_each_token(tiny_tokenizer: Tokenizer) -> None:
    size = tiny_tokenizer.get_vocab_size()
    score = score_documents(Uniform(size), tiny_tokenizer, TEXTS, context=5)
    assert score.bytes == sum(len(text.encode()) for text in TEXTS)
    assert score.documents == len(TEXTS)
    assert score.words == sum(len(text.split()) for text in TEXTS)
    assert score.bits_per_byte == pytest.approx(score.tokens * math.log2(size) / score.bytes, rel=1e-6)
    assert score.perplexity_per_token == pytest.approx(size, rel=1e-5)


def test_scores_come_in_the_order_of_the_texts(tiny_model: GPT2LMHeadModel, tiny_tokenizer: Tokenizer) -> None:
    scores = score_each(tiny_model, tiny_tokenizer, iter(TEXTS), context=8)
    assert [score.bytes for score in scores] == [len(text.encode()) for text in TEXTS]
    assert sum(scores, start=Score()) == score_documents(tiny_model, tiny_tokenizer, TEXTS, context=8)


def test_progress_counts_every_token_once(tiny_model: GPT2LMHeadModel) -> None:
    heard: list[int] = []
    document_nats(tiny_model, DOCUMENTS, start_id=0, context=8, batch_size=2, on_scored=heard.append)
    assert sum(heard) == sum(map(len, DOCUMENTS))


def test_windows_cover_each_target_once_with_enough_context() -> None:
    for context, stride, length in [(8, 4, 30), (8, 3, 9), (8, 8, 25), (5, 1, 12), (8, 4, 3)]:
        targets: list[int] = []
        for window in cut_windows(0, range(length), context=context, stride=stride):
            scored = list(window.ids[1:])[window.skip :]
            assert all(target - window.ids[0] >= min(target, context - stride) for target in scored)
            targets += scored
        assert targets == list(range(1, length))


def test_scoring_leaves_every_module_in_its_mode(tiny_model: GPT2LMHeadModel) -> None:
    tiny_model.train()
    tiny_model.transformer.h[0].eval()
    document_nats(tiny_model, DOCUMENTS, start_id=0)
    assert tiny_model.training
    assert not tiny_model.transformer.h[0].training
    assert tiny_model.transformer.h[1].training


def test_no_text_at_all_is_not_a_number() -> None:
    assert math.isnan(Score().bits_per_byte)


def test_impossible_windows_are_refused(tiny_model: GPT2LMHeadModel) -> None:
    with pytest.raises(ConfigError, match=r"this model can see 1\.\.64"):
        document_nats(tiny_model, DOCUMENTS, start_id=0, context=65)
    with pytest.raises(ConfigError, match="skip text"):
        document_nats(tiny_model, DOCUMENTS, start_id=0, context=8, stride=9)
    with pytest.raises(ConfigError, match="does not say how long"):
        context_of(Uniform(3))
