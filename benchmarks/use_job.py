"""What every arm of use.py is asked, and how it is timed. Imports nothing of mothertongue: peers use it, too."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Sequence
from random import Random
from statistics import median
from typing import Protocol

from train_job import peak_megabytes

VOCABULARY = 50257
PROMPT = [0, *range(300, 314)]  # 15 tokens: also the prefix of the candidates
LONG = [300 + i % 5000 for i in range(512)]
CANDIDATES = [[Random(i).randrange(300, 50000) for _ in range(20)] for i in range(64)]
CARD_TOKENS = 100
BATCH = 8


class Arm(Protocol):
    """One engine with its model open. What it does not do is 0 tokens, or None."""

    def write(self, count: int, *, rows: int, card: bool) -> int:
        """Draw `count` tokens after PROMPT in each of `rows` texts, top-k 50 or as the Czech card; how many came."""

    def read(self) -> None:
        """The next token's logits after LONG."""

    def score(self) -> Sequence[float] | None:
        """The log-probability of each of CANDIDATES behind PROMPT."""


def measure(open_arm: Callable[[], Arm], *, started: float, tokens: int) -> None:
    """Ask everything of an arm and print one JSON object. `started` is when the process was, by the parent's clock."""
    arm = open_arm()
    arm.write(1, rows=1, card=False)
    found = {"start_seconds": time.time() - started}
    arm.write(4, rows=1, card=False)
    found["first_token_ms"] = 1e3 * median(_seconds(lambda: arm.write(1, rows=1, card=False)) for _ in range(5))
    found["decode_1"] = _speed(arm, tokens, rows=1)
    found["peak_mb"] = peak_megabytes()
    found["decode_8"] = _speed(arm, tokens // 2, rows=BATCH)
    came: list[int] = []
    seconds = _seconds(lambda: came.append(arm.write(CARD_TOKENS, rows=3, card=True)))
    if came[0]:
        found["card_seconds"] = seconds
    found["prefill_512"] = len(LONG) / _seconds(arm.read)
    scores: list[float] = []
    seconds = _seconds(lambda: scores.extend(arm.score() or ()))
    if scores:
        found |= {"score64_ms": 1e3 * seconds, "score_mean": sum(scores) / len(scores)}
    print(json.dumps({name: round(value, 4) for name, value in found.items()}))


def arguments() -> tuple[str, str, float, int]:
    """Arm, folder of models, start and tokens, as use.py gives them."""
    arm, folder, started, tokens = sys.argv[1:5]
    return arm, folder, float(started), int(tokens)


def _speed(arm: Arm, tokens: int, *, rows: int) -> float:
    started = time.perf_counter()
    return arm.write(tokens, rows=rows, card=False) / (time.perf_counter() - started)


def _seconds(what: Callable[[], object]) -> float:
    started = time.perf_counter()
    what()
    return time.perf_counter() - started
