from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from transformers import LogitsProcessorList
from transformers.generation import logits_process

from mothertongue.errors import ConfigError
from mothertongue.use.config import GenerateConfig
from mothertongue.use.sampler import Sampler

SIZE = 60
shares = st.floats(0.01, 0.99)
options = st.fixed_dictionaries(
    {},
    optional={
        "repetition_penalty": st.floats(0.5, 3.0),
        "no_repeat_ngram_size": st.integers(1, 4),
        "temperature": st.floats(0.2, 3.0),
        "top_k": st.integers(0, 80),
        "top_p": shares,
        "min_p": shares,
        "typical_p": shares,
    },
)
texts = st.lists(st.integers(0, 6), min_size=1, max_size=20)
# how transformers calls the rules, in the order in which its `generate` asks them
PEERS: dict[str, Any] = {
    "repetition_penalty": logits_process.RepetitionPenaltyLogitsProcessor,
    "no_repeat_ngram_size": logits_process.NoRepeatNGramLogitsProcessor,
    "banned": lambda tokens: logits_process.SuppressTokensLogitsProcessor(tokens, device="cpu"),
    "temperature": logits_process.TemperatureLogitsWarper,
    "top_k": logits_process.TopKLogitsWarper,
    "top_p": logits_process.TopPLogitsWarper,
    "min_p": logits_process.MinPLogitsWarper,
    "typical_p": logits_process.TypicalLogitsWarper,
}


def draw_logits(seed: int, *, spread: float = 2.0) -> np.ndarray:
    return (np.random.default_rng(seed).standard_normal(SIZE) * spread).astype(np.float32)


def transformers_probabilities(logits: np.ndarray, text: list[int], given: dict[str, Any]) -> np.ndarray:
    given = {"banned": [1, 2], "top_k": 50, **given}
    rules = LogitsProcessorList([PEERS[name](given[name]) for name in PEERS if given.get(name)])
    return rules(torch.tensor([text]), torch.tensor(logits)[None]).softmax(-1)[0].numpy()


def our_probabilities(logits: np.ndarray, text: list[int], given: dict[str, Any]) -> np.ndarray:
    choice = Sampler(GenerateConfig(**given), text, banned=[1, 2]).choice(logits)
    probabilities = np.zeros(SIZE)
    probabilities[choice.ids] = choice.probabilities
    return probabilities


@settings(max_examples=300, deadline=None)
@given(seed=st.integers(0, 2**32), text=texts, given=options)
def test_every_rule_and_any_mixture_leaves_what_transformers_leaves(
    seed: int, text: list[int], given: dict[str, Any]
) -> None:
    logits = draw_logits(seed)
    expected = transformers_probabilities(logits, text, given)
    assert our_probabilities(logits, text, given) == pytest.approx(expected, abs=2e-6)


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), text=texts, size=st.integers(1, 3), penalty=st.floats(0.5, 3.0))
def test_the_likeliest_token_is_transformers_own(seed: int, text: list[int], size: int, penalty: float) -> None:
    logits = draw_logits(seed)
    rules = LogitsProcessorList(
        [PEERS["repetition_penalty"](penalty), PEERS["no_repeat_ngram_size"](size), PEERS["banned"]([1, 2])]
    )
    expected = int(rules(torch.tensor([text]), torch.tensor(logits)[None]).argmax())
    config = GenerateConfig(do_sample=False, repetition_penalty=penalty, no_repeat_ngram_size=size)
    assert Sampler(config, text, banned=[1, 2]).draw(logits) == expected


@settings(max_examples=40, deadline=None)
@given(text=texts, more=texts, size=st.integers(1, 4))
def test_a_text_that_grows_is_ruled_as_one_that_was_there(text: list[int], more: list[int], size: int) -> None:
    config = GenerateConfig(no_repeat_ngram_size=size, repetition_penalty=1.5)
    grown = Sampler(config, text)
    for token in more:
        grown.accept(token)
    logits = draw_logits(len(text))
    one, other = grown.choice(logits), Sampler(config, [*text, *more]).choice(logits)
    assert (one.ids.tolist(), one.logits.tolist()) == (other.ids.tolist(), other.logits.tolist())


def test_tokens_as_likely_as_the_last_of_the_best_are_kept() -> None:
    logits = np.array([1, 3, 3, 2, 2, 2, 0], dtype=np.float32)
    assert Sampler(GenerateConfig(top_k=3), []).choice(logits).ids.tolist() == [1, 2, 3, 4, 5]


def test_tokens_are_drawn_as_often_as_they_are_likely() -> None:
    logits = np.log(np.array([0.5, 0.3, 0.15, 0.05], dtype=np.float32))
    sampler = Sampler(GenerateConfig(seed=1, top_k=3), [])
    drawn = Counter(sampler.draw(logits) for _ in range(4000))
    found = np.array([drawn[i] / 4000 for i in range(4)])
    assert found == pytest.approx(np.array([0.5, 0.3, 0.15, 0]) / 0.95, abs=0.03)


def test_seeds_and_numbers_of_continuations_draw_differently() -> None:
    def drawn(seed: int, number: int) -> list[int]:
        sampler = Sampler(GenerateConfig(seed=seed), [], number=number)
        return [sampler.draw(draw_logits(i)) for i in range(20)]

    assert drawn(3, 0) == drawn(3, 0)
    assert len({tuple(drawn(seed, number)) for seed in (0, 3, 2**63 - 1) for number in (0, 1)}) == 6


@pytest.mark.parametrize("do_sample", [True, False])
def test_rules_that_leave_no_token_say_so(do_sample: bool) -> None:
    sampler = Sampler(GenerateConfig(no_repeat_ngram_size=1, do_sample=do_sample), [0, 1, 2], banned=[3])
    with pytest.raises(ConfigError, match="leave no token"):
        sampler.draw(np.zeros(4, dtype=np.float32))
