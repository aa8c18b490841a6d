"""Near-duplicates: planted ones, and the same novels in two editions; recall, precision and MB/s beside the peers.

A removal is right if a document stays that it is a copy of: its partner, or any other with which it shares at least 0.6
of all runs of five words (counted exactly: pages repeat one another). If both of a pair go, one of them went wrongly.
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from corpus_bench import Bench, Result
from corpus_editions import Documents, editions
from corpus_peers import rows
from corpus_sentences import words

EDITS = (0.02, 0.05, 0.1)  # shares of words that planted near-duplicates differ in
REPEATS = 0.6  # share of common runs that makes two documents repeat each other
_RUN = 5
_WORDS = 400
TOOLS = {"datasketch": (0.7, 0.6), "rensa": (0.7, 0.6), "datatrove": (0.7,), "ours": (0.7, 0.6)}  # thresholds


@dataclass(frozen=True)
class Judged:
    """How well the removals of one tool fit the truth."""

    gone: int
    right: int
    found: int  # pairs of which one went
    pairs: int

    @property
    def recall(self) -> float:
        return self.found / max(1, self.pairs)

    @property
    def precision(self) -> float:
        return self.right / max(1, self.gone)


def planted(bench: Bench) -> dict[str, float]:
    """A third of the documents is the one before it with some words changed, another third stands alone."""
    texts, shares = _plant(bench, bench.asked.planted)
    documents = Documents("planted", texts, tuple((copy - 1, copy) for copy in shares))
    sets = [runs(text) for text in texts]
    alike = [pair for pair in documents.pairs if jaccard(sets[pair[0]], sets[pair[1]]) >= 0.7]
    figures = dict[str, float]()
    for who, gone in _removals(bench, documents, timed=True).items():
        judged = judge(gone, sets, alike, documents.pairs)
        row: Result = {"recall_at_0.7": judged.recall, "precision": judged.precision, "gone": judged.gone}
        for edit in EDITS:
            own = [copy for copy, share in shares.items() if share == edit]
            row[f"recall_at_{edit:.0%}_edited"] = sum(c in gone or c - 1 in gone for c in own) / max(1, len(own))
        bench.row("planted near-duplicates", who=who, documents=len(texts), pairs=len(documents.pairs), **row)
        if who == "ours 0.6":
            figures = {"near_duplicate_recall": judged.recall, "near_duplicate_precision": judged.precision}
            figures |= {f"near_duplicate_{name}": row[name] for name in row if name.endswith("edited")}
    return {key: round(value, 4) for key, value in figures.items()}


def two_editions(bench: Bench) -> dict[str, float]:
    """The novels that stand in two sets of Czech prose: as they stand, and in pieces of chapters and paragraphs."""
    figures = dict[str, float]()
    for documents in editions():
        sets = [runs(text) for text in documents.texts]
        similar = Counter(round(10 * jaccard(sets[one], sets[other])) / 10 for one, other in documents.pairs)
        alike = [pair for pair in documents.pairs if jaccard(sets[pair[0]], sets[pair[1]]) >= 0.7]
        bench.row(
            "editions", who="truth", kind=documents.kind, documents=len(sets), pairs=len(documents.pairs),
            similarity={f"{at:.1f}": similar[at] for at in sorted(similar)},
        )  # fmt: skip
        for who, gone in _removals(bench, documents, timed=False).items():
            every, strict = (judge(gone, sets, pairs, documents.pairs) for pairs in (documents.pairs, alike))
            bench.row(
                "editions", who=who, kind=documents.kind, pairs=every.pairs, recall=every.recall, alike=strict.pairs,
                recall_at_0_7=strict.recall, precision=every.precision, gone=every.gone,
            )  # fmt: skip
            if who == "ours 0.6":
                figures[f"editions_recall_{documents.kind}"] = round(every.recall, 4)
                figures[f"editions_recall_at_0.7_{documents.kind}"] = round(strict.recall, 4)
                figures[f"editions_precision_{documents.kind}"] = round(every.precision, 4)
            elif who != "truth":
                name = f"best_peer_editions_recall_{documents.kind}"
                figures[name] = max(figures.get(name, 0.0), round(every.recall, 4))
    return figures


def _removals(bench: Bench, documents: Documents, *, timed: bool) -> dict[str, set[int]]:
    """What each tool removes; datatrove, two hundred times slower, runs once."""
    file = bench.place(f"near-{documents.kind}.jsonl")
    file.write_text("".join(json.dumps({"text": text}) + "\n" for text in documents.texts), "utf-8")
    result = dict[str, set[int]]()
    size = sum(len(text.encode("utf-8")) for text in documents.texts) / 1e6
    jobs: dict[str, Callable[[], Result]] = {}
    for tool, thresholds in TOOLS.items():
        for threshold in thresholds:
            made = bench.place(f"{documents.kind}-{tool}-{threshold}.json")
            given = (file, made, str(threshold))
            jobs[f"{tool} {threshold}"] = (
                partial(bench.ours, "near", *given) if tool == "ours" else partial(bench.peer, f"near-{tool}", *given)
            )
    question = f"near-duplicates: {documents.kind}"
    slow = {name: job for name, job in jobs.items() if name.startswith("datatrove")}
    bench.turns(question, slow, megabytes=size, rounds=1)
    quick = {name: job for name, job in jobs.items() if name not in slow}
    bench.turns(question, quick, megabytes=size, rounds=0 if timed else 1)
    for name in jobs:
        made = bench.place(f"{documents.kind}-{name.replace(' ', '-')}.json")
        result[name] = set(json.loads(made.read_text("ascii")))
    return result


def judge(
    gone: set[int],
    sets: Sequence[frozenset[int]],
    asked: Sequence[tuple[int, int]],
    pairs: Sequence[tuple[int, int]],
) -> Judged:
    """Recall of the pairs `asked`; removals are right if a partner by `pairs`, or else a repeat, stays."""
    partners: dict[int, set[int]] = {}
    for one, other in pairs:
        partners.setdefault(one, set()).add(other)
        partners.setdefault(other, set()).add(one)
    holders: dict[int, list[int]] = {}
    for number, own in enumerate(sets):
        if number not in gone:
            for run in own:
                holders.setdefault(run, []).append(number)
    right = 0
    for number in gone:
        if partners.get(number, set()) - gone or _repeats(sets[number], sets, holders):
            right += 1
    found = sum(one in gone or other in gone for one, other in asked)
    return Judged(len(gone), right, found, len(asked))


def _repeats(own: frozenset[int], sets: Sequence[frozenset[int]], holders: Mapping[int, Sequence[int]]) -> bool:
    shared = Counter(number for run in own for number in holders.get(run, ()))
    return any(count >= REPEATS * (len(own) + len(sets[number]) - count) for number, count in shared.items())


def runs(text: str) -> frozenset[int]:
    """The runs of five words of a text, as numbers."""
    own = words(text)
    return frozenset(hash(" ".join(own[at : at + _RUN])) for at in range(max(1, len(own) - _RUN + 1)))


def jaccard(one: frozenset[int], other: frozenset[int]) -> float:
    return len(one & other) / max(1, len(one | other))


def _plant(bench: Bench, pairs: int) -> tuple[list[str], dict[int, float]]:
    """The texts, and of each copy the share of its words that was changed."""
    draw, shares, texts = random.Random(3), dict[int, float](), list[str]()
    source = [word for row in rows(str(bench.texts())) for word in row["text"].split()]
    length = max(60, min(_WORDS, len(source) // (2 * max(1, pairs))))
    for number in range(min(2 * pairs, len(source) // length)):
        own = source[number * length : (number + 1) * length]
        texts.append(" ".join(own))
        if number % 2 == 0:
            share = EDITS[number // 2 % len(EDITS)]
            shares[len(texts)] = share
            texts.append(" ".join(draw.choice(source) if draw.random() < share else word for word in own))
    return texts, shares
