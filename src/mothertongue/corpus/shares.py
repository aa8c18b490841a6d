"""No source above its share: which documents go so that each source has at most `max_share` of the bytes that
remain.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from mothertongue.errors import SourceError


def capped_bytes(bytes_of: Mapping[str, int], max_share: Mapping[str, float]) -> dict[str, int]:
    """How many bytes each source may keep, so that no part of the new total exceeds its share.

    The total T solves T = sum(min(bytes, share * T)); it is found by lowering T until nothing changes.

    >>> capped_bytes({"law": 900, "wiki": 200}, {"law": 0.5, "wiki": 1.0})
    {'law': 200, 'wiki': 200}
    """
    total = float(sum(bytes_of.values()))
    for _ in range(10_000):
        lower = sum(min(size, max_share[name] * total) for name, size in bytes_of.items())
        if total - lower < 0.5:
            break
        total = lower
    if total < 1 <= sum(bytes_of.values()):
        names = ", ".join(name for name in bytes_of if max_share[name] < 1)
        raise SourceError(
            f"The max_share of {names} cannot be met: the other sources gave too little text. Raise it, or add "
            "text to the others."
        )
    return {name: min(size, round(max_share[name] * total)) for name, size in bytes_of.items()}


def over_share(documents: Sequence[tuple[bytes, int]], limit: int, *, seed: int) -> set[int]:
    """Indices of the (digest, bytes) that do not fit into `limit` bytes when taken in an order drawn by `seed`."""
    order = sorted(range(len(documents)), key=lambda index: _draw(documents[index][0], seed))
    dropped, taken = set[int](), 0
    for index in order:
        size = documents[index][1]
        if taken + size <= limit:
            taken += size
        else:
            dropped.add(index)
    return dropped


def _draw(digest: bytes, seed: int) -> bytes:
    return hashlib.blake2b(digest, digest_size=8, key=seed.to_bytes(8, "big")).digest()
