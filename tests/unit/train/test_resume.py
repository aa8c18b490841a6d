"""Killed at any moment, a training continues to the very same weights and the very same log."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import set_dropout
from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.learner import Learner
from mothertongue.train.loop import Fitted, fit
from mothertongue.train.resume import Saver
from mothertongue.train.schedule import phases
from mothertongue.train.stage import train

Maker = Callable[..., PreTrainedModel]
# a state after every step; embeddings alone in steps 0-3, everything in steps 4-9
CONFIG = TrainConfig(batch_size=2, embeddings_first=0.4, save_minutes=0.0, dev_scores=3)
STEPS = 10


class KilledError(Exception):
    """Stands for a kill between two steps."""


def run(model: PreTrainedModel, windows: Windows, out: Path, config: TrainConfig = CONFIG, kill_at: int = -1) -> Fitted:
    def before_step(step: int) -> None:
        if step == kill_at:
            raise KilledError

    out.mkdir(exist_ok=True)
    plan = phases(config, STEPS, 5e-3)
    return fit(model, windows, plan, config, out, before_step=before_step, score=lambda: 1.0)


def assert_same(model: PreTrainedModel, other: PreTrainedModel) -> None:
    for (name, one), two in zip(model.state_dict().items(), other.state_dict().values(), strict=True):
        assert torch.equal(one, two), name


@pytest.mark.parametrize("dropout", [0.0, 0.1])
@pytest.mark.parametrize("family", ["gpt2", "gpt2-untied", "llama"])
def test_killed_training_continues_bit_for_bit(
    make_gpt2: Maker, make_llama: Maker, windows: Windows, tmp_path: Path, family: str, dropout: float
) -> None:
    def fresh() -> PreTrainedModel:
        torch.manual_seed(int(torch.randint(1000, ())))  # whatever came before does not matter
        makers = {"gpt2": make_gpt2, "gpt2-untied": lambda: make_gpt2(tied=False), "llama": make_llama}
        return set_dropout(makers[family](), dropout)

    whole = fresh()
    fitted = run(whole, windows, tmp_path / "whole")
    for kill_at in (3, 4, 5, 9):  # before, at and after the border of the phases; before the last step
        with pytest.raises(KilledError):
            run(fresh(), windows, tmp_path / "killed", kill_at=kill_at)
        torch.rand(5)
    resumed = fresh()
    again = run(resumed, windows, tmp_path / "killed")
    assert_same(resumed, whole)
    assert (tmp_path / "killed" / "log.jsonl").read_bytes() == (tmp_path / "whole" / "log.jsonl").read_bytes()
    assert (again.steps, again.tokens, again.tflop, again.loss) == (
        fitted.steps,
        fitted.tokens,
        fitted.tflop,
        fitted.loss,
    )


def test_states_that_lie_some_steps_back_are_repeated(make_gpt2: Maker, windows: Windows, tmp_path: Path) -> None:
    whole, resumed = make_gpt2(), make_gpt2()
    run(whole, windows, tmp_path / "whole")
    with pytest.raises(KilledError):
        run(make_gpt2(), windows, tmp_path / "killed", kill_at=7)
    (tmp_path / "killed" / "progress" / "step-00000007.safetensors").unlink()
    run(resumed, windows, tmp_path / "killed")
    assert_same(resumed, whole)
    lines = [json.loads(line) for line in (tmp_path / "killed" / "log.jsonl").read_text().splitlines()]
    keys = [(line["step"], "loss" in line) for line in lines]
    assert len(keys) == len(set(keys)) == STEPS + 3


def test_a_training_killed_before_its_first_state_begins_anew(
    make_gpt2: Maker, windows: Windows, tmp_path: Path
) -> None:
    config = replace(CONFIG, save_minutes=9)
    whole, resumed = make_gpt2(), make_gpt2()
    run(whole, windows, tmp_path / "whole", config)
    with pytest.raises(KilledError):
        run(make_gpt2(), windows, tmp_path / "killed", config, kill_at=6)
    assert (tmp_path / "killed" / "log.jsonl").read_text().count("\n") > 3
    run(resumed, windows, tmp_path / "killed", config)
    assert_same(resumed, whole)
    assert (tmp_path / "killed" / "log.jsonl").read_bytes() == (tmp_path / "whole" / "log.jsonl").read_bytes()


def test_a_training_killed_after_its_last_step_is_not_repeated(
    make_gpt2: Maker, windows: Windows, tmp_path: Path
) -> None:
    whole, resumed = make_gpt2(), make_gpt2()
    fitted = run(whole, windows, tmp_path / "run")
    again = run(resumed, windows, tmp_path / "run", kill_at=0)
    assert_same(resumed, whole)
    assert replace(again, seconds=0, tokens_per_second=0) == replace(fitted, seconds=0, tokens_per_second=0)
    assert again.seconds >= 0.5 * fitted.seconds
    assert again.tokens_per_second > 0


def test_half_written_and_damaged_states_are_passed_over(make_gpt2: Maker, windows: Windows, tmp_path: Path) -> None:
    whole, resumed = make_gpt2(), make_gpt2()
    run(whole, windows, tmp_path / "whole")
    with pytest.raises(KilledError):
        run(make_gpt2(), windows, tmp_path / "killed", kill_at=7)
    progress = tmp_path / "killed" / "progress"
    newest = progress / "step-00000007.safetensors"
    (progress / ".writing").write_bytes(newest.read_bytes()[:1000])
    newest.write_bytes(newest.read_bytes()[:-100])
    run(resumed, windows, tmp_path / "killed")
    assert_same(resumed, whole)
    assert sorted(file.name for file in progress.iterdir()) == [
        "step-00000009.safetensors",
        "step-00000010.safetensors",
    ]


def test_only_damaged_states_are_an_error(make_gpt2: Maker, windows: Windows, tmp_path: Path) -> None:
    progress = tmp_path / "progress"
    progress.mkdir()
    (progress / "step-00000003.safetensors").write_bytes(b"")
    with pytest.raises(CheckpointError, match=r"All saved states in .* are damaged"):
        run(make_gpt2(), windows, tmp_path)


def test_a_state_that_cannot_be_written_leaves_the_one_before_it(
    make_gpt2: Maker, windows: Windows, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(KilledError):
        run(make_gpt2(), windows, tmp_path / "run", kill_at=4)

    def fill_the_disk(tensors: object, file: Path, **options: object) -> None:
        Path(file).write_bytes(b"half")
        raise OSError(28, "No space left on device")

    states = tmp_path / "run" / "progress"
    with monkeypatch.context() as patch:
        patch.setattr("mothertongue.train.resume.save_file", fill_the_disk)
        with pytest.raises(KilledError):
            run(make_gpt2(), windows, tmp_path / "run", kill_at=7)  # it went on without saving
    names = ["step-00000003.safetensors", "step-00000004.safetensors"]
    assert sorted(file.name for file in states.iterdir()) == names
    whole, resumed = make_gpt2(), make_gpt2()
    run(whole, windows, tmp_path / "whole")
    run(resumed, windows, tmp_path / "run")
    assert_same(resumed, whole)


def test_a_state_gives_back_weights_optimizer_randomness_and_notes(make_gpt2: Maker, tmp_path: Path) -> None:
    config = replace(CONFIG, average=0.9)

    def stepped(learner: Learner) -> Learner:
        learner.gradients(lambda model, tokens: model(tokens).logits.square().mean(), torch.arange(8)[None])
        learner.step(1)
        return learner

    learner, other = stepped(Learner(make_gpt2(), config)), Learner(make_gpt2(), config)
    with closing(Saver(tmp_path, learner)) as saver:
        saver.save(5, {"log": [{"loss": 0.1 + 0.2}], "tflop": 1e-7})
        expected = torch.rand(3)
    with closing(Saver(tmp_path, other)) as saver:
        extra = saver.load()
    assert torch.equal(torch.rand(3), expected)
    assert {key: extra[key] for key in ("log", "tflop", "step")} == {
        "log": [{"loss": 0.1 + 0.2}],
        "tflop": 1e-7,
        "step": 5,
    }
    mine, theirs = dict(learner.tensors()), dict(other.tensors())
    assert mine.keys() == theirs.keys()
    assert all(torch.equal(mine[name], theirs[name]) for name in mine if name != "random")
    assert {name.split(".")[0] for name in mine} == {"model", "average", "optimizer", "random"}


def test_a_state_is_of_the_moment_when_it_was_asked_for(
    make_gpt2: Maker, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    learner = Learner(make_gpt2(), CONFIG)
    before = {name: tensor.clone() for name, tensor in learner.tensors()}
    trained = threading.Event()

    def write_late(*arguments: Any, **options: Any) -> None:
        assert trained.wait(10)
        save_file(*arguments, **options)

    monkeypatch.setattr("mothertongue.train.resume.save_file", write_late)
    with closing(Saver(tmp_path, learner)) as saver:
        saver.save(1, {})
        with torch.no_grad():
            for weight in learner.weights:
                weight.zero_()
        trained.set()
        saver.load()
    assert all(torch.equal(tensor, before[name]) for name, tensor in learner.tensors())


@pytest.mark.parametrize("optimizer", ["muon", "schedule-free"])
def test_every_optimizer_and_averaged_weights_continue_bit_for_bit(
    make_gpt2: Maker, windows: Windows, tmp_path: Path, optimizer: str
) -> None:
    if optimizer == "schedule-free":
        pytest.importorskip("schedulefree")
    config = replace(CONFIG, optimizer=optimizer, average=0.8, micro_batch=1)
    whole, resumed = make_gpt2(), make_gpt2()
    run(whole, windows, tmp_path / "whole", config)
    for kill_at in (3, 6):
        with pytest.raises(KilledError):
            run(make_gpt2(), windows, tmp_path / "killed", config, kill_at=kill_at)
    run(resumed, windows, tmp_path / "killed", config)
    assert_same(resumed, whole)


def test_half_precision_continues_with_its_scale(make_gpt2: Maker, windows: Windows, tmp_path: Path) -> None:
    config = replace(CONFIG, precision="float16")
    whole, resumed = make_gpt2(), make_gpt2()
    run(whole, windows, tmp_path / "whole", config)
    with pytest.raises(KilledError):
        run(make_gpt2(), windows, tmp_path / "killed", config, kill_at=5)
    run(resumed, windows, tmp_path / "killed", config)
    assert_same(resumed, whole)


KILL = """
import os, signal, sys
from pathlib import Path
from mothertongue.run.progress import be_quiet
from mothertongue.train import resume
from mothertongue.train.config import TrainConfig
from mothertongue.train.stage import train

be_quiet()
states = iter(range(99))
write = resume.save_file

def save_file(tensors, file, metadata):
    write(tensors, file, metadata)
    if next(states) == 4:  # in the middle of the fifth state: written, but not yet renamed
        os.kill(os.getpid(), signal.SIGKILL)

resume.save_file = save_file
out, checkpoint, corpus = map(Path, sys.argv[1:])
config = TrainConfig(steps=8, batch_size=2, dropout=0.1, embeddings_first=0.5, save_minutes=0.0, dev_kilobytes=1.0)
train(config, out, checkpoint=checkpoint, corpus=corpus)
"""


def test_kill_9_in_the_middle_of_a_state_costs_one_step(
    story_checkpoint: Path, story_corpus: Path, tmp_path: Path
) -> None:
    whole, killed = tmp_path / "whole", tmp_path / "killed"
    whole.mkdir()
    killed.mkdir()
    command = [sys.executable, "-c", KILL, str(killed), str(story_checkpoint), str(story_corpus)]
    assert subprocess.run(command, check=False).returncode == -signal.SIGKILL
    assert {"step-00000004.safetensors", ".writing"} <= {file.name for file in (killed / "progress").iterdir()}
    config = TrainConfig(steps=8, batch_size=2, dropout=0.1, embeddings_first=0.5, save_minutes=0.0, dev_kilobytes=1.0)
    figures = [train(config, out, checkpoint=story_checkpoint, corpus=story_corpus) for out in (whole, killed)]
    assert figures[0]["loss"] == figures[1]["loss"]
    for name in ("model.safetensors", "log.jsonl", "config.json", "tokenizer.json"):
        assert (killed / name).read_bytes() == (whole / name).read_bytes()
