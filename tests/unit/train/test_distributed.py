"""Two processes learn what one does, with DDP and FSDP2, through phases, kills, signals; one team plays all parts."""

from __future__ import annotations

import atexit
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from mothertongue.compress.distill import Turns, distillation_loss, local_loss
from mothertongue.compress.theseus import extract_successor, install_modules, make_successor, replace_modules
from mothertongue.corpus.document import Document
from mothertongue.corpus.shards import ShardWriter
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import set_dropout
from mothertongue.model.checkpoint import save_checkpoint
from mothertongue.model.config import ModelConfig
from mothertongue.model.loss import next_token_loss
from mothertongue.model.stage import fresh_gpt2
from mothertongue.run.artifact import read_manifest
from mothertongue.run.disk import write_json
from mothertongue.run.team import rank
from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.loop import fit
from mothertongue.train.schedule import phases
from mothertongue.train.stage import train

STEPS = 6
CONFIG = TrainConfig(batch_size=4, dev_scores=2, save_minutes=9, gradient_clip=0.5)
STAGE = TrainConfig(steps=8, batch_size=2, dropout=0.1, save_minutes=0.0, dev_kilobytes=1.0, learning_rate=0)
GIVEN = ("steps", "batch_size", "dropout", "save_minutes", "dev_kilobytes", "learning_rate")
SIZES: dict[str, Any] = {"vocab_size": 61, "bos_token_id": 0, "eos_token_id": 0}
CASES: dict[str, dict[str, Any]] = {
    "gpt2": {"embeddings_first": 0.4},
    "llama": {"micro_batch": 1, "average": 0.5},
    "muon": {"optimizer": "muon"},
    "schedule-free": {"optimizer": "schedule-free"},
    "half": {"precision": "float16"},
    "theseus": {"micro_batch": 1},  # a sequence at a time, for which alone a local loss is the same
}
KINDS = ("ddp", "fsdp")


class KilledError(Exception):
    """Stands for a kill between two steps."""


def make_model(name: str, dropout: float = 0.0) -> PreTrainedModel:
    torch.manual_seed(1)
    if name == "llama":
        return LlamaForCausalLM(
            LlamaConfig(
                hidden_size=16,
                intermediate_size=32,
                num_hidden_layers=2,
                num_attention_heads=2,
                max_position_embeddings=16,
                **SIZES,
            )
        )
    layers = 4 if name == "theseus" else 2
    model = GPT2LMHeadModel(GPT2Config(n_positions=16, n_embd=16, n_layer=layers, n_head=2, **SIZES))
    return set_dropout(model, dropout)


def learn(name: str, out: Path, config: TrainConfig, *, dropout: float = 0.0, **more: Any) -> dict[str, Tensor]:
    """The weights after a training, which leaves its log in `out`."""
    out.mkdir(parents=True, exist_ok=True)
    model = make_model(name, dropout)
    stream = np.random.default_rng(0).integers(0, 61, 800).astype(np.uint16)
    windows, plan = Windows(stream, 16, seed=2), phases(config, STEPS, 1e-2)
    more.setdefault("score", torch.no_grad()(lambda: float(next_token_loss(model, windows.batch(0, 2)))))
    if name == "theseus":
        predecessor = model.requires_grad_(False)
        model = make_successor(predecessor, [0, 3])
        modules = install_modules(model, predecessor)
        turns = Turns(2, local_loss(predecessor, modules), distillation_loss(predecessor, 0.5))

        def before_step(step: int) -> None:
            replace_modules(modules, [step % 2 == 0, step % 3 == 0])
            turns.begin(step)

        more |= {"loss": turns.loss, "before_step": before_step}
    fit(model, windows, plan, config, out, **more)
    result = extract_successor(model) if name == "theseus" else model
    assert type(result.base_model.get_input_embeddings()).__name__ == "Embedding"
    assert next_token_loss(result, windows.batch(0, 2)).isfinite()  # it is a plain model again
    return {name: weight.detach().clone() for name, weight in result.named_parameters()}


def kill_at(step: int) -> Callable[[int], None]:
    def before_step(now: int) -> None:
        if now == step:
            raise KilledError

    return before_step


def play(folder: Path) -> None:
    """What each of the two processes does."""
    for kind in KINDS:
        config = replace(CONFIG, distributed=kind)
        for name, settings in CASES.items():
            if name != "schedule-free" or os.environ["SCHEDULE_FREE"]:
                keep(folder / f"{name}-{kind}", learn(name, folder / f"{name}-{kind}", replace(config, **settings)))
        noisy = replace(config, save_minutes=0, embeddings_first=0.4, average=0.5)
        keep(folder / f"whole-{kind}", learn("gpt2", folder / f"whole-{kind}", noisy, dropout=0.1))
        for step in (2, 4):
            with suppress(KilledError):
                learn("gpt2", folder / f"killed-{kind}", noisy, dropout=0.1, before_step=kill_at(step))
        keep(folder / f"killed-{kind}", learn("gpt2", folder / f"killed-{kind}", noisy, dropout=0.1))
        with suppress(KilledError):  # others will go on with this one
            learn("llama", folder / f"moved-{kind}", replace(config, save_minutes=0), before_step=kill_at(3))
        stopped(folder / f"stopped-{kind}", config)
    keep(folder / "moved-fsdp", learn("llama", folder / "moved-fsdp", CONFIG))
    harmed(folder / "harmed")
    with pytest.raises(ConfigError, match="batch_size = 3 cannot be divided among 2 processes"):
        learn("gpt2", folder / "three", replace(CONFIG, batch_size=3))
    (folder / "train").mkdir(exist_ok=True)
    train(STAGE, folder / "train", checkpoint=folder.parent / "checkpoint", corpus=folder.parent / "corpus")


def keep(out: Path, weights: dict[str, Tensor]) -> None:
    save_file(weights, out / f"weights-{rank()}.safetensors")


def stopped(out: Path, config: TrainConfig) -> None:
    """The second process alone is asked to stop, in the third step."""

    def ask(step: int) -> None:
        if step == 2 and rank() == 1:
            os.kill(os.getpid(), signal.SIGTERM)

    with pytest.raises(KeyboardInterrupt):
        learn("gpt2", out, config, before_step=ask)


def harmed(out: Path) -> None:
    """The second process alone meets a batch without a finite loss, in the third step."""
    calls = iter(range(99))

    def loss(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        value = next_token_loss(model, tokens_BT)
        return value * torch.nan if next(calls) == 2 and rank() == 1 else value

    keep(out, learn("gpt2", out, CONFIG, loss=loss))


KILLED = """
import os, signal, sys
from mothertongue.cli import main
from mothertongue.train import resume

states, write = iter(range(99)), resume.save_file

def save_file(tensors, file, metadata):
    write(tensors, file, metadata)
    if next(states) == 4 and os.environ["RANK"] == "1" and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
        os.kill(os.getpid(), signal.SIGKILL)  # in the middle of the fifth state: written, but not yet renamed

resume.save_file = save_file
main()
"""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, story_tokenizer: Tokenizer) -> Path:
    """A folder with a checkpoint and a corpus."""
    folder = tmp_path_factory.mktemp("team")
    for name in ("checkpoint", "corpus", "out"):
        (folder / name).mkdir()
    save_checkpoint(fresh_gpt2(ModelConfig(2, 16, 2, 32), story_tokenizer), story_tokenizer, folder / "checkpoint")
    for split, count in (("train", 40), ("dev", 4)):
        with ShardWriter(folder / "corpus", split, max_bytes=1 << 20) as shards:
            for number in range(count):
                shards.write(Document("Vlak jede k lesu. Husa jde domů. " * 9, f"{split}-{number}", "ours", {}))
    empty: dict[str, Any] = {"step": "corpus", "config": {}, "outputs": {}, "metrics": {}, "inputs": []}
    write_json(folder / "corpus" / "manifest.json", {"kind": "corpus", "stage": "corpus", "fingerprint": "1", **empty})
    return folder


@pytest.fixture(scope="module")
def played(place: Path) -> Path:
    """The folder that a team of two has left."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    known = {"SCHEDULE_FREE": "1" if find_spec("schedulefree") else ""}
    known |= {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port, "OMP_NUM_THREADS": "1"}
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", __file__, str(place / "out")]
    team = [subprocess.Popen(command, env={**os.environ, **known, "RANK": str(number)}) for number in range(2)]
    try:
        assert [process.wait(600) for process in team] == [0, 0]
    finally:
        for process in team:
            process.kill()
    return place / "out"


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line[key] for line in lines for key in ("loss", "dev_bits_per_byte") if key in line]


def weights(out: Path, number: int = 0) -> dict[str, Tensor]:
    return load_file(out / f"weights-{number}.safetensors")


def assert_close(one: dict[str, Tensor], two: dict[str, Tensor], within: float) -> None:
    assert one.keys() == two.keys()
    assert max(float((one[name] - two[name]).abs().max()) for name in one) <= within


def states(out: Path) -> list[str]:
    return sorted(file.name for file in (out / "progress").iterdir())


@pytest.mark.parametrize("name", CASES)
def test_two_processes_have_the_losses_and_weights_of_one(played: Path, tmp_path: Path, name: str) -> None:
    if name == "schedule-free":
        pytest.importorskip("schedulefree")
    expected = learn(name, tmp_path, replace(CONFIG, **CASES[name]))
    half = name == "half"
    for out in (played / f"{name}-ddp", played / f"{name}-fsdp"):
        assert losses(out) == pytest.approx(losses(tmp_path), rel=1e-3 if half else 1e-5)
        assert_close(weights(out), expected, 3e-2 if half else 1e-4)
        assert_close(weights(out, 1), weights(out), 0)


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_continue_bit_for_bit_with_dropout(played: Path, kind: str) -> None:
    whole, killed = played / f"whole-{kind}", played / f"killed-{kind}"
    for number in range(2):
        assert_close(weights(killed, number), weights(whole), 0)
    assert (killed / "log.jsonl").read_bytes() == (whole / "log.jsonl").read_bytes()
    assert states(killed) == [f"step-0000000{step}-{number}-of-2.safetensors" for step in (5, 6) for number in (0, 1)]


def test_a_state_of_two_is_continued_by_one_and_by_the_other_kind(played: Path, tmp_path: Path) -> None:
    expected = learn("llama", tmp_path / "whole", CONFIG)
    shutil.copytree(played / "moved-ddp", tmp_path / "moved")
    kept = states(tmp_path / "moved")
    assert kept[-1] == "step-00000003-1-of-2.safetensors"
    assert_close(learn("llama", tmp_path / "moved", CONFIG), expected, 1e-4)
    assert losses(tmp_path / "moved") == pytest.approx(losses(tmp_path / "whole"), rel=1e-5)
    assert_close(weights(played / "moved-fsdp"), expected, 1e-4)  # there two have continued with ddp


def test_a_state_that_lacks_the_file_of_one_process_is_passed_over(played: Path, tmp_path: Path) -> None:
    shutil.copytree(played / "moved-ddp", tmp_path / "moved")
    (tmp_path / "moved" / "progress" / "step-00000003-1-of-2.safetensors").unlink()
    begun: list[int] = []
    learn("llama", tmp_path / "moved", CONFIG, before_step=begun.append)
    assert begun[0] == 2


@pytest.mark.parametrize("kind", KINDS)
def test_one_process_asked_to_stop_stops_all_after_the_same_step(played: Path, kind: str) -> None:
    assert states(played / f"stopped-{kind}") == [f"step-00000003-{number}-of-2.safetensors" for number in range(2)]


def test_a_batch_that_harms_one_process_is_left_out_by_all(played: Path) -> None:
    lines = [json.loads(line) for line in (played / "harmed" / "log.jsonl").read_text().splitlines()]
    assert [line for line in lines if "skipped_batch" in line] == [
        {"step": 2, "skipped_batch": 2, "unusual_loss": "nan"}
    ]
    assert_close(weights(played / "harmed", 1), weights(played / "harmed"), 0)


def test_torchrun_starts_a_killed_process_again_and_nothing_is_lost(played: Path, place: Path, tmp_path: Path) -> None:
    (tmp_path / "killed.py").write_text(KILLED)
    command = [sys.executable, "-m", "torch.distributed.run", "--nproc-per-node=2", "--max-restarts=1", "--standalone"]
    command += [str(tmp_path / "killed.py"), "train", "--json", f"--out={tmp_path / 'train'}"]
    command += [f"--{name.replace('_', '-')}={getattr(STAGE, name)}" for name in GIVEN]
    command += [f"--checkpoint={place / 'checkpoint'}", f"--corpus={place / 'corpus'}"]
    done = subprocess.run(
        command,
        env={**os.environ, "OMP_NUM_THREADS": "1", "TORCH_DISABLE_SHARE_RDZV_TCP_STORE": "1"},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["steps"] == STAGE.steps  # said once
    assert "exitcode: -9" in done.stderr
    assert read_manifest(tmp_path / "train")["resumed"]
    for name in ("model.safetensors", "log.jsonl", "finder.json"):
        assert (tmp_path / "train" / name).read_bytes() == (played / "train" / name).read_bytes(), name
    assert not (tmp_path / "train" / "progress").exists()


def test_no_thread_of_a_group_outlives_it(played: Path) -> None:
    """Such a thread could free a tensor while Python ends, which aborts the process (pytorch pull request 179291)."""
    for number in range(2):
        assert "gloo" not in (played / f"threads-{number}").read_text()


def name_threads(out: Path) -> None:
    """What runs when everything has been left."""
    names = [(task / "comm").read_text() for task in Path("/proc/self/task").glob("*")]  # none but on Linux
    (out / f"threads-{rank()}").write_text("".join(names))


if __name__ == "__main__":
    atexit.register(name_threads, Path(sys.argv[1]))  # registered first, it runs last
    play(Path(sys.argv[1]))
