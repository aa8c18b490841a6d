"""What every trainer of the comparison is given, and how it is measured: shared by processes of both environments.

A job is one process: a GPT-2 shape, a batch, a dropout, a number of steps. Time, processor time and peak memory are
taken between the end of the last warm-up step and the end of the last step. This file imports torch in functions only.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

MEGABYTE = 1 << 20


@dataclass(frozen=True)
class Job:
    """One training to be timed."""

    layers: int
    width: int
    heads: int
    vocabulary: int
    context: int  # positions that the model has
    length: int  # tokens of a sequence
    batch: int
    steps: int  # that are timed
    warm: int = 2  # steps before them
    dropout: float = 0.0
    seed: int = 0
    rate: float = 3e-4  # highest learning rate
    settings: Mapping[str, Any] = field(default_factory=dict)  # of our engine
    ids: str = ""  # file of uint16 tokens to train on, instead of draws
    out: str = ""  # folder for the trained model, which is not kept otherwise
    clock: str = "wall"  # or "processor": of all threads, for one thread on a machine that others use too

    @property
    def tokens(self) -> int:
        """Tokens of a step."""
        return self.batch * self.length

    def with_(self, **changes: Any) -> Job:
        return replace(self, **changes)


SIZES = {
    "tiny": Job(6, 384, 6, 16384, context=256, length=256, batch=8, steps=8),
    "small": Job(12, 768, 12, 50257, context=1024, length=256, batch=2, steps=4),
    "small_1024": Job(12, 768, 12, 50257, context=1024, length=1024, batch=1, steps=3, warm=1),
}


CLOCKS = {"wall": time.perf_counter, "processor": time.process_time}


class Meter:
    """Hears how many steps are finished, and measures those after the warm-up.

    The median step is what counts: another program that takes a core for a second then changes little.
    """

    def __init__(self, job: Job) -> None:
        self.job, self.found = job, dict[str, float]()
        self._ends: dict[str, list[float]] = {name: [] for name in CLOCKS}

    def at(self, finished: int) -> None:
        """To be called once after (or before) each step with the number of finished steps."""
        if not self.job.warm <= finished <= self.job.warm + self.job.steps:
            return
        for name, clock in CLOCKS.items():
            self._ends[name].append(clock())
        if finished == self.job.warm + self.job.steps:
            steps = {name: [end - start for start, end in pairwise(ends)] for name, ends in self._ends.items()}
            step = median(steps[self.job.clock])
            self.found = {
                "step_seconds": step,
                "tokens_per_second": self.job.tokens / step,
                **{f"{name}_seconds_mean": sum(times) / len(times) for name, times in steps.items()},
                **{f"{name}_seconds_least": min(times) for name, times in steps.items()},
                "peak_megabytes": peak_megabytes(),
            }


def peak_megabytes() -> float:
    """The most memory that this process has had in use (VmHWM)."""
    for line in Path("/proc/self/status").read_text("ascii").splitlines():
        if line.startswith("VmHWM:"):
            return int(line.split()[1]) * 1024 / MEGABYTE
    return 0.0


def token_stream(job: Job) -> Any:
    """Token ids (uint16) for every step of the job: seeded draws with word-like frequencies, or those of `ids`."""
    import numpy as np

    if job.ids:
        return np.memmap(job.ids, dtype=np.uint16, mode="r")
    count = (job.warm + job.steps + 2) * job.tokens + 1
    random = np.random.default_rng(job.seed)
    return (random.zipf(1.2, count) % job.vocabulary).astype(np.uint16)


def batches(job: Job, *, shift: int = 0) -> Any:
    """Its windows in random order, int64 of shape [warm + steps, batch, length]; the labels have a `shift` of 1."""
    import numpy as np
    import torch

    stream, random = token_stream(job), np.random.default_rng(job.seed)
    wanted, there = (job.warm + job.steps) * job.batch, (len(stream) - 1) // job.length
    orders = [random.permutation(there) for _ in range(-(-wanted // there))]
    rows = [
        stream[start + shift : start + shift + job.length]
        for start in np.concatenate(orders)[:wanted].astype(int) * job.length
    ]
    return torch.from_numpy(np.stack(rows).astype(np.int64)).view(-1, job.batch, job.length)


def gpt2(job: Job) -> Any:
    """A GPT2LMHeadModel with random weights."""
    import torch
    from transformers import GPT2Config, GPT2LMHeadModel

    torch.manual_seed(job.seed)
    shape = {"vocab_size": job.vocabulary, "n_positions": job.context, "n_embd": job.width, "n_layer": job.layers}
    drop = dict.fromkeys(("resid_pdrop", "embd_pdrop", "attn_pdrop"), job.dropout)
    ends = {"bos_token_id": 0, "eos_token_id": 0}
    config = GPT2Config.from_dict({**shape, **drop, "n_head": job.heads, **ends, "use_cache": False})
    return GPT2LMHeadModel(config).train()


def keep(job: Job, model: Any) -> None:
    """Save the trained model, if the job says where."""
    if job.out:
        model.save_pretrained(job.out)


def answer(arms: Mapping[str, Callable[[Job], Mapping[str, float]]]) -> None:
    """The main function of a process: `script.py ARM JOB`, the job as JSON; prints what was measured as JSON."""
    import warnings

    warnings.simplefilter("ignore")
    job = Job(**json.loads(sys.argv[2]))
    found = arms[sys.argv[1]](job)
    print(json.dumps({key: round(value, 6) for key, value in found.items()}))


def order(job: Job) -> str:
    """The job as an argument."""
    return json.dumps(asdict(job))


def threads() -> int:
    """Threads that every process of the comparison may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
