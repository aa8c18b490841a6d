from __future__ import annotations

import math
from collections import Counter, defaultdict

import numpy as np
import pytest

from mothertongue.model.ngram import discounts, token_nats, train_ngram

START = 0


def stream_of(*documents: list[int]) -> np.ndarray:
    return np.array([START, *(token for document in documents for token in [*document, START])])


def random_documents(*, seed: int, vocab_size: int, number: int, length: int) -> list[list[int]]:
    """Documents with a habit: tokens often follow from the one before, so there is something to learn."""
    draw = np.random.default_rng(seed)
    documents = []
    for _ in range(number):
        document = [int(draw.integers(1, vocab_size))]
        for _ in range(int(draw.integers(0, length))):
            habit = draw.random() < 0.7
            document.append(
                document[-1] * 3 % (vocab_size - 1) + 1 if habit else int(draw.zipf(1.5)) % (vocab_size - 1) + 1
            )
        documents.append(document)
    return documents


class SlowKneserNey:
    """The same model from dictionaries, one n-gram at a time, straight from the formulas."""

    def __init__(self, documents: list[list[int]], *, vocab_size: int, order: int) -> None:
        self.vocab_size, self.order = vocab_size, order
        plain: dict[int, Counter[tuple[int, ...]]] = {n: Counter() for n in range(1, order + 1)}
        for document in documents:
            tokens = [START, *document, START]
            for n in range(1, order + 1):
                for end in range(max(1, n - 1), len(tokens)):
                    plain[n][tuple(tokens[end - n + 1 : end + 1])] += 1
        self.counts = {order: plain[order]}
        for n in range(1, order):
            left = defaultdict(set)
            for gram in plain[n + 1]:
                left[gram[1:]].add(gram[0])
            self.counts[n] = Counter({gram: len(left[gram]) or count for gram, count in plain[n].items()})
        self.discounts = {n: discounts(np.array(list(self.counts[n].values()))) for n in self.counts}

    def probability(self, context: tuple[int, ...], token: int) -> float:
        n = len(context) + 1
        below = self.probability(context[1:], token) if context else 1 / self.vocab_size
        continued = {gram: count for gram, count in self.counts[n].items() if gram[:-1] == context}
        if not continued:
            return below
        total = sum(continued.values())
        freed = sum(self.discounts[n][min(count, 3)] for count in continued.values())
        count = continued.get((*context, token), 0)
        return (count - self.discounts[n][min(count, 3)] + freed * below) / total

    def nats(self, document: list[int]) -> list[float]:
        tokens = [START, *document]
        contexts = [tuple(tokens[max(0, end - self.order + 1) : end]) for end in range(1, len(tokens))]
        return [-math.log(self.probability(c, token)) for c, token in zip(contexts, document, strict=True)]


@pytest.mark.parametrize(("order", "vocab_size"), [(1, 6), (2, 6), (3, 9), (5, 9), (5, 40)])
def test_it_equals_a_slow_model_made_of_dictionaries(order: int, vocab_size: int) -> None:
    documents = random_documents(seed=order, vocab_size=vocab_size, number=40, length=15)
    unseen = random_documents(seed=99, vocab_size=vocab_size, number=6, length=12)
    fast = train_ngram(stream_of(*documents), start_id=START, vocab_size=vocab_size, order=order)
    slow = SlowKneserNey(documents, vocab_size=vocab_size, order=order)
    assert fast.order == order
    for document in unseen + documents[:3]:
        assert token_nats(fast, stream_of(document))[1:-1] == pytest.approx(slow.nats(document), rel=1e-9)


@pytest.mark.parametrize("seed", range(3))
def test_every_context_sums_to_one(seed: int) -> None:
    vocab_size = 7
    documents = random_documents(seed=seed, vocab_size=vocab_size, number=60, length=20)
    model = train_ngram(stream_of(*documents), start_id=START, vocab_size=vocab_size)
    for context in [[], [3], [1, 2], *(document[:k] for k, document in enumerate(documents[:12]))]:
        nats = [token_nats(model, np.array([START, *context, token]))[-1] for token in range(vocab_size)]
        assert sum(math.exp(-cost) for cost in nats) == pytest.approx(1, abs=1e-12)


def test_documents_in_one_stream_cost_what_they_cost_alone() -> None:
    documents = random_documents(seed=5, vocab_size=12, number=30, length=20)
    model = train_ngram(stream_of(*documents[10:]), start_id=START, vocab_size=12)
    together = token_nats(model, stream_of(*documents[:10])).sum()
    assert together == pytest.approx(sum(token_nats(model, stream_of(document)).sum() for document in documents[:10]))


def test_longer_n_grams_help_where_there_is_something_to_learn() -> None:
    documents = random_documents(seed=2, vocab_size=30, number=300, length=30)
    train, heldout = stream_of(*documents[20:]), stream_of(*documents[:20])
    one, two = (token_nats(train_ngram(train, start_id=START, vocab_size=30, order=n), heldout).sum() for n in (1, 2))
    assert two < 0.8 * one


def test_nothing_to_learn_from_gives_the_uniform_model() -> None:
    model = train_ngram(np.array([START]), start_id=START, vocab_size=50)
    assert token_nats(model, stream_of([4, 5]))[1:] == pytest.approx([math.log(50)] * 3)


def test_a_stream_that_does_not_begin_a_document_is_refused() -> None:
    with pytest.raises(ValueError, match="begins with"):
        train_ngram(np.array([3, 4]), start_id=START, vocab_size=50)
