"""Documents compared with lists that the user names: offensive words (a flag in `meta`, nothing is dropped) and texts
of tasks that a model will be tested on (a document that shares a run of words with them is dropped).
"""

from __future__ import annotations

import bz2
import gzip
import json
import lzma
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import IO, Any

import numpy as np

from mothertongue.corpus.shingle import Hashes, shingles, word_hashes
from mothertongue.errors import ConfigError
from mothertongue.run.files import expand

_MAX_BYTES = 1 << 30  # of a task file, unpacked
_OPENERS: dict[str, Callable[..., IO[Any]]] = {".gz": gzip.open, ".bz2": bz2.open, ".xz": lzma.open}


def offensive_words(text: str, path: str) -> int:
    """How many words or phrases of the list in the file `path`, one a line, stand in `text`."""
    words = word_hashes(text)
    return sum(
        int(np.isin(shingles(words, width), known).sum())
        for width, known in _phrases(path).items()
        if len(words) >= width
    )


@cache
def _phrases(path: str) -> Mapping[int, Hashes]:
    """Number of words -> the phrases of so many."""
    try:
        lines = Path(expand(path)).read_text("utf-8").splitlines()
    except (OSError, ValueError) as error:
        raise ConfigError(
            f"profanity_words = {path!r} cannot be read: {error}. Name a UTF-8 file, a word a line."
        ) from error
    found = defaultdict[int, list[Hashes]](list)
    for line in lines:
        if len(words := word_hashes(line)):
            found[len(words)].append(shingles(words, len(words)))
    return {width: np.unique(np.concatenate(own)) for width, own in sorted(found.items())}


def stands_in_tasks(text: str, folder: str, width: int) -> bool:
    """Whether `text` shares a run of `width` words with a text of the tasks in `folder`."""
    known = _task_runs(folder, width)
    words = word_hashes(text)
    if len(words) < width or not len(known):
        return False
    runs = shingles(words, width)
    return bool((known[np.minimum(np.searchsorted(known, runs), len(known) - 1)] == runs).any())


@cache
def _task_runs(folder: str, width: int) -> Hashes:
    place = Path(expand(folder))
    files = sorted(file for file in place.rglob("*") if file.is_file()) if place.is_dir() else []
    if not files:
        raise ConfigError(f"tasks = {folder!r} is no folder with files in it. Name the folder of your task sets.")
    runs = [
        np.unique(shingles(words, width))
        for file in files
        for text in _texts(file)
        if len(words := word_hashes(text)) >= width
    ]
    return np.unique(np.concatenate(runs)) if runs else np.empty(0, dtype=np.uint64)


def _texts(file: Path) -> Iterator[str]:
    """The texts of a task file: every string of JSON, or else every line."""
    opener = _OPENERS.get(file.suffix)
    kind = file.with_suffix("").suffix if opener else file.suffix
    with (opener or open)(file, "rt", encoding="utf-8", errors="replace") as lines:
        if kind == ".json":
            yield from _strings(_parsed(lines.read(_MAX_BYTES)))
            return
        read = 0
        while read < _MAX_BYTES and (line := lines.readline(1 << 20)):
            read += len(line)
            yield from _strings(_parsed(line)) if kind in (".jsonl", ".ndjson") else (line,)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def _strings(value: Any) -> Iterator[str]:
    waiting = [value]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, dict)):
            waiting += value if isinstance(value, list) else value.values()
