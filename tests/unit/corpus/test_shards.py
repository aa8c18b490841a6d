"""Shards keep documents whole: newlines, provenance and order survive, and the same input gives the same bytes."""

from __future__ import annotations

from pathlib import Path

import pytest
import zstandard

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter, read_documents
from mothertongue.errors import ArtifactError

DOCUMENTS = [
    Document(f"první řádek\n\ndruhý {n}\u2028konec", f"a#{n}", "zdroj", {"title": "T"} if n % 2 else {})
    for n in range(50)
]


def write(folder: Path, *, max_bytes: int = 1000) -> list[Path]:
    folder.mkdir(exist_ok=True)
    with ShardWriter(folder, "train", max_bytes=max_bytes) as writer:
        for document in DOCUMENTS:
            writer.write(document)
        assert (writer.documents, writer.bytes) == (50, sum(len(d.text.encode()) for d in DOCUMENTS))
    return sorted(folder.iterdir())


def test_documents_come_back_whole_and_in_order(tmp_path: Path) -> None:
    assert len(write(tmp_path)) == 2
    assert list(read_documents(tmp_path, "train")) == DOCUMENTS


def test_the_same_documents_give_the_same_bytes(tmp_path: Path) -> None:
    first, second = write(tmp_path / "a"), write(tmp_path / "b")
    assert [(f.name, f.read_bytes()) for f in first] == [(f.name, f.read_bytes()) for f in second]


def test_a_folder_without_shards_is_no_corpus(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match=r"has no dev-\*"):
        list(read_documents(tmp_path, "dev"))


def test_a_side_that_was_not_asked_for_is_empty(tmp_path: Path) -> None:
    write(tmp_path)
    assert list(read_documents(tmp_path, "dev")) == []


def test_an_unknown_side_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ArtifactError, match="heldout"):
        list(read_documents(tmp_path, "test"))  # type: ignore[arg-type]


@pytest.mark.parametrize("content", [b"rubbish", zstandard.compress(b"no json\n"), zstandard.compress(b'{"id": 1}\n')])
def test_a_damaged_shard_is_a_clear_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "train-00000.jsonl.zst").write_bytes(content)
    with pytest.raises(ArtifactError, match="is damaged"):
        list(read_documents(tmp_path, "train"))


def test_a_cut_shard_is_a_clear_error(tmp_path: Path) -> None:
    (shard,) = write(tmp_path, max_bytes=1 << 20)
    shard.write_bytes(shard.read_bytes()[:-30])
    with pytest.raises(ArtifactError, match="is damaged"):
        list(read_documents(tmp_path, "train"))


def test_a_shard_that_packs_like_a_bomb_is_no_bomb(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, "train", max_bytes=1 << 40) as writer:
        for number in range(300):
            writer.write(Document("a" * (1 << 20), str(number), "x"))
    (shard,) = tmp_path.iterdir()
    assert shard.stat().st_size < 1 << 18  # a packing of more than 1,000 times, for more than 256 MB
    assert sum(len(document.text) for document in read_documents(tmp_path, "train")) == 300 << 20
