"""Real text of two languages for the measure of what is learnt: a tokenizer of our own, tokens to train on, two tests.

Development and held-out text are works that the training never sees (a work is a book, a poet's poems, a manual's
page), a few thousand characters of each, from every source in proportion. Everything is made once and kept.
"""

from __future__ import annotations

import hashlib
import json
import lzma
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from mothertongue.tokenizer.bytelevel import encode_text, train_bytelevel

SOURCES = {
    "cs": ("cs.novels_eltec_corrected", "cs.docs_debian", "cs.poetry_ccv"),
    "en": ("en.books_pd", "en.docs_edgeai"),
}
VOCABULARY = 16384
PIECE_CHARACTERS = 12_000  # of a work that is tested on
DEV_BYTES, HELDOUT_BYTES = 150_000, 400_000
END_ID = 0  # <|endoftext|> in our tokenizers


@dataclass(frozen=True)
class Text:
    """Files of one language."""

    tokenizer: Path
    ids: Path  # uint16
    tests: Path  # {"dev": [text, ...], "heldout": [...]}


def prepare(language: str, data: Path, folder: Path) -> Text:
    """Make the files in `folder` unless they are there."""
    text = Text(folder / "tokenizer.json", folder / "train.bin", folder / "tests.json")
    if text.tests.is_file():  # the last to be written
        return text
    folder.mkdir(parents=True, exist_ok=True)
    train: list[str] = []
    tests: dict[str, list[str]] = {"dev": [], "heldout": []}
    files = [data / "text" / f"{name}.jsonl.xz" for name in SOURCES[language]]
    total = sum(file.stat().st_size for file in files)
    for file in files:
        share = file.stat().st_size / total
        parts = split_works(works(file), {"heldout": share * HELDOUT_BYTES, "dev": share * DEV_BYTES})
        train += parts.pop("train")
        for name, pieces in parts.items():
            tests[name] += pieces
    tokenizer = train_bytelevel(train, vocab_size=VOCABULARY)
    tokenizer.save(str(text.tokenizer))
    write_ids(text.ids, ([END_ID, *encode_text(tokenizer, one)] for one in train))
    text.tests.write_text(json.dumps(tests, ensure_ascii=False), "utf-8")
    return text


def works(file: Path) -> dict[str, list[str]]:
    """Work -> its documents: what a source names before "#" is the work."""
    found: dict[str, list[str]] = {}
    with lzma.open(file, "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            found.setdefault(row["source"].rsplit("#", 1)[0], []).append(row["text"])
    return found


def split_works(found: dict[str, list[str]], wanted: dict[str, float]) -> dict[str, list[str]]:
    """A piece of each work for the tests until they have the wanted bytes, all other works whole for the training.

    >>> parts = split_works({"a": ["x" * 9], "b": ["y", "z"], "c": ["w" * 8]}, {"dev": 5})
    >>> len(parts["dev"]), sorted(parts)
    (1, ['dev', 'train'])
    """
    left = iter(sorted(found, key=lambda name: hashlib.sha256(name.encode()).digest()))
    parts: dict[str, list[str]] = {}
    for part, wanted_bytes in wanted.items():
        pieces: list[str] = []
        while sum(len(piece.encode()) for piece in pieces) < wanted_bytes and (name := next(left, None)):
            pieces.append(middle(found[name]))
        parts[part] = pieces
    return parts | {"train": [document for name in left for document in found[name]]}


def middle(documents: Sequence[str]) -> str:
    """At most PIECE_CHARACTERS of the work's middle document."""
    return documents[len(documents) // 2][:PIECE_CHARACTERS]


def write_ids(file: Path, documents: Iterator[list[int]]) -> None:
    import numpy as np

    with file.open("wb") as stream:
        for ids in documents:
            stream.write(np.array(ids, dtype=np.uint16).tobytes())
