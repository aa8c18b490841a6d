"""Our training engine against other trainers and against the machine's limit, its exact resume, and what it learns.

    MOTHERTONGUE_DATA=../shared/data chrt -r 1 python benchmarks/train.py        hours; resumable, a round at a time
    python benchmarks/train.py --only speed --sizes tiny --rounds 1 --steps 5    a quick look
    ... --only sample --threads 1 --clock processor --languages cs     one of the two cores; the other one for en
    ... --threads 1 --clock processor    on a busy machine: two threads that wait for each other measure nothing there

The peers (transformers' Trainer, fastai, Lightning, accelerate, a plain loop, a nanoGPT-style model) get an environment
of their own in the user's cache folder, unless MOTHERTONGUE_TRAIN_PEERS names its Python. Every training is a process
of its own with as many threads as there are cores, all started alike; arms take turns, a ratio is taken within each
round, and the median of these counts.

--only speed    train_speed.py: tokens per second, memory, share of the matrix products (train_gemm.py)
--only kills    train_kill.py: a training killed 20 times against one that nobody touched
--only sample   train_sample.py: held-out bits per byte in equal time, from scratch (train_text.py, train_score.py)
--only plan     train_plan.py: what `plan` predicts against what is measured

train_job.py has what a process is given, train_peers.py and train_nano.py the other trainers, train_ours.py and
train_engine.py ours, train_rounds.py the turns.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Callable

import train_plan
import train_sample
import train_speed
from peers_home import CACHE
from results_file import write_results
from train_job import CLOCKS, SIZES, threads
from train_plan import plan
from train_rounds import Bench
from train_sample import sample
from train_speed import ARMS, speed
from train_text import SOURCES

Question = Callable[[Bench, argparse.Namespace], dict[str, float]]


def kills(bench: Bench, asked: argparse.Namespace) -> dict[str, float]:
    """How many kills a training survives without any change."""
    settings = {"kills": asked.kills, "steps": asked.kill_steps, "seed": asked.kill_seed}
    found = bench.turns("kills", settings, {"ours": lambda: bench.kills(**settings)}, rounds=1)[0]["ours"]
    return {"kills_survived": found["survived"], "kills_while_saving": found["while_saving"]}


KILL_NOTES = (
    "kills_survived: how often a training of 300 steps with dropout 0.1, which saves its state each second, was killed "
    "with -9 (every second time while a state was being written) if its weights and logged losses are the same to the "
    "last bit as those of a training that nobody touched, else 0; kills_while_saving left a half-written file",
)
QUESTIONS: dict[str, Question] = {"speed": speed, "kills": kills, "sample": sample, "plan": plan}
NOTES = {"speed": train_speed.NOTES, "kills": KILL_NOTES, "sample": train_sample.NOTES, "plan": train_plan.NOTES}


def options() -> argparse.Namespace:
    """What is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    add = parser.add_argument
    add("--only", nargs="+", choices=QUESTIONS, default=list(QUESTIONS), help="questions to answer")
    add("--rounds", type=int, default=3, help="how often each arm takes its turn")
    add("--threads", type=int, default=threads(), help="of every process; one for each core if not given")
    add("--clock", choices=CLOCKS, default="wall", help="processor, with --threads 1: for a busy machine")
    add("--steps", type=int, default=0, help="timed steps of a training; 0 = by its size")
    add("--sizes", nargs="+", choices=SIZES, default=list(SIZES), help="speed: models")
    add("--arms", nargs="+", choices=ARMS, default=list(ARMS), help="speed: trainers")
    add("--dropouts", nargs="+", type=float, default=[0.0, 0.1], help="speed: dropouts, equal for all")
    add("--kills", type=int, default=20, help="kills of one training")
    add("--kill-steps", type=int, default=300, help="steps of that training")
    add("--kill-seed", type=int, default=0, help="another one kills at other moments")
    add("--minutes", type=float, default=10.0, help="sample: of every training")
    add("--seeds", type=int, default=3, help="sample: trainings of every arm")
    add("--languages", nargs="+", choices=SOURCES, default=list(SOURCES), help="sample: languages")
    add("--sample-arms", nargs="+", choices=train_sample.ARMS, default=list(train_sample.ARMS), help="sample: arms")
    add("--repeat", nargs="*", choices=train_sample.ARMS, default=list(train_sample.ARMS), help="sample: all seeds")
    add("--name", default="train", help="name of the results file and of the state of an unfinished run")
    add("--fresh", action="store_true", help="forget all that an earlier run of this name has measured")
    return parser.parse_args()


def main() -> None:
    asked = options()
    started = time.monotonic()
    bench = Bench(CACHE / "train-rounds" / asked.name, rounds=asked.rounds, threads=asked.threads, fresh=asked.fresh)
    figures: dict[str, float] = {}
    for name in asked.only:
        figures |= QUESTIONS[name](bench, asked)
    rows = [{**row, "threads": asked.threads, "clock": asked.clock} for row in bench.rows]
    notes = [*bench.notes, *(note for name in asked.only for note in NOTES[name])]
    seconds = bench.earlier_seconds + time.monotonic() - started
    print(write_results(asked.name, figures, rows, seconds=seconds, notes=notes, beside=True))
    print(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
