"""A script, run by test_build.py: kills a toy run with SIGKILL before every single change it makes on the disk.

Usage: python kill_everywhere.py CONFTEST TEXTS FOLDER; prints the number of kills. A process of its own, as it forks.
"""

from __future__ import annotations

import importlib
import os
import signal
import sys
from pathlib import Path

from mothertongue.run.artifact import hash_files
from mothertongue.run.build import run_recipe
from mothertongue.run.progress import be_quiet
from mothertongue.run.recipe import parse_recipe
from mothertongue.run.stages import STAGES

CHANGES = {"os.rename", "os.remove", "os.mkdir", "os.rmdir", "os.chmod", "shutil.rmtree", "fcntl.flock"}
be_quiet()
os.fsync = lambda handle: None  # a killed process loses nothing that it has written; only a power cut would
sys.path.insert(0, str(Path(sys.argv[1]).parent))
toys = importlib.import_module(Path(sys.argv[1]).stem)
STAGES.update({toy.name: toy for toy in toys.TOYS})
recipe = parse_recipe(toys.RECIPE.replace("{texts}", sys.argv[2]), changes={"count.seed": "3"})


def outputs(folder: Path) -> dict[str, object]:
    found = {step.name: hash_files(folder / step.name) for step in recipe.steps}
    assert not list(folder.rglob("*.partial")) and not list(folder.rglob("*.writing")), folder
    return {**found, "kept": [(folder / name).read_text() for name in ("recipe.toml", "overrides.json")]}


def attempt(folder: Path, kill_at: int) -> bool:
    """Run in a child that dies before its change number `kill_at`; True if it came to its end before that."""
    child = os.fork()
    if child:
        return os.waitpid(child, 0)[1] == 0
    changes = 0

    def hook(event: str, args: tuple[object, ...]) -> None:
        nonlocal changes
        writes = event == "open" and isinstance(args[2], int) and args[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if writes or event in CHANGES:
            changes += 1
            if changes == kill_at:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)
    run_recipe(recipe, folder)
    os._exit(0)


base = Path(sys.argv[3])
run_recipe(recipe, base / "whole")
expected = outputs(base / "whole")
kills = 0
while not attempt(base / f"killed-{kills + 1}", kills + 1):
    kills += 1
    folder = base / f"killed-{kills}"
    if kills % 3 == 0:
        attempt(folder, 4)  # and once more soon after it has begun again
    run_recipe(recipe, folder)
    assert outputs(folder) == expected, folder
print(kills)
