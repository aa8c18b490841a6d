from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from tokenizers import Tokenizer

from mothertongue.corpus.config import Source
from mothertongue.errors import ArtifactError, CheckpointError, ConfigError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.methods import METHODS
from mothertongue.transfer.overlap import shared_tokens, token_keys
from mothertongue.transfer.rows import vocabulary_rows
from mothertongue.transfer.stage import transfer
from mothertongue.transfer.static import count_vectors, save_static_vectors
from mothertongue.transfer.streams import source_texts, token_streams


@pytest.fixture
def run(
    tmp_path: Path, source_checkpoint: Path, target_folder: Path, corpus_folder: Path
) -> Callable[..., dict[str, Any]]:
    """Calls the stage; the result is in tmp_path / "out"."""

    def call(**settings: Any) -> dict[str, Any]:
        (tmp_path / "out").mkdir(exist_ok=True)
        config = TransferConfig(**settings)
        return transfer(
            config, tmp_path / "out", checkpoint=source_checkpoint, tokenizer=target_folder, corpus=corpus_folder
        )

    return call


def settings_of(method: str, english_file: Path) -> dict[str, Any]:
    text = (Source(path=str(english_file)),) if method in ("align", "wechsel") else ()
    return {"method": method, "source_text": text, "dimensions": 16}


@pytest.fixture
def dictionary(tmp_path: Path) -> str:
    file = tmp_path / "dictionary.tsv"
    file.write_text("the\tto\nriver\třeka\nking\tkrál\nin\tv\nby\tu\nold\tstará\nyears\tlet\n", "utf-8")
    return str(file)


@pytest.mark.parametrize("method", sorted(METHODS.own.keys() - {"trim"}))
def test_result_opens_and_starts_near_the_unigram_line(
    method: str,
    run: Callable[..., Any],
    tmp_path: Path,
    english_file: Path,
    source_checkpoint: Path,
    dictionary: str,
) -> None:
    more = {"donor": {"donor": str(source_checkpoint)}, "wechsel": {"dictionary": dictionary}}
    metrics = run(**settings_of(method, english_file), **more.get(method.replace("clp", "donor"), {}))
    opened = open_checkpoint(tmp_path / "out")
    assert opened.model.config.vocab_size == opened.tokenizer.get_vocab_size() == metrics["target_vocab_size"] == 320
    assert metrics["method"] == method and metrics["source_vocab_size"] == 300
    assert 260 <= metrics["shared_tokens"] <= 320 and 0 < metrics["shared_token_mass"] < 1
    assert metrics["calibration"]["divergence_after"] < 1e-3 < metrics["calibration"]["divergence_before"]
    assert metrics["starting_bits_per_byte"] < metrics["unigram_bits_per_byte"] + 0.5  # random rows: 3 bits above it
    assert metrics["seconds"] > 0


def test_shared_tokens_keep_their_rows_exactly_without_calibration(
    run: Callable[..., Any], tmp_path: Path, source_checkpoint: Path
) -> None:
    run(method="mean", calibrate=False)
    source, result = open_checkpoint(source_checkpoint), open_checkpoint(tmp_path / "out")
    matches = shared_tokens(token_keys(source.tokenizer), token_keys(result.tokenizer))
    before, after = vocabulary_rows(source.model, 300), vocabulary_rows(result.model, 320)
    assert torch.equal(after[list(matches)], before[list(matches.values())])
    others = [i for i in range(320) if i not in matches]
    torch.testing.assert_close(after[others], before.mean(dim=0).expand(len(others), -1))


def test_untied_head_gets_its_rows_from_the_sources_head(
    run: Callable[..., Any], tmp_path: Path, source_checkpoint: Path, build_model: Any, source_tokenizer: Tokenizer
) -> None:
    shutil.rmtree(source_checkpoint)
    source_checkpoint.mkdir()
    source = build_model("llama")
    save_checkpoint(source, source_tokenizer, source_checkpoint)
    run(method="mean", calibrate=False)
    result = open_checkpoint(tmp_path / "out")
    matches = shared_tokens(token_keys(source_tokenizer), token_keys(result.tokenizer))
    head, source_head = anatomy(result.model).head.weight, anatomy(source).head.weight
    assert torch.equal(head[list(matches)], source_head[list(matches.values())])
    assert not torch.equal(head, anatomy(result.model).embeddings.weight)


def test_body_and_positions_are_kept(run: Callable[..., Any], tmp_path: Path, source_checkpoint: Path) -> None:
    run(method="mean")
    before, after = (open_checkpoint(path).model.state_dict() for path in (source_checkpoint, tmp_path / "out"))
    own = ("wte", "lm_head", "ln_f")  # rows, and the norm in which the share of the context stands
    kept = [name for name in before if not any(part in name for part in own)]
    assert len(kept) > 20 and all(torch.equal(before[name], after[name]) for name in kept)


def test_same_seed_gives_the_same_bytes(run: Callable[..., Any], tmp_path: Path, english_file: Path) -> None:
    weights = tmp_path / "out" / "model.safetensors"
    run(**settings_of("align", english_file))
    first = weights.read_bytes()
    run(**settings_of("align", english_file))  # into the folder that a killed attempt might have left
    assert weights.read_bytes() == first


def test_align_without_source_text_says_how_to_give_it(run: Callable[..., Any]) -> None:
    with pytest.raises(ConfigError, match=r"static_vectors\.safetensors.*source_text.*mean"):
        run(method="align")


def test_source_text_that_tells_nothing_is_refused(run: Callable[..., Any], tmp_path: Path) -> None:
    (tmp_path / "short.txt").write_text("a", "utf-8")
    with pytest.raises(ConfigError, match=r"source_text \(.*short\.txt\) is too short"):
        run(**settings_of("align", tmp_path / "short.txt"))


def test_dictionary_is_counted_and_changes_the_rows(
    run: Callable[..., Any], tmp_path: Path, english_file: Path, dictionary: str
) -> None:
    run(**settings_of("align", english_file), calibrate=False)
    without = vocabulary_rows(open_checkpoint(tmp_path / "out").model, 320)
    metrics = run(**settings_of("align", english_file), calibrate=False, dictionary=dictionary)
    assert metrics["dictionary_entries"] == 7 and 1 <= metrics["dictionary_pairs"] <= 7
    assert metrics["dictionary_skipped"]["not-one-token"] >= 1
    assert not torch.equal(vocabulary_rows(open_checkpoint(tmp_path / "out").model, 320), without)


@pytest.mark.parametrize("method", ["donor", "clp"])
def test_donor_that_is_not_named_is_asked_for(run: Callable[..., Any], method: str) -> None:
    with pytest.raises(ConfigError, match=r"target vocabulary already.*--donor"):
        run(method=method)


def test_align_takes_the_vectors_that_a_base_ships(
    run: Callable[..., Any], tmp_path: Path, source_checkpoint: Path, source_tokenizer: Tokenizer, english_file: Path
) -> None:
    run(**settings_of("align", english_file), calibrate=False)
    expected = vocabulary_rows(open_checkpoint(tmp_path / "out").model, 320)
    texts = source_texts([Source(path=str(english_file))], max_bytes=1e6)
    streams = token_streams(source_tokenizer, texts, what="reading")
    save_static_vectors(count_vectors(streams, vocab_size=300, dimensions=16), source_checkpoint)
    run(method="align", calibrate=False)
    found = vocabulary_rows(open_checkpoint(tmp_path / "out").model, 320)
    # they are shipped in fp16, so where two tokens are equally near another one may be taken
    assert ((found - expected).abs() < 0.02).all(dim=1).float().mean() > 0.9


def test_tokenizer_that_does_not_fit_its_model_is_refused(
    run: Callable[..., Any], source_checkpoint: Path, target_folder: Path
) -> None:
    shutil.copy(target_folder / "tokenizer.json", source_checkpoint)
    with pytest.raises(CheckpointError, match=r"300 embedding rows.*320 tokens"):
        run(method="mean")


def test_corpus_without_text_is_refused(run: Callable[..., Any], corpus_folder: Path) -> None:
    for file in corpus_folder.iterdir():
        file.unlink()
    with pytest.raises(ArtifactError, match="not a finished corpus"):
        run(method="mean")


def test_corpus_without_development_side_gives_no_starting_score(run: Callable[..., Any], corpus_folder: Path) -> None:
    for file in corpus_folder.glob("dev-*"):
        file.unlink()
    assert run(method="mean")["starting_bits_per_byte"] is None
