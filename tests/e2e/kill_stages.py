"""A script, run by test_kill.py: the command line killed at random moments in every stage, then run to its end.

Usage: python kill_stages.py RECIPE FOLDER SEED; makes FOLDER/whole without and FOLDER/killed with kills, and prints as
JSON how often each step was hit. torch is imported once here and each command runs in a fork: a kill costs no start-up.
"""

from __future__ import annotations

import json
import os
import random
import shutil
import signal
import sys
import time
from pathlib import Path

import mothertongue.cli
from mothertongue.run.artifact import read_manifest
from mothertongue.run.recipe import read_recipe
from mothertongue.run.stages import STAGES

KILLS = 4  # per step, where it lives long enough
TRIES = 8


def start(recipe: Path, out: Path, until: str) -> int:
    """`mothertongue --quiet run RECIPE --out OUT --until STEP` in a fork; its process id."""
    child = os.fork()
    if child == 0:
        sys.argv = ["mothertongue", "--quiet", "run", str(recipe), "--out", str(out), "--until", until]
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        try:
            mothertongue.cli.main()
        except BaseException:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            os._exit(1)
        os._exit(0)
    return child


def finish(child: int) -> None:
    """Wait for the end, which must be a good one."""
    assert os.waitpid(child, 0)[1] == 0, "the command failed"


def kill_within(child: int, out: Path, moment: float) -> bool:
    """Kill `child` `moment` seconds after the step at `out` has begun; True if the step was hit."""
    partial = out.with_name(f"{out.name}.partial")
    while not partial.exists() and os.waitpid(child, os.WNOHANG) == (0, 0):
        time.sleep(0.001)
    time.sleep(moment)
    try:
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
    except (ProcessLookupError, ChildProcessError):
        return False  # it had ended
    return partial.exists()


def main(recipe: Path, folder: Path, seed: int) -> dict[str, int]:
    chance = random.Random(seed)
    for stage in STAGES.values():
        assert stage.function  # imported before the forks
    names = [step.name for step in read_recipe(recipe).steps]
    finish(start(recipe, folder / "whole", names[-1]))
    hits = dict.fromkeys(names, 0)
    for name in names:
        out, seconds = folder / "killed" / name, read_manifest(folder / "whole" / name)["seconds"]
        for _ in range(TRIES):
            if hits[name] < KILLS and not out.exists():
                hit = kill_within(start(recipe, folder / "killed", name), out, chance.uniform(0, seconds))
                hits[name] += hit
                seconds *= 1 if hit else 0.4  # it was slower when nobody killed it: aim earlier
                if not hits[name] and out.exists():
                    shutil.rmtree(out)  # it had ended before the kill: once more
        finish(start(recipe, folder / "killed", name))
    return hits


if __name__ == "__main__":
    print(json.dumps(main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]))))
