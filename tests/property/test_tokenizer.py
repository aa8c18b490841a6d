"""Byte-level BPE loses nothing, whatever it is given."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer

from mothertongue.tokenizer.bytelevel import SPECIAL_TOKENS, decode_ids, encode_text, token_bytes, train_bytelevel

TOKENIZER: Tokenizer = train_bytelevel(
    ["Ráno svítilo slunce a nad řekou ležela mlha.", "Влакът тръгва в девет часа.", "end of text, end of text"] * 4,
    vocab_size=320,
)
BYTES = token_bytes(TOKENIZER)
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
    ]
)
TEXTS = st.lists(st.one_of(st.text(max_size=20), TRICKY), max_size=12).map("".join)


@given(TEXTS)
@settings(max_examples=400, deadline=None)
def test_decoding_gives_back_any_text(text: str) -> None:
    assert decode_ids(TOKENIZER, encode_text(TOKENIZER, text)) == text


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_encoding_never_gives_a_special_token(text: str) -> None:
    assert not {0, 1, 2, 3} & set(encode_text(TOKENIZER, text))


@given(TEXTS)
@settings(max_examples=200, deadline=None)
def test_the_bytes_of_the_tokens_are_the_bytes_of_the_text(text: str) -> None:
    assert b"".join(BYTES[i] for i in encode_text(TOKENIZER, text)) == text.encode()


@given(st.lists(TEXTS, max_size=8), st.integers(260, 330))
@settings(max_examples=25, deadline=None)
def test_a_tokenizer_trained_on_any_text_loses_nothing(texts: list[str], vocab_size: int) -> None:
    tokenizer = train_bytelevel(texts, vocab_size=vocab_size)
    assert 260 <= tokenizer.get_vocab_size() <= vocab_size
    for text in texts:
        ids = encode_text(tokenizer, text)
        assert decode_ids(tokenizer, ids) == text
        assert not {0, 1, 2, 3} & set(ids)
