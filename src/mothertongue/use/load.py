"""Open a folder for writing: the door behind `mothertongue.load`."""

from __future__ import annotations

from pathlib import Path

import torch

from mothertongue.errors import ConfigError
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.use.writer import Writer


def load(folder: str | Path, *, device: str = "auto") -> Writer:
    """A Writer with the model in `folder`: a checkpoint, an export, or any Hugging Face folder of a known family.

    `device` is "auto" (the fastest there is), "cpu", "cuda" or "mps". Weights are computed with in float32.
    Raises CheckpointError if the folder cannot be opened; no code of the folder is ever run.
    """
    place = torch_device(device)
    checkpoint = open_checkpoint(folder)
    checkpoint.model.to(place)  # type: ignore[arg-type]
    return Writer(checkpoint)


def torch_device(name: str) -> torch.device:
    """The device of that name; "auto" is the fastest one there is. ConfigError if it is not there."""
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "mps" if torch.backends.mps.is_available() else "cpu"
    try:
        device = torch.device(name)
        torch.empty(1, device=device)
    except (RuntimeError, AssertionError) as error:  # torch asserts that it was built with CUDA
        raise ConfigError(
            f'The device "{name}" cannot be used: {str(error).splitlines()[0]} Give "auto" or "cpu".'
        ) from error
    return device
