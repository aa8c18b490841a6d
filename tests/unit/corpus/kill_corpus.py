"""A script, run by test_kill.py: `mothertongue corpus` killed at random moments, again and again, until it is through.

Usage: python kill_corpus.py FOLDER PROCESSES KILLS SEED SOURCE...; makes FOLDER/whole without kills and FOLDER/0,
FOLDER/1 ... with them, and prints as JSON how often each was hit. The library is imported once and each command runs in
a fork, so a kill costs no start-up. Parts are small, so that kills fall between them, within them and behind the last.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from pathlib import Path

import rensa  # noqa: F401

import mothertongue.cli
from mothertongue.corpus import parts, stage
from mothertongue.corpus.identify import identify
from mothertongue.languages import open_language


def start(out: Path, processes: str, sources: list[str]) -> int:
    """`mothertongue --quiet corpus ...` in a fork and a session of its own; its process id."""
    child = os.fork()
    if child == 0:
        os.setsid()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        options = ["--language", "cs", "--heldout-share", "0.1", "--dev-share", "0.1", "--processes", processes]
        named = [part for source in sources for part in ("--source", source)]
        sys.argv = ["mothertongue", "--quiet", "corpus", *options, *named, "--out", str(out)]
        try:
            mothertongue.cli.main()
        except BaseException:
            sys.excepthook(*sys.exc_info())  # type: ignore[arg-type]
            os._exit(1)
        os._exit(0)
    return child


def kill_within(child: int, out: Path, seconds: float) -> bool:
    """Kill `child` that long after it has begun its work; False if it had ended, which must be a good end."""
    partial = out.with_name(f"{out.name}.partial")
    while not partial.exists() and not has_ended(child):
        time.sleep(0.001)
    time.sleep(seconds)
    os.kill(child, signal.SIGKILL)  # only this one: those that it has started must end by themselves
    status = os.waitpid(child, 0)[1]
    assert status in (0, signal.SIGKILL), f"the command failed: {status}"
    return status != 0


def has_ended(child: int) -> bool:
    """Whether a process has ended; it is not taken away, so it may still be killed."""
    return os.waitid(os.P_PID, child, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


def main(folder: Path, processes: str, kills: int, seed: int, sources: list[str]) -> list[int]:
    assert stage.corpus and identify("Ráno bylo na nádraží ticho. " * 20, open_language("cs"))  # loaded before forks
    parts.PART_BYTES, parts.BATCH_CHARACTERS = 20_000, 20_000
    chance, hits, begun = random.Random(seed), list[int](), time.monotonic()
    assert os.waitpid(start(folder / "whole", processes, sources), 0)[1] == 0
    seconds = time.monotonic() - begun
    while sum(hits) < kills:
        hits.append(0)
        out = folder / str(len(hits) - 1)
        while hits[-1] < kills and kill_within(start(out, processes, sources), out, chance.uniform(0, seconds)):
            hits[-1] += 1
        if not out.exists():
            assert os.waitpid(start(out, processes, sources), 0)[1] == 0
        elif not hits[-1]:
            seconds *= 0.7  # it is quicker than it was: aim earlier
    return hits


if __name__ == "__main__":
    given = sys.argv[1:]
    print(json.dumps(main(Path(given[0]), given[1], int(given[2]), int(given[3]), given[4:])))
