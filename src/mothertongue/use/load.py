"""Open a folder for writing with the fastest engine that can: the door behind `mothertongue.load`.

A folder with a .gguf file (an export) is computed by llama.cpp, which needs neither torch nor transformers; any other
by torch. `engine` chooses by name.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from mothertongue.errors import ConfigError
from mothertongue.use.engine import Engine
from mothertongue.use.writer import Writer

if TYPE_CHECKING:
    import torch


def load(folder: str | Path, *, engine: str = "auto", device: str = "auto") -> Writer:
    """A Writer with the model in `folder`: a checkpoint, an export, or any Hugging Face folder of a known family.

    `engine` is "auto" (the fastest that opens the folder), "torch", "torch-int8" (linear layers in 8 bits: faster for
    batches and scores, a little less exact) or "llama" (folders with a .gguf file). `device` is "auto" (the fastest
    there is), "cpu", "cuda" or "mps", for torch. Torch computes in float32.
    Raises CheckpointError if the folder cannot be opened; no code of the folder is ever run.
    """
    exact = (lambda: open_engine(folder, engine="torch", device=device)) if _has_weights(folder) else None
    return Writer(open_engine(folder, engine=engine, device=device), folder, otherwise=exact)


def open_engine(folder: str | Path, *, engine: str = "auto", device: str = "auto") -> Engine:
    """The engine of that name with the model in `folder`; see `load`."""
    if engine not in ENGINES:
        raise ConfigError(f'engine = "{engine}" is not known. Give one of: {", ".join(ENGINES)}.')
    if engine == "auto":
        from mothertongue.use.llama_engine import can_open

        fits = device in ("auto", "cpu") and can_open(folder)
        nothing_else = any(Path(folder).glob("*.gguf")) and not _has_weights(folder)
        engine = "llama" if fits or nothing_else else "torch"
    return ENGINES[engine](folder, device)


def _has_weights(folder: str | Path) -> bool:
    return any(Path(folder).glob("model*.safetensors"))


def _torch(folder: str | Path, device: str, *, int8: bool = False) -> Engine:
    from mothertongue.model.checkpoint import open_checkpoint
    from mothertongue.use.torch_engine import TorchEngine

    place = torch_device(device)
    checkpoint = open_checkpoint(folder)
    checkpoint.model.to(place)  # type: ignore[arg-type]
    if int8:
        from mothertongue.use.int8 import use_int8_layers

        use_int8_layers(checkpoint.model)
    return TorchEngine(checkpoint.model, checkpoint.tokenizer)


def _torch_int8(folder: str | Path, device: str) -> Engine:
    return _torch(folder, "cpu" if device == "auto" else device, int8=True)


def _llama(folder: str | Path, device: str) -> Engine:
    from mothertongue.use.llama_engine import open_llama

    if device not in ("auto", "cpu"):
        raise ConfigError(
            f'device = "{device}" is for torch, and {folder} is computed by llama.cpp, on the CPU. Give "cpu", or a '
            "folder with model.safetensors."
        )

    return open_llama(folder)


ENGINES = {"auto": _torch, "torch": _torch, "torch-int8": _torch_int8, "llama": _llama}


def torch_device(name: str) -> torch.device:
    """The device of that name; "auto" is the fastest one there is. ConfigError if it is not there."""
    import torch

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
