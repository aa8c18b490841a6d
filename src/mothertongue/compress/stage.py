"""The step `compress`: a successor with fewer layers, by module replacing or by truncation, then fine-tuned; one training loop."""
# Axes: B batch, T tokens, N = B*T, D hidden, V vocabulary

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.theseus import (
    check_layers,
    draw_replacing,
    extract_successor,
    install_successor,
    replacing_schedule,
    successor_layers,
)
from mothertongue.model.anatomy import anatomy, set_layers
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.run.artifact import Metrics
from mothertongue.train.compute import block_flop, flop_per_token
from mothertongue.train.loop import Loss, fit
from mothertongue.train.loss import Teacher, cross_entropy, hidden_and_labels
from mothertongue.train.schedule import GROUPS, Phase, shape_of
from mothertongue.train.stage import clear_work, dev_score, device, open_windows, set_dropout


def compress(config: CompressConfig, out: Path, *, checkpoint: Path, corpus: Path) -> Metrics:
    """Compress `checkpoint` to fewer layers, training on `corpus`, and save an ordinary checkpoint in `out`."""
    opened = open_checkpoint(checkpoint)
    predecessor = opened.model.to(device()).requires_grad_(False)
    count = len(anatomy(predecessor).blocks)
    layers = check_layers(count, config.layers)
    kept = successor_layers(count, layers, config.initial)
    model = copy.deepcopy(predecessor)
    successors = [copy.deepcopy(anatomy(model).blocks[index]) for index in kept]
    replacing = config.method == "theseus" and config.replacing_share > 0
    modules = install_successor(model, successors) if replacing else []
    if not replacing:
        set_layers(model, list(successors))
    set_dropout(model, config.dropout)
    windows = open_windows(config, model, opened.tokenizer, corpus, out)
    loss, weight = distillation_loss(predecessor, config), config.distillation if config.method == "theseus" else 0.0
    cost = _cost(model, predecessor, windows.length, config, teaching=weight > 0)
    steps = _steps(config, cost, config.batch_size * windows.length, len(windows.ids))
    plan = phases(config, steps)
    replacing_steps = plan[0].steps if replacing else 0
    rate = replacing_schedule(config.scheduler, config.replacing_rate, replacing_steps)
    fitted = fit(
        model,
        windows,
        plan,
        config,
        out,
        loss=loss,
        before_step=lambda step: draw_replacing(modules, rate(step), seed=config.seed, step=step),
        flop=cost,
        score=dev_score(config, model, opened.tokenizer, corpus),
        name=config.method,
    )
    result = extract_successor(model) if replacing else model
    save_checkpoint(result.cpu(), opened.tokenizer, out)
    clear_work(out)
    sizes = {"predecessor_parameters": predecessor.num_parameters(), "parameters": result.num_parameters()}
    return {**asdict(fitted), **sizes, "predecessor_layers": count, "layers": layers, "begun_from_layers": kept}


def phases(config: CompressConfig, steps: int) -> tuple[Phase, ...]:
    """Replacing (only successor blocks learn, at a steady rate), then the successor alone (all its parts learn)."""
    everything = dict.fromkeys(GROUPS, config.learning_rate) | {"embeddings": config.learning_rate * config.embedding_rate}
    share = config.replacing_share if config.method == "theseus" else 0.0
    first = round(share * steps)
    blocks = {group: rate for group, rate in everything.items() if group != "embeddings"}
    steady = shape_of(replace(config, schedule="plateau", decay=0.0))
    parts = (Phase("replacing", first, blocks, steady), Phase("successor", steps - first, everything, shape_of(config)))
    return tuple(phase for phase in parts if phase.steps)


def distillation_loss(predecessor: PreTrainedModel, config: CompressConfig) -> Loss:
    """Cross-entropy against the text, mixed with the predecessor's prediction where the method learns from it."""
    weight = config.distillation if config.method == "theseus" else 0.0
    head_VD = anatomy(predecessor).head.weight

    def loss(model: PreTrainedModel, tokens_BT: Tensor) -> Tensor:
        hidden_ND, labels_N = hidden_and_labels(model, tokens_BT)
        if not weight:
            return cross_entropy(hidden_ND, anatomy(model).head, labels_N)
        with torch.no_grad():
            teacher_ND, _ = hidden_and_labels(predecessor, tokens_BT)
        return cross_entropy(hidden_ND, anatomy(model).head, labels_N, Teacher(teacher_ND, head_VD, weight))

    return loss


def _cost(
    model: PreTrainedModel, predecessor: PreTrainedModel, length: int, config: CompressConfig, *, teaching: bool
) -> Callable[[Phase], float]:
    """Operations per token of a phase; everything counts: the predecessor's blocks, its prediction, the successor."""
    teacher = flop_per_token(predecessor, (), length) if teaching else 0.0
    count, layers = len(anatomy(predecessor).blocks), len(anatomy(model).blocks)
    mean_rate = config.replacing_rate if config.scheduler == "constant" else (1 + config.replacing_rate) / 2

    def cost(phase: Phase) -> float:
        if phase.name != "replacing":
            return teacher + flop_per_token(predecessor, phase.rates.keys(), length) - _saved(predecessor, count - layers, length)
        head = 4.0 * anatomy(model).head.weight.numel()
        block = block_flop(predecessor, length)
        replaced = 3 * block * layers * mean_rate  # forward, gradient to the input, gradient of the weights
        frozen = 2 * block * count * (1 - mean_rate)
        return teacher + head + replaced + frozen

    return cost


def _saved(predecessor: PreTrainedModel, layers: int, length: int) -> float:
    return 3 * layers * block_flop(predecessor, length)


def _steps(config: CompressConfig, cost: Callable[[Phase], float], tokens: int, per_epoch: int) -> int:
    if config.steps:
        return config.steps
    if not config.budget_teraflop:
        return max(1, round(config.epochs * per_epoch / tokens))
    trial = phases(config, 1000)
    return max(1, round(config.budget_teraflop * 1e12 / (tokens * sum(cost(phase) * phase.steps / 1000 for phase in trial))))
