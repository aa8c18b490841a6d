from __future__ import annotations

import shutil
from pathlib import Path

from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

from mothertongue.model.stream import vocabulary_of
from mothertongue.tokenizer.bytelevel import open_tokenizer, train_bytelevel
from mothertongue.tokenizer.marks import is_byte_level
from mothertongue.transfer.overlap import END_ROLE, shared_tokens, token_keys


def sentencepiece_like(*tokens: str) -> Tokenizer:
    """A vocabulary written as Llama's: ▁ for a space, <0x41> for single bytes, </s> for the end of text."""
    vocabulary = {token: i for i, token in enumerate(("<unk>", "</s>", *tokens))}
    tokenizer = Tokenizer(models.BPE(vocabulary, [], unk_token="<unk>", byte_fallback=True))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.decoder = decoders.Metaspace()
    tokenizer.add_special_tokens([AddedToken(token, special=True) for token in ("<unk>", "</s>")])
    return tokenizer


def test_byte_level_tokens_stand_for_their_bytes() -> None:
    tokenizer = train_bytelevel(["řeka řeka řeka"] * 9, vocab_size=280)
    keys = token_keys(tokenizer)
    assert " řeka".encode() in keys.values()
    assert {bytes([byte]) for byte in range(256)} <= set(keys.values())


def test_same_word_is_found_across_kinds_of_vocabulary() -> None:
    byte_level = train_bytelevel([" café the"] * 9, vocab_size=280)
    other = sentencepiece_like("▁café", "▁the", "the", "é")
    shared = shared_tokens(token_keys(other), token_keys(byte_level))
    assert shared[byte_level.token_to_id("ĠcafÃ©")] == other.token_to_id("▁café")
    assert shared[byte_level.token_to_id("Ġthe")] == other.token_to_id("▁the")


def test_letter_of_a_plain_vocabulary_is_not_taken_for_a_byte() -> None:
    # "é" is the character by which a byte-level vocabulary writes the byte 0xE9
    other = sentencepiece_like("é", "<0xE9>")
    assert not is_byte_level(other)
    shared = shared_tokens(token_keys(other), token_keys(train_bytelevel(["a"], vocab_size=260)))
    assert [source for source in shared.values() if source >= 2] == [other.token_to_id("<0xE9>")]


def test_special_tokens_meet_by_role() -> None:
    source, target = sentencepiece_like("a"), train_bytelevel(["a"], vocab_size=260)
    shared = shared_tokens(token_keys(source), token_keys(target))
    assert token_keys(source)[1] == token_keys(target)[0] == END_ROLE
    assert shared[0] == 1 and shared[1] == 0  # end of text, unknown
    assert 2 not in shared and 3 not in shared  # the source has neither padding nor <|n|>


def test_ordinary_added_token_is_plain_text() -> None:
    tokenizer = train_bytelevel(["a"], vocab_size=260)
    tokenizer.add_tokens([AddedToken("řř", special=False)])
    assert token_keys(tokenizer)[vocabulary_of(tokenizer) - 1] == "řř".encode()


def test_whole_vocabulary_is_shared_with_itself(source_tokenizer: Tokenizer) -> None:
    keys = token_keys(source_tokenizer)
    assert shared_tokens(keys, keys) == {i: i for i in range(vocabulary_of(source_tokenizer))}


def test_gpt2_vocabulary_has_50257_different_tokens(shared_data: Path, tmp_path: Path) -> None:
    folder = shared_data / "gpt2_bpe"
    shutil.copy(folder / "encoder.json", tmp_path / "vocab.json")
    shutil.copy(folder / "vocab.bpe", tmp_path / "merges.txt")
    keys = token_keys(open_tokenizer(tmp_path))
    assert len(set(keys.values())) == len(keys) == 50257
    assert keys[50256] == END_ROLE
