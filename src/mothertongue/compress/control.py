"""Is compressing worth it? A fresh model of the successor's size, trained with the same compute, must lose.

If the predecessor itself is no better than that, nothing that learns from it is worth its price, and the step says so.
"""

from __future__ import annotations

import copy
import json
from dataclasses import replace
from pathlib import Path

import torch
from tokenizers import Tokenizer
from torch import nn
from transformers import AutoModelForCausalLM, PreTrainedModel

from mothertongue.compress.config import CompressConfig
from mothertongue.compress.schedule import phases
from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import GROUPS, set_dropout
from mothertongue.model.compute import flop_per_token
from mothertongue.model.score import score_documents
from mothertongue.run.disk import write_json
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.team import rank
from mothertongue.train.data import Windows
from mothertongue.train.loop import fit


def control_score(
    config: CompressConfig,
    successor: PreTrainedModel,
    windows: Windows,
    tokenizer: Tokenizer,
    texts: list[str],
    out: Path,
    *,
    teraflop: float,
) -> float:
    """Bits per byte of `texts` by a fresh model of the size of `successor` after `teraflop` of training.

    It resumes like every training; what is needed for that is in `out`/progress/control.
    """
    folder = out / PROGRESS / "control"
    file = folder / "score.json"
    if file.is_file():
        return float(json.loads(file.read_text("utf-8"))["bits_per_byte"])
    folder.mkdir(parents=True, exist_ok=True)
    torch.manual_seed(config.seed)
    shape = copy.deepcopy(successor.config)
    fresh: PreTrainedModel = AutoModelForCausalLM.from_config(shape)  # type: ignore[no-untyped-call]
    nn.Module.to(set_dropout(fresh, config.dropout), successor.device)
    tokens = config.batch_size * windows.length
    steps = max(1, round(teraflop * 1e12 / (tokens * flop_per_token(fresh, GROUPS, windows.length))))
    plain = replace(config, method="truncate", unfreeze="successor")
    fit(fresh, windows, phases(plain, steps), plain, folder, name="control")
    found = score_documents(fresh, tokenizer, texts, context=config.sequence_length).bits_per_byte
    if not rank():
        write_json(file, {"bits_per_byte": found, "steps": steps})
    return found


def check_control(predecessor: float, control: float) -> None:
    """ConfigError unless the predecessor has fewer bits per byte."""
    if not predecessor < control:
        raise ConfigError(
            f"The predecessor has {predecessor:.4f} bits per byte, a fresh model of the successor's size {control:.4f} "
            "after the same compute: there is nothing to learn from it. Train the predecessor further, or train the "
            "small model itself. (control = false goes on without this check.)"
        )
