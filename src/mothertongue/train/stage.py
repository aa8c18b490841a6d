"""The step `train`: opens checkpoint and corpus, calls the loop, saves a checkpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict
from functools import partial
from pathlib import Path

from tokenizers import Tokenizer
from torch import nn
from transformers import PreTrainedModel

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy, set_dropout
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.model.distributed import in_turn, join, of_first
from mothertongue.model.loss import next_token_loss
from mothertongue.model.score import score_documents
from mothertongue.model.stream import fivegram_line, tokenize_corpus
from mothertongue.run.artifact import Metrics
from mothertongue.run.disk import write_json
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.team import rank, world
from mothertongue.tokenizer.bytelevel import end_of_text_id
from mothertongue.tokenizer.sample import sample_texts
from mothertongue.train.config import LoopConfig, TrainConfig
from mothertongue.train.data import Windows
from mothertongue.train.finder import draw_finder, find_learning_rate
from mothertongue.train.loop import fit, phase_flop
from mothertongue.train.schedule import Flop, Phase, guillou, phases

TRIAL_STEPS = 1000  # of a plan that is only priced: shares of phases do not depend on the number of steps


def train(config: TrainConfig, out: Path, *, checkpoint: Path, corpus: Path) -> Metrics:
    """Train `checkpoint` on the training side of `corpus` and save it in `out`, with log.jsonl beside it.

    What only an unfinished training needs is in `out`/progress, which is left to the caller: killed after the last
    step, a training still need not be repeated.
    """
    opened = open_checkpoint(checkpoint)
    model = set_dropout(opened.model, config.dropout)
    nn.Module.to(model, join())
    windows = open_windows(config, model, opened.tokenizer, corpus, out)
    rate = peak_rate(config, model, windows, out)
    flop = phase_flop(config, model, windows.length)
    longest = longest_sequence(config, windows.length, anatomy(model).context)
    trial = phases(config, TRIAL_STEPS, rate, longest)
    plan = phases(config, derive_steps(config, windows, trial, flop), rate, longest)
    texts = dev_texts(config, corpus)
    lines = dev_lines(texts, windows, opened.tokenizer, out)
    end_id = end_of_text_id(opened.tokenizer) if config.mask_documents else None
    loss = partial(next_token_loss, end_id=end_id, smoothing=config.label_smoothing)
    score = dev_score(config, model, opened.tokenizer, texts)
    fitted = fit(model, windows, plan, config, out, loss=loss, score=score, lines=lines)
    nn.Module.cpu(model)
    if not rank():
        save_checkpoint(model, opened.tokenizer, out)
    sizes = {"tokens_per_epoch": len(windows.ids), "parameters": model.num_parameters()}
    return {**asdict(fitted), "learning_rate": rate, **sizes}


@in_turn()
def open_windows(config: LoopConfig, model: PreTrainedModel, tokenizer: Tokenizer, corpus: Path, out: Path) -> Windows:
    """The corpus in windows that fit the model; tokenized into `out`/progress on first use."""
    context = anatomy(model).context
    if config.sequence_length > context:
        raise ConfigError(
            f"sequence_length = {config.sequence_length} is more than the model's context of {context}. "
            f"Give at most {context}."
        )
    (out / PROGRESS).mkdir(exist_ok=True)
    ids = tokenize_corpus(corpus, tokenizer, out / PROGRESS / "tokens.bin")
    return Windows(ids, config.sequence_length or context, config.seed)


def longest_sequence(config: LoopConfig, length: int, context: int) -> int:
    """The most tokens, up to `context`, of a sequence, if a batch has as many tokens as with `length`; 0 if not more.

    No more of them than stand in memory together anyway.
    """
    tokens, most = config.batch_size * length, min(context, (config.micro_batch or config.batch_size) * length)
    counts = range(world(), config.batch_size + 1, world())
    found = next((tokens // count for count in counts if tokens % count == 0 and tokens // count <= most), length)
    return found if found > length else 0


def derive_steps(config: LoopConfig, windows: Windows, trial: Sequence[Phase], flop: Flop, spent: float = 0.0) -> int:
    """Optimizer steps from whichever of steps, budget_teraflop and epochs is given.

    A step costs what those of `trial` do on the mean, by `flop` per token; `spent` operations of a budget are gone.
    """
    tokens = config.batch_size * windows.length
    steps = config.steps or config.epochs * len(windows.ids) / tokens
    if config.budget_teraflop:
        cost = sum(flop(phase) * phase.steps for phase in trial) / sum(phase.steps for phase in trial)
        steps = (config.budget_teraflop * 1e12 - spent) / (tokens * cost)
    return max(1, round(steps))


def dev_texts(config: LoopConfig, corpus: Path) -> list[str]:
    """Development text of every source, as much as the settings say."""
    size = round(config.dev_kilobytes * 1e3)
    return list(sample_texts(corpus, "dev", max_bytes=size, least_bytes=4000)) if size else []


def dev_score(
    config: LoopConfig, model: PreTrainedModel, tokenizer: Tokenizer, texts: Sequence[str]
) -> Callable[[], float] | None:
    """A function that gives bits per byte of `texts`, or None if there are none.

    The text is read in windows of the length that is trained on: further positions learn last, if at all.
    """
    score = partial(score_documents, model, tokenizer, texts, context=config.sequence_length)
    return (lambda: score().bits_per_byte) if texts else None


@in_turn()
def dev_lines(texts: Sequence[str], windows: Windows, tokenizer: Tokenizer, out: Path) -> dict[str, float]:
    """What the score of `texts` is drawn beside: a 5-gram's."""
    return fivegram_line(texts, windows.ids, tokenizer, out / PROGRESS, seed=windows.seed)


def peak_rate(config: TrainConfig, model: PreTrainedModel, windows: Windows, out: Path) -> float:
    """The highest learning rate: the preset's own, or the given one, or the one found and kept in `out`/finder.json."""
    if config.preset == "guillou":
        return max(max(phase.rates.values()) for phase in guillou(5))
    if config.learning_rate:
        return config.learning_rate
    file = out / "finder.json"
    if not of_first(file.is_file()):
        found = find_learning_rate(model, windows, config)
        if not rank():
            draw_finder(found, out / "finder.png")
            write_json(file, asdict(found))
    with in_turn():
        return float(json.loads(file.read_text("utf-8"))["learning_rate"])
