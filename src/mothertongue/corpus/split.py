"""Which side a document falls on: decided by the hash of its cleaned text and by nothing else.

So the same document is always on the same side, whatever else is in the corpus, whatever its source, and whatever the
seed.
"""

from __future__ import annotations

import hashlib
from typing import Literal, get_args

Split = Literal["train", "dev", "heldout"]
SPLITS: tuple[Split, ...] = get_args(Split)


def text_digest(text: str) -> bytes:
    """16 bytes that stand for a text: equal texts, equal digests."""
    return hashlib.blake2b(text.encode("utf-8"), digest_size=16).digest()


def position(digest: bytes) -> float:
    """Where a document stands between 0 and 1: held-out documents are the first, then come dev, then train."""
    return int.from_bytes(digest[:6], "big") / (1 << 48)  # 48 bits: more would round up to 1


def side_of(digest: bytes, *, heldout_share: float, dev_share: float) -> Split:
    """The side of the document with this digest.

    >>> side_of(bytes(16), heldout_share=0.02, dev_share=0.01)
    'heldout'
    """
    at = position(digest)
    return "heldout" if at < heldout_share else "dev" if at < heldout_share + dev_share else "train"
