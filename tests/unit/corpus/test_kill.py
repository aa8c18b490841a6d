"""kill -9 at ten random moments of `mothertongue corpus`, by one process and by two: the same bytes as without."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from .test_stage import bytes_of

KILLS = 10


def edited(text: str, seed: int) -> str:
    """The same text with a few other words: a near-duplicate."""
    words = text.split()
    for at in random.Random(seed).sample(range(len(words)), 3):
        words[at] = "jinak"
    return " ".join(words)


@pytest.mark.parametrize("processes", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_killed_at_ten_random_moments_it_ends_with_the_same_bytes(
    tmp_path: Path, many: Callable[..., list[str]], jsonl: Callable[..., Path], processes: int
) -> None:
    sources = list[str]()
    shared = many(40, seed=99)  # stands whole or edited in every file
    for number in range(4):
        texts = [*many(50, seed=number), *shared[:20], *(edited(text, number) for text in shared[20:])]
        sources.append(str(jsonl(texts, f"{number}.jsonl")))
    seed = random.randrange(10_000)  # other moments each time; shown when the test fails
    script = Path(__file__).with_name("kill_corpus.py")
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path / "runs"), str(processes), str(KILLS), str(seed), *sources],
        capture_output=True,
        text=True,
        timeout=600,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
    )
    assert done.returncode == 0, (seed, done.stderr)
    hits = json.loads(done.stdout)
    assert sum(hits) >= KILLS
    whole = bytes_of(tmp_path / "runs" / "whole")
    assert whole.pop("manifest.json") and len(whole) == 5
    assert "near-duplicate" in (tmp_path / "runs" / "whole" / "dropped.jsonl").read_text("utf-8")
    for number in range(len(hits)):
        killed = bytes_of(tmp_path / "runs" / str(number))
        assert killed.pop("manifest.json")
        assert killed == whole, (seed, hits)
