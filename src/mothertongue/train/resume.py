"""Never lose work: one file holds all that a training needs to continue bit for bit.

Weights, optimizer state and random state go into one safetensors file, written under another name, synced, and renamed:
killed at any moment, the folder holds a whole state or the one before it. No pickle is involved.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import nn

from mothertongue.errors import CheckpointError
from mothertongue.run.progress import say

KEEP = 2


def save_state(
    folder: Path, step: int, model: nn.Module, optimizer: torch.optim.Optimizer, extra: dict[str, Any]
) -> None:
    """Save everything after `step` finished steps as `folder`/step-N.safetensors and keep the newest two."""
    folder.mkdir(exist_ok=True)
    tensors = {f"model.{name}": tensor for name, tensor in _weights(model).items()}
    for index, state in optimizer.state_dict()["state"].items():
        tensors |= {f"optimizer.{index}.{key}": torch.as_tensor(value) for key, value in state.items()}
    tensors["random"] = torch.get_rng_state()
    if torch.cuda.is_available():
        tensors["random.cuda"] = torch.cuda.get_rng_state()
    _write(
        folder / f"step-{step:08d}.safetensors",
        {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()},
        {"extra": json.dumps({**extra, "step": step})},
    )
    for old in sorted(folder.glob("step-*.safetensors"))[:-KEEP]:
        old.unlink()


def _write(file: Path, tensors: dict[str, torch.Tensor], metadata: dict[str, str]) -> None:
    partial = file.with_name(".writing")
    try:
        save_file(tensors, partial, metadata=metadata)
        with partial.open("rb+") as stream:
            os.fsync(stream.fileno())
        partial.replace(file)
    except BaseException:
        partial.unlink(missing_ok=True)  # a full disk must not stay full of a useless half
        raise


def load_state(folder: Path, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any] | None:
    """Put the newest whole state into `model`, `optimizer` and the random generators.

    Gives its `extra` with `step`, or None if nothing was saved. Raises CheckpointError if all states are damaged.
    """
    files = sorted(folder.glob("step-*.safetensors"), reverse=True)
    for file in files:
        try:
            with safe_open(file, framework="pt") as saved:
                return _restore(saved, model, optimizer)
        except SafetensorError as error:
            say(f"  {file} is damaged ({error}); going back to the state before it")
    if files:
        raise CheckpointError(
            f"All saved states in {folder} are damaged. Move the unfinished folder away to begin the training anew."
        )
    return None


def _restore(saved: Any, model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, Any]:
    with torch.no_grad():
        for name, tensor in _weights(model).items():
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
    return dict(json.loads(saved.metadata()["extra"]))


def _weights(model: nn.Module) -> dict[str, torch.Tensor]:
    """Every parameter and saved buffer once: tied weights share memory, which safetensors refuses to store twice."""
    seen: set[int] = set()
    result = {}
    for name, tensor in model.state_dict(keep_vars=True).items():
        if tensor.data_ptr() not in seen:
            seen.add(tensor.data_ptr())
            result[name] = tensor
    return result
