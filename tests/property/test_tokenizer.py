"""Neither kind of vocabulary loses anything, whatever it is given."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mothertongue.tokenizer.bytelevel import SPECIAL_TOKENS, decode_ids, encode_text, train_bytelevel
from mothertongue.tokenizer.marks import token_bytes
from mothertongue.tokenizer.unigram import train_unigram

SENTENCES = [
    "Ráno svítilo slunce a nad řekou ležela mlha.",
    "Влакът тръгва в девет часа.",
    "end of text, end of text 0x41",
    "हिन्दी में बारिश",
] * 4
TOKENIZERS: dict[str, Tokenizer] = {
    "byte-level": train_bytelevel(SENTENCES, vocab_size=320),
    "byte-level, cut by script": train_bytelevel(SENTENCES, vocab_size=340, split="script"),
    "unigram": train_unigram(SENTENCES, vocab_size=460),
    "unigram, cut as GPT-2": train_unigram(SENTENCES, vocab_size=460, split="gpt2"),
}
BYTES = {name: token_bytes(tokenizer) for name, tokenizer in TOKENIZERS.items()}
NAMES = st.sampled_from(sorted(TOKENIZERS))
TRICKY = st.sampled_from(
    [
        *SPECIAL_TOKENS,
        "<|",
        "|>",
        "\r\n",
        "\r",
        "\n\n",
        "\x00",
        "\x85",
        "\u2028",
        "e\u0301",
        "\ufeff",
        "👩‍💻",
        "🇨🇿",
        " ",
        "ř",
        "▁",
        "<0x41>",
        "<0xE2><0x96>",
        "<0x",
        "\u200d",
        "न्",
        "  \n",
        "\ue000",
    ]
)
# U+FDD0 is not for text: Unicode keeps it for the inside of programs, and the corpus never has it
LETTERS = st.characters(codec="utf-8", exclude_characters="\ufdd0")
TEXTS = st.lists(st.one_of(st.text(LETTERS, max_size=20), TRICKY), max_size=12).map("".join)


@given(NAMES, TEXTS)
@settings(max_examples=600, deadline=None)
def test_decoding_gives_back_any_text(name: str, text: str) -> None:
    assert decode_ids(TOKENIZERS[name], encode_text(TOKENIZERS[name], text)) == text


@given(NAMES, TEXTS)
@settings(max_examples=300, deadline=None)
def test_encoding_never_gives_a_special_token(name: str, text: str) -> None:
    assert not {0, 1, 2, 3} & set(encode_text(TOKENIZERS[name], text))


@given(NAMES, TEXTS)
@settings(max_examples=300, deadline=None)
def test_the_bytes_of_the_tokens_are_the_bytes_of_the_text(name: str, text: str) -> None:
    assert b"".join(BYTES[name][i] for i in encode_text(TOKENIZERS[name], text)) == text.encode()


@given(st.lists(TEXTS, max_size=8), st.integers(260, 330))
@settings(max_examples=25, deadline=None)
def test_a_tokenizer_trained_on_any_text_loses_nothing(texts: list[str], vocab_size: int) -> None:
    tokenizer = train_bytelevel(texts, vocab_size=vocab_size)
    assert 260 <= tokenizer.get_vocab_size() <= vocab_size
    for text in texts:
        ids = encode_text(tokenizer, text)
        assert decode_ids(tokenizer, ids) == text
        assert not {0, 1, 2, 3} & set(ids)


@given(st.lists(TEXTS, max_size=8), st.integers(357, 420))
@settings(max_examples=25, deadline=None)
def test_a_unigram_vocabulary_of_any_text_loses_nothing(texts: list[str], vocab_size: int) -> None:
    tokenizer = train_unigram(texts, vocab_size=vocab_size)
    assert 357 <= tokenizer.get_vocab_size() <= vocab_size
    for text in texts:
        ids = encode_text(tokenizer, text)
        assert decode_ids(tokenizer, ids) == text
        assert not {0, 1, 2, 3} & set(ids)
