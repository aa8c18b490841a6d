"""How fast this machine multiplies matrices: the one number from which the length of a training follows.

One process for each core multiplies with one thread and counts its own processor time, so that programs which happen
to run now hardly change the result, and cores that share a unit are not counted twice.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from dataclasses import dataclass

from mothertongue.errors import ArtifactError

PROBE_SECONDS = 1.0  # of processor time, on each core
# Where this probe gives 225-250 GFLOP/s (two AMD cores), a training of 5.6 M parameters does 170-185: what is between
# is attention, the optimizer and scoring.
TRAINING_SHARE = 0.7
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "BLIS_NUM_THREADS"), "1"
)
# products of the size that a small model's training has; the median of their rates in GFLOP/s
PROBE = """
import statistics, sys, time
import numpy as np
random = np.random.default_rng(0)
left, right = (random.standard_normal((1024, 1024), dtype=np.float32) for _ in range(2))
left @ right
rates, end = [], time.process_time() + float(sys.argv[1])
while len(rates) < 3 or time.process_time() < end:
    start = time.process_time()
    left @ right
    rates.append(2 * 1024**3 / max(time.process_time() - start, 1e-9) / 1e9)
print(statistics.median(rates))
"""


@dataclass(frozen=True)
class Machine:
    """What was measured."""

    gigaflop_per_second: float  # float32 matrix products on all cores together
    cores: int
    has_gpu: bool = False  # seen, not measured

    @property
    def training_teraflop_per_hour(self) -> float:
        """What a training can be expected to do in an hour, in 10^12 operations."""
        return self.gigaflop_per_second * TRAINING_SHARE * 3600 / 1000


def measure_machine(seconds: float = PROBE_SECONDS) -> Machine:
    """Multiply float32 matrices with numpy on every core that this process may use.

    torch reaches 0.85-1 of numpy's rate, and would take longer to import than to measure.
    """
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    order = [sys.executable, "-c", PROBE, str(seconds)]
    probes = [subprocess.Popen(order, env={**os.environ, **ONE_THREAD}, stdout=subprocess.PIPE) for _ in range(cores)]
    answers = [probe.communicate()[0] for probe in probes]
    try:
        rate = sum(float(answer) for answer in answers)
    except ValueError as error:
        raise ArtifactError("This machine could not be measured: numpy did not start. Reinstall it.") from error
    return Machine(rate, cores, shutil.which("nvidia-smi") is not None)
