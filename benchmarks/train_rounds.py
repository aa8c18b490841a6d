"""Rounds of the training benchmark: every arm once, in turn, again and again; a finished round is never run twice.

The peers' environment is made in the user's cache folder, as are the state of unfinished benchmarks and other files.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from statistics import median
from types import MappingProxyType
from typing import Any

from peers_home import environment
from results_file import SOURCE
from train_job import Job, order

HERE = Path(__file__).parent
# Lightning 2.6.1 is of January 2026: releases of April 2026 were malicious and have been removed
PEERS = ("torch==2.13.0", "transformers==5.23.0", "numpy==2.4.6", "tokenizers==0.23.3", "safetensors==0.8.0",
         "fastai==2.8.12", "accelerate==1.15.0", "pytorch-lightning==2.6.1")  # fmt: skip
WITHOUT = ("torchvision",)  # fastai brings one that breaks transformers' GPT-2
LIMIT_SECONDS = 7200
UNSHOWN = ("job", "jobs", "predictor")  # settings that are in the state, not in the rows
# glibc maps large blocks anew each time, and faults their pages in one by one, unless told otherwise
HEAP = {"MALLOC_MMAP_MAX_": "0", "MALLOC_TRIM_THRESHOLD_": "17179869184"}
MEASURING = ("job", "peers", "nano", "ours", "engine", "gemm", "kill", "score", "text")
Result = dict[str, float]
Round = dict[str, Result]  # arm -> what was measured


class Bench:
    """Where things are, how many rounds are asked for, and every measurement as a row."""

    def __init__(self, folder: Path, *, rounds: int, threads: int, fresh: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.threads = threads
        self.folder, self.rounds = folder, rounds
        self.rows, self.notes = list[dict[str, Any]](), list[str]()
        self.earlier_seconds = 0.0  # of measurements that an earlier run has made
        self.state = folder / "rounds.jsonl"
        for file in folder.glob("*.json*") if fresh else ():
            file.unlink()
        self.scripts, self.source = script_hash(), source_hash()
        self._peers: Path | None = None

    @property
    def peers(self) -> Path:
        """The Python of the peers' environment, made if it is not there."""
        self._peers = self._peers or environment("train-peers", "MOTHERTONGUE_TRAIN_PEERS", PEERS, without=WITHOUT)
        return self._peers

    def train(self, arm: str, job: Job) -> Result:
        """One training by our engine or by another library."""
        if arm == "ours":
            return self.run("train_ours.py", arm, order(job))
        return self.run("train_peers.py", arm, order(job), python=self.peers)

    def bound(self, job: Job) -> Result:
        """The matrix products of that training alone."""
        return self.run("train_gemm.py", "bound", order(job), environment=HEAP)

    def turns(
        self, question: str, settings: Mapping[str, Any], jobs: Mapping[str, Callable[[], Result]], *, rounds: int = 0
    ) -> list[Round]:
        """Every job in turn, for all rounds; those that an earlier run of the same source has finished are kept."""
        rounds = rounds or self.rounds
        key = {"question": question, **settings, "arms": sorted(jobs), "threads": self.threads, "source": self.source}
        kept = [one for one in self._finished() if one["key"] == json.loads(json.dumps(key))][:rounds]
        self.earlier_seconds += sum(one["seconds"] for one in kept)
        found = [one["found"] for one in kept]
        while len(found) < rounds:
            started = time.monotonic()
            found.append({name: self._timed(question, name, job) for name, job in jobs.items()})
            line = {"key": key, "found": found[-1], "seconds": time.monotonic() - started}
            with self.state.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")
        for number, one in enumerate(found, start=1):
            shown = {name: value for name, value in settings.items() if name not in UNSHOWN}
            self.rows += [
                {"question": question, **shown, "round": number, "who": who, **row} for who, row in one.items()
            ]
        return found

    def kills(self, **settings: float) -> Result:
        """A training killed again and again."""
        return self.run("train_kill.py", "kills", json.dumps(settings))

    def run(
        self,
        script: str,
        *arguments: str,
        python: str | Path = sys.executable,
        environment: Mapping[str, str] = MappingProxyType({}),
    ) -> Result:
        """The JSON that a script of this folder prints last."""
        environment = {
            **os.environ, **environment, "OMP_NUM_THREADS": str(self.threads), "TOKENIZERS_PARALLELISM": "false",
            "HF_HUB_OFFLINE": "1", "CUDA_VISIBLE_DEVICES": "", "PYTHONPATH": str(SOURCE),
        }  # fmt: skip
        done = subprocess.run(
            [str(python), str(HERE / script), *arguments],
            capture_output=True, text=True, check=False, env=environment, timeout=LIMIT_SECONDS,
        )  # fmt: skip
        if done.returncode:
            raise SystemExit(f"{script} {' '.join(arguments)[:200]} failed:\n{done.stderr[-3000:]}")
        result: Result = json.loads(done.stdout.splitlines()[-1])
        return result

    def _timed(self, question: str, name: str, job: Callable[[], Result]) -> Result:
        started, load = time.monotonic(), os.getloadavg()[0]  # of one minute: 1 to 2 are the arm before this one
        result = job() | {"load_before": round(load, 2)}
        print(f"{question}: {name}: {time.monotonic() - started:.0f} s: {json.dumps(result)}", flush=True)
        return result

    def _finished(self) -> list[dict[str, Any]]:
        if not self.state.is_file():
            return []
        return [json.loads(line) for line in self.state.read_text("utf-8").splitlines()]


def ratio(rounds: Sequence[Round], arm: str, other: str, measure: str = "tokens_per_second") -> float:
    """`arm` over `other` in each round, the median of these."""
    return round(median(one[arm][measure] / one[other][measure] for one in rounds), 3)


def script_hash() -> str:
    """What every measurement depends on: a change of these files makes earlier ones invalid."""
    return _hash(HERE / f"train_{name}.py" for name in MEASURING)


def source_hash() -> str:
    """What a measurement of our engine depends on as well."""
    package = SOURCE / "mothertongue"
    return script_hash()[:8] + _hash(file for room in ("train", "model") for file in package.glob(f"{room}/*.py"))[:8]


def predictor_hash() -> str:
    """What a prediction depends on."""
    package = SOURCE / "mothertongue"
    return _hash([*package.glob("run/*.py"), package / "model" / "probe.py"])


def _hash(files: Iterable[Path]) -> str:
    return hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()[:16]
