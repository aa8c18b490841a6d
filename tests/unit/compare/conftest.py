"""A small base, a target tokenizer and a corpus of our own sentences: enough for trainings of a few steps."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mothertongue.compare.ground import Ground, open_ground
from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter
from mothertongue.model.checkpoint import save_checkpoint
from mothertongue.model.config import ModelConfig
from mothertongue.model.stage import fresh_gpt2
from mothertongue.run.disk import write_json
from mothertongue.run.manifest import PROGRESS
from mothertongue.tokenizer.bytelevel import save_tokenizer, train_bytelevel

WORDS = ("stará řeka", "mladý král", "7 lodí", "spí u", "jde k", "zelený kopec", "v roce 1918", "vysoká hora")


def document(seed: int) -> str:
    draw = random.Random(seed)
    return " ".join(draw.choice(WORDS) for _ in range(60))


@pytest.fixture(scope="session")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Folders of a base, a tokenizer and a corpus."""
    top = tmp_path_factory.mktemp("inputs")
    folders = {name: top / name for name in ("checkpoint", "tokenizer", "corpus")}
    for folder in folders.values():
        folder.mkdir()
    english = train_bytelevel(["the old river and the young king sleep by 7 boats in 1918"] * 9, vocab_size=280)
    save_checkpoint(fresh_gpt2(ModelConfig(2, 16, 2, 64), english), english, folders["checkpoint"])
    save_tokenizer(train_bytelevel([document(i) for i in range(20)], vocab_size=300), folders["tokenizer"])
    for split, count, first in (("train", 40, 0), ("dev", 4, 100), ("heldout", 4, 200)):
        with ShardWriter(folders["corpus"], split, max_bytes=10_000) as writer:
            for number in range(count):
                writer.write(Document(document(first + number), f"{split}-{number}", "made up"))
    manifest = {"kind": "corpus", "stage": "corpus", "step": "corpus", "fingerprint": "f"}
    write_json(folders["corpus"] / "manifest.json", {**manifest, "config": {}, "outputs": {}, "metrics": {}})
    return folders


SMALL: dict[str, Any] = {
    "batch_size": 2,
    "sequence_length": 16,
    "budgets": (0.02, 0.05),
    "seeds": 1,
    "probes": 0,
    "probe_steps": 5,
    "probe_kilobytes": 1.0,
    "max_megabytes": 0.001,
    "arms": ("scratch", "mean"),
}


@pytest.fixture(autouse=True)
def _no_pictures(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of each training: it takes as long as fifty of its steps."""
    monkeypatch.setattr("mothertongue.run.journal.Journal._draw", lambda journal, file: None)


@pytest.fixture
def open_small(tmp_path: Path, inputs: dict[str, Path]) -> Callable[..., Ground]:
    """A comparison of trainings of a few steps, with some settings changed."""
    from mothertongue.compare.config import CompareConfig

    def opened(**changes: Any) -> Ground:
        return open_ground(CompareConfig(**{**SMALL, **changes}), tmp_path / PROGRESS, **inputs)

    return opened
