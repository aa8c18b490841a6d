"""How fast models write and how much memory that takes, all in one engine (llama.cpp).

python benchmarks/compress_speed.py FOLDER      megabytes of this process, which opens a model and writes
"""

from __future__ import annotations

import statistics
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from mothertongue.use.llama_engine import MODEL_FILE, LlamaEngine, open_llama

ROUNDS, PROMPT, TOKENS = 7, 8, 48


@dataclass(frozen=True)
class Speed:
    """Size of a file, tokens per second at batch 1 behind a short text, peak of a process that does nothing else."""

    megabytes: float

    tokens_per_second: float
    peak_megabytes: float


def speeds(models: Mapping[str, tuple[Path, str]]) -> dict[str, Speed]:
    """Of each name; `models` are checkpoints and the dtypes of their files. Speeds are medians, measured by turns."""
    with TemporaryDirectory() as place:
        folders = {name: _exported(*model, Path(place) / name) for name, model in models.items()}
        engines = {name: open_llama(folder) for name, folder in folders.items()}
        seconds: dict[str, list[float]] = {name: [] for name in models}
        for _ in range(ROUNDS + 1):
            for name, engine in engines.items():
                seconds[name].append(_write(engine))
        rates = {name: TOKENS / statistics.median(times[1:]) for name, times in seconds.items()}
        return {
            name: Speed((folder / MODEL_FILE).stat().st_size / 1e6, round(rates[name], 1), _peak(folder))
            for name, folder in folders.items()
        }


def _exported(checkpoint: Path, dtype: str, folder: Path) -> Path:
    from mothertongue.export.gguf import write_model  # torch, which the measured process does not need
    from mothertongue.model.checkpoint import open_checkpoint

    opened = open_checkpoint(checkpoint)
    folder.mkdir()
    opened.tokenizer.save(str(folder / "tokenizer.json"))
    write_model(opened.model, opened.tokenizer, folder / MODEL_FILE, dtype=dtype)
    return folder


def _write(engine: LlamaEngine) -> float:
    rows = engine.rows([[engine.end_id] * PROMPT], room=TOKENS)
    begun = time.perf_counter()
    for _ in range(TOKENS):
        rows.step([int(rows.logits[0].argmax())])
    taken = time.perf_counter() - begun
    rows.close()
    return taken


def _peak(folder: Path) -> float:
    command = [sys.executable, __file__, str(folder)]
    return float(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


def _own_peak() -> float:
    status = Path("/proc/self/status").read_text("utf-8")
    return int(status.split("VmHWM:")[1].split()[0]) * 1024 / 1e6


if __name__ == "__main__":
    _write(open_llama(Path(sys.argv[1])))
    print(round(_own_peak(), 1))
