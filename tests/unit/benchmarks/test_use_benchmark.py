"""The parts of benchmarks/use.py that compute."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

import pytest

BENCHMARKS = Path(__file__).parents[3] / "benchmarks"


def measured(**values: float) -> dict[str, float]:
    names = ("start_seconds", "first_token_ms", "decode_1", "decode_8", "card_seconds", "score64_ms", "peak_mb")
    return {**dict.fromkeys(names, 1.0), **values}


def test_figures_are_medians_of_ratios_within_a_round(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(BENCHMARKS))
    rounds = [
        {
            "ours": measured(decode_1=ours, card_seconds=2.0, peak_mb=30.0),
            "ours-int8": measured(decode_8=9.0, score64_ms=4.0),
            "transformers": measured(decode_1=theirs, card_seconds=8.0, score64_ms=20.0, peak_mb=100.0),
            "bare-llama.cpp": measured(decode_1=ours * 1.25),
            "ctranslate2-int8": measured(),
            "onnx-int8": measured(),
            "bandwidth": {"gigabytes_per_second": 10.0},
        }
        for ours, theirs in ((100.0, 10.0), (80.0, 20.0), (50.0, 5.0))
    ]
    found = import_module("use").figures(rounds, 0.1e9)
    assert found["decode_vs_transformers"] == 10
    assert found["decode_vs_best_peer"] == found["decode_vs_bare"] == 0.8
    assert found["card_use_vs_transformers"] == 4
    assert found["memory_vs_transformers"] == 0.3
    assert found["batch8_vs_transformers"] == 9
    assert found["score64_vs_transformers"] == 5
    assert found["share_of_bandwidth"] == 0.8
