"""The engine: one loop over phases, with exact resume, a log, and development text scored on the way.

    plan    = phases(config, steps, rate)         who learns at which rate for how long   (schedule.py)
    windows = Windows(ids, length, seed)          what is read at each step                (data.py)
    fit(model, windows, plan, config, out)        this file

Theseus training is the same loop with another loss and a `before_step` that draws which modules are replaced.
"""
# Axes: B batch, T tokens

from __future__ import annotations

import json
import math
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.products import fast_products
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.progress import track
from mothertongue.train.compute import flop_per_token
from mothertongue.train.config import LoopConfig
from mothertongue.train.data import Windows
from mothertongue.train.freeze import group_parameters, optimizer_groups, unfreeze
from mothertongue.train.loss import next_token_loss
from mothertongue.train.resume import load_state, save_state
from mothertongue.train.schedule import Phase

Loss = Callable[[PreTrainedModel, Tensor], Tensor]
LOG_POINTS = 200


@dataclass(frozen=True)
class Fitted:
    """What a training has cost and reached."""

    steps: int
    tokens: int
    tflop: float
    seconds: float
    tokens_per_second: float
    loss: float  # nats per token, mean of the last tenth of the log


def fit(
    model: PreTrainedModel,
    windows: Windows,
    plan: Sequence[Phase],
    config: LoopConfig,
    out: Path,
    *,
    loss: Loss = next_token_loss,
    before_step: Callable[[int], None] | None = None,
    flop: Callable[[Phase], float] | None = None,
    score: Callable[[], float] | None = None,
    name: str = "training",
) -> Fitted:
    """Train `model` in place through all phases of `plan`, from the newest state in `out`/progress if there is one.

    `loss` maps (model, tokens [B, T+1]) to a scalar; `flop` gives operations per token of a phase; `score` gives bits
    per byte of development text. Writes `out`/log.jsonl, and the states in `out`/progress, the last one at the end.
    The result is the same however often the process was killed in between. Raises CheckpointError if the loss becomes
    infinite or no number.
    """
    device = model.device
    groups = group_parameters(model)
    optimizer = _optimizer(groups, config)
    # gradients that float16 would lose are scaled up; idle otherwise
    scaler = torch.amp.GradScaler(device.type, enabled=config.precision == "float16")
    total = sum(phase.steps for phase in plan)
    torch.manual_seed(config.seed)
    state = load_state(out / PROGRESS, model, optimizer) or {"step": 0, "log": [], "tflop": 0.0}
    scaler.load_state_dict(state.get("scaler") or scaler.state_dict())
    log, tflop, spent = _Log(out / "log.jsonl", state["log"]), state["tflop"], state.get("seconds", 0.0)
    step = done = state["step"]
    untimed = 0 if spent else done  # steps of a state that does not say how long they took
    costs = {phase.name: (flop or _flop(model, windows))(phase) for phase in plan}
    started = saved = time.monotonic()

    def save(value: Tensor) -> None:
        _finite(value, step)  # a broken model must not replace the last sound state
        extra = {"log": log.lines, "tflop": tflop, "seconds": spent + time.monotonic() - started}
        save_state(out / PROGRESS, step, model, optimizer, extra | {"scaler": scaler.state_dict()})

    scoring = {round(total * (i + 1) / config.dev_scores) for i in range(config.dev_scores)} if score else set()
    model.train()
    tokens = config.batch_size * windows.length
    with fast_products(model), track(name, total=total, done=step) as bar:
        while step < total:
            phase, inner = _locate(plan, step)
            if inner == 0 or step == done:
                unfreeze(groups, phase.rates)
            _set_rates(optimizer, phase, inner, config)
            if before_step:
                before_step(step)
            value = _step(model, windows.batch(step, config.batch_size).to(device), loss, optimizer, scaler, config)
            step += 1
            tflop += costs[phase.name] * tokens / 1e12
            if step % max(1, total // LOG_POINTS) == 0 or step == total:
                log.add(step=step, phase=phase.name, loss=_finite(value, step), tflop=round(tflop, 6))
            if score and step in scoring:
                log.add(step=step, dev_bits_per_byte=round(score(), 5))
                model.train()
            bar.advance(note=log.note)
            if step == total or time.monotonic() - saved > 60 * config.save_minutes:
                save(value)
                saved = time.monotonic()
    unfreeze(groups, groups.keys())
    model.train(False)
    seconds = spent + time.monotonic() - started
    return Fitted(step, step * tokens, tflop, seconds, (step - untimed) * tokens / max(seconds, 1e-9), log.tail())


def _optimizer(groups: dict[str, list[nn.Parameter]], config: LoopConfig) -> torch.optim.Optimizer:
    # foreach is slow on CPUs, the fused kernel is bound by memory
    betas = (config.beta1, config.beta2)
    return torch.optim.AdamW(optimizer_groups(groups, config.weight_decay), betas=betas, fused=True)


def _step(
    model: PreTrainedModel,
    tokens_BT: Tensor,
    loss: Loss,
    optimizer: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    config: LoopConfig,
) -> Tensor:
    with autocast(config.precision, tokens_BT.device):
        value = loss(model, tokens_BT)
    scaler.scale(value).backward()  # type: ignore[no-untyped-call]
    if config.gradient_clip:
        scaler.unscale_(optimizer)
        parameters = [parameter for group in optimizer.param_groups for parameter in group["params"]]
        torch.nn.utils.clip_grad_norm_(parameters, config.gradient_clip)
    scaler.step(optimizer)
    scaler.update()
    optimizer.zero_grad(set_to_none=True)
    return value.detach()


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Mixed precision where the device has it: `auto` is bfloat16 on GPUs that compute in it, float32 elsewhere."""
    if precision == "auto":
        precision = "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    return nullcontext() if precision == "float32" else torch.autocast(device.type, dtype=getattr(torch, precision))


def _locate(plan: Sequence[Phase], step: int) -> tuple[Phase, int]:
    for phase in plan:
        if step < phase.steps:
            return phase, step
        step -= phase.steps
    raise IndexError(step)


def _set_rates(optimizer: torch.optim.Optimizer, phase: Phase, inner: int, config: LoopConfig) -> None:
    share = phase.shape(inner, phase.steps)
    beta1 = phase.momentum(inner, phase.steps) if phase.momentum else config.beta1
    for group in optimizer.param_groups:
        group["lr"] = phase.rates.get(group["name"], 0.0) * share
        group["betas"] = (beta1, config.beta2)


def _flop(model: PreTrainedModel, windows: Windows) -> Callable[[Phase], float]:
    return lambda phase: flop_per_token(model, phase.rates.keys(), windows.length)


def _finite(value: Tensor, step: int) -> float:
    number = float(value)
    if not math.isfinite(number):
        raise CheckpointError(
            f"The loss is {number} at step {step}: the training has broken the model. Lower learning_rate (or set it "
            "to 0 to have one found), and give another --out, or move the unfinished folder away."
        )
    return round(number, 5)


class _Log:
    """log.jsonl, rewritten from the saved state on resume so that no line stands twice."""

    def __init__(self, file: Path, lines: list[dict[str, Any]]) -> None:
        self.file, self.lines, self.note = file, list(lines), ""
        file.write_text("".join(json.dumps(line) + "\n" for line in self.lines), "utf-8")

    def add(self, **line: Any) -> None:
        self.lines.append(line)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        if "loss" in line:
            self.note = f"loss {line['loss']:.3f}"
        else:
            self.note = f"dev {line['dev_bits_per_byte']:.3f} bits/byte"

    def tail(self) -> float:
        losses: list[float] = [line["loss"] for line in self.lines if "loss" in line]
        last = losses[-max(1, len(losses) // 10) :]
        return round(sum(last) / max(1, len(last)), 5)
