"""Is compressing worth it? A fresh model of the successor's size, trained with the same compute, must lose.

If the predecessor itself is no better than that, nothing that learns from it is worth its price, and the step says so.
"""

from __future__ import annotations

import copy
import json
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.schedule import phases
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import set_dropout
from mothertongue.model.score import score_documents
from mothertongue.run.disk import write_json
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.team import rank
from mothertongue.train.data import Windows
from mothertongue.train.loop import fit, phase_flop


@dataclass(frozen=True)
class Control:
    """What the fresh model reached, and what that has cost."""

    bits_per_byte: float
    tflop: float


def control_score(
    config: CompressConfig,
    successor: PreTrainedModel,
    windows: Windows,
    tokenizer: Tokenizer,
    texts: list[str],
    out: Path,
    *,
    teraflop: float,
) -> Control:
    """Bits per byte of `texts` by a fresh model of the size of `successor` after (about) `teraflop` of training.

    It resumes like every training; what is needed for that is in `out`/progress/control.
    """
    folder = out / PROGRESS / "control"
    file = folder / "control.json"
    if file.is_file():
        return Control(**json.loads(file.read_text("utf-8")))
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    shape = copy.deepcopy(successor.config)
    fresh: PreTrainedModel = AutoModelForCausalLM.from_config(shape)  # type: ignore[no-untyped-call]
    nn.Module.to(set_dropout(fresh, config.dropout), successor.device)
    plain = replace(config, method="truncate", unfreeze="successor")
    tokens, flop = config.batch_size * windows.length, phase_flop(plain, fresh, windows.length)
    steps = max(1, round(teraflop * 1e12 / (tokens * flop(phases(plain, 1)[0]))))
    fitted = fit(fresh, windows, phases(plain, steps), plain, folder, name="control")
    score = score_documents(fresh, tokenizer, texts, context=config.sequence_length)
    found = Control(score.bits_per_byte, fitted.tflop)
    if not rank():
        write_json(file, asdict(found))
    return found


def check_control(predecessor: float, control: float) -> None:
    """ConfigError unless the predecessor has fewer bits per byte."""
    if not predecessor < control:
        raise ConfigError(
            f"The predecessor has {predecessor:.4f} bits per byte, a fresh model of the successor's size {control:.4f} "
            "after the same compute: there is nothing to learn from it. Train the predecessor further, or train the "
            "small model itself. (control = false goes on without this check.)"
        )
