"""A training killed again and again against one that nobody touched: `train_kill.py kills SETTINGS`.

Half of the kills come at a random moment after the start, the other half while a state is being written: the folder is
watched, and the process is killed as soon as a half-written file is seen. torch is imported once here and each life of
the training is a fork, as in tests/e2e/test_kill.py; a fork has no threads of its parent's, which computes nothing.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from mothertongue.run.manifest import PROGRESS
from train_engine import learn
from train_job import Job, gpt2

# 300 steps of about 80 ms, a state of 20 MB each second
JOB = Job(4, 160, 5, 2048, context=128, length=128, batch=8, steps=300, dropout=0.1, rate=1e-3)
STARTED = "started"  # is there when a life of the training begins its first step
POLL_SECONDS = 0.0005


@dataclass(frozen=True)
class Settings:
    """What is asked for."""

    kills: int = 20
    seed: int = 0
    steps: int = JOB.steps
    save_seconds: float = 1.0
    optimizer: str = ""  # of LoopConfig; its default if empty


def train(settings: Settings, out: Path) -> None:
    """One life: from the newest state to the end, then the weights' hash beside the log."""
    job = JOB.with_(steps=settings.steps, settings={"optimizer": settings.optimizer} if settings.optimizer else {})
    model = gpt2(job)
    minutes = settings.save_seconds / 60
    learn(model, job, out, steps=settings.steps, before_step=lambda _: (out / STARTED).touch(), save_minutes=minutes)
    digest = hashlib.sha256()
    for name, tensor in sorted(model.state_dict().items()):
        digest.update(name.encode() + tensor.contiguous().numpy().tobytes())
    (out / "sha256").write_text(digest.hexdigest(), "ascii")


def start(settings: Settings, out: Path) -> int:
    """A life of the training in a fork; its process id."""
    (out / STARTED).unlink(missing_ok=True)
    child = os.fork()
    if child == 0:
        quiet = os.open(os.devnull, os.O_WRONLY)
        os.dup2(quiet, 1)
        try:
            sys.stderr = open(out / "errors", "a", encoding="utf-8")  # noqa: PTH123, SIM115  until the process ends
            train(settings, out)
        except BaseException:
            sys.excepthook(*sys.exc_info())
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)
    return child


def alive(child: int) -> bool:
    """Whether it is still at work; SystemExit if it has failed."""
    done, status = os.waitpid(child, os.WNOHANG)
    if done and status:
        raise SystemExit(f"a life of the training has failed with status {status}")
    return not done


def half_written(out: Path) -> set[tuple[str, int]]:
    """Name and time of whatever in the folder of states is not a whole state."""
    found = set()
    for file in (out / PROGRESS).glob("*"):
        with suppress(FileNotFoundError):  # it has just become a whole one
            if not file.name.startswith("step-"):
                found.add((file.name, file.stat().st_mtime_ns))
    return found


def wait_until_begun(child: int, out: Path) -> bool:
    while not (out / STARTED).exists():
        if not alive(child):
            return False
        time.sleep(POLL_SECONDS)
    return True


def kill_at_random(settings: Settings, out: Path, chance: random.Random) -> str:
    """Kill a life somewhere between its start and its second state; what was hit, if anything."""
    before, child = half_written(out), start(settings, out)
    if not wait_until_begun(child, out):
        return ""
    end = time.monotonic() + chance.uniform(0, 2 * settings.save_seconds)
    while time.monotonic() < end:
        if not alive(child):
            return ""
        time.sleep(POLL_SECONDS)
    return kill(child, out, before)


def kill_while_saving(settings: Settings, out: Path, chance: random.Random) -> str:
    """Kill a life as soon as a state is begun to be written, or some milliseconds later."""
    before, child = half_written(out), start(settings, out)
    while half_written(out) <= before:  # what the life before has left is no news
        if not alive(child):
            return ""
        time.sleep(POLL_SECONDS)
    time.sleep(chance.choice((0.0, 0.002, 0.005)))
    return kill(child, out, before)


def kill(child: int, out: Path, before: set[tuple[str, int]]) -> str:
    """What the killed process was at: it has left a new half-written file, or it has not."""
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return "between" if half_written(out) <= before else "saving"


def kills(settings: Settings) -> dict[str, float]:
    """Both trainings; `survived` is the number of kills if weights and losses are the same to the last bit, else 0."""
    chance = random.Random(settings.seed)
    with tempfile.TemporaryDirectory() as folder:
        whole, killed = Path(folder) / "whole", Path(folder) / "killed"
        for out in (whole, killed):
            (out / PROGRESS).mkdir(parents=True)
        started = time.monotonic()
        finish(start(settings, whole))
        seconds = time.monotonic() - started
        hits: list[str] = []
        while len(hits) < settings.kills:
            way = kill_while_saving if len(hits) % 2 else kill_at_random
            hit = way(settings, killed, chance)
            if not hit:
                break  # it has come to its end
            hits.append(hit)
        finish(start(settings, killed))
        same = {
            "weights": (whole / "sha256").read_text("ascii") == (killed / "sha256").read_text("ascii"),
            "losses": losses(whole) == losses(killed),
        }
    return {
        "kills": len(hits),
        "while_saving": hits.count("saving"),
        "same_weights": float(same["weights"]),
        "same_losses": float(same["losses"]),
        "survived": len(hits) * float(all(same.values())),
        "seconds_untouched": seconds,
    }


def finish(child: int) -> None:
    _, status = os.waitpid(child, 0)
    if status:
        raise SystemExit(f"the training has failed with status {status}")


def losses(out: Path) -> list[Any]:
    """What the log says of learning, without how long it took."""
    lines = (json.loads(line) for line in (out / "log.jsonl").read_text("utf-8").splitlines())
    return [{key: line[key] for key in ("step", "loss", "dev_bits_per_byte") if key in line} for line in lines]


if __name__ == "__main__":
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    print(json.dumps(kills(Settings(**json.loads(sys.argv[2])))))
