"""How fast models write, all in one engine (llama.cpp), in the same minutes, by turns."""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from mothertongue.export.gguf import write_model
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.use.llama_engine import LlamaEngine

ROUNDS, PROMPT, TOKENS = 7, 8, 48


def tokens_per_second(models: Mapping[str, tuple[Path, str]]) -> dict[str, float]:
    """Name -> median speed at batch 1 behind a short text; `models` are checkpoints and the dtypes of their files."""
    with TemporaryDirectory() as place:
        engines = {name: _engine(*model, Path(place) / f"{name}.gguf") for name, model in models.items()}
        seconds: dict[str, list[float]] = {name: [] for name in models}
        for _ in range(ROUNDS + 1):
            for name, engine in engines.items():
                seconds[name].append(_write(engine))
        return {name: TOKENS / statistics.median(times[1:]) for name, times in seconds.items()}


def _engine(checkpoint: Path, dtype: str, file: Path) -> LlamaEngine:
    opened = open_checkpoint(checkpoint)
    write_model(opened.model, opened.tokenizer, file, dtype=dtype)
    return LlamaEngine(file, opened.tokenizer)


def _write(engine: LlamaEngine) -> float:
    rows = engine.rows([[engine.end_id] * PROMPT], room=TOKENS)
    begun = time.perf_counter()
    for _ in range(TOKENS):
        rows.step([int(rows.logits[0].argmax())])
    taken = time.perf_counter() - begun
    rows.close()
    return taken
