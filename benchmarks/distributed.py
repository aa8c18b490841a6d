"""What do several processes cost? Two of one thread each, with DDP and with FSDP2, against one of two threads.

    python benchmarks/distributed.py               a minute

A model of 6 layers, 384 wide, vocabulary 16,384; 4 sequences of 256 tokens a step, random ids, no dropout. The two live
through all rounds; in the rounds of one process the second sleeps. Medians of the ratios within a round. It must have
both cores to itself.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from statistics import median
from typing import Any

import torch
from transformers import GPT2Config, GPT2LMHeadModel

from mothertongue.model.anatomy import GROUPS, set_dropout
from mothertongue.model.distributed import join, mean_of_all
from mothertongue.model.loss import next_token_loss
from mothertongue.model.products import fast_products
from mothertongue.run.team import rank, world
from mothertongue.train.config import TrainConfig
from mothertongue.train.learner import Learner
from mothertongue.train.schedule import Phase
from results_file import write_results

TEAM = {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": "29417", "OMP_NUM_THREADS": "1"}
ARMS = ("one", "ddp", "fsdp")
ROUNDS, STEPS, BATCH, LENGTH, VOCABULARY = 3, 3, 4, 256, 16384


def tokens_per_second(arm: str) -> float:
    """Of one arm, after a step that is not counted."""
    torch.manual_seed(0)
    sizes: dict[str, Any] = {
        "n_positions": LENGTH,
        "n_embd": 384,
        "n_layer": 6,
        "n_head": 6,
        "bos_token_id": 0,
        "eos_token_id": 0,
    }
    model = set_dropout(GPT2LMHeadModel(GPT2Config(vocab_size=VOCABULARY, **sizes)), 0.0)
    learner = Learner(model, TrainConfig(batch_size=BATCH, distributed="ddp" if arm == "one" else arm))
    phase = Phase("all", STEPS, dict.fromkeys(GROUPS, 1e-4), lambda step, steps: 1.0)
    tokens_BT = torch.randint(VOCABULARY, (BATCH, LENGTH + 1))[rank() :: world()]
    learner.begin()
    begun = 0.0
    with fast_products(model):
        for step in range(STEPS + 1):
            begun = begun if step > 1 else time.perf_counter()
            learner.set_rates(phase, 0)
            learner.gradients(next_token_loss, tokens_BT)
            learner.step(step + 1)
    return STEPS * BATCH * LENGTH / (time.perf_counter() - begun)


def play() -> None:
    """What each of the two does; the first writes the result."""
    join()
    rows: list[dict[str, Any]] = []
    begun = time.perf_counter()
    for _ in range(ROUNDS):
        row: dict[str, Any] = {}
        for arm in ARMS:
            mean_of_all(0.0)
            if arm != "one":
                row[arm] = tokens_per_second(arm)
            elif rank() == 0:
                os.environ["WORLD_SIZE"] = "1"
                torch.set_num_threads(2)
                row[arm] = tokens_per_second(arm)
                torch.set_num_threads(1)
                os.environ["WORLD_SIZE"] = "2"
        rows.append({name: round(value, 1) for name, value in row.items()})
    if rank() == 0:
        figures = {f"{arm}_vs_one": round(median(row[arm] / row["one"] for row in rows), 3) for arm in ARMS[1:]}
        print(write_results("distributed", figures, rows, seconds=time.perf_counter() - begun), figures)


if __name__ == "__main__":
    if "RANK" in os.environ:
        play()
    else:
        each = [os.environ | TEAM | {"RANK": str(number)} for number in range(2)]
        team = [subprocess.Popen([sys.executable, *sys.argv], env=place) for place in each]
        sys.exit(max(process.wait() for process in team))
