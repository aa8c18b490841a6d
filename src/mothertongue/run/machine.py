"""How fast this machine trains: what the terms of a training's cost take here, measured by short trainings.

The measuring is `mothertongue.model.probe`, in a process of its own: torch stays out of this one, and the threads are
those that a training would have.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from mothertongue.errors import ArtifactError
from mothertongue.run.progress import track

PROBE_SECONDS = 20.0


@dataclass(frozen=True)
class Machine:
    """What was measured: the costs of one of each term of a training, named in predict.py."""

    seconds: Mapping[str, float]
    bytes: Mapping[str, float] = field(default_factory=dict)
    base_megabytes: float = 0.0  # of a process that has done nothing yet
    heap_megabytes: float = 0.0  # that a training holds beside weights, moments, gradients and activations
    threads: int = 1
    idle: float = 1.0  # share of a core that other programs left
    memory_megabytes: float = float("inf")  # of the whole machine
    has_gpu: bool = False  # seen, not measured

    @property
    def gigaflop_per_second(self) -> float:
        """Of float32 matrix products, within a training."""
        return 1e-9 / max(self.seconds["products"], 1e-18)


def measure_machine(seconds: float = PROBE_SECONDS) -> Machine:
    """Train small models for about `seconds` in another process; ArtifactError if that does not work."""
    order = [sys.executable, "-m", "mothertongue.model.probe", str(seconds)]
    last, gone = "", 0.0
    with (
        subprocess.Popen(order, stdout=subprocess.PIPE, text=True) as probe,
        track("measuring this machine", total=100, unit="%") as bar,
    ):
        assert probe.stdout is not None
        for line in probe.stdout:
            last = line
            if not line.startswith("{"):
                bar.advance(100 * (float(line) - gone))
                gone = float(line)
    if probe.returncode or not last.startswith("{"):
        raise ArtifactError(
            f"This machine could not be measured: a training of small models ended with {probe.returncode}; "
            f"what it said stands above. Try it alone: python -m mothertongue.model.probe {seconds:g}"
        )
    return Machine(
        **json.loads(last), memory_megabytes=memory_megabytes(), has_gpu=shutil.which("nvidia-smi") is not None
    )


def memory_megabytes(limit: Path = Path("/sys/fs/cgroup/memory.max")) -> float:
    """Memory of this machine, or of the container if it may use less; infinite where nobody says."""
    names = getattr(os, "sysconf_names", {})
    whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e6 if "SC_PHYS_PAGES" in names else float("inf")
    given = limit.read_text("ascii").strip() if limit.is_file() else ""
    return min(whole, int(given) / 1e6) if given.isdigit() else whole
