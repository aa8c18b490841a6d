"""Two processes learn what one does, with DDP and FSDP2, through phases, kills and signals; one team plays all parts."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import Tensor
from transformers import GPT2Config, GPT2LMHeadModel, LlamaConfig, LlamaForCausalLM, PreTrainedModel

from mothertongue.compress.distill import distillation_loss
from mothertongue.compress.theseus import extract_successor, install_modules, make_successor, replace_modules
from mothertongue.errors import ConfigError
from mothertongue.run.team import rank
from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.loop import fit
from mothertongue.train.loss import next_token_loss
from mothertongue.train.schedule import phases
from mothertongue.train.stage import set_dropout, train

STEPS = 6
CONFIG = TrainConfig(batch_size=4, dev_scores=2, save_minutes=9, gradient_clip=0.5)
SIZES: dict[str, Any] = {"vocab_size": 61, "bos_token_id": 0, "eos_token_id": 0}
CASES: dict[str, dict[str, Any]] = {
    "gpt2": {"embeddings_first": 0.4},
    "llama": {"micro_batch": 1, "average": 0.5},
    "muon": {"optimizer": "muon"},
    "schedule-free": {"optimizer": "schedule-free"},
    "half": {"precision": "float16"},
    "theseus": {},
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
        more["loss"] = distillation_loss(predecessor, 0.5)
        more["before_step"] = lambda step: replace_modules(modules, [step % 2 == 0, step % 3 == 0])
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
    config = TrainConfig(steps=8, batch_size=2, dropout=0.1, save_minutes=0.0, dev_kilobytes=1.0, learning_rate=0)
    (folder / "train").mkdir(exist_ok=True)
    train(config, folder / "train", checkpoint=folder.parent / "checkpoint", corpus=folder.parent / "corpus")


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


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory, story: Callable[[Path], None]) -> Path:
    """The folder that a team of two has left."""
    folder = tmp_path_factory.mktemp("team") / "out"
    folder.mkdir()
    story(folder.parent)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    place = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port), "OMP_NUM_THREADS": "1"}
    try:
        import schedulefree  # noqa: F401
    except ImportError:
        place["SCHEDULE_FREE"] = ""
    else:
        place["SCHEDULE_FREE"] = "1"
    command = [sys.executable, "-W", "error", "-W", "ignore::DeprecationWarning", __file__, str(folder)]
    team = [subprocess.Popen(command, env={**os.environ, **place, "RANK": str(number)}) for number in range(2)]
    assert [process.wait(300) for process in team] == [0, 0]
    return folder


def losses(out: Path) -> list[float]:
    lines = [json.loads(line) for line in (out / "log.jsonl").read_text().splitlines()]
    return [line[key] for line in lines for key in ("loss", "dev_bits_per_byte") if key in line]


if __name__ == "__main__":
    play(Path(sys.argv[1]))
