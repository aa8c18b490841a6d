"""How good is completion as one types: exact matches, saved keys, milliseconds per key, seconds to a suggestion.

    python benchmarks/completion.py cs=runs/completion-cs/export,runs/completion-cs/corpus bg=...      (GGUF is faster)
    python benchmarks/completion.py --against-bits cs=A,CORPUS cs=B,CORPUS ...         checkpoints of a language

An ideal user types held-out text, looks at the offers after every key, and takes the right word when it is there: one
key for the letters that are missing and the space, if one follows. So a word of n letters, found after t of them,
saves n - t keys of n + 1. Beside the model stands the unigram line: the most frequent words of the training text that
begin so. Dials were chosen on the development side (--split dev --dry).

With --against-bits several models of one language are told beside their bits per byte: what a better model is worth.
"""

from __future__ import annotations

import argparse
import bisect
import re
import statistics
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import accumulate
from pathlib import Path
from typing import Any

import numpy as np

from mothertongue.corpus.shards import read_documents
from mothertongue.model.checkpoint import open_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.use.complete import Completer, open_completer
from mothertongue.use.cursor import runs
from mothertongue.use.words import is_letter
from results_file import ROOT, write_results

MODELS = [f"{name}=runs/road/{name}/export,runs/road/{name}/corpus" for name in ("cs", "bg")]
TOP = 3
CONTEXT_CHARACTERS = 1500
TRAINING_CHARACTERS = 20_000_000
SCORED = 200_000  # characters
Offer = Callable[[str, str], list[str]]  # the text before the word, the letters typed of it -> whole words


@dataclass
class Tally:
    """What an ideal user met."""

    keys: int = 0
    saved: Counter[int] = field(default_factory=Counter)  # by number of offers
    words: Counter[int] = field(default_factory=Counter)  # by letters typed
    right: Counter[tuple[int, int]] = field(default_factory=Counter)  # by letters typed and number of offers
    milliseconds: list[float] = field(default_factory=list)

    def figures(self) -> dict[str, float]:
        """Shares, and percentiles of the time of a key."""
        found = {f"saved_top{k}": round(self.saved[k] / self.keys, 4) for k in (1, TOP)}
        for typed in range(4):
            for k in (1, TOP):
                found[f"right_after_{typed}_top{k}"] = round(self.right[typed, k] / max(1, self.words[typed]), 4)
        if self.milliseconds:
            times = np.percentile(self.milliseconds, [50, 95])
            found |= {"keystroke_p50_ms": round(float(times[0]), 1), "keystroke_p95_ms": round(float(times[1]), 1)}
        return found


def stretches(texts: Sequence[str], *, words: int, seed: int, length: int = 20) -> Iterator[tuple[str, list[str]]]:
    """Places by lot: the text before, and the runs (words, marks) that are typed there."""
    random = np.random.default_rng(seed)
    lengths = np.array([max(0, len(text) - 400) for text in texts], dtype=float)
    for _ in range(-(-words // length)):
        text = texts[int(random.choice(len(texts), p=lengths / lengths.sum()))]
        at = text.find(" ", int(random.integers(0, len(text) - 300)))
        typed = runs(text[at : at + 40 * length])[: 2 * length]
        yield text[max(0, at - CONTEXT_CHARACTERS) : at], typed


def play(offer: Offer, texts: Sequence[str], *, words: int, seed: int, timed: bool) -> Tally:
    """Type `words` words of `texts` and count."""
    tally, done = Tally(), 0
    for before, typed in stretches(texts, words=words, seed=seed):
        for run, following in zip(typed, [*typed[1:], ""], strict=True):
            if done == words:
                return tally
            word = run.lstrip()
            tally.keys += len(run)
            if is_letter(word[:1] or " "):
                play_word(
                    tally,
                    offer,
                    before + run[: len(run) - len(word)],
                    word,
                    spaced=following.startswith(" "),
                    timed=timed,
                )
                done += 1
            before += run
    return tally


def play_word(tally: Tally, offer: Offer, before: str, word: str, *, spaced: bool, timed: bool) -> None:
    """Type one word until it is offered first."""
    still_open = {1, TOP}
    for typed in range(len(word)):
        began = time.perf_counter()
        offered = offer(before, word[:typed])
        if timed:
            tally.milliseconds.append(1000 * (time.perf_counter() - began))
        rank = offered.index(word) if word in offered else len(word) + TOP
        tally.words[typed] += 1
        for k in (1, TOP):
            tally.right[typed, k] += rank < k
            if rank < k and k in still_open:
                still_open.remove(k)
                tally.saved[k] += max(0, len(word) - typed - 1 + spaced)
        if not still_open and typed >= 3:
            break


def model_offer(completer: Completer) -> Offer:
    """What the completer offers of words that begin as typed."""

    def offer(before: str, typed: str) -> list[str]:
        return [word.word for word in completer.words(before + typed, k=TOP, which="longer")]

    return offer


def unigram_offer(texts: Iterator[str]) -> Offer:
    """The most frequent words that begin as typed."""
    counts: Counter[str] = Counter()
    read = 0
    for text in texts:
        counts.update(words_of(text))
        if (read := read + len(text)) > TRAINING_CHARACTERS:
            break
    words = sorted(counts)
    best: dict[str, list[str]] = {}

    def offer(_: str, typed: str) -> list[str]:
        if typed not in best:
            end = bisect.bisect_left(words, typed + "\U0010ffff")
            found = words[bisect.bisect_left(words, typed) : end]
            best[typed] = sorted((w for w in found if len(w) > len(typed)), key=lambda w: -counts[w])[:TOP]
        return best[typed]

    return offer


def words_of(text: str) -> list[str]:
    """The words of `text`; like `runs`, but quick."""
    return re.findall(r"[^\W_]+", text)


def first_suggestion_seconds(folder: Path, prompt: str) -> float:
    """From the start of the command to its answer."""
    began = time.perf_counter()
    command = [sys.executable, "-m", "mothertongue", "complete", str(folder), prompt, "--until", "word", "--k", "1"]
    subprocess.run(command, check=True, capture_output=True)
    return time.perf_counter() - began


def measure(name: str, model: Path, corpus: Path, asked: argparse.Namespace) -> list[dict[str, Any]]:
    """A row for the model and one for the unigram line."""
    texts = [document.text for document in read_documents(corpus, asked.split) if len(document.text) > 500]
    completer = open_completer(model, exact=asked.exact, personal=asked.personal)
    offers = {
        "model": model_offer(completer),
        "unigram": unigram_offer(document.text for document in read_documents(corpus, "train")),
    }
    rows = []
    for line, offer in offers.items():
        tally = play(offer, texts, words=asked.words, seed=asked.seed, timed=line == "model")
        rows.append({"question": "completion", "language": name, "line": line, "words": asked.words, **tally.figures()})
        print(rows[-1], flush=True)
    starts = [first_suggestion_seconds(model, "A") for _ in range(asked.starts)]
    if starts:
        rows[0]["start_seconds"] = round(statistics.median(starts), 2)
    return rows


def against_bits(name: str, model: Path, corpus: Path, asked: argparse.Namespace) -> dict[str, Any]:
    """A row with the keys that a checkpoint saves, and its bits per byte (of the corpus's side, `SCORED` bytes)."""
    texts = [document.text for document in read_documents(corpus, asked.split) if len(document.text) > 500]
    few = [text for text, before in zip(texts, accumulate(map(len, texts), initial=0), strict=False) if before < SCORED]
    opened = open_checkpoint(model)
    score = score_documents(opened.model, opened.tokenizer, few)
    tally = play(model_offer(open_completer(model)), texts, words=asked.words, seed=asked.seed, timed=False)
    label = "/".join(model.resolve().relative_to(ROOT / "runs").parts)
    row = {"question": "completion against bits", "language": name, "model": label, "words": asked.words}
    return row | {"bits_per_byte": round(score.bits_per_byte, 4), **tally.figures()}


def main() -> None:
    """Measure every model that is named, and write the results."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("models", nargs="*", metavar="NAME=MODEL,CORPUS", default=MODELS)
    parser.add_argument("--words", type=int, default=2000)
    parser.add_argument("--split", choices=("dev", "heldout"), default="heldout")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--starts", type=int, default=3)
    parser.add_argument("--exact", action="store_true")
    parser.add_argument("--personal", type=float, default=0.0)
    parser.add_argument("--dry", action="store_true", help="print only")
    parser.add_argument("--against-bits", action="store_true")
    asked = parser.parse_args()
    began, rows = time.time(), list[dict[str, Any]]()
    for named in asked.models:
        name, _, folders = named.partition("=")
        model, corpus = (Path(folder) for folder in folders.split(","))
        if asked.against_bits:
            rows.append(against_bits(name, model, corpus, asked))
            print(rows[-1], flush=True)
            continue
        rows += measure(name, model, corpus, asked)
    models = [row for row in rows if row.get("line") == "model"]
    figures = {f"{row['language']}_saved_top{k}": row[f"saved_top{k}"] for row in models for k in (1, TOP)}
    if models:
        figures |= {key: max(row[key] for row in models) for key in ("keystroke_p50_ms", "keystroke_p95_ms")}
    if models and asked.starts:
        figures["completion_start_seconds"] = max(row["start_seconds"] for row in models)
    print(figures)
    if not asked.dry:
        write_results("use", figures, rows, seconds=time.time() - began, beside=True)


if __name__ == "__main__":
    main()
