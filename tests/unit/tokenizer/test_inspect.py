from __future__ import annotations

import pytest
from tokenizers import Tokenizer, decoders, models, pre_tokenizers

from mothertongue.tokenizer.bytelevel import train_bytelevel
from mothertongue.tokenizer.inspect import longest_tokens, measure_fit


@pytest.fixture
def two_merges() -> Tokenizer:
    """Bytes, and the tokens " a" and "ab"."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokens = [*alphabet, "Ġa", "ab"]
    tokenizer = Tokenizer(models.BPE({token: i for i, token in enumerate(tokens)}, [("Ġ", "a"), ("a", "b")]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def test_the_fit_of_a_text_counted_by_hand(two_merges: Tokenizer) -> None:
    # "ab a" -> "ab", " a"; "ř" -> two bytes of one letter; so 4 tokens, 3 words, 6 bytes
    fit = measure_fit(two_merges, ["ab a", "ř"])
    assert (fit.tokens, fit.words, fit.bytes) == (4, 3, 6)
    assert fit.fertility == pytest.approx(4 / 3)
    assert fit.bytes_per_token == pytest.approx(6 / 4)
    assert fit.whole_words == pytest.approx(1 / 3)  # " a"; " ab" is " a" + "b"
    assert fit.single_bytes == pytest.approx(2 / 4)
    assert fit.vocabulary_used == pytest.approx(4 / 258)
    assert fit.as_metrics()["fertility"] == 1.3333


def test_the_fit_of_no_text_is_all_zeros(two_merges: Tokenizer) -> None:
    fit = measure_fit(two_merges, [])
    assert (fit.tokens, fit.fertility, fit.bytes_per_token, fit.whole_words, fit.vocabulary_used) == (0, 0, 0, 0, 0)


def test_longest_tokens_are_readable_text() -> None:
    tokenizer = train_bytelevel(["на полето", "na poli"] * 9, vocab_size=290)
    longest = longest_tokens(tokenizer, 5)
    assert longest == sorted(longest, key=lambda text: (-len(text), text))
    assert longest[0] in {" полето", " poli"}
    assert not any(token.startswith("<|") for token in longest_tokens(tokenizer, 290))
