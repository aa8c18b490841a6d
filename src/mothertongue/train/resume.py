"""Never lose work: one file holds all that a training needs to continue bit for bit.

Weights, optimizer state and random state go into one safetensors file, written under another name, synced, and renamed: killed at
any moment, the folder holds a whole state or the one before it. No pickle is involved.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

KEEP = 2


def save_state(folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, extra: dict[str, Any]) -> None:
    """Save everything after `step` finished steps as `folder`/step-N.safetensors and keep the newest two."""
    folder.mkdir(exist_ok=True)
    tensors = {f"model.{name}": tensor.contiguous() for name, tensor in _weights(model).items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": torch.as_tensor(value).contiguous() for key, value in state.items()}
    tensors["random"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    final = folder / f"step-{step:08d}.safetensors"
    partial = folder / ".writing"
    save_file({k: v.detach().cpu() for k, v in tensors.items()}, partial, metadata={"extra": json.dumps({**extra, "step": step})})
    with partial.open("rb+") as stream:
        os.fsync(stream.fileno())
    partial.replace(final)
    for old in sorted(folder.glob("step-*.safetensors"))[:-KEEP]:
        old.unlink()


def load_state(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any] | None:
    """Put the newest saved state into `model`, `optimizer` and the generators; its `extra` with `step`, or None if there is none."""
    files = sorted(folder.glob("step-*.safetensors"))
    if not files:
        return None
    with safe_open(files[-1], framework="pt") as saved:
        weights = _weights(model)
        with torch.no_grad():
            for name, tensor in weights.items():
                tensor.copy_(saved.get_tensor(f"model.{name}"))
        state = optimizer.state_dict()
        state["state"] = {}
        for name in saved.keys():  # noqa: SIM118  safe_open is no mapping
            if name.startswith("optimizer."):
                _, index, key = name.split(".", 2)
                state["state"].setdefault(int(index), {})[key] = saved.get_tensor(name)
        optimizer.load_state_dict(state)
        torch.set_rng_state(saved.get_tensor("random"))
        if torch.cuda.is_available():
            torch.cuda.set_rng_state(saved.get_tensor("random.cuda"))
        extra: dict[str, Any] = json.loads(saved.metadata()["extra"])
    return extra


def _weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Every parameter and saved buffer once: tied weights share memory, which safetensors refuses to store twice."""
    seen: set[int] = set()
    result = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            result[name] = tensor
    return result
