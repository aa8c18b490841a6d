"""The step `compress`: a successor with fewer layers, made and trained by one of the methods (methods.py).

All go the same way: the successor begins (begin.py), its blocks become replaceable modules, the method says what is
to be learnt, the one training loop learns it. Truncation is this without replacing and without a teacher.
"""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Any

from torch import nn

from mothertongue.compress.begin import begin
from mothertongue.compress.config import CompressConfig
from mothertongue.compress.cost import derive_steps, preparing_flop
from mothertongue.compress.layers import check_layers
from mothertongue.compress.methods import METHODS, Material
from mothertongue.compress.theseus import extract_successor, install_modules
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.model.products import fast_products
from mothertongue.run.artifact import Metrics
from mothertongue.run.team import rank
from mothertongue.train.loop import fit
from mothertongue.train.stage import dev_lines, dev_score, dev_texts, device, open_windows, set_dropout


def compress(config: CompressConfig, out: Path, *, checkpoint: Path, corpus: Path) -> Metrics:
    """Compress `checkpoint` to fewer layers, training on `corpus`; save a checkpoint in `out`, log.jsonl beside it."""
    method = METHODS.load(config.method)
    opened = open_checkpoint(checkpoint)
    predecessor = opened.model.requires_grad_(False)
    count = len(anatomy(predecessor).blocks)
    check_layers(count, config.layers, config.groups)
    nn.Module.to(predecessor, device())
    windows = open_windows(config, predecessor, opened.tokenizer, corpus, out)
    tokens_BT = windows.batch(0, max(1, config.probe_tokens // windows.length)).to(predecessor.device)
    begun = begin(config, predecessor, tokens_BT[:, :-1])
    model = set_dropout(begun.model, config.dropout)
    prepared = preparing_flop(config, predecessor, model, tokens_BT.numel())
    modules = install_modules(model, predecessor, begun.groups)
    texts = dev_texts(config, corpus)
    score = dev_score(config, model, opened.tokenizer, texts)
    with fast_products(predecessor):
        lessons = method(Material(config, predecessor, model, modules, tokens_BT, windows.length))
        steps = derive_steps(config, windows, lessons, prepared)
        lesson = lessons(steps)
        metrics: dict[str, Any] = {}
        if lesson.phases:
            fitted = fit(
                model,
                windows,
                lesson.phases,
                config,
                out,
                loss=lesson.loss,
                before_step=lesson.before_step,
                flop=lesson.flop,
                score=score,
                lines=dev_lines(texts, windows, opened.tokenizer, out),
                name=config.method,
            )
            metrics = asdict(fitted)
        elif score:
            metrics = {"dev_bits_per_byte": score()}
    nn.Module.cpu(extract_successor(model))
    if not rank():
        save_checkpoint(model, opened.tokenizer, out)
    return {
        **metrics,
        "tflop": metrics.get("tflop", 0.0) + prepared / 1e12,
        "prepared_tflop": prepared / 1e12,
        "phases": {phase.name: phase.steps for phase in lesson.phases},
        "tokens_per_epoch": len(windows.ids),
        "predecessor_layers": count,
        "layers": len(begun.kept),
        "begun_from_layers": begun.kept,
        "groups": [len(group) for group in begun.groups],
        "influence": [round(value, 5) for value in begun.influence],
        "predecessor_parameters": predecessor.num_parameters(),
        "parameters": model.num_parameters(),
    }
