from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers
from transformers import AutoTokenizer, GPT2Tokenizer

from mothertongue.errors import CheckpointError, ConfigError
from mothertongue.tokenizer.bytelevel import (
    SPECIAL_TOKENS,
    decode_ids,
    encode_text,
    end_of_text_id,
    is_gpt2_like,
    open_tokenizer,
    save_tokenizer,
    start_of_text_id,
    train_bytelevel,
)
from mothertongue.tokenizer.marks import token_bytes, without_prefix

SENTENCES = [
    "Ráno svítilo slunce a nad řekou ležela mlha.",
    "Сутринта слънцето изгря над реката и мъглата се вдигна.",
    "The morning train leaves at nine, and the river is still in fog.",
]
ODD_TEXTS = [
    "",
    " ",
    "Vlak do Brna  odjíždí\tv 9:05.\r\n\r\nНищо!  \n",
    "👩‍💻 🏳️‍🌈 e\u0301 \u00e9 \ufeff\u200b\x00\x1b",
    "don't we'll 12345 ... x²",
    "日本語 عربي हिन्दी",
    " \u00a0\u2003start",
]


def saved(tokenizer: Tokenizer, folder: Path) -> Path:
    save_tokenizer(tokenizer, folder, context=77)
    return folder


def test_special_tokens_have_the_first_four_ids(tiny_tokenizer: Tokenizer) -> None:
    assert [tiny_tokenizer.token_to_id(token) for token in SPECIAL_TOKENS] == [0, 1, 2, 3]


def test_a_document_begins_with_what_ends_one_unless_the_tokenizer_has_a_token_for_it(
    tiny_tokenizer: Tokenizer, framing_tokenizer: Tokenizer, tmp_path: Path
) -> None:
    assert start_of_text_id(tiny_tokenizer) == end_of_text_id(tiny_tokenizer) == 0
    start, end = map(framing_tokenizer.token_to_id, ("<s>", "</s>"))
    assert (start_of_text_id(framing_tokenizer), end_of_text_id(framing_tokenizer)) == (start, end)
    opened = AutoTokenizer.from_pretrained(saved(framing_tokenizer, tmp_path))
    assert (opened.bos_token_id, opened.eos_token_id) == (start, end)
    assert opened("baba").input_ids[0] == start


def test_the_smallest_vocabulary_is_special_tokens_and_bytes() -> None:
    tokenizer = train_bytelevel(SENTENCES, vocab_size=260)
    assert tokenizer.get_vocab_size() == 260
    assert len(encode_text(tokenizer, "řeka")) == len("řeka".encode())


def test_a_vocabulary_has_the_size_that_was_asked_for() -> None:
    assert train_bytelevel(SENTENCES, vocab_size=300).get_vocab_size() == 300


def test_a_vocabulary_ends_where_the_text_merits_no_more_merges() -> None:
    tokenizer = train_bytelevel(["aa aa"], vocab_size=5000)
    assert 260 < tokenizer.get_vocab_size() < 270
    assert max(tokenizer.get_vocab().values()) == tokenizer.get_vocab_size() - 1


def test_a_vocabulary_too_small_for_the_bytes_is_refused() -> None:
    with pytest.raises(ConfigError, match=r"vocab_size = 259 .* at least 260"):
        train_bytelevel(SENTENCES, vocab_size=259)


def test_training_on_no_text_gives_bytes() -> None:
    tokenizer = train_bytelevel([], vocab_size=300)
    assert decode_ids(tokenizer, encode_text(tokenizer, "Ahoj ☀")) == "Ahoj ☀"


def test_the_same_text_gives_the_same_tokenizer() -> None:
    texts = SENTENCES * 3
    assert train_bytelevel(texts, vocab_size=320).to_str() == train_bytelevel(iter(texts), vocab_size=320).to_str()


def test_special_tokens_in_a_text_are_letters(tiny_tokenizer: Tokenizer) -> None:
    text = "a<|endoftext|><|n|>b <|pad|>\n<|unknown|>"
    ids = encode_text(tiny_tokenizer, text)
    assert min(ids) > 3
    assert decode_ids(tiny_tokenizer, ids) == text


def test_decoding_shows_special_tokens(tiny_tokenizer: Tokenizer) -> None:
    ids = [0, *encode_text(tiny_tokenizer, "mlha"), 0]
    assert decode_ids(tiny_tokenizer, ids) == "<|endoftext|>mlha<|endoftext|>"


def test_token_bytes_are_all_256_bytes_and_their_merges(tiny_tokenizer: Tokenizer) -> None:
    table = token_bytes(tiny_tokenizer)
    assert sorted(table) == list(range(4, tiny_tokenizer.get_vocab_size()))
    assert {raw for raw in table.values() if len(raw) == 1} == {bytes([byte]) for byte in range(256)}
    for text in ODD_TEXTS:
        assert b"".join(table[i] for i in encode_text(tiny_tokenizer, text)) == text.encode()


@pytest.mark.parametrize("vocab_size", [260, 320])
def test_transformers_opens_the_saved_folder_and_gives_the_same_ids(tmp_path: Path, vocab_size: int) -> None:
    tokenizer = train_bytelevel(SENTENCES * 4, vocab_size=vocab_size)
    saved(tokenizer, tmp_path)
    for theirs in (GPT2Tokenizer.from_pretrained(tmp_path), AutoTokenizer.from_pretrained(tmp_path)):
        assert len(theirs) == vocab_size
        assert (theirs.eos_token_id, theirs.unk_token_id, theirs.pad_token_id) == (0, 1, 2)
        assert theirs.model_max_length == 77
        for text in ODD_TEXTS:
            assert theirs.encode(text, add_special_tokens=False) == encode_text(tokenizer, text)
            assert theirs.decode(encode_text(tokenizer, text)) == text


def test_the_saved_folder_opens_again_with_the_same_ids(tmp_path: Path, tiny_tokenizer: Tokenizer) -> None:
    opened = open_tokenizer(saved(tiny_tokenizer, tmp_path))
    for text in ODD_TEXTS:
        assert encode_text(opened, text) == encode_text(tiny_tokenizer, text)


def test_vocabulary_and_merges_alone_are_the_same_tokenizer(tmp_path: Path, tiny_tokenizer: Tokenizer) -> None:
    saved(tiny_tokenizer, tmp_path)
    (tmp_path / "tokenizer.json").unlink()
    opened = open_tokenizer(tmp_path)
    for text in [*ODD_TEXTS, "a<|pad|><|endoftext|>"]:
        assert encode_text(opened, text) == encode_text(tiny_tokenizer, text)
    assert token_bytes(opened) == token_bytes(tiny_tokenizer)
    assert opened.decode([0, 3, 2], skip_special_tokens=True) == ""


def test_gpt2s_own_vocabulary_opens(tmp_path: Path, shared_data: Path) -> None:
    if not (shared_data / "gpt2_bpe").is_dir():
        pytest.skip("the vocabulary of GPT-2 is not among the real data")
    shutil.copy(shared_data / "gpt2_bpe" / "encoder.json", tmp_path / "vocab.json")
    shutil.copy(shared_data / "gpt2_bpe" / "vocab.bpe", tmp_path / "merges.txt")
    tokenizer = open_tokenizer(tmp_path)
    assert tokenizer.get_vocab_size() == 50257
    assert encode_text(tokenizer, "Hello world") == [15496, 995]
    assert 50256 not in encode_text(tokenizer, "<|endoftext|>")
    theirs = GPT2Tokenizer.from_pretrained(tmp_path)
    for text in ODD_TEXTS:
        assert theirs.encode(text) == encode_text(tokenizer, text)
        assert decode_ids(tokenizer, encode_text(tokenizer, text)) == text
    again = tmp_path / "again"
    again.mkdir()
    theirs = AutoTokenizer.from_pretrained(saved(tokenizer, again))
    assert (theirs.eos_token_id, theirs.pad_token_id, len(theirs)) == (50256, 50256, 50257)


def test_another_end_of_text_token_keeps_its_role(tmp_path: Path) -> None:
    tokenizer = Tokenizer(models.BPE({"a": 0, "</s>": 1}, []))
    tokenizer.add_special_tokens(["</s>"])
    saved(tokenizer, tmp_path)
    assert json.loads((tmp_path / "special_tokens_map.json").read_text())["eos_token"] == "</s>"
    assert AutoTokenizer.from_pretrained(tmp_path).eos_token_id == 1


def test_only_gpt2s_rules_are_called_gpt2(tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    assert is_gpt2_like(tiny_tokenizer)
    other = Tokenizer.from_str(tiny_tokenizer.to_str())
    other.normalizer = normalizers.NFC()
    assert not is_gpt2_like(other)
    other = Tokenizer.from_str(tiny_tokenizer.to_str())
    other.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    assert not is_gpt2_like(other)
    saved(other, tmp_path)
    assert AutoTokenizer.from_pretrained(tmp_path).encode("mlha") == encode_text(other, "mlha")


@pytest.mark.parametrize("content", [b"", b"{}", b"null", b"\xff\xfe", b'{"model": {"type": "BPE"', b"{" * 9999])
def test_a_broken_tokenizer_is_a_checkpoint_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "tokenizer.json").write_bytes(content)
    with pytest.raises(CheckpointError, match="tokenizer that cannot be read"):
        open_tokenizer(tmp_path)


def test_merges_of_another_vocabulary_are_a_checkpoint_error(tmp_path: Path) -> None:
    (tmp_path / "vocab.json").write_text('{"a": 0, "b": 1}')
    (tmp_path / "merges.txt").write_text("#version: 0.2\na c\n")
    with pytest.raises(CheckpointError, match="cannot be read"):
        open_tokenizer(tmp_path)


def test_a_folder_without_tokenizer_says_which_files_it_lacks(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"has no tokenizer\.json \(nor vocab\.json and merges\.txt\)"):
        open_tokenizer(tmp_path)


def test_how_somebody_called_a_tokenizer_last_is_not_obeyed(tiny_tokenizer: Tokenizer, tmp_path: Path) -> None:
    tokenizer = Tokenizer.from_str(tiny_tokenizer.to_str())
    tokenizer.enable_truncation(4)
    tokenizer.enable_padding(length=9)
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    assert encode_text(open_tokenizer(tmp_path), SENTENCES[0]) == encode_text(tiny_tokenizer, SENTENCES[0])


def test_a_space_before_every_text_is_taken_out_and_told(tiny_tokenizer: Tokenizer) -> None:
    assert without_prefix(tiny_tokenizer) == (tiny_tokenizer, "")
    prepend, replace = normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")
    metaspace, split = pre_tokenizers.Metaspace(), pre_tokenizers.Punctuation()
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=True, use_regex=False)
    rules = [
        {"normalizer": normalizers.Sequence([prepend, replace])},
        {"normalizer": prepend},
        {"pre_tokenizer": pre_tokenizers.Sequence([split, metaspace])},
        {"pre_tokenizer": byte_level},
    ]
    for rule in rules:
        tokenizer = Tokenizer(models.BPE({char: i for i, char in enumerate("▁Ġabc")}, []))
        for name, value in rule.items():
            setattr(tokenizer, name, value)
        assert len(encode_text(tokenizer, "abc")) == 4
        plain, prefix = without_prefix(tokenizer)
        assert (len(encode_text(plain, "abc")), prefix) == (3, " ")
