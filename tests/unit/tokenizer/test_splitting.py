from __future__ import annotations

import pytest
from tokenizers import Tokenizer

from mothertongue.tokenizer.bytelevel import decode_ids, encode_text, is_gpt2_like, train_bytelevel
from mothertongue.tokenizer.encode import Encoder
from mothertongue.tokenizer.splitting import GPT2, splitter, suitable_split


def cut(text: str, name: str = "script") -> list[str]:
    return [piece for piece, _ in splitter(name).pre_tokenize_str(text)]


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("हिन्दी में", ["हिन्दी", " में"]),
        ("e\u0301cole", ["e\u0301cole"]),
        ("стои́т", ["стои́т"]),
        ("می\u200cخواهم", ["می\u200cخواهم"]),
        ("п'ять l’homme don't", ["п'ять", " l’homme", " don't"]),
        ("'ahoj' řekl", ["'", "ahoj", "'", " řekl"]),
        ("roku 1918 a 1234567", ["roku", " 191", "8", " a", " 123", "456", "7"]),
        ("konec.\n\n\nNový", ["konec", ".", "\n\n\n", "Nový"]),
        ("a  b \t\nc", ["a", " ", " b", " \t", "\n", "c"]),
        ("👩\u200d💻❤️ ano", ["👩\u200d💻❤️", " ano"]),
        ("C++ (x)", ["C", "++", " (", "x", ")"]),
    ],
)
def test_the_cuts_that_suit_any_script(text: str, pieces: list[str]) -> None:
    assert cut(text) == pieces


def test_gpt2s_expression_tears_marks_off() -> None:
    assert len(cut("हिन्दी", "gpt2")) > 3


def test_gpt2s_cuts_are_those_of_its_own_pre_tokenizer() -> None:
    text = "Ráno don't stát  1918,\n\n a🙂"
    own = train_bytelevel([], vocab_size=260).pre_tokenizer.pre_tokenize_str(text)
    assert [span for _, span in splitter("gpt2").pre_tokenize_str(text)] == [span for _, span in own]
    assert r"\p{L}+" in GPT2


@pytest.mark.parametrize(
    ("text", "split"),
    [("Příliš žluťoučký kůň", "gpt2"), ("Закон за водите", "gpt2"), ("நன்றி வணக்கம்", "script"), ("", "gpt2")],
)
def test_the_text_says_which_cuts_suit_it(text: str, split: str) -> None:
    assert suitable_split([text]) == split


def test_a_byte_level_vocabulary_with_these_cuts_loses_nothing_and_is_not_called_gpt2() -> None:
    tokenizer: Tokenizer = train_bytelevel(["हिन्दी में 1918\n\n"] * 9, vocab_size=320, split="script")
    assert not is_gpt2_like(tokenizer)
    for text in ("हिन्दी  में\r\n 19182\t", "👩\u200d💻 \x00", ""):
        ids = encode_text(tokenizer, text)
        assert decode_ids(tokenizer, ids) == text
        assert Encoder(tokenizer)([text])[0].tolist() == ids
    assert len(encode_text(tokenizer, "हिन्दी")) == 1
