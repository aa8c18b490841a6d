"""The model of py3langid, asked about many texts at once: the same naive Bayes on byte n-grams, but faster.

What takes time in the library is a step of Python for every byte, and a third of a second to unpack the model. Here
the steps are compiled (walk.py) or, for all bytes at once, numpy's: where the automaton stands depends on the last six
bytes only, for no n-gram is longer. The unpacked model is kept in the user's cache folder and mapped from there.
Scores are sums of the same numbers in another order, so a text near a border is left to the library itself
(identify.py).
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from importlib.metadata import version
from itertools import accumulate
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import numpy.typing as npt

from mothertongue.corpus import walk

Array: TypeAlias = npt.NDArray[Any]

COMPILED = not str(walk.__file__).endswith(".py")
_LONGEST = 6  # bytes of an n-gram, and of the way from the first state to any
_PARTS = ("moves", "rows", "outputs", "weights", "priors", "labels")
_MOST_BYTES = 1 << 18  # walked at once


@dataclass(frozen=True)
class Model:
    """The arrays of the model, restricted to some languages."""

    moves: Array  # state and byte -> state, rows of 256
    rows: Array  # state -> where its row begins
    outputs: Array  # state -> feature, or -1
    weights: Array  # features x languages
    priors: Array
    languages: tuple[str, ...]  # one may stand there twice, with two alphabets


def probabilities(texts: Sequence[bytes], model: Model) -> Array:
    """How likely each language is, a row for each text; of a language that is there twice the first has it all."""
    scores = np.zeros((len(texts), len(model.languages)))
    scores += model.priors
    begun = 0
    while begun < len(texts):
        end, size = begun, 0
        while end < len(texts) and (end == begun or size + len(texts[end]) <= _MOST_BYTES):
            size, end = size + len(texts[end]), end + 1
        data, ends = b"".join(texts[begun:end]), np.array([*accumulate(map(len, texts[begun:end]))], dtype=np.int64)
        (_walk_compiled if COMPILED else walk_together)(data, ends, model, scores[begun:end])
        begun = end
    scores[(scores == model.priors).all(axis=1)] = 0  # no n-gram that the model knows
    scores /= np.sqrt(np.maximum(1, np.array([*map(len, texts)], dtype=np.float64)))[:, None]
    scores -= scores.max(axis=1, keepdims=True)
    shares = np.exp(scores)
    shares /= shares.sum(axis=1, keepdims=True)
    for again, language in enumerate(model.languages):
        if (first := model.languages.index(language)) < again:
            shares[:, first] += shares[:, again]
            shares[:, again] = 0
    return shares


def _walk_compiled(data: bytes, ends: Array, model: Model, scores: Array) -> None:
    size = int(np.diff(ends, prepend=0).max(initial=0))
    logs = np.log1p(np.arange(size + 1, dtype=np.float64))
    counts, path = _zeros(len(model.weights)), np.empty(size, dtype=np.int32)
    walk.walk(data, ends, model.moves, model.rows, model.outputs, model.weights, logs, counts, path, scores)


@cache
def _zeros(size: int) -> Array:
    return np.zeros(size, dtype=np.int32)


def walk_together(data: bytes, ends: Array, model: Model, scores: Array) -> None:
    """What walk.walk does, for all bytes at once: as many steps as the longest n-gram has bytes."""
    starts = np.concatenate(([0], ends[:-1]))
    sizes = ends - starts
    # each text with room before it: a byte that is in no n-gram keeps the automaton in its first state
    gap = _idle(model)
    room = np.full(len(data) + _LONGEST * len(ends), gap, dtype=np.int64)
    text = np.repeat(np.arange(len(ends)), sizes)
    places = np.arange(len(data)) + (text + 1) * _LONGEST
    room[places] = np.frombuffer(data, dtype=np.uint8)
    states = np.zeros(len(data), dtype=np.int64)
    for back in range(_LONGEST - 1, -1, -1):
        states = model.moves[model.rows[states] + room[places - back]]
    features = model.outputs[states]
    found = features >= 0
    keys, counts = np.unique(text[found] * len(model.weights) + features[found], return_counts=True)
    owner, feature = np.divmod(keys, len(model.weights))
    if len(keys):
        first = np.flatnonzero(np.diff(owner, prepend=-1))
        scores[owner[first]] += np.add.reduceat(np.log1p(counts)[:, None] * model.weights[feature], first)


def _idle(model: Model) -> int:
    """A byte that leads from the first state back to it."""
    first = int(model.rows[0])
    return int(np.flatnonzero(np.asarray(model.moves[first : first + 256]) == 0)[0])


@cache
def open_model(languages: tuple[str, ...]) -> Model | None:
    """The model for those of `languages` that it knows (none: all), or None if it is not built as expected."""
    parts = _cached() or _unpacked()
    if parts is None:
        return None
    labels = parts["labels"].tolist()
    columns = [at for at, label in enumerate(labels) if not languages or label in languages]
    weights = np.ascontiguousarray(np.asarray(parts["weights"][columns], dtype=np.float32).T)
    priors = np.asarray(parts["priors"][columns], dtype=np.float64)
    return Model(parts["moves"], parts["rows"], parts["outputs"], weights, priors, tuple(labels[at] for at in columns))


def _folder() -> Path:
    home = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(home).expanduser() / "mothertongue" / f"py3langid-{version('py3langid')}"


def _cached() -> dict[str, Array] | None:
    try:
        parts = {name: np.load(_folder() / f"{name}.npy", mmap_mode="r", allow_pickle=False) for name in _PARTS}
    except (OSError, ValueError, EOFError):
        return None
    return parts if _fits(parts) else None


def _fits(parts: dict[str, Array]) -> bool:
    """Whether the arrays belong together: nothing in them leads out of another."""
    moves, rows, outputs, weights, priors, labels = (parts[name] for name in _PARTS)
    shapes = len(rows) == len(outputs) and weights.shape[0] == len(priors) == len(labels) and moves.ndim == 1
    kinds = [str(part.dtype) for part in (moves, rows, outputs)] == ["uint32", "uint32", "int32"]
    return shapes and kinds and int(rows.max()) + 256 <= len(moves) and int(outputs.max()) < weights.shape[1]


def _unpacked() -> dict[str, Array] | None:
    from mothertongue.corpus.identify import library_model

    model = library_model()
    try:
        weights, priors, labels = model._full_model
        parts = {
            "moves": np.asarray(model.tk_nextmove, dtype=np.uint32),
            "rows": np.asarray(model.tk_row, dtype=np.uint32) << np.uint32(8),
            "outputs": np.asarray(model.tk_output, dtype=np.int32),
            "weights": np.ascontiguousarray(np.asarray(weights).T),
            "priors": np.asarray(priors),
            "labels": np.array(labels),
        }
    except AttributeError:
        return None  # of another version
    if not (_fits(parts) and int(parts["moves"].max()) < len(parts["rows"])):
        return None
    with suppress(OSError):
        _keep(parts, _folder())
    return parts


def _keep(parts: dict[str, Array], folder: Path) -> None:
    """Write all arrays, then give the folder its name: whoever finds it finds it whole."""
    folder.parent.mkdir(parents=True, exist_ok=True)
    new = Path(tempfile.mkdtemp(dir=folder.parent, prefix=f".{folder.name}-"))
    try:
        for name, part in parts.items():
            np.save(new / f"{name}.npy", part)
        new.replace(folder)
    finally:
        shutil.rmtree(new, ignore_errors=True)
