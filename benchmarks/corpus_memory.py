"""Memory of the whole stage with two processes: all processes together, sampled while it works.

What counts is the proportional share (PSS) of the process and its descendants: memory that several share counts once.
Text: runs of three words of the English sets put into sentences by a seed, so that words are real and nothing repeats.
"""

from __future__ import annotations

import json
import os
import random
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path

from corpus_bench import Bench
from corpus_filters import texts_of

_SETS = ("en.books_pd", "en.docs_edgeai", "en.wikitext2_valid_test")
_EVERY_SECONDS = 0.2
_PROCESSES = 2


def memory(bench: Bench) -> dict[str, float]:
    """Peak at a quarter of and at so much text; the line through both at 1 GB."""
    whole, peaks = bench.asked.memory_megabytes, list[float]()
    for size in (whole / 4, whole):
        place = bench.place("much.jsonl")
        _write(place, size)
        with Watch(os.getpid()) as watch:
            found = bench.ours("memory", place, str(_PROCESSES))
        place.unlink()
        peaks.append(watch.peak)
        bench.row(
            "memory", who="ours", megabytes=size, processes=_PROCESSES, peak_megabytes=watch.peak,
            peak_processes=watch.processes, seconds=found["seconds"], wall_seconds=found["wall_seconds"],
        )  # fmt: skip
    slope = (peaks[1] - peaks[0]) / (whole * 0.75)
    bench.notes.append(
        f"memory: PSS of {_PROCESSES} working processes and the one that started them, sampled every {_EVERY_SECONDS} "
        f"s; peak_megabytes_per_gigabyte is the line through {whole / 4:g} and {whole} MB of text at 1 GB"
    )
    return {
        "peak_megabytes_per_gigabyte": round(max(peaks[1], peaks[1] + slope * (1000 - whole)), 1),
        "memory_megabytes_of_text": float(whole),
    }


class Watch:
    """The most memory that the descendants of a process have together, in MB."""

    def __init__(self, root: int) -> None:
        self._root, self._end = root, threading.Event()
        self._thread = threading.Thread(target=self._look, daemon=True)
        self.peak, self.processes = 0.0, 0

    def __enter__(self) -> Watch:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._end.wait(_EVERY_SECONDS):
            sizes = [_pss(one) for one in _descendants(self._root)]
            if sum(sizes) > self.peak:
                self.peak, self.processes = sum(sizes), len(sizes)


def _descendants(root: int) -> Iterator[int]:
    """Processes that `root` has started, and theirs."""
    waiting = [root]
    while waiting:
        for task in Path(f"/proc/{waiting.pop()}/task").glob("*/children"):
            try:
                found = [int(one) for one in task.read_text("ascii").split()]
            except OSError:
                continue
            yield from found
            waiting += found


def _pss(process: int) -> float:
    try:
        for line in Path(f"/proc/{process}/smaps_rollup").read_text("ascii").splitlines():
            if line.startswith("Pss:"):
                return int(line.split()[1]) * 1024 / 1e6
    except OSError:
        pass
    return 0.0


def _write(place: Path, megabytes: float) -> None:
    draw, written = random.Random(4), 0.0
    words = [word.strip("\"'()[]*_") for name in _SETS for text in texts_of(name)[:60] for word in text.split()]
    with place.open("w", encoding="utf-8") as file:
        while written < megabytes * 1e6:
            paragraphs = (" ".join(_sentence(words, draw) for _ in range(6)) for _ in range(draw.randint(1, 8)))
            text = "\n\n".join(paragraphs)
            written += len(text.encode("utf-8"))
            file.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")


def _sentence(words: Sequence[str], draw: random.Random) -> str:
    starts = (int(draw.random() * (len(words) - 3)) for _ in range(draw.randint(3, 7)))
    text = " ".join(word for at in starts for word in words[at : at + 3])
    return f"{text.rstrip('.,;:!?').capitalize()}."
