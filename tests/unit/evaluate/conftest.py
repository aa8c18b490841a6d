"""A corpus of a few documents, written here, and the tiny checkpoint opened."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter

if TYPE_CHECKING:
    from mothertongue.model.checkpoint import Checkpoint

TRAIN = [
    "Ráno svítilo slunce a nad řekou ležela mlha. Vlak do Brna odjíždí v devět hodin.",
    "Večer svítil měsíc a nad městem ležel sníh. Vlak do Prahy odjíždí v osm hodin.",
    "Сутринта слънцето изгря над реката. Влакът за Пловдив тръгва в девет часа.",
] * 4
HELDOUT = [
    "Večer svítilo slunce a nad městem ležela mlha. Vlak do Brna odjíždí v osm hodin ráno.",
    "Сутринта мъглата се вдигна над реката, а влакът за София тръгна в осем часа.",
    "Konec.",
]


@pytest.fixture
def tiny_corpus(tmp_path: Path) -> Path:
    """A finished corpus folder: three sides, no manifest."""
    folder = tmp_path / "corpus"
    folder.mkdir()
    for split, texts in {"train": TRAIN, "dev": HELDOUT[:1], "heldout": HELDOUT}.items():
        with ShardWriter(folder, split, max_bytes=1000) as writer:
            for number, text in enumerate(texts):
                writer.write(Document(text, f"{split}:{number}", "ours"))
    return folder


@pytest.fixture
def opened(tiny_checkpoint: Path) -> Checkpoint:
    from mothertongue.model.checkpoint import open_checkpoint

    return open_checkpoint(tiny_checkpoint)
