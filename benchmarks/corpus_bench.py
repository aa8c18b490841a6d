"""Where the corpus benchmark works: its folder, the interpreters of ours and of the peers, inputs made once, rows.

Every job is a process of its own, jobs of one question take turns, and processor time counts, so that a busy machine
changes little.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from statistics import median
from typing import Any

from corpus_exports import articles, every_article, write_export
from results_file import ROOT

HERE = Path(__file__).parent
PEERS = (
    "wikiextractor==3.1.0", "gensim", "mwparserfromhell", "wikitextparser", "datasketch", "rensa", "tokenizers",
    "datatrove", "orjson", "fasteners", "nltk", "spacy", "xxhash<4", "ftfy", "lingua-language-detector",
)  # fmt: skip
ALONE = {"OMP_NUM_THREADS": "1", "RAYON_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
Result = dict[str, Any]


@dataclass(frozen=True)
class Asked:
    """How much is measured."""

    rounds: int = 3  # how often each timed job runs; medians count
    copies: int = 16  # of the real pages in the export, each varied
    planted: int = 2000  # pairs of near-duplicates
    memory_megabytes: int = 1000
    texts: int = 300  # per language, for the identifier
    pieces: int = 60  # per set of texts, for the decisions of filters
    pure: int = 0  # 1: compile nothing, for a quick look


class Bench:
    """The folder and the interpreters that jobs run with, and every measurement as a row."""

    def __init__(self, folder: Path, peers: Path, asked: Asked) -> None:
        self.folder, self.peers, self.asked = folder, peers, asked
        self.rows: list[Result] = []
        self.notes: list[str] = []
        self._pages: dict[str, str] = {}

    @cached_property
    def pure(self) -> Path:
        """Our source without compiled parts."""
        return _pure(self.folder / "pure")

    @cached_property
    def compiled(self) -> Path | None:
        """Our source with its inner files compiled; None where there is no compiler, or none is wanted."""
        found = None if self.asked.pure else _compiled(self.folder / "compiled")
        if not found:
            self.notes.append("nothing was compiled: figures of ours are of the pure Python code")
        return found

    def pages(self) -> dict[str, str]:
        """Title -> wikitext of every real article; also in pages.jsonl."""
        if not self._pages:
            self._pages = dict(articles(every_article()))
            lines = (json.dumps({"title": title, "text": text}) + "\n" for title, text in self._pages.items())
            self.place("pages.jsonl").write_text("".join(lines), "utf-8")
        return self._pages

    def texts(self) -> Path:
        """The file of their running text, by ours."""
        self.pages()
        if not (made := self.place("ours-text.jsonl")).exists():
            self.ours("text", self.place("pages.jsonl"), made)
        return made

    def export(self, name: str) -> Path:
        """An export: once.xml, few.xml, many.xml, or the same as .xml.bz2 or .multistream.xml.bz2."""
        if not (made := self.place(name)).exists():
            write_export(made, copies=self.asked.copies)
        return made

    def ours(self, *job: str | Path, source: Path | None = None) -> Result:
        """A job of corpus_ours.py, by the code in `source`."""
        return _run(sys.executable, HERE / "corpus_ours.py", *job, PYTHONPATH=str(source or self.compiled or self.pure))

    def peer(self, *job: str | Path) -> Result:
        """A job of corpus_peers.py."""
        return _run(self.peers, HERE / "corpus_peers.py", *job)

    def turns(
        self, question: str, jobs: Mapping[str, Callable[[], Result]], *, megabytes: float, rounds: int = 0
    ) -> dict[str, Result]:
        """Each job in turn, `rounds` times: medians of every number."""
        found: dict[str, list[Result]] = {name: [] for name in jobs}
        for _ in range(rounds or self.asked.rounds):
            for name, job in jobs.items():
                found[name].append(job())
        medians = {name: {key: median(one[key] for one in many) for key in many[0]} for name, many in found.items()}
        for name, numbers in medians.items():
            speed = {"megabytes_per_second": round(megabytes / numbers["seconds"], 3)} if numbers["seconds"] else {}
            self.row(question, who=name, megabytes=round(megabytes, 2), **numbers, **speed)
        return medians

    def row(self, question: str, **numbers: Any) -> Result:
        """Note one measurement."""
        short = {key: round(value, 4) if isinstance(value, float) else value for key, value in numbers.items()}
        self.rows.append({"question": question, **short})
        print(json.dumps(self.rows[-1], ensure_ascii=False), flush=True)
        return self.rows[-1]

    def seconds(self, question: str, who: str, job: Callable[[], Result]) -> float:
        """Of an earlier row of this run, or of the job run now."""
        known = [row for row in self.rows if row["question"] == question and row["who"] == who]
        return float(known[0]["seconds"] if known else job()["seconds"])

    def place(self, name: str) -> Path:
        return self.folder / name


def ratio(found: Mapping[str, Result], slow: str, quick: str, key: str = "seconds") -> float:
    """How many times as long the slow one takes."""
    return round(float(found[slow][key]) / max(1e-6, float(found[quick][key])), 3)


def _run(python: str | Path, *command: str | Path, **environment: str) -> Result:
    begun = time.monotonic()
    done = subprocess.run(
        [str(python), *map(str, command)], capture_output=True, text=True, check=False,
        env={**os.environ, **ALONE, **environment},
    )  # fmt: skip
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, command))} failed:\n{done.stderr[-3000:]}")
    result: Result = json.loads(done.stdout.splitlines()[-1])
    return {"wall_seconds": time.monotonic() - begun} | result


def _pure(folder: Path) -> Path:
    """Our source without compiled parts."""
    ignore = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "bases", "encyclopaedia")
    shutil.copytree(ROOT / "src" / "mothertongue", folder / "mothertongue", ignore=ignore)
    return folder


def _compiled(folder: Path) -> Path | None:
    """Our source with its inner files compiled; None where there is no compiler."""
    _pure(folder)
    done = subprocess.run(
        [sys.executable, "-m", "mothertongue.corpus.build"],
        env={**os.environ, "PYTHONPATH": str(folder)}, cwd=folder, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        print(f"not compiled: {done.stderr.strip().splitlines()[-1:]}")
    return folder if not done.returncode else None
