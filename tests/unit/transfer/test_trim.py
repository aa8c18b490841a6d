"""Trimming loses nothing of what it keeps: the same pieces, the same scores, for every kind of vocabulary and head."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer, decoders, models, normalizers, processors, trainers
from transformers import PreTrainedModel

from mothertongue.errors import ConfigError
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.model.stream import vocabulary_of
from mothertongue.tokenizer.bytelevel import decode_ids, encode_text, open_tokenizer, save_tokenizer, train_bytelevel
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.rows import vocabulary_rows
from mothertongue.transfer.stage import transfer
from mothertongue.transfer.trim import merge_tree, trim_model, trim_tokenizer

from .conftest import CZECH, ENGLISH, sentences

BOTH = sentences(ENGLISH, count=30, seed=1) + sentences(CZECH, count=30, seed=2)
TEXTS = sentences(CZECH, count=8, seed=9)
SPECIAL = ["<unk>", "<s>", "</s>"]


def multilingual(kind: str) -> Tokenizer:
    """A vocabulary of both languages: "bytes" (GPT-2's scheme), "bpe" and "unigram" in SentencePiece's manner."""
    if kind == "bytes":
        return train_bytelevel(BOTH, vocab_size=420)
    spare = [f"<0x{byte:02X}>" for byte in range(256)]
    if kind == "bpe":
        tokenizer = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True, fuse_unk=True))
        trainer: Any = trainers.BpeTrainer(vocab_size=480, special_tokens=[*SPECIAL, *spare], show_progress=False)
    else:
        tokenizer = Tokenizer(models.Unigram())
        trainer = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=SPECIAL, unk_token="<unk>", show_progress=False
        )
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.train_from_iterator(BOTH, trainer=trainer)
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()])
    tokenizer.add_special_tokens(["<spare>"])
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A <spare>", special_tokens=[("<s>", 1), ("<spare>", tokenizer.token_to_id("<spare>"))]
    )
    return tokenizer


@pytest.fixture(scope="session", params=["bytes", "bpe", "unigram"])
def source(request: pytest.FixtureRequest) -> Tokenizer:
    return multilingual(request.param)


def used_ids(tokenizer: Tokenizer) -> set[int]:
    return {i for text in TEXTS for i in encode_text(tokenizer, text)}


def tokens_of(tokenizer: Tokenizer, text: str) -> list[str | None]:
    return [tokenizer.id_to_token(i) for i in encode_text(tokenizer, text)]


def test_text_of_kept_tokens_is_cut_into_the_same_tokens(source: Tokenizer) -> None:
    trimmed = trim_tokenizer(source, used_ids(source))
    assert 0 < vocabulary_of(trimmed.tokenizer) < vocabulary_of(source)
    for text in [*TEXTS, *TEXTS[0].split()]:
        if set(encode_text(source, text)) <= set(trimmed.kept):
            assert tokens_of(trimmed.tokenizer, text) == tokens_of(source, text)
            assert [trimmed.kept[i] for i in encode_text(trimmed.tokenizer, text)] == encode_text(source, text)


def test_special_tokens_and_the_template_around_a_text_survive(source: Tokenizer) -> None:
    trimmed = trim_tokenizer(source, used_ids(source))
    for i, added in source.get_added_tokens_decoder().items():
        assert trimmed.kept[trimmed.tokenizer.token_to_id(added.content)] == i
    assert [trimmed.kept[i] for i in trimmed.tokenizer.encode(TEXTS[0]).ids] == source.encode(TEXTS[0]).ids


def test_a_template_may_name_a_token_that_is_no_added_one() -> None:
    tokenizer = train_bytelevel(BOTH, vocab_size=420)
    size = tokenizer.get_vocab_size()
    last = tokenizer.id_to_token(size - 1)
    tokenizer.post_processor = processors.TemplateProcessing(single=f"{last} $A", special_tokens=[(last, size - 1)])
    trimmed = trim_tokenizer(tokenizer, [])
    assert trimmed.tokenizer.encode("a").tokens == [last, "a"]


def test_text_of_dropped_tokens_is_still_read(source: Tokenizer) -> None:
    trimmed = trim_tokenizer(source, used_ids(source)).tokenizer
    text = "the young king walks to the green hill"
    assert len(encode_text(trimmed, text)) > len(encode_text(source, text))
    assert decode_ids(trimmed, encode_text(trimmed, text)).strip() == text


def test_every_kept_token_can_be_reached(source: Tokenizer) -> None:
    trimmed = trim_tokenizer(source, used_ids(source))
    assert {trimmed.kept[i] for text in TEXTS for i in encode_text(trimmed.tokenizer, text)} == used_ids(source)


@pytest.mark.parametrize("anatomy", ["gpt2", "gpt2-untied", "llama", "llama-tied"])
def test_logits_of_kept_tokens_are_equal(
    anatomy: str, build_model: Callable[[str], PreTrainedModel], source: Tokenizer
) -> None:
    model = build_model(anatomy)
    model.resize_token_embeddings(vocabulary_of(source), mean_resizing=False)
    ids = encode_text(source, TEXTS[0])[:60]
    with torch.no_grad():
        before = model(torch.tensor([ids])).logits
        tokenizer, sizes = trim_model(model, source, used_ids(source))
        after = model(torch.tensor([encode_text(tokenizer, TEXTS[0])[:60]])).logits
    kept = trim_tokenizer(source, used_ids(source)).kept
    torch.testing.assert_close(after, before[..., list(kept)])
    assert sizes["parameters"] < sizes["parameters_before"]
    assert sizes["target_vocab_size"] == model.config.vocab_size == vocabulary_of(tokenizer) == len(kept)


def test_a_tree_holds_the_pieces_on_the_way_and_no_others() -> None:
    ranks = {("b", "c"): 0, ("a", "bc"): 1, ("a", "b"): 2, ("ab", "c"): 3}
    assert merge_tree("abc", ranks) == {"a", "b", "c", "bc", "abc"}


def test_other_kinds_of_vocabulary_are_refused() -> None:
    words = Tokenizer(models.WordLevel({"</s>": 0, "řeka": 1}, unk_token="</s>"))
    with pytest.raises(ConfigError, match="WordLevel"):
        trim_tokenizer(words, {1})
    marked = Tokenizer(models.BPE({"a": 0, "b</w>": 1}, [], end_of_word_suffix="</w>"))
    with pytest.raises(ConfigError, match="end of words"):
        trim_tokenizer(marked, {1})


def test_the_step_trims_measures_and_saves(tmp_path: Path, source_checkpoint: Path, corpus_folder: Path) -> None:
    (tmp_path / "out").mkdir()
    metrics = transfer(
        TransferConfig(method="trim"), tmp_path / "out", checkpoint=source_checkpoint, corpus=corpus_folder
    )
    opened = open_checkpoint(tmp_path / "out")
    assert metrics["target_vocab_size"] == vocabulary_of(opened.tokenizer) < metrics["source_vocab_size"] == 300
    assert metrics["starting_bits_per_byte"] < metrics["base_bits_per_byte"]  # no probability for what is gone
    assert not metrics["base_knows"]
    assert metrics["kept_token_mass"] > 0.99


def test_a_method_for_a_new_vocabulary_needs_one(tmp_path: Path, source_checkpoint: Path, corpus_folder: Path) -> None:
    (tmp_path / "out").mkdir()
    with pytest.raises(ConfigError, match="needs a tokenizer"):
        transfer(TransferConfig(method="mean"), tmp_path / "out", checkpoint=source_checkpoint, corpus=corpus_folder)


def test_gpt2s_own_vocabulary_is_trimmed_without_loss(shared_data: Path, tmp_path: Path) -> None:
    for name, theirs in (("vocab.json", "encoder.json"), ("merges.txt", "vocab.bpe")):
        (tmp_path / name).symlink_to(shared_data / "gpt2_bpe" / theirs)
    source = open_tokenizer(tmp_path)
    texts = sentences(CZECH, count=20, seed=3)
    trimmed = trim_tokenizer(source, {i for text in texts for i in encode_text(source, text)})
    assert 256 < vocabulary_of(trimmed.tokenizer) < 600 < vocabulary_of(source)
    for text in texts:
        assert [trimmed.kept[i] for i in encode_text(trimmed.tokenizer, text)] == encode_text(source, text)
    other = "Не всичко, което блести, е злато. 日本 \U0001f600\n\t x"
    assert decode_ids(trimmed.tokenizer, encode_text(trimmed.tokenizer, other)) == other


def test_the_models_own_tokenizer_or_none_gives_the_same_bytes(
    tmp_path: Path, source_checkpoint: Path, corpus_folder: Path
) -> None:
    weights = []
    for name, tokenizer in (("none", None), ("own", source_checkpoint)):
        (tmp_path / name).mkdir()
        config = TransferConfig(method="trim")
        transfer(config, tmp_path / name, checkpoint=source_checkpoint, corpus=corpus_folder, tokenizer=tokenizer)
        weights.append((tmp_path / name / "model.safetensors").read_bytes())
    assert weights[0] == weights[1]


def test_a_given_part_of_the_vocabulary_keeps_its_rows_exactly(
    tmp_path: Path, source_checkpoint: Path, corpus_folder: Path, target_folder: Path
) -> None:
    source = open_checkpoint(source_checkpoint)
    part = trim_tokenizer(source.tokenizer, range(270))
    for name in ("part", "out"):
        (tmp_path / name).mkdir()
    save_tokenizer(part.tokenizer, tmp_path / "part")
    given = {"checkpoint": source_checkpoint, "corpus": corpus_folder}
    transfer(TransferConfig(method="trim"), tmp_path / "out", tokenizer=tmp_path / "part", **given)
    rows = [
        vocabulary_rows(one.model, vocabulary_of(one.tokenizer)) for one in (source, open_checkpoint(tmp_path / "out"))
    ]
    assert torch.equal(rows[1], rows[0][list(part.kept)])
    with pytest.raises(ConfigError, match="have none in this model"):
        transfer(TransferConfig(method="trim"), tmp_path / "out", tokenizer=target_folder, **given)
