"""The table of docs/how-to/use-the-model.md, from results/use.json: `docs_tables.py` writes it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from statistics import median

from results_file import Row, table

NAMES = {"transformers": "transformers", "ours-torch": '**ours**, `"torch"`', "ours-int8": '**ours**, `"torch-int8"`',
         "ours-f32": '**ours**, `"llama"`, float32', "ours-f16": '**ours**, `"llama"`, float16',
         "ours": '**ours**, `"llama"`, q8_0', "ours-q4": '**ours**, `"llama"`, q4_0',
         "bare-llama.cpp": "llama.cpp, q8_0",
         "ctranslate2-float32": "CTranslate2, float32", "ctranslate2-int8": "CTranslate2, int8",
         "onnx-float32": "ONNX Runtime, float32", "onnx-int8": "ONNX Runtime, int8"}  # fmt: skip
COLUMNS = {"tokens/s": "decode_1", "8 at once": "decode_8", "64 scores, ms": "score64_ms", "start, s": "start_seconds",
           "MB": "peak_mb"}  # fmt: skip


def engines(rows: Sequence[Row]) -> str:
    """Speed and memory of every engine; medians over rounds."""
    own = [row for row in rows if row["question"] == "speed"]

    def cell(who: str, measure: str) -> str:
        value = median(row[measure] for row in own if row["who"] == who)
        return f"{value:.2f}" if measure == "start_seconds" else f"{value:,.0f}"

    lines = [[name, *(cell(who, measure) for measure in COLUMNS.values())] for who, name in NAMES.items()]
    return table(["engine", *COLUMNS], lines)


TABLES: dict[str, Callable[[Sequence[Row]], str]] = {"engines": engines}
