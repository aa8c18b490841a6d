"""The step `compress`: a successor with fewer layers, made and trained by one of the methods (methods.py).

All go the same way: the successor begins (begin.py), its blocks become replaceable modules, the method says what is
to be learnt, the one training loop learns it. Truncation is this without replacing and without a teacher. Where a size
or a speed is asked for, plan.py chooses layers, tokens and bits first, and what came of it is told beside what was
expected.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from statistics import median
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.compress.begin import begin
from mothertongue.compress.config import REPLACING, CompressConfig
from mothertongue.compress.control import check_control, control_score
from mothertongue.compress.cost import check_budget, preparing_flop
from mothertongue.compress.layers import check_layers
from mothertongue.compress.methods import METHODS, Lesson, Material
from mothertongue.compress.plan import candidates, choose
from mothertongue.compress.quantize import check_rounding, round_weights, with_rounding
from mothertongue.compress.sizes import token_bytes
from mothertongue.compress.spelling import Spelling, spell
from mothertongue.compress.theseus import extract_successor, install_modules
from mothertongue.compress.vocabulary import check_vocabulary, trimmed
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy, set_dropout
from mothertongue.model.checkpoint import Checkpoint, open_checkpoint, save_checkpoint
from mothertongue.model.distributed import join
from mothertongue.model.products import fast_products
from mothertongue.model.score import score_documents
from mothertongue.run.artifact import Metrics
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.progress import say
from mothertongue.run.team import rank, world
from mothertongue.train.data import Windows
from mothertongue.train.loop import fit
from mothertongue.train.stage import (
    TRIAL_STEPS,
    derive_steps,
    dev_lines,
    dev_score,
    dev_texts,
    longest_sequence,
    open_windows,
)

CLAIM = "whether the predecessor beats a fresh model of the successor's size was not measured (control = true does it)"


def compress(config: CompressConfig, out: Path, *, checkpoint: Path, corpus: Path) -> Metrics:
    """Compress `checkpoint` to fewer layers, training on `corpus`; save a checkpoint in `out`, log.jsonl beside it."""
    opened = open_checkpoint(checkpoint)
    predecessor = opened.model.requires_grad_(False)
    _refuse(config, opened)
    nn.Module.to(predecessor, join())
    windows = open_windows(config, predecessor, opened.tokenizer, corpus, out)
    texts = dev_texts(config, corpus)
    _refuse_unmeasured(config, corpus, texts)
    job = _Job(config, opened, windows, texts, out, teacher=predecessor)
    told: dict[str, Any] = {}
    if config.target_mb or config.speedup:
        job, told = _choose(job)
    if job.config.vocab_size:
        job, trimming = _trim(job, corpus)
        told |= trimming
    model, metrics = _train(job)
    nn.Module.cpu(model)
    told |= _outcome(job, predecessor, model)
    if not rank():
        save_checkpoint(model, job.opened.tokenizer, out)
    return {**metrics, **told}


@dataclass(frozen=True)
class _Job:
    config: CompressConfig
    opened: Checkpoint
    windows: Windows
    texts: list[str]
    out: Path
    teacher: PreTrainedModel
    spelling: Spelling | None = None

    @property
    def tokens_BT(self) -> Tensor:  # noqa: N802
        """A few thousand tokens of the training text."""
        rows = max(1, self.config.probe_tokens // self.windows.length)
        return self.windows.batch(0, rows).to(self.opened.model.device)

    @property
    def own_score(self) -> float:
        """Bits per byte of the predecessor."""
        return self.score(self.opened.model)

    def score(self, model: PreTrainedModel) -> float:
        """Bits per byte of the development text."""
        context = self.config.sequence_length
        return score_documents(model, self.opened.tokenizer, self.texts, context=context).bits_per_byte


def _refuse(config: CompressConfig, opened: Checkpoint) -> None:
    """ConfigError for what cannot be done, before anything is read."""
    predecessor = opened.model
    check_vocabulary(config.vocab_size, anatomy(predecessor).embeddings.num_embeddings)
    check_rounding("q8_0" if config.target_mb and config.dtype == "float32" else config.dtype)
    alike = config.draw == "batch" and config.redraw
    if world() > 1 and config.distributed == "fsdp" and config.method in REPLACING and not alike:
        given = 'draw = "sequence"' if config.draw == "sequence" else "redraw = false"
        raise ConfigError(
            f'method = "{config.method}" with {given} does not go with distributed = "fsdp", which needs gradients of '
            "the same modules in all processes, and of one at least: some steps have none. "
            'Set distributed = "ddp".'
        )
    if world() > 1 and config.distributed == "fsdp" and config.dtype.startswith("q") and config.rounded_share:
        raise ConfigError(
            f'dtype = "{config.dtype}" with rounded_share = {config.rounded_share:g} does not go with distributed = '
            '"fsdp", whose processes hold parts of a row. Set rounded_share = 0 or distributed = "ddp".'
        )
    if config.target_mb or config.speedup:
        candidates(config, predecessor, token_bytes(opened.tokenizer))
    else:
        check_layers(len(anatomy(predecessor).blocks), config.layers, config.groups)


def _refuse_unmeasured(config: CompressConfig, corpus: Path, texts: Sequence[str]) -> None:
    """ConfigError where something is to be compared on development text, and the corpus has none."""
    if not texts and (config.target_mb or config.speedup or config.control):
        raise ConfigError(
            f"target_mb, speedup and control compare on development text, and {corpus} has none. "
            "Make it again with a larger dev_share, or leave them out."
        )


def _choose(job: _Job) -> tuple[_Job, dict[str, Any]]:
    """The job with layers and dtype for the size or speed that was asked for, and the plan."""

    def trimmed_score(size: int) -> float:
        return replace(job, opened=trimmed(job.opened, job.windows.ids, size)).own_score

    size = token_bytes(job.opened.tokenizer)
    best, considered = choose(job.config, job.opened.model, job.tokens_BT[:, :-1], job.score, trimmed_score, size)
    say("what meets it, the best first:")
    for choice in considered:
        say(choice.line())
    config = replace(job.config, layers=best.layers, groups=best.groups, dtype=best.dtype, vocab_size=best.vocab_size)
    return replace(job, config=config), best.report()


def _trim(job: _Job, corpus: Path) -> tuple[_Job, dict[str, Any]]:
    """The job with a predecessor of fewer tokens and the text in those, and what that costs; it teaches in all."""
    opened = trimmed(job.opened, job.windows.ids, job.config.vocab_size)
    folder = job.out / PROGRESS / "trimmed"
    folder.mkdir(exist_ok=True)
    windows = open_windows(job.config, opened.model, opened.tokenizer, corpus, folder)
    spelling = spell(job.opened.tokenizer, opened.tokenizer)
    smaller = replace(job, opened=opened, windows=windows, spelling=spelling)
    told: dict[str, Any] = {"vocab_size": opened.tokenizer.get_vocab_size()}
    if job.texts:
        told |= {"untrimmed_bits_per_byte": job.own_score, "trimmed_bits_per_byte": smaller.own_score}
    return smaller, told


def _train(job: _Job) -> tuple[PreTrainedModel, dict[str, Any]]:
    """The trained successor, and what that took."""
    config, predecessor, windows, tokenizer = job.config, job.opened.model, job.windows, job.opened.tokenizer
    tokens_BT = job.tokens_BT
    begun = begin(config, predecessor, tokens_BT[:, :-1])
    model = set_dropout(begun.model, config.dropout)
    prepared = preparing_flop(config, predecessor, model, tokens_BT.numel())
    modules = install_modules(model, predecessor, begun.groups)
    longest = longest_sequence(config, windows.length, anatomy(model).context)
    material = Material(
        config, predecessor, model, modules, tokens_BT, windows.length, longest, job.teacher, job.spelling
    )
    told: dict[str, Any] = {}
    with fast_products(predecessor), fast_products(job.teacher):  # nobody may be copied from them in here
        lessons = METHODS.load(config.method)(material)
        check_budget(config, prepared)
        trial = lessons(TRIAL_STEPS)
        lesson = lessons(derive_steps(config, windows, trial.phases, trial.flop, spent=prepared))
        if config.dtype.startswith("q"):
            lesson = with_rounding(lesson, config.dtype, config.rounded_share)
        if config.control:
            told = _compare(job, model, lesson)
        if lesson.phases:
            fitted = fit(
                model,
                windows,
                lesson.phases,
                config,
                job.out,
                loss=lesson.loss,
                before_step=lesson.before_step,
                flop=lesson.flop,
                score=dev_score(config, model, tokenizer, job.texts),
                lines=dev_lines(job.texts, windows, tokenizer, job.out),
                name=config.method,
            )
            told = asdict(fitted) | told
    return extract_successor(model), {
        **told,
        "tflop": told.get("tflop", 0.0) + prepared / 1e12,
        "prepared_tflop": prepared / 1e12,
        "phases": {phase.name: phase.steps for phase in lesson.phases},
        "tokens_per_epoch": len(windows.ids),
        "predecessor_layers": sum(len(group) for group in begun.groups),
        "layers": len(begun.kept),
        "begun_from_layers": begun.kept,
        "groups": [len(group) for group in begun.groups],
        "influence": [round(value, 5) for value in begun.influence],
        "predecessor_parameters": predecessor.num_parameters(),
        "parameters": model.num_parameters(),
    }


def _compare(job: _Job, model: PreTrainedModel, lesson: Lesson) -> dict[str, Any]:
    """Both bits per byte of predecessor and control; ConfigError unless the predecessor's are fewer."""
    tokens = job.config.batch_size * job.windows.length
    teraflop = sum(lesson.flop(phase) * phase.steps for phase in lesson.phases) * tokens / 1e12
    control = control_score(job.config, model, job.windows, job.opened.tokenizer, job.texts, job.out, teraflop=teraflop)
    own = job.own_score
    check_control(own, control.bits_per_byte)
    return {
        "control_bits_per_byte": control.bits_per_byte,
        "predecessor_bits_per_byte": own,
        "control_tflop": control.tflop,
    }


def _outcome(job: _Job, predecessor: PreTrainedModel, model: PreTrainedModel) -> dict[str, Any]:
    """Round the weights, and tell what speed and bits per byte have become."""
    config = job.config
    told: dict[str, Any] = {"dtype": config.dtype}
    if job.texts and (config.method == "bridge" or config.dtype != "float32"):
        told["dev_bits_per_byte"] = job.score(model)
    round_weights(model, config.dtype)
    if job.texts and config.dtype != "float32":
        told["rounded_bits_per_byte"] = job.score(model)
    if config.target_mb or config.speedup:
        measured = {"bits_per_byte": job.score(model), "speedup": measure_speedup(nn.Module.cpu(predecessor), model)}
        told["measured"] = measured
        say("  measured: {bits_per_byte:.3f} bits per byte, {speedup:.2f} times as fast".format(**measured))
        if not config.control:
            say(f"  {CLAIM}")
    return told


def measure_speedup(predecessor: PreTrainedModel, model: PreTrainedModel, rounds: int = 7) -> float:
    """Processor time of one token through the predecessor, divided by that through `model`; medians of `rounds`."""
    token = torch.zeros((1, 1), dtype=torch.long)
    times: dict[int, list[float]] = {0: [], 1: []}
    with torch.inference_mode():
        for _ in range(rounds + 1):
            for number, one in enumerate((predecessor, model)):
                begun = time.process_time()
                for _ in range(5):
                    one(input_ids=token, use_cache=False)
                times[number].append(time.process_time() - begun)
    return median(times[0][1:]) / median(times[1][1:])
