"""The folder for Hugging Face: weights, tokenizer in every form asked for, and a model card (docs/formats/export.md).

GPT-2 models also open with `AutoModel.from_pretrained(folder, trust_remote_code=True)` and then can write: AutoModel
alone would give a GPT2Model, which cannot. The code that is trusted there is `MODELING`, which adds nothing to
transformers' own class.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.export.formats import Order
from mothertongue.export.proof import TOLERANCES, prove_logits, prove_tokens
from mothertongue.model.anatomy import anatomy
from mothertongue.model.card import model_card
from mothertongue.model.checkpoint import save_checkpoint
from mothertongue.run.artifact import Metrics, write_json
from mothertongue.tokenizer.bytelevel import PAD, end_of_text_id, is_gpt2_like, start_of_text_id

# the class keeps its name: `architectures` in config.json comes from it, and other programs look there
MODELING = '''"""For AutoModel.from_pretrained(folder, trust_remote_code=True) only; all other ways need no code."""

import transformers


class GPT2LMHeadModel(transformers.GPT2LMHeadModel):
    """transformers' own class, unchanged."""
'''
AUTO_MAP = {"AutoModel": "modeling_lm.GPT2LMHeadModel"}


def write_huggingface(order: Order) -> Metrics:
    """Write the folder, open it with plain transformers, compare, and tell how close it is."""
    model, tokenizer, out = order.checkpoint.model, order.checkpoint.tokenizer, order.out
    dtype: torch.dtype = getattr(torch, order.config.dtype)
    check_range(model, dtype)
    for left in out.glob("*.safetensors*"):  # of an attempt that was killed
        left.unlink()
    _set_special_tokens(model, tokenizer)
    save_checkpoint(model, tokenizer, out, dtype=dtype)
    is_gpt2 = model.config.model_type == "gpt2"
    if is_gpt2:
        _add_modeling(out)
    folder = "gpt2" if is_gpt2 and is_gpt2_like(tokenizer) else "checkpoint"
    card = model_card(order.manifest, report=order.report, folder=folder)
    (out / "README.md").write_text(card, "utf-8")
    prove_tokens(tokenizer, out)
    tolerance = order.config.tolerance or TOLERANCES[order.config.dtype]
    proof = prove_logits(model, tokenizer, out, tolerance=tolerance, kind=order.config.dtype)
    return {
        "parameters": model.num_parameters(),
        "context": anatomy(model).context,
        "bytes": sum(file.stat().st_size for file in out.glob("*.safetensors")),
        "tolerance": tolerance,
        "logit_difference": proof.logit_difference,
        "same_top_token": proof.same_top_token,
        "compared_positions": proof.positions,
    }


def check_range(model: PreTrainedModel, dtype: torch.dtype) -> None:
    """CheckpointError if a weight is no number or too large for `dtype`."""
    for name, weight in model.named_parameters():
        if not weight.detach().to(dtype).isfinite().all():
            largest = float(weight.detach().abs().max())
            raise CheckpointError(
                f"{name} has weights up to {largest:.3g}, which {str(dtype).removeprefix('torch.')} cannot hold. "
                "Export with --dtype float32; if they are nan there, open an earlier checkpoint."
            )


def _set_special_tokens(model: PreTrainedModel, tokenizer: Tokenizer) -> None:
    """The ids of the tokenizer, as training used them."""
    start, end, pad = start_of_text_id(tokenizer), end_of_text_id(tokenizer), tokenizer.token_to_id(PAD)
    for config in (model.config, model.generation_config):
        config.bos_token_id, config.eos_token_id, config.pad_token_id = start, end, end if pad is None else pad


def _add_modeling(out: Path) -> None:
    (out / "modeling_lm.py").write_text(MODELING, "utf-8")
    config = json.loads((out / "config.json").read_text("utf-8"))
    write_json(out / "config.json", {**config, "auto_map": AUTO_MAP})
