"""What documents have in common with one another: paragraphs that stand in several, and articles made from a template.

Three passes over the spooled documents. The first notes a number for each paragraph in a file and counts the runs of
five words of short documents in a table of fixed size; the second gives each document the share of its runs that many
others have (Škorić and Palma 2026, arXiv 2604.25384). How much of that is natural is taken from the long documents of
the same corpus; the first of each pattern stays. The third, when it is known who goes, takes repeated paragraphs out
of all documents but one.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mothertongue.corpus.document import Document
from mothertongue.corpus.shingle import Hashes, shingles, word_hashes

LONG_PARAGRAPH, SHORT_PARAGRAPH = 100, 20  # characters
SHORT_PARAGRAPH_COPIES = 10  # a short line may stand in some documents by chance, a long one in a single one
RUN_WORDS = 5
TEMPLATE_COPIES = 10  # documents that share a run of words before it counts as one of a template
TEMPLATE_MADE_WORDS = 300  # at most, of an article made from a template
MOST_SHOWN = 0.5  # of what a document has in common with others; from there on its pattern is known
NOBODY = np.int64(np.iinfo(np.int64).max)
_LONG_DOCUMENTS = 20  # that must be there to say what is natural
_LEAST_TABLE, _MOST_TABLE = 16, 27  # powers of 2, in bytes
_IN_MEMORY = 1 << 23  # numbers of paragraphs sorted at once
_NUMBER = re.compile(r"\d+")
_SURELY_LONG = 6000  # characters
_NONE = bytes(8)


@dataclass(frozen=True)
class First:
    """What the first pass has found."""

    repeated: Hashes  # paragraphs that stand in several documents, sorted
    paragraphs: Hashes  # of all documents, those of each once
    lengths: Sequence[int]  # how many of them each document has
    runs: npt.NDArray[np.uint8]  # how many short documents have a run that falls on this place, up to 255


def first_pass(documents: Iterable[Document], file: Path, *, total_bytes: int) -> First:
    """Look at every document once; `file` is written to, and may be removed when the result is no longer needed."""
    size = min(_MOST_TABLE, max(_LEAST_TABLE, total_bytes.bit_length()))
    runs = np.zeros(1 << size, dtype=np.uint8)
    lengths = array("L")
    with file.open("wb") as out:
        for document in documents:
            numbers = np.unique(paragraphs(document.text.split("\n")))
            lengths.append(len(numbers))
            out.write(numbers.tobytes())
            own = _short_runs(document.text)
            if own is not None:
                places = _places(own, runs)
                runs[places] = np.minimum(runs[places], 254) + 1
    there = np.memmap(file, dtype=np.uint64, mode="r") if file.stat().st_size else np.empty(0, dtype=np.uint64)
    return First(_repeated(there), there, lengths, runs)


def each_length(numbers: Hashes, lengths: Sequence[int]) -> Iterator[Hashes]:
    """`numbers` cut into pieces of these lengths."""
    end = 0
    for length in lengths:
        begin, end = end, end + length
        yield numbers[begin:end]


def paragraphs(lines: Sequence[str]) -> Hashes:
    """A number for each line, 0 if it is short; odd if it is long enough that no two authors write the same."""
    stripped = [line.strip() for line in lines]
    sizes = np.array([*map(len, stripped)], dtype=np.int64)
    digests = b"".join([_digest(line) if len(line) >= SHORT_PARAGRAPH else _NONE for line in stripped])
    numbers = np.frombuffer(digests, dtype=">u8").astype(np.uint64)
    short = np.maximum(numbers & ~np.uint64(1), np.uint64(2))
    return np.where(sizes >= LONG_PARAGRAPH, numbers | np.uint64(1), np.where(sizes >= SHORT_PARAGRAPH, short, 0))


def _digest(line: str) -> bytes:
    return blake2b(line.encode("utf-8", "replace"), digest_size=8).digest()


def _repeated(numbers: Hashes) -> Hashes:
    """The numbers that stand there too often, some of them at a time."""
    if not len(numbers):
        return numbers
    parts = len(numbers) // _IN_MEMORY + 1
    found = []
    for part in range(parts):
        own = [
            block[(block >> np.uint64(1)) % np.uint64(parts) == part]
            for at in range(0, len(numbers), _IN_MEMORY)
            for block in (numbers[at : at + _IN_MEMORY],)
        ]
        values, counts = np.unique(np.concatenate(own), return_counts=True)
        often = np.where(values & np.uint64(1), counts > 1, counts >= SHORT_PARAGRAPH_COPIES)
        found.append(values[often & (values != 0)])
    return np.sort(np.concatenate(found))


def keepers(first: First, order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Which document keeps each repeated paragraph: of those that have it the one with the lowest number in `order`,
    which has one for each document that the first pass has seen; -1 goes, and keeps nothing.
    """
    found = np.full(len(first.repeated), NOBODY)
    if not len(first.repeated):
        return found
    lengths, at = np.array(first.lengths, dtype=np.int64), 0
    for some in np.array_split(np.arange(len(order)), len(order) // 10_000 + 1):
        size = int(lengths[some].sum())
        own, ranks = first.paragraphs[at : at + size], np.repeat(order[some], lengths[some])
        place = np.minimum(np.searchsorted(first.repeated, own), len(first.repeated) - 1)
        counts = (first.repeated[place] == own) & (ranks >= 0)
        np.minimum.at(found, place[counts], ranks[counts])
        at += size
    return found


class Paragraphs:
    """Takes repeated paragraphs out of all documents but those that keep them."""

    def __init__(self, repeated: Hashes, keeper: npt.NDArray[np.int64]) -> None:
        self._repeated, self._keeper = repeated, keeper
        self._kept: npt.NDArray[np.int64] = np.empty(0, dtype=np.int64)

    def concern(self, numbers: Hashes, number: int) -> bool:
        """Whether any of these paragraphs of the document `number` is another's, or nobody's."""
        at = np.minimum(np.searchsorted(self._repeated, numbers), len(self._repeated) - 1)
        return bool(((self._repeated[at] == numbers) & (self._keeper[at] != number)).any())

    def without(self, text: str, number: int) -> tuple[str, list[str]]:
        """The `text` of the document with this number in the order of keepers, without what others keep, and that."""
        lines = text.split("\n")
        numbers = paragraphs(lines)
        at = np.minimum(np.searchsorted(self._repeated, numbers), max(0, len(self._repeated) - 1))
        known = self._repeated[at] == numbers if len(self._repeated) else np.zeros(len(lines), dtype=np.bool_)
        if not known.any():
            return text, []
        free = at[known & (self._keeper[at] == NOBODY)]
        self._keeper[free] = number  # whoever was to keep it has gone
        gone = known & (self._keeper[at] != number)
        self._kept = at[known & ~gone]
        if not gone.any():
            return text, []
        rest = "\n".join(line for line, is_gone in zip(lines, gone.tolist(), strict=True) if not is_gone)
        return re.sub("\n{3,}", "\n\n", rest).strip(), [lines[line] for line in np.flatnonzero(gone).tolist()]

    def release(self) -> None:
        """The last document goes after all: the next one that has its paragraphs keeps them."""
        self._keeper[self._kept] = NOBODY


@dataclass(frozen=True)
class Likeness:
    """How much of a document is like others."""

    words: int
    share: float  # of its runs of words that at least TEMPLATE_COPIES others have, 0-1
    shown: float = 0.0  # of those runs, that an earlier document of the same kind has, 0-1


class Patterns:
    """Tells how much of each document stands in many others, and how much of that was seen before, in their order."""

    def __init__(self, first: First, *, least: float) -> None:
        self._first, self._least = first, least
        self._shown = np.zeros(len(first.runs), dtype=np.bool_)

    def likeness(self, text: str) -> Likeness:
        """What is said of the next document; one with more than the `least` share shows its pattern."""
        short = _short_runs(text)
        itself = short is not None  # then it was counted as well
        own = _runs(text) if short is None else short
        places = _places(own, self._first.runs)
        common = places[self._first.runs[places] >= TEMPLATE_COPIES + itself]
        share = len(common) / len(places) if len(places) else 0.0
        if not itself or share <= self._least:
            return Likeness(len(own), share)
        shown = float(self._shown[common].mean())
        self._shown[common] |= shown < MOST_SHOWN
        return Likeness(len(own), share, shown)


def template_made(found: Sequence[Likeness], *, least: float) -> list[bool]:
    """Which of the documents are made from a template and not the first of theirs: short, and more like others than
    `least` and than the long documents of the same corpus are, but for one in a hundred of those.
    """
    natural = [each.share for each in found if each.words > TEMPLATE_MADE_WORDS]
    enough = len(natural) >= _LONG_DOCUMENTS
    limit = max(least, float(np.quantile(natural, 0.99)) if enough else 0.0)
    return [each.words <= TEMPLATE_MADE_WORDS and each.share > limit and each.shown >= MOST_SHOWN for each in found]


def _runs(text: str) -> Hashes:
    """The runs of words, numbers being all the same."""
    return shingles(word_hashes(_NUMBER.sub("0", text)), RUN_WORDS)


def _short_runs(text: str) -> Hashes | None:
    """The different runs of a text that has few enough to be made from a template, or None."""
    if len(text) > _SURELY_LONG:  # most long texts show it in their beginning
        begin = text[: max(text.rfind(" ", 0, _SURELY_LONG), text.rfind("\n", 0, _SURELY_LONG), 0)]
        if len(np.unique(_runs(begin))) > TEMPLATE_MADE_WORDS + 1:
            return None
    runs = np.unique(_runs(text))
    return runs if len(runs) <= TEMPLATE_MADE_WORDS else None


def _places(runs: Hashes, table: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64]:
    return np.unique((runs * np.uint64(0x9E3779B97F4A7C15)) >> np.uint64(64 - (len(table).bit_length() - 1)))
