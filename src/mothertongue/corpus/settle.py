"""Between the passes: which spooled documents stay, and on which side, once all of them are known.

In this order: near-duplicates (training text is preferred, then the input's order), what documents have in common,
shares of sources, sides that would be empty, and held-out documents that stand inside training text.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from mothertongue.corpus import dedup
from mothertongue.corpus.alike import take_out_common
from mothertongue.corpus.config import CorpusConfig
from mothertongue.corpus.document import Document
from mothertongue.corpus.gather import SIGNATURES, SPOOL, Census, open_signatures
from mothertongue.corpus.ledger import Ledger
from mothertongue.corpus.shards import read_shards
from mothertongue.corpus.shares import capped_bytes, over_share
from mothertongue.corpus.sources import source_name
from mothertongue.corpus.split import position
from mothertongue.errors import SourceError
from mothertongue.run.progress import track

NEAR = "near-duplicate"
NEAR_TRAIN = "near-duplicate-of-train"
_ATTEMPTS = 5


def settle(census: Census, config: CorpusConfig, work: Path, ledger: Ledger) -> list[str]:
    """The side of every spooled document, "" if it goes; SourceError if a side that was asked for stays empty."""
    _need_text(census, ledger)
    reasons = dict[int, str]()
    if config.near_duplicate_threshold < 1:
        reasons |= _near(census, work, threshold=config.near_duplicate_threshold)
    reasons |= take_out_common(census, config, work, reasons, ledger, doubtful=_shares(census, config, reasons))
    reasons |= _shares(census, config, reasons)
    sides = ["" if index in reasons else side for index, side in enumerate(census.sides)]
    for attempt in range(_ATTEMPTS):
        _fill(sides, census, config, told=_told(ledger, reasons), number=4**attempt)
        contained = _contained(sides, work, least=config.contained_share)
        reasons |= dict.fromkeys(contained, NEAR_TRAIN)
        for index in contained:
            sides[index] = ""
        if all(side in sides for side in _wanted(config)):
            break
    else:
        raise SourceError(
            f"No document can be held out: at least {config.contained_share:.0%} of each that was tried also stands in "
            "the rest of the text. Add text that is less alike, or raise contained_share."
        )
    _record(reasons, work, ledger)
    return sides


def _need_text(census: Census, ledger: Ledger) -> None:
    if not len(census):
        raise SourceError(
            f"No document is left of the sources. Dropped: {ledger.describe()}. "
            "Check the language and the paths; if the reasons are wrong for this text, lower min_characters or "
            "set skip_rules."
        )


def _near(census: Census, work: Path, *, threshold: float) -> dict[int, str]:
    train = np.array([side == "train" for side in census.sides])
    order = np.argsort(~train, kind="stable")  # training text first: of a pair across the sides the held-out one goes
    kept = dedup.near_duplicates(open_signatures(work / SIGNATURES), order, threshold=threshold, folder=work)
    rows = np.flatnonzero(kept != np.arange(len(kept))).tolist()
    return {row: NEAR_TRAIN if train[kept[row]] and not train[row] else NEAR for row in rows}


def _shares(census: Census, config: CorpusConfig, gone: dict[int, str]) -> dict[int, str]:
    shares = {source_name(source): source.max_share for source in config.sources}
    rows: dict[str, list[int]] = {name: [] for name in shares}
    for index, name in enumerate(census.sources):
        if index not in gone:
            rows[name].append(index)
    limits = capped_bytes({name: sum(census.bytes[i] for i in own) for name, own in rows.items()}, shares)
    reasons = dict[int, str]()
    for name, own in rows.items():
        if shares[name] < 1:
            over = over_share([(census.digests[i], census.bytes[i]) for i in own], limits[name], seed=config.seed)
            reasons |= {own[index]: "share" for index in over}
    return reasons


def _wanted(config: CorpusConfig) -> list[str]:
    asked = {"train": 1.0, "dev": config.dev_share, "heldout": config.heldout_share}
    return [side for side, share in asked.items() if share > 0]


def _told(ledger: Ledger, reasons: dict[int, str]) -> str:
    """Why documents went, while they were read and since."""
    since = ", ".join(f"{reason}: {count:,}" for reason, count in sorted(Counter(reasons.values()).items()))
    read = ledger.describe() if ledger.by_reason() else "none"
    return f"while reading {read}; of those left {since or 'none'}"


def _fill(sides: list[str], census: Census, config: CorpusConfig, *, told: str, number: int) -> None:
    """A small corpus may leave a side empty: it then gets the `number` training documents that stand nearest to it in
    the order of hashes.
    """
    wanted = _wanted(config)
    for side in wanted[::-1]:
        train = [index for index, now in enumerate(sides) if now == "train"]
        if side in sides:
            continue
        if side == "train" or len(train) < 2:
            left = sum(1 for now in sides if now)
            raise SourceError(
                f"Only {left} different documents are left of {len(sides)}, too few for {', '.join(wanted)}. "
                f"Dropped: {told}. Add text: at least {len(wanted)} documents, better some hundreds; "
                'or let a smaller piece be a document (unit = "line" or "blank-line", a lower min_characters).'
            )
        train.sort(key=lambda index: position(census.digests[index], config.split_draw))
        for index in train[: min(number, len(train) // 2)]:
            sides[index] = side


def _contained(sides: list[str], work: Path, *, least: float) -> list[int]:
    """Held-out documents of which a share of at least `least` stands word for word in training text."""
    rows = [index for index, side in enumerate(sides) if side in ("dev", "heldout")]
    if not rows:
        return []
    wanted = set(rows)
    containment = dedup.Containment([document.text for index, document in _spooled(work) if index in wanted])
    with track("comparing sides", total=len(sides), unit="documents") as bar:
        for index, document in _spooled(work):
            if sides[index] == "train":
                containment.see(document.text)
            bar.advance()
    return [row for row, share in zip(rows, containment.shares(), strict=True) if share >= least]


def _record(reasons: dict[int, str], work: Path, ledger: Ledger) -> None:
    for index, document in _spooled(work) if reasons else ():
        if index in reasons:
            ledger.drop(reasons[index], source=document.source, id=document.id, text=document.text)


def _spooled(work: Path) -> enumerate[Document]:
    return enumerate(read_shards(work, SPOOL))
