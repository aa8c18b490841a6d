from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from tokenizers import Tokenizer

from mothertongue.errors import ArtifactError, CheckpointError, ConfigError
from mothertongue.tokenizer.bytelevel import encode_text, save_tokenizer, train_bytelevel
from mothertongue.tokenizer.show import read_tokens, show_tokenizer, visible
from mothertongue.tokenizer.unigram import train_unigram

WORDS = ["Ráno svítilo slunce. 1918 roku\n\n", "Сутринта в 9"] * 6


@pytest.fixture(scope="module")
def kinds() -> dict[str, Tokenizer]:
    return {"bytelevel": train_bytelevel(WORDS, vocab_size=330), "unigram": train_unigram(WORDS, vocab_size=420)}


@pytest.mark.parametrize("kind", ["bytelevel", "unigram"])
def test_both_kinds_of_vocabulary_are_shown_as_the_same_text(kinds: dict[str, Tokenizer], kind: str) -> None:
    tokens = {token.text: token for token in read_tokens(kinds[kind]).values()}
    assert tokens["␣slunce"].kind == "word"
    assert tokens["<|endoftext|>"].kind == "special"
    assert tokens["\\xc5"].kind == "byte"
    assert tokens["."].kind == "sign"
    assert tokens["↵"].kind == "space"


def test_every_token_is_shown_once_in_the_order_of_ids(kinds: dict[str, Tokenizer]) -> None:
    for tokenizer in kinds.values():
        assert list(read_tokens(tokenizer)) == list(range(tokenizer.get_vocab_size()))
        assert all(token.text.isprintable() for token in read_tokens(tokenizer).values())


def test_nothing_of_a_text_is_hidden() -> None:
    assert visible(" a\t\u200b\r\n\x00".encode()) == "␣a⇥\\u200b␍↵\\x00"
    assert visible("ě".encode()[:1]) == "\\xc4"
    assert visible("\u0301".encode()) == "◌\u0301"
    assert visible(b"") == ""


def test_a_folder_a_file_a_checkpoint_and_a_base_are_shown(
    tmp_path: Path, tiny_checkpoint: Path, kinds: dict[str, Tokenizer]
) -> None:
    save_tokenizer(kinds["unigram"], tmp_path)
    for place in (tmp_path, tmp_path / "tokenizer.json"):
        assert show_tokenizer(str(place)).figures["model"] == "Unigram"
    assert show_tokenizer(str(tiny_checkpoint)).figures["vocab_size"] == 320
    assert show_tokenizer("english-base").figures["byte_level"]


def test_gpt2s_first_release_is_shown(shared_data: Path) -> None:
    if not (shared_data / "gpt2_bpe").is_dir():
        pytest.skip("the vocabulary of GPT-2 is not among the real data")
    shown = show_tokenizer(str(shared_data / "gpt2_bpe"), "Hello world", count=0)
    assert shown.figures["vocab_size"] == 50257
    assert shown.text.endswith("Hello|␣world\n15496 995\n2 tokens, 1.00 per word, 5.50 bytes per token")


def test_a_sentence_is_shown_as_it_is_cut(tmp_path: Path, kinds: dict[str, Tokenizer]) -> None:
    save_tokenizer(kinds["bytelevel"], tmp_path)
    shown = show_tokenizer(str(tmp_path), "svítilo <|n|>ř", count=0)
    assert [token["id"] for token in shown.figures["cut"]] == encode_text(kinds["bytelevel"], "svítilo <|n|>ř")
    assert "\\xc5|\\x99" in shown.text


def test_tokens_are_chosen_by_id_number_and_text(tmp_path: Path, kinds: dict[str, Tokenizer]) -> None:
    save_tokenizer(kinds["unigram"], tmp_path)
    shown = show_tokenizer(str(tmp_path), first=4, count=2)
    assert [token["text"] for token in shown.figures["tokens"]] == ["\\x00", "\\x01"]
    assert "more: --first, --count, --find choose" in shown.text
    found = show_tokenizer(str(tmp_path), find=" slu").figures["tokens"]
    assert "␣slunce" in [token["text"] for token in found]
    assert all("␣slu" in token["text"] for token in found)
    assert show_tokenizer(str(tmp_path), find="qqq").figures["tokens"] == []


def test_what_cannot_be_shown_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="neither a folder"):
        show_tokenizer(str(tmp_path / "nothing"))
    with pytest.raises(CheckpointError, match=r"no tokenizer\.json"):
        show_tokenizer(str(tmp_path))
    (tmp_path / "some.json").write_text("{}")
    with pytest.raises(CheckpointError, match="cannot be read"):
        show_tokenizer(str(tmp_path / "some.json"))
    with pytest.raises(ConfigError, match="negative"):
        show_tokenizer("english-base", first=-1)


def test_the_first_releases_names_open_like_todays(tmp_path: Path, kinds: dict[str, Tokenizer]) -> None:
    save_tokenizer(kinds["bytelevel"], tmp_path)
    old = tmp_path / "old"
    old.mkdir()
    shutil.copy(tmp_path / "vocab.json", old / "encoder.json")
    shutil.copy(tmp_path / "merges.txt", old / "vocab.bpe")
    assert show_tokenizer(str(old)).figures == show_tokenizer(str(tmp_path)).figures
