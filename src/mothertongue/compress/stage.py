"""The step `compress`: a successor with fewer layers, by module replacing or by truncation, then trained alone.

Truncation is module replacing without the replacing and without a teacher: one path through one loop serves both.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path

from torch import nn

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.cost import derive_steps, phase_flop
from mothertongue.compress.distill import distillation_loss
from mothertongue.compress.schedule import draw, phases, replacing_schedule
from mothertongue.compress.theseus import (
    check_layers,
    check_masks,
    extract_successor,
    install_modules,
    make_successor,
    replace_modules,
    successor_layers,
)
from mothertongue.model.anatomy import anatomy, set_dropout
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.model.distributed import join
from mothertongue.model.products import fast_products
from mothertongue.run.artifact import Metrics
from mothertongue.run.team import rank
from mothertongue.train.loop import fit
from mothertongue.train.stage import dev_lines, dev_score, dev_texts, open_windows


def compress(config: CompressConfig, out: Path, *, checkpoint: Path, corpus: Path) -> Metrics:
    """Compress `checkpoint` to fewer layers, training on `corpus`; save a checkpoint in `out`, log.jsonl beside it."""
    opened = open_checkpoint(checkpoint)
    predecessor = opened.model.requires_grad_(False)
    nn.Module.to(predecessor, join())
    count = len(anatomy(predecessor).blocks)
    kept = successor_layers(count, check_layers(count, config.layers), config.initial)
    model = set_dropout(make_successor(predecessor, kept), config.dropout)
    windows = open_windows(config, model, opened.tokenizer, corpus, out)
    flop = phase_flop(config, model, predecessor, windows.length)
    steps = derive_steps(config, windows, flop)
    replacing_steps = config.replacing_steps(steps)
    if replacing_steps:
        check_masks(predecessor, windows.length)
    modules = install_modules(model, predecessor)
    rate = replacing_schedule(config.scheduler, config.replacing_rate, replacing_steps)

    def replace(step: int) -> None:
        replace_modules(modules, draw(len(modules), rate(step), seed=config.seed, step=step))

    texts = dev_texts(config, corpus)
    with fast_products(predecessor):
        fitted = fit(
            model,
            windows,
            phases(config, steps),
            config,
            out,
            loss=distillation_loss(predecessor, config.teacher_share),
            before_step=replace,
            flop=flop,
            score=dev_score(config, model, opened.tokenizer, texts),
            lines=dev_lines(texts, windows, opened.tokenizer, out),
            name=config.method,
        )
    nn.Module.cpu(extract_successor(model))
    if not rank():
        save_checkpoint(model, opened.tokenizer, out)
    return {
        **asdict(fitted),
        "replacing_steps": replacing_steps,
        "tokens_per_epoch": len(windows.ids),
        "predecessor_layers": count,
        "layers": len(kept),
        "begun_from_layers": kept,
        "predecessor_parameters": predecessor.num_parameters(),
        "parameters": model.num_parameters(),
    }
