"""The measure holds for any documents and any windows, and the n-gram is a distribution whatever it has read."""

from __future__ import annotations

import math
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as some
from torch import Tensor, nn

from mothertongue.model.ngram import token_nats, train_ngram
from mothertongue.model.score import cut_windows, document_nats

VOCABULARY = 6
documents_of_tokens = some.lists(some.lists(some.integers(1, VOCABULARY - 1), max_size=25), min_size=1, max_size=8)


class Bigram(nn.Module):
    """Its logits depend on the last token only, so no window can change what a token costs."""

    def __init__(self) -> None:
        super().__init__()
        self.table = torch.linspace(-2, 2, VOCABULARY**2).sin().view(VOCABULARY, VOCABULARY)

    def forward(self, input_ids: Tensor) -> SimpleNamespace:
        return SimpleNamespace(logits=self.table[input_ids])


@given(some.integers(1, 60), some.integers(1, 20), some.data())
def test_windows_score_every_token_once(length: int, context: int, data: some.DataObject) -> None:
    stride = data.draw(some.integers(1, context))
    windows = list(cut_windows(0, range(length), context=context, stride=stride))
    scored = [token for window in windows for token in window.ids[1:][window.skip :]]
    assert scored == list(range(1, length))
    assert all(len(window.ids) <= context + 1 for window in windows)


@settings(deadline=None)
@given(documents_of_tokens, some.integers(1, 9), some.integers(1, 9), some.data())
def test_a_model_without_memory_costs_the_same_in_any_windows(
    documents: list[list[int]], context: int, batch_size: int, data: some.DataObject
) -> None:
    stride = data.draw(some.integers(1, context))
    nats = document_nats(Bigram(), documents, start_id=0, context=context, stride=stride, batch_size=batch_size)
    costs = -torch.log_softmax(Bigram().table.double(), dim=-1)
    expected = [sum(float(costs[a, b]) for a, b in zip([0, *ids], ids, strict=False)) for ids in documents]
    assert nats == pytest.approx(expected, rel=1e-5)


@settings(deadline=None, max_examples=50)
@given(documents_of_tokens, some.lists(some.integers(1, VOCABULARY - 1), max_size=6), some.integers(1, 5))
def test_an_n_gram_sums_to_one_after_anything(documents: list[list[int]], context: list[int], order: int) -> None:
    stream = np.array([0, *(token for document in documents for token in [*document, 0])])
    model = train_ngram(stream, start_id=0, vocab_size=VOCABULARY, order=order)
    nats = [token_nats(model, np.array([0, *context, token]))[-1] for token in range(VOCABULARY)]
    assert sum(math.exp(-cost) for cost in nats) == pytest.approx(1, abs=1e-9)
