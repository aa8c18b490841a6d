from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter


@pytest.fixture
def corpus_of(tmp_path: Path) -> Callable[..., Path]:
    """Writes texts as a corpus: `corpus_of(train=[...], dev=[...])`."""

    def write(**splits: list[str]) -> Path:
        folder = tmp_path / "corpus"
        folder.mkdir()
        for split, texts in splits.items():
            with ShardWriter(folder, split, max_bytes=1 << 20) as shards:
                for number, text in enumerate(texts):
                    shards.write(Document(text, f"{split}-{number}", "ours", {}))
        return folder

    return write
