"""A part of a corpus that sounds like the whole: an equal share of every stretch of it.

A corpus holds its sources one after the other, so its first megabytes are its first source and nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mothertongue.corpus.shards import Split, read_documents


def sample_texts(corpus: Path, split: Split, *, max_bytes: int, least_bytes: int = 500) -> Iterator[str]:
    """Text of at most `max_bytes` of UTF-8 out of one side of `corpus`, in its order; the same corpus, the same texts.

    A document longer than what is due gives its beginning, of at least `least_bytes`: a shorter one is all headings.
    """
    whole = sum(len(document.text.encode()) for document in read_documents(corpus, split))
    share = min(1.0, max_bytes / max(1, whole))
    due = 0.0
    for document in read_documents(corpus, split):
        size = len(document.text.encode())
        due += share * size
        if due < min(size, least_bytes):
            continue
        text = document.text if due >= size else document.text.encode()[: int(due)].decode("utf-8", "ignore")
        due -= len(text.encode())
        if text:
            yield text
