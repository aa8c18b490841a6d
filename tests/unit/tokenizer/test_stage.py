from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from tokenizers import pre_tokenizers

from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.tokenizer.bytelevel import decode_ids, encode_text, is_gpt2_like, open_tokenizer
from mothertongue.tokenizer.config import TokenizerConfig
from mothertongue.tokenizer.sample import sample_texts
from mothertongue.tokenizer.stage import tokenizer

CORPUS = Callable[..., Path]


def bytes_as_gpt2_writes_them(text: str) -> str:
    return pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)[0][0]


def test_the_stage_trains_on_the_training_side_and_measures_on_the_other(corpus_of: CORPUS, tmp_path: Path) -> None:
    corpus = corpus_of(train=["mlha nad řekou"] * 20, dev=["mlha nad lesem", "xxx"])
    metrics = tokenizer(TokenizerConfig(vocab_size=270), tmp_path, corpus=corpus)
    opened = open_tokenizer(tmp_path)
    assert metrics["vocab_size"] == opened.get_vocab_size() == 270
    assert metrics["words"] == 4
    assert opened.token_to_id("mlha") is not None
    assert opened.token_to_id("xxx") is None


def test_a_text_that_merits_fewer_merges_gives_a_smaller_vocabulary(corpus_of: CORPUS, tmp_path: Path) -> None:
    metrics = tokenizer(TokenizerConfig(vocab_size=9000), tmp_path, corpus=corpus_of(train=["aa aa"], dev=["a"]))
    assert metrics["vocab_size"] < 270


def test_a_document_larger_than_the_limit_is_not_thrown_away(corpus_of: CORPUS, tmp_path: Path) -> None:
    corpus = corpus_of(train=["mlha nad řekou " * 500], dev=["mlha"])
    metrics = tokenizer(TokenizerConfig(vocab_size=270, max_megabytes=0.001), tmp_path, corpus=corpus)
    assert metrics["vocab_size"] == 270


def test_a_corpus_below_the_limit_is_read_whole_and_a_larger_one_in_equal_shares(corpus_of: CORPUS) -> None:
    texts = ["a" * 3000, "b" * 10, *["c" * 100] * 40, "ř" * 5000]
    corpus = corpus_of(train=texts)

    assert list(sample_texts(corpus, "train", max_bytes=1 << 20)) == texts
    for limit in (1000, 4000, 9000):
        found = "".join(sample_texts(corpus, "train", max_bytes=limit))
        assert limit - 600 < len(found.encode()) <= limit
        for letter, text in (("a", texts[0]), ("c", "c" * 4000), ("ř", texts[-1])):
            expected = len(text.encode()) * limit / 17010
            assert abs(found.count(letter) * len(letter.encode()) - expected) <= 500


def test_a_limited_tokenizer_hears_every_source(corpus_of: CORPUS, tmp_path: Path) -> None:
    # a corpus holds its sources one after the other
    corpus = corpus_of(train=["mlha nad řekou"] * 500 + ["вятърът духа"] * 500, dev=["mlha"])
    tokenizer(TokenizerConfig(vocab_size=330, max_megabytes=0.004), tmp_path, corpus=corpus)
    tokens = open_tokenizer(tmp_path).get_vocab()
    assert "mlha" in tokens
    assert bytes_as_gpt2_writes_them("вятърът") in tokens


def test_impossible_settings_are_refused() -> None:
    with pytest.raises(ConfigError, match="vocab_size = 100"):
        TokenizerConfig(vocab_size=100)
    with pytest.raises(ConfigError, match="max_megabytes"):
        TokenizerConfig(max_megabytes=0.0)
    with pytest.raises(ConfigError, match=r"vocab_size = 300 .* at least 357"):
        TokenizerConfig(vocab_size=300, kind="unigram")
    with pytest.raises(ConfigError, match="kind"):
        TokenizerConfig(kind="wordpiece")


@pytest.mark.parametrize("kind", ["bytelevel", "unigram"])
@pytest.mark.parametrize("texts", [[], [""]])
def test_a_corpus_without_training_text_is_refused(
    corpus_of: CORPUS, tmp_path: Path, kind: str, texts: list[str]
) -> None:
    with pytest.raises(ArtifactError, match="no training text"):
        tokenizer(TokenizerConfig(kind=kind), tmp_path, corpus=corpus_of(train=texts, dev=["a"]))


def test_without_development_text_there_are_no_figures_of_the_fit(corpus_of: CORPUS, tmp_path: Path) -> None:
    metrics = tokenizer(TokenizerConfig(vocab_size=300), tmp_path, corpus=corpus_of(train=["mlha nad řekou"] * 20))
    assert metrics.keys() == {"vocab_size", "split", "longest_tokens"}


def test_a_unigram_vocabulary_is_one_setting_away(corpus_of: CORPUS, tmp_path: Path) -> None:
    corpus = corpus_of(train=["mlha nad řekou", "mlha ležela"] * 20, dev=["mlha nad lesem ▁"])
    metrics = tokenizer(TokenizerConfig(vocab_size=400, kind="unigram"), tmp_path, corpus=corpus)
    opened = open_tokenizer(tmp_path)
    assert opened.token_to_id("▁nad") is not None
    assert decode_ids(opened, encode_text(opened, "mlha ▁")) == "mlha ▁"
    assert (metrics["split"], metrics["words"]) == ("script", 4)


def test_the_cuts_follow_the_script_unless_they_are_named(corpus_of: CORPUS, tmp_path: Path) -> None:
    corpus = corpus_of(train=["हिन्दी में बारिश"] * 9, dev=["हिन्दी"])
    assert tokenizer(TokenizerConfig(vocab_size=300), tmp_path, corpus=corpus)["split"] == "script"
    assert not is_gpt2_like(open_tokenizer(tmp_path))
    assert tokenizer(TokenizerConfig(vocab_size=300, split="gpt2"), tmp_path, corpus=corpus)["split"] == "gpt2"
    assert is_gpt2_like(open_tokenizer(tmp_path))
