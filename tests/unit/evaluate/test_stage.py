from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter
from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.evaluate import stage
from mothertongue.evaluate.config import EvaluateConfig
from mothertongue.evaluate.heldout import heldout_texts
from mothertongue.evaluate.speed import speed
from mothertongue.evaluate.stage import evaluate
from mothertongue.evaluate.tasks import TASKS, Subject
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.transfer.static import StaticVectors, save_static_vectors

from .conftest import HELDOUT

MADE = ["progress", "report.json", "report.md", "report.png"]  # the first goes when the manifest has been written
QUICK = ("bits_per_byte", "baselines", "next_word", "speed")


@pytest.fixture
def out(tmp_path: Path) -> Path:
    folder = tmp_path / "evaluate.partial"
    folder.mkdir()
    return folder


def test_a_report_is_json_table_and_picture(tiny_checkpoint: Path, tiny_corpus: Path, out: Path) -> None:
    config = EvaluateConfig(tasks=QUICK, next_word_positions=10)
    metrics = evaluate(config, out, checkpoint=tiny_checkpoint, corpus=tiny_corpus)
    assert sorted(file.name for file in out.iterdir()) == MADE
    report = json.loads((out / "report.json").read_text("utf-8"))
    assert {row["name"] for row in report["rows"]} == {"model", "5-gram", "unigram", "xz", "uniform"}
    assert metrics == {"split": "heldout", **report["figures"]}
    assert metrics["documents"] == len(HELDOUT)
    assert metrics["next_word_positions"] == 10
    assert metrics["tokens_per_second"] > 0
    assert "5-gram" in (out / "report.md").read_text("utf-8")


def test_speed_and_size_are_those_of_the_model_alone(tiny_checkpoint: Path, tiny_corpus: Path, out: Path) -> None:
    save_static_vectors(StaticVectors(torch.zeros(320, 64), torch.zeros(320), 2), tiny_checkpoint)
    (tiny_checkpoint / "generation_config.json").write_text(json.dumps({"num_beams": 8, "repetition_penalty": 9.0}))
    subject = Subject(open_checkpoint(tiny_checkpoint), tiny_corpus, ["Vlak přijel na nádraží."], EvaluateConfig(), out)
    weights = (tiny_checkpoint / "model.safetensors").stat().st_size / 1e6
    assert speed(subject).figures["weights_megabytes"] == weights
    assert subject.checkpoint.model.generation_config.num_beams != 8


def test_any_number_of_windows_at_a_time_is_fine(tiny_checkpoint: Path, tiny_corpus: Path, out: Path) -> None:
    config = EvaluateConfig(tasks=("bits_per_byte",), batch_size=2**61)
    assert evaluate(config, out, checkpoint=tiny_checkpoint, corpus=tiny_corpus)["bits_per_byte"] > 0


def test_the_same_evaluation_gives_the_same_report(tiny_checkpoint: Path, tiny_corpus: Path, out: Path) -> None:
    config = EvaluateConfig(next_word_positions=5)
    first = evaluate(config, out, checkpoint=tiny_checkpoint, corpus=tiny_corpus)
    assert evaluate(config, out, checkpoint=tiny_checkpoint, corpus=tiny_corpus) == first


def test_a_killed_evaluation_keeps_the_tasks_that_were_finished(
    tiny_checkpoint: Path, tiny_corpus: Path, out: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config, asked = EvaluateConfig(tasks=("bits_per_byte", "next_word"), next_word_positions=5), []

    def power_cut(task: str) -> object:
        asked.append(task)
        if len(asked) == 2:
            raise KeyboardInterrupt
        return TASKS.load(task)

    monkeypatch.setattr(stage, "TASKS", SimpleNamespace(load=power_cut))
    with pytest.raises(KeyboardInterrupt):
        evaluate(config, out, checkpoint=tiny_checkpoint, corpus=tiny_corpus)
    (out / ".report.json.x1y2").write_text("{", "utf-8")
    evaluate(config, out, checkpoint=tiny_checkpoint, corpus=tiny_corpus)
    assert sorted(file.name for file in out.iterdir()) == MADE
    assert asked == ["bits_per_byte", "next_word", "next_word"]


def test_a_larger_sample_contains_the_smaller(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, "heldout", max_bytes=10**6) as writer:
        for number in range(50):
            writer.write(Document(f"{number} " * 100, str(number), "ours"))
    whole = heldout_texts(tmp_path, "heldout")
    small = heldout_texts(tmp_path, "heldout", max_megabytes=0.002)
    large = heldout_texts(tmp_path, "heldout", max_megabytes=0.006)
    assert len(whole) == 50
    assert 0 < len(small) < len(large) < 50
    assert large[: len(small)] == small
    assert sum(map(len, large)) <= 6000
    assert small != heldout_texts(tmp_path, "heldout", max_megabytes=0.002, seed=1)
    assert len(heldout_texts(tmp_path, "heldout", max_megabytes=1e-6)) == 1


def test_a_corpus_without_heldout_text_is_refused(tmp_path: Path) -> None:
    with ShardWriter(tmp_path, "train", max_bytes=10**6) as writer:
        writer.write(Document("a", "1", "ours"))
    with pytest.raises(ArtifactError, match="larger heldout_share"):
        heldout_texts(tmp_path, "heldout")


def test_wrong_settings_are_refused_before_anything_runs() -> None:
    with pytest.raises(ConfigError, match='Did you mean "bits_per_byte"'):
        EvaluateConfig(tasks=("bits_per_bite",))
    with pytest.raises(ConfigError, match="name at least one"):
        EvaluateConfig(tasks=())
    with pytest.raises(ConfigError, match="would skip text"):
        EvaluateConfig(context=8, stride=9)


def test_every_task_of_the_table_can_be_loaded() -> None:
    assert all(callable(TASKS.load(name)) for name in TASKS.own)
    with pytest.raises(ConfigError, match="no evaluation task"):
        TASKS.load("beauty")


def test_settings_are_read_without_torch() -> None:
    code = (
        "import sys, mothertongue.evaluate.config; sys.exit(bool({'torch', 'matplotlib', 'numpy'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_a_report_without_bits_per_byte_is_still_a_report(tiny_checkpoint: Path, tiny_corpus: Path, out: Path) -> None:
    config = EvaluateConfig(tasks=("next_word",), next_word_positions=3, split="dev")
    metrics = evaluate(config, out, checkpoint=tiny_checkpoint, corpus=tiny_corpus)
    assert (metrics["split"], metrics["next_word_positions"]) == ("dev", 3)
    assert "1 development document," in (out / "report.md").read_text("utf-8")
