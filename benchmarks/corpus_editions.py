"""The novels that stand in both sets of Czech prose, and which pieces of the two editions are the same passage.

A novel is taken for the same if the title in the name of its file in one set is part of that in the other (without
marks and spaces) and at least a twentieth of its runs of five words stands in both. Passages are aligned by the runs of
eight words that stand once in either edition, in the longest order that both have; a cut in one edition is carried over
to the other by the run nearest before it. No duplicate finder is asked.
"""

from __future__ import annotations

import json
import lzma
import re
import unicodedata
from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from corpus_exports import DATA
from corpus_sentences import words

FIRST, SECOND = "cs.fiction_mkp", "cs.novels_eltec_corrected"
_ANCHOR = 8
_COMMON = 0.05
_OTHERS = 300  # records of other novels that stand beside them
KINDS = {"chapters": 1500, "paragraphs": 80}  # words at least
_WORDS = re.compile(r"\w+")
_FURTHEST = 40  # words between a cut and its run


@dataclass(frozen=True)
class Documents:
    """Texts of which some are the same passage."""

    kind: str
    texts: Sequence[str]
    pairs: tuple[tuple[int, int], ...]


def editions() -> Iterator[Documents]:
    """Records as they stand (paired if most of one is in the other), then chapters, then paragraphs."""
    first, second = _novels(FIRST), _novels(SECOND)
    same = [(one, other) for one in first for other in second if _is_same(one, other, first, second)]
    others = [text for title, texts in second.items() if title not in {b for _, b in same} for text in texts]
    others = [text for text in others if len(text) > 400][:_OTHERS]
    records = [text for one, other in same for text in (*first[one], *second[other])]
    yield Documents("records", [*records, *others], tuple(_mostly_same(records)))
    for kind, length in KINDS.items():
        texts, pairs = list[str](), list[tuple[int, int]]()
        for one, other in same:
            for piece, partner in aligned("\n\n".join(first[one]), "\n\n".join(second[other]), length):
                texts += [piece, partner]
                pairs.append((len(texts) - 2, len(texts) - 1))
        yield Documents(kind, [*texts, *others], tuple(pairs))


def _novels(name: str) -> dict[str, list[str]]:
    """Title without marks and spaces -> the records of one of the shared sets."""
    found = dict[str, list[str]]()
    with lzma.open(DATA / "text" / f"{name}.jsonl.xz", "rt", encoding="utf-8") as file:
        for line in file:
            row = json.loads(line)
            title = row.get("title") or row["source"].rpartition("/")[2].partition(".xml")[0].split("_")[-1]
            plain = unicodedata.normalize("NFD", title.lower()).encode("ascii", "ignore").decode("ascii")
            found.setdefault(re.sub("[^a-z0-9]", "", plain), []).append(row["text"])
    return found


def _is_same(one: str, other: str, first: dict[str, list[str]], second: dict[str, list[str]]) -> bool:
    if other not in one:
        return False
    own, its = (_runs(" ".join(texts)) for texts in (first[one], second[other]))
    return len(own & its) >= _COMMON * min(len(own), len(its))


def _runs(text: str) -> set[str]:
    own = words(text)
    return {" ".join(own[at : at + 5]) for at in range(len(own) - 4)}


def _mostly_same(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    sets = [_runs(text) for text in texts]
    for one in range(len(sets)):
        for other in range(one + 1, len(sets)):
            common = len(sets[one] & sets[other])
            if common > max(20, 0.5 * min(len(sets[one]), len(sets[other]))):
                yield one, other


def aligned(one: str, other: str, length: int) -> Iterator[tuple[str, str]]:
    """Pieces of `one`, of whole paragraphs with at least `length` words, each with the same passage of `other`."""
    own, its = list(_WORDS.finditer(one)), list(_WORDS.finditer(other))
    anchors = _anchors([found[0].lower() for found in own], [found[0].lower() for found in its])
    cuts = [at for at in _cuts(one, own, length) if _near(anchors, at)]
    places = [(at, _carried(anchors, at)) for at in cuts]
    for (begin, there), (end, its_end) in pairwise(places):
        if there < its_end:
            yield (
                one[own[begin].start() : own[end - 1].end()],
                other[its[there].start() : its[min(its_end, len(its)) - 1].end()],
            )


def _cuts(text: str, own: Sequence[re.Match[str]], length: int) -> list[int]:
    """Numbers of the words that begin a piece."""
    starts, result = [found.start() for found in own], [0]
    for found in re.finditer(r"\n\s*", text):
        at = bisect_left(starts, found.end())
        if at - result[-1] >= length and at < len(own):
            result.append(at)
    return result


def _anchors(one: Sequence[str], other: Sequence[str]) -> list[tuple[int, int]]:
    """Places of the runs that stand once in each, in the longest order common to both."""
    places = []
    for own in (one, other):
        runs = [" ".join(own[at : at + _ANCHOR]) for at in range(len(own) - _ANCHOR + 1)]
        counts = Counter(runs)
        places.append({run: at for at, run in enumerate(runs) if counts[run] == 1})
    pairs = [(at, places[1][run]) for run, at in places[0].items() if run in places[1]]
    return _longest_rising(pairs)


def _longest_rising(pairs: Sequence[tuple[int, int]]) -> list[tuple[int, int]]:
    ends, links, last = list[int](), list[int](), list[int]()
    for number, (_, there) in enumerate(pairs):
        at = bisect_left(ends, there)
        ends[at : at + 1] = [there]
        last[at : at + 1] = [number]
        links.append(last[at - 1] if at else -1)
    result, number = list[tuple[int, int]](), last[-1] if last else -1
    while number >= 0:
        result.append(pairs[number])
        number = links[number]
    return result[::-1]


def _near(anchors: Sequence[tuple[int, int]], at: int) -> bool:
    place = bisect_right(anchors, (at, 1 << 60)) - 1
    return place >= 0 and at - anchors[place][0] <= _FURTHEST


def _carried(anchors: Sequence[tuple[int, int]], at: int) -> int:
    place = bisect_right(anchors, (at, 1 << 60)) - 1
    return anchors[place][1] + at - anchors[place][0]
