"""The step `train`: opens checkpoint and corpus, calls the loop, saves a checkpoint."""

from __future__ import annotations

import shutil
from dataclasses import asdict
from functools import partial
from itertools import islice
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from mothertongue.corpus.shards import read_documents
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.run.artifact import Metrics, write_json
from mothertongue.train.compute import flop_per_token
from mothertongue.train.config import TrainConfig
from mothertongue.train.data import Windows, tokenize_corpus
from mothertongue.train.finder import draw_finder, find_learning_rate
from mothertongue.train.loop import fit
from mothertongue.train.schedule import phases


def train(config: TrainConfig, out: Path, *, checkpoint: Path, corpus: Path) -> Metrics:
    """Train `checkpoint` on the training side of `corpus` and save it in `out`, with log.jsonl beside it."""
    opened = open_checkpoint(checkpoint)
    model = set_dropout(opened.model, config.dropout).to(device())
    windows = open_windows(config, model, opened.tokenizer, corpus, out)
    rate = config.learning_rate or _found_rate(config, model, windows, out)
    steps = derive_steps(config, model, windows)
    plan = phases(config, steps, rate)
    score = dev_score(config, model, opened.tokenizer, corpus)
    fitted = fit(model, windows, plan, config, out, score=score)
    save_checkpoint(model.cpu(), opened.tokenizer, out)
    clear_work(out)
    return {**asdict(fitted), "learning_rate": rate, "tokens_per_epoch": len(windows.ids), "parameters": model.num_parameters()}


def open_windows(config: TrainConfig, model: PreTrainedModel, tokenizer: Tokenizer, corpus: Path, out: Path) -> Windows:
    """The corpus in windows that fit the model; tokenized into `out`/tokens.bin on first use."""
    context = anatomy(model).context
    if config.sequence_length > context:
        raise ConfigError(f"sequence_length = {config.sequence_length} is more than the model's context of {context}. Give at most {context}.")
    ids = tokenize_corpus(corpus, tokenizer, out / "tokens.bin")
    return Windows(ids, config.sequence_length or context, config.seed)


def derive_steps(config: TrainConfig, model: PreTrainedModel, windows: Windows) -> int:
    """Optimizer steps from whichever of steps, budget_teraflop and epochs is given."""
    if config.steps:
        return config.steps
    tokens = config.batch_size * windows.length
    if not config.budget_teraflop:
        return max(1, round(config.epochs * len(windows.ids) / tokens))
    # the cost per step depends on the phases, whose shares do not depend on the number of steps
    trial = phases(config, 1000, 1.0)
    flop = sum(flop_per_token(model, phase.rates.keys(), windows.length) * phase.steps / 1000 for phase in trial) * tokens
    return max(1, round(config.budget_teraflop * 1e12 / flop))


def dev_score(config: TrainConfig, model: PreTrainedModel, tokenizer: Tokenizer, corpus: Path) -> partial[float] | None:
    """A function that gives bits per byte of some development documents, or None when that is switched off."""
    texts: list[str] = []
    room = config.dev_kilobytes * 1e3
    for document in islice(read_documents(corpus, "dev"), 10_000):
        if room <= 0:
            break
        texts.append(document.text[: int(room)])
        room -= len(texts[-1].encode())
    return partial(_bits_per_byte, model, tokenizer, texts) if texts else None


def _bits_per_byte(model: PreTrainedModel, tokenizer: Tokenizer, texts: list[str]) -> float:
    return score_documents(model.eval(), tokenizer, texts).bits_per_byte


def _found_rate(config: TrainConfig, model: PreTrainedModel, windows: Windows, out: Path) -> float:
    found = find_learning_rate(model, windows, batch_size=config.batch_size)
    draw_finder(found, out / "finder.png")
    write_json(out / "finder.json", asdict(found))
    return found.learning_rate


def set_dropout(model: PreTrainedModel, probability: float) -> PreTrainedModel:
    """Give every dropout of `model` this probability; the saved configuration says so too."""
    for module in model.modules():
        if isinstance(module, torch.nn.Dropout):
            module.p = probability
        if hasattr(module, "attention_dropout") and isinstance(module.attention_dropout, float):
            module.attention_dropout = probability  # Llama-like blocks hold a number
    for name in ("resid_pdrop", "embd_pdrop", "attn_pdrop", "attention_dropout"):
        if hasattr(model.config, name):
            setattr(model.config, name, probability)
    return model


def device() -> torch.device:
    """The best device of this machine."""
    if torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("mps" if torch.backends.mps.is_available() else "cpu")


def clear_work(out: Path) -> None:
    """Remove what only an unfinished training needs."""
    shutil.rmtree(out / "progress", ignore_errors=True)
    for name in ("tokens.bin", "tokens.json"):
        (out / name).unlink(missing_ok=True)
