"""Which side a document falls on: decided by the hash of its cleaned text and the draw, and by nothing else.

So the same document is always on the same side, whatever else is in the corpus, whatever its source, and whatever the
seed. A held-out side that has been looked at to choose something is used up: another draw makes a new one.
"""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

Split = Literal["train", "dev", "heldout"]
SPLITS: tuple[Split, ...] = get_args(Split)


def text_digest(text: str) -> bytes:
    """16 bytes that stand for a text: equal texts, equal digests."""
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()


def position(digest: bytes, draw: int = 0) -> float:
    """Where a document stands in a draw, between 0 and 1: held-out documents are the first, then come dev, then
    train.
    """
    digest = redrawn(digest, draw) if draw else digest
    return int.from_bytes(digest[:6], "big") / (1 << 48)  # 48 bits: more would round up to 1


def side_of(digest: bytes, *, heldout_share: float, dev_share: float, draw: int = 0) -> Split:
    """The side of the document with this digest in this draw.

    >>> side_of(bytes(16), heldout_share=0.02, dev_share=0.01)
    'heldout'
    """
    at = position(digest, draw)
    return "heldout" if at < heldout_share else "dev" if at < heldout_share + dev_share else "train"


def redrawn(digest: bytes, draw: int) -> bytes:
    """The digest that stands for `digest` in another draw, independent of it."""
    return hashlib.blake2b(digest, digest_size=16, salt=draw.to_bytes(16, "big")).digest()
