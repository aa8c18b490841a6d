from __future__ import annotations

import pytest
from tokenizers import AddedToken, Tokenizer, decoders, models

from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.tokenizer.marks import token_bytes
from mothertongue.use.pieces import Pieces, text_of

LETTERS = {0: b"\xd0", 1: b"\x96", 2: b"ab", 3: b"c", 4: b"\xff", 5: b"\xf0\x9f", 6: b"\xa6\x84"}


def read(tokens: list[int], *, stop: tuple[str, ...] = ()) -> list[str]:
    pieces = Pieces(LETTERS, stop=stop)
    return [*(pieces.push(token) for token in tokens), pieces.close()]


def test_half_a_letter_waits_for_its_other_half() -> None:
    assert read([2, 0, 1, 5, 6]) == ["ab", "", "Ж", "", "🦄", ""]


def test_what_never_becomes_a_letter_is_shown_as_such() -> None:
    assert read([4, 2]) == ["\ufffd", "ab", ""]
    assert read([2, 0]) == ["ab", "", "\ufffd"]
    assert read([0, 2]) == ["", "\ufffdab", ""]


def test_special_tokens_add_nothing() -> None:
    assert read([99, 2]) == ["", "ab", ""]
    assert text_of([99, 2], LETTERS) == "ab"


def test_what_may_begin_a_stop_string_is_held_back() -> None:
    assert read([2, 3, 3], stop=("bcd",)) == ["a", "", "bcc", ""]
    assert read([2, 3, 2], stop=("bca",)) == ["a", "", "", ""]
    assert read([2, 3], stop=("bcd",)) == ["a", "", "bc"]


def test_the_first_of_several_stop_strings_ends_the_text() -> None:
    assert "".join(read([2, 2, 3], stop=("c", "ba"))) == "a"


def test_nothing_comes_after_the_end() -> None:
    pieces = Pieces(LETTERS, stop=("a",))
    assert pieces.push(2) == ""
    assert pieces.ended
    assert pieces.push(3) + pieces.close() == ""


def test_bytes_of_a_byte_level_vocabulary_spell_any_text(tiny_tokenizer: Tokenizer) -> None:
    table = token_bytes(tiny_tokenizer)
    text = "Ráno – и утро 🦄\n\x00 雨"
    assert text_of(encode_text(tiny_tokenizer, text), table) == text
    assert not {0, 1, 2, 3} & table.keys()
    assert len(table) == tiny_tokenizer.get_vocab_size() - 4


@pytest.mark.parametrize(("token", "data"), [("▁den", b" den"), ("<0xC5>", b"\xc5"), ("ž", "ž".encode())])
def test_bytes_of_a_sentencepiece_vocabulary(token: str, data: bytes) -> None:
    tokenizer = Tokenizer(models.BPE({"<s>": 0, token: 1}, [], byte_fallback=True))
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens([AddedToken("<s>", special=True)])
    assert token_bytes(tokenizer) == {1: data}
