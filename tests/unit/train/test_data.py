from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter
from mothertongue.errors import ArtifactError, CheckpointError
from mothertongue.model.stream import tokenize_corpus
from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.train import data
from mothertongue.train.data import Windows


@pytest.mark.parametrize(("count", "length"), [(101, 10), (100, 10), (109, 10), (33, 32), (1001, 7)])
def test_an_epoch_reads_every_token_once(count: int, length: int) -> None:
    windows = Windows(np.arange(count, dtype=np.uint16), length, seed=0)
    for epoch in range(3):
        steps = range(epoch * windows.per_epoch, (epoch + 1) * windows.per_epoch)
        labels = np.concatenate([windows.batch(step, 1)[0, 1:].numpy() for step in steps])
        assert len(set(labels)) == len(labels) == windows.per_epoch * length
        assert count - len(labels) <= length  # what does not fill a window waits for the next epoch's shift


def test_labels_are_the_inputs_one_further() -> None:
    batch = Windows(np.arange(100, dtype=np.uint16), 8, seed=1).batch(3, 4)
    assert batch.shape == (4, 9)
    assert ((batch[:, 1:] - batch[:, :-1]) % 100 == 1).all()


def test_the_order_is_a_function_of_seed_and_step_alone() -> None:
    ids = np.arange(500, dtype=np.uint16)
    first, second = Windows(ids, 8, seed=1), Windows(ids, 8, seed=1)
    forward = [first.batch(step, 3).tolist() for step in range(60)]
    data._order.cache_clear()
    backward = [second.batch(step, 3).tolist() for step in reversed(range(60))]
    assert forward == backward[::-1]
    assert forward != [Windows(ids, 8, seed=2).batch(step, 3).tolist() for step in range(60)]


def test_batches_of_another_size_read_the_same_windows() -> None:
    windows = Windows(np.arange(500, dtype=np.uint16), 8, seed=1)
    small = [row for step in range(12) for row in windows.batch(step, 2).tolist()]
    assert small == [row for step in range(4) for row in windows.batch(step, 6).tolist()]


def test_a_batch_of_longer_sequences_has_as_many_tokens() -> None:
    windows = Windows(np.arange(500, dtype=np.uint16), 8, seed=1)
    assert windows.batch(5, 6, 16).shape == (3, 17)
    assert windows.batch(5, 6, 16).equal(Windows(windows.ids, 16, seed=1).batch(5, 3))
    assert windows.batch(5, 6, 8).equal(windows.batch(5, 6))


def test_epochs_differ_in_order_and_in_where_windows_begin() -> None:
    windows = Windows(np.arange(801, dtype=np.uint16), 8, seed=1)
    starts = [[int(windows.batch(epoch * 100 + step, 1)[0, 0]) for step in range(100)] for epoch in range(6)]
    assert len({start[0] % 8 for start in starts}) > 1
    assert all(sorted(start) != start for start in starts)


@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_a_corpus_shorter_than_a_window_is_read_as_a_ring(count: int) -> None:
    batch = Windows(np.arange(count, dtype=np.uint16), 16, seed=0).batch(7, 2)
    assert batch.shape == (2, 17)
    assert ((batch[:, 1:] - batch[:, :-1]) % count == 1 % count).all()


def test_documents_stand_between_end_tokens(story_corpus: Path, story_tokenizer: Tokenizer, tmp_path: Path) -> None:
    from mothertongue.corpus.shards import read_documents

    ids = tokenize_corpus(story_corpus, story_tokenizer, tmp_path / "tokens.bin")
    expected = [0]
    for document in read_documents(story_corpus, "train"):
        expected += [*encode_text(story_tokenizer, document.text), 0]
    assert ids.dtype == np.uint16
    assert ids.tolist() == expected


def test_text_that_looks_like_an_end_token_is_text(tmp_path: Path, story_tokenizer: Tokenizer) -> None:
    corpus = corpus_of(tmp_path, ["baba <|endoftext|> děda"])
    ids = tokenize_corpus(corpus, story_tokenizer, tmp_path / "tokens.bin").tolist()
    assert ids[0] == ids[-1] == 0
    assert 0 not in ids[1:-1]


@pytest.mark.parametrize("gaps", [False, True])
def test_large_vocabularies_take_four_bytes(tmp_path: Path, gaps: bool) -> None:
    tokens = {f"t{i}": i for i in ((1, 5, 69_999) if gaps else range(70_000))}
    tokenizer = Tokenizer(models.WordLevel(tokens | {"</s>": 70_000}, unk_token="t1"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    ids = tokenize_corpus(corpus_of(tmp_path, ["t5 t69999"]), tokenizer, tmp_path / "tokens.bin")
    assert ids.dtype == np.uint32
    assert ids.tolist() == [70_000, 5, 69_999, 70_000]


def test_a_vocabulary_that_begins_documents_with_a_token_of_its_own_is_trained_with_it(
    tmp_path: Path, framing_tokenizer: Tokenizer
) -> None:
    ids = tokenize_corpus(corpus_of(tmp_path, ["baba", "děda"]), framing_tokenizer, tmp_path / "tokens.bin").tolist()
    start, end = map(framing_tokenizer.token_to_id, ("<s>", "</s>"))
    baba, dede = (encode_text(framing_tokenizer, text) for text in ("baba", "děda"))
    assert ids == [end, start, *baba, end, start, *dede, end, start]


def test_a_finished_file_is_used_again(story_corpus: Path, story_tokenizer: Tokenizer, tmp_path: Path) -> None:
    file = tmp_path / "tokens.bin"
    first = tokenize_corpus(story_corpus, story_tokenizer, file).tolist()
    for shard in story_corpus.iterdir():
        shard.unlink()
    assert tokenize_corpus(story_corpus, story_tokenizer, file).tolist() == first


@pytest.mark.parametrize("damage", ["cut", "gone", "grown", "sidecar gone"])
def test_what_a_killed_attempt_left_is_made_again(
    story_corpus: Path, story_tokenizer: Tokenizer, tmp_path: Path, damage: str
) -> None:
    file = tmp_path / "tokens.bin"
    first = tokenize_corpus(story_corpus, story_tokenizer, file).tolist()
    spoil: dict[str, Callable[[], object]] = {
        "cut": lambda: file.write_bytes(file.read_bytes()[:-3]),
        "gone": file.unlink,
        "grown": lambda: file.write_bytes(file.read_bytes() + b"xx"),
        "sidecar gone": (tmp_path / "tokens.json").unlink,
    }
    spoil[damage]()
    assert tokenize_corpus(story_corpus, story_tokenizer, file).tolist() == first


def test_a_corpus_without_training_text_is_an_error(tmp_path: Path, story_tokenizer: Tokenizer) -> None:
    with pytest.raises(ArtifactError, match="no training text"):
        tokenize_corpus(corpus_of(tmp_path, [""]), story_tokenizer, tmp_path / "tokens.bin")


def test_a_tokenizer_without_an_end_token_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no end-of-text token"):
        tokenize_corpus(corpus_of(tmp_path, ["a"]), Tokenizer(models.BPE({"a": 0}, [])), tmp_path / "tokens.bin")


def corpus_of(tmp_path: Path, texts: list[str]) -> Path:
    folder = tmp_path / "other"
    folder.mkdir()
    with ShardWriter(folder, "train", max_bytes=1 << 20) as shards:
        for text in texts:
            shards.write(Document(text, "1", "ours", {}))
    return folder
