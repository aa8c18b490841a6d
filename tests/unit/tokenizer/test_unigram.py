from __future__ import annotations

import json
from pathlib import Path

import pytest
from tokenizers import Tokenizer
from transformers import AutoTokenizer, GPT2Config, GPT2LMHeadModel

from mothertongue.errors import ConfigError
from mothertongue.export.config import ExportConfig
from mothertongue.export.stage import export
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.model.stream import make_stream
from mothertongue.tokenizer.bytelevel import (
    SPECIAL_TOKENS,
    decode_ids,
    encode_text,
    open_tokenizer,
    save_tokenizer,
)
from mothertongue.tokenizer.config import LEAST_UNIGRAM
from mothertongue.tokenizer.encode import Encoder
from mothertongue.tokenizer.marks import token_bytes
from mothertongue.tokenizer.unigram import choose_alphabet, settle, train_unigram
from mothertongue.transfer.overlap import token_keys
from mothertongue.use.load import load
from mothertongue.use.pieces import text_of

SENTENCES = [
    "Ráno svítilo slunce a nad řekou ležela mlha. Mlha nad řekou.",
    "Сутринта слънцето изгря над реката и мъглата се вдигна над реката.",
    "बारिश रुक गई और बारिश",
]
ODD_TEXTS = [
    "",
    " ",
    "  dvě mezery,\ttabulátor\r\n\r\n konec  ",
    "👩‍💻 🏳️‍🌈 e\u0301 \ufeff\u200b\x00",
    "▁ znak ▁▁",
    "<0x41><0xE2> <unk> <|endoftext|>",
    "日本語 עברית ½ ＡＢ",
]


@pytest.fixture(scope="module")
def unigram() -> Tokenizer:
    return train_unigram(SENTENCES * 4, vocab_size=520)


def test_special_tokens_and_bytes_come_first_then_pieces_with_a_mark_for_the_space(unigram: Tokenizer) -> None:
    assert [unigram.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3]
    assert [unigram.token_to_id(token) for token in ("<0x00>", "<0xFF>")] == [4, 259]
    assert any(token.startswith("▁") and len(token) > 3 for token in unigram.get_vocab())
    assert unigram.get_vocab_size() <= 520


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_odd_texts_come_back_exactly(unigram: Tokenizer, text: str) -> None:
    ids = encode_text(unigram, text)
    assert decode_ids(unigram, ids) == text
    assert not {0, 1, 2, 3} & set(ids)
    assert b"".join(token_bytes(unigram)[i] for i in ids) == text.encode()


def test_the_one_code_point_that_stands_for_the_mark_comes_back_as_it(unigram: Tokenizer) -> None:
    assert decode_ids(unigram, encode_text(unigram, "a\ufdd0b")) == "a▁b"


def test_letters_that_the_vocabulary_lacks_are_bytes(unigram: Tokenizer) -> None:
    ids = encode_text(unigram, "語")
    assert [unigram.id_to_token(i) for i in ids] == ["<0xE8>", "<0xAA>", "<0x9E>"]


def test_the_same_text_gives_the_same_vocabulary() -> None:
    first, second = (train_unigram(iter(SENTENCES * 4), vocab_size=520) for _ in range(2))
    assert first.to_str() == second.to_str()


def test_scores_by_lot_and_the_last_digits_do_not_count() -> None:
    first = settle([("<|unknown|>", 0.0), ("ab", -2.0000000001), ("x", -9.0001), ("y", -9.0), ("cd", -3.0)])
    second = settle([("ab", -2.0), ("cd", -3.0000000001), ("y", -9.0001), ("x", -9.0)])
    assert first == second == [("x", -9.0001), ("y", -9.0001), ("ab", -2.0), ("cd", -3.0)]


def test_frequent_words_and_endings_are_pieces_though_no_other_word_has_them(unigram: Tokenizer) -> None:
    assert {"▁slunce", "▁řekou", "▁слънцето"} <= set(unigram.get_vocab())
    assert not any("\ue000" <= char <= "\ue03f" for token in unigram.get_vocab() for char in token)


def test_the_alphabet_leaves_out_what_is_rare_or_has_no_room() -> None:
    kept, rare = choose_alphabet(["á" * 9000 + "é" * 900 + "語"], most=50)
    assert {"á", "é", "a", "▁", "\n"} <= kept
    assert "語" in rare
    assert "é" not in rare
    kept, rare = choose_alphabet(["áááéé"], most=1)
    assert "á" in kept
    assert "é" in rare


@pytest.mark.parametrize("texts", [[], [""], ["a"], ["\0\0"], ["▁ ▁"], [" \n"], ["ab" * 300]])
def test_a_text_of_almost_nothing_gives_a_vocabulary_that_loses_nothing(texts: list[str]) -> None:
    tokenizer = train_unigram(texts, vocab_size=400)
    assert LEAST_UNIGRAM <= tokenizer.get_vocab_size() <= 400
    assert decode_ids(tokenizer, encode_text(tokenizer, "Ahoj ☀")) == "Ahoj ☀"


def test_the_smallest_vocabulary_is_the_one_that_is_announced() -> None:
    assert train_unigram(["žluťoučký"], vocab_size=LEAST_UNIGRAM).get_vocab_size() == LEAST_UNIGRAM
    with pytest.raises(ConfigError, match="at least 357"):
        train_unigram(SENTENCES, vocab_size=LEAST_UNIGRAM - 1)


def test_lone_surrogates_are_refused(unigram: Tokenizer, tiny_tokenizer: Tokenizer) -> None:
    for tokenizer in (unigram, tiny_tokenizer):
        with pytest.raises(ConfigError, match="half of a character"):
            encode_text(tokenizer, "a\ud800")


def test_transformers_opens_the_saved_folder_and_gives_the_same_ids(tmp_path: Path, unigram: Tokenizer) -> None:
    save_tokenizer(unigram, tmp_path, context=77)
    assert json.loads((tmp_path / "tokenizer_config.json").read_text())["tokenizer_class"] == "PreTrainedTokenizerFast"
    theirs = AutoTokenizer.from_pretrained(tmp_path)
    assert (theirs.eos_token_id, theirs.unk_token_id, theirs.pad_token_id) == (0, 1, 2)
    for text in [*ODD_TEXTS[:5], ODD_TEXTS[6], *SENTENCES]:
        assert theirs.encode(text, add_special_tokens=False) == encode_text(unigram, text)
        assert theirs.decode(encode_text(unigram, text)) == text
    assert theirs.decode([0, *encode_text(unigram, "mlha"), 0], skip_special_tokens=True) == "mlha"


def test_many_texts_get_the_ids_of_one(unigram: Tokenizer) -> None:
    assert [ids.tolist() for ids in Encoder(unigram)(ODD_TEXTS)] == [encode_text(unigram, text) for text in ODD_TEXTS]


def test_transfer_and_use_read_the_same_bytes_of_its_tokens(unigram: Tokenizer) -> None:
    keys, pieces = token_keys(unigram), token_bytes(unigram)
    assert {i: keys[i] for i in pieces} == pieces
    assert keys[0] == "end of text"
    assert text_of(encode_text(unigram, "řeka 語\n"), pieces) == "řeka 語\n"


def test_a_checkpoint_with_it_is_saved_opened_and_scored(tmp_path: Path, unigram: Tokenizer) -> None:
    size = unigram.get_vocab_size()
    config = GPT2Config(vocab_size=size, n_positions=32, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    save_checkpoint(GPT2LMHeadModel(config), unigram, tmp_path)
    opened = open_checkpoint(tmp_path)
    assert open_tokenizer(tmp_path).to_str() == unigram.to_str()
    assert AutoTokenizer.from_pretrained(tmp_path).encode("řeka") == encode_text(unigram, "řeka")
    score = score_documents(opened.model, opened.tokenizer, SENTENCES)
    assert score.bytes == sum(len(text.encode()) for text in SENTENCES)
    stream = make_stream(opened.tokenizer, SENTENCES, start_id=0)
    assert score.tokens == int((stream != 0).sum())


def test_a_checkpoint_with_it_is_exported_and_writes(tmp_path: Path, unigram: Tokenizer) -> None:
    size = unigram.get_vocab_size()
    config = GPT2Config(vocab_size=size, n_positions=32, n_embd=16, n_layer=1, n_head=2, bos_token_id=0, eos_token_id=0)
    (tmp_path / "train").mkdir()
    (tmp_path / "export").mkdir()
    save_checkpoint(GPT2LMHeadModel(config), unigram, tmp_path / "train")
    made = export(ExportConfig(), tmp_path / "export", checkpoint=tmp_path / "train")  # proves tokens and logits
    assert made["same_top_token"] == 1.0
    writer = load(tmp_path / "export")
    first, second = (writer.generate("Ráno", max_new_tokens=8, seed=1)[0] for _ in range(2))
    assert first == second
    assert first == "".join(writer.stream("Ráno", max_new_tokens=8, seed=1))
    assert writer.next_words("Ráno sví", k=2)
