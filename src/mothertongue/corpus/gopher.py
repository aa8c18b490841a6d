"""The rules of Gopher, C4 and FineWeb with the thresholds of their datatrove filters, for comparison.

For English web pages as they are: our own rules (quality.py) are re-derived for other languages and kinds of text. The
same text gets the same decision and reason as from datatrove 0.10 but for its tokenizer's rarer rules, hundreds of
times faster: words are counted in arrays (tokens.py), and what is costly is done only where a cheap bound is reached.
`language` names the tokenizer, as in datatrove; the words in STOP_WORDS are English there whatever the language.

Gopher: Rae et al. 2021, arXiv 2112.11446, table A1; C4: Raffel et al. 2020; FineWeb: Penedo et al. 2024.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import numpy as np
import numpy.typing as npt

from mothertongue.corpus.shingle import Hashes, shingles
from mothertongue.corpus.tokens import Tokens, sentences, token_hash, tokens

STOP_WORDS = ("the", "be", "to", "of", "and", "that", "have", "with")
TOP_NGRAMS = ((2, 0.2), (3, 0.18), (4, 0.16))
DUPLICATE_NGRAMS = ((5, 0.15), (6, 0.14), (7, 0.13), (8, 0.12), (9, 0.11), (10, 0.10))
_PARAGRAPHS = re.compile(r"\n{2,}")
_LINES = re.compile(r"\n+")
_CITATION = re.compile(r"\[\d*]|\[edit]|\[citation needed]")
_POLICY = re.compile("terms of use|privacy policy|cookie policy|uses cookies|use of cookies|use cookies")
_TERMINAL = frozenset(".?!。．！？｡։؟۔।॥።፧፨၊။។៕᠃᠉‼⁇⁈⁉‽⸮﹖﹗﹒")


def gopher_quality(text: str, *, stop_words: Sequence[str] = STOP_WORDS, language: str = "en") -> str | None:
    """Why Gopher's quality rules drop `text`, or None."""
    found = tokens(text, language)
    real = ~found.is_symbol()
    number, words = len(found), int(real.sum())
    if words < 50:
        return "gopher_short_doc"
    if words > 100_000:
        return "gopher_long_doc"
    length = float((found.ends - found.starts)[real].sum()) / words
    if length < 3:
        return "gopher_below_avg_threshold"
    if length > 10:
        return "gopher_above_avg_threshold"
    if text.count("#") / number > 0.1:
        return "gopher_too_many_hashes"
    if (text.count("...") + text.count("…")) / number > 0.1:
        return "gopher_too_many_ellipsis"
    if reason := _line_ends(text.splitlines()):
        return reason
    if found.has_letter().sum() / number < 0.8:
        return "gopher_below_alpha_threshold"
    known = sum(bool((found.hashes == np.uint64(token_hash(word))).any()) for word in stop_words)
    return "gopher_enough_stop_words" if known < 2 else None


def _line_ends(lines: list[str]) -> str | None:
    if sum(line.lstrip().startswith(("•", "-")) for line in lines) / len(lines) > 0.9:
        return "gopher_too_many_bullets"
    if sum(line.rstrip().endswith(("...", "…")) for line in lines) / len(lines) > 0.3:
        return "gopher_too_many_end_ellipsis"
    return None


def gopher_repetition(text: str, *, language: str = "en") -> str | None:
    """Why Gopher's repetition rules drop `text`, or None."""
    if not text:
        return "empty"
    for name, parts in (("para", _PARAGRAPHS.split(text.strip())), ("line", _LINES.split(text))):
        copies, characters = repeated(parts)
        if copies / len(parts) > 0.3:
            return f"dup_{name}_frac"
        if characters / len(text) > 0.2:
            return f"dup_{name}_char_frac"
    return repeated_ngrams(tokens(text, language), len(text))


def repeated(parts: Sequence[str]) -> tuple[int, int]:
    """How many of `parts` stand earlier among them, and their characters."""
    if len(different := set(parts)) == len(parts):
        return 0, 0
    return len(parts) - len(different), sum(map(len, parts)) - sum(map(len, different))


def repeated_ngrams(found: Tokens, characters: int) -> str | None:
    """Gopher's limits on the commonest and on repeated runs of words in a text of so many characters."""
    lengths = np.concatenate(([0], np.cumsum(found.ends - found.starts)))
    longest = int((found.ends - found.starts).max(initial=0))
    commonest = len(found)
    for width, limit in TOP_NGRAMS:
        # a run of three words is never more frequent than the commonest of two
        if len(found) < width or commonest * (width * (longest + 1)) <= limit * characters:
            continue
        commonest, size = _commonest(shingles(found.hashes, width), lengths, width)
        if commonest * (size + width - 1) / characters > limit:
            return f"top_{width}_gram"
    for width, limit in DUPLICATE_NGRAMS:
        if len(found) < width:
            continue
        runs = shingles(found.hashes, width)
        later = seen_before(runs)
        most = covered(later, lengths, width)
        if most > limit * characters and _skipping(runs, later, lengths, width) > limit * characters:
            return f"duplicated_{width}_n_grams"
        if most <= DUPLICATE_NGRAMS[-1][1] * characters:  # longer runs repeat less
            return None
    return None


def _commonest(runs: Hashes, lengths: npt.NDArray[np.int64], width: int) -> tuple[int, int]:
    """How often the most frequent run stands there, and its characters; of several the first."""
    _, first, counts = np.unique(runs, return_index=True, return_counts=True)
    most = int(counts.max())
    at = int(first[counts == most].min())
    return most, int(lengths[at + width] - lengths[at])


def seen_before(runs: Hashes) -> npt.NDArray[np.bool_]:
    """For each run whether an equal one stands before it."""
    order = np.argsort(runs, kind="stable")
    ordered = runs[order]
    later = np.zeros(len(runs), dtype=np.bool_)
    later[order[1:]] = ordered[1:] == ordered[:-1]
    return later


def covered(later: npt.NDArray[np.bool_], lengths: npt.NDArray[np.int64], width: int) -> int:
    """Characters of the words that stand in a run that was there before."""
    edges = np.zeros(len(lengths), dtype=np.int64)
    edges[: len(later)] += later
    edges[width : width + len(later)] -= later
    return int(np.diff(lengths)[np.cumsum(edges)[:-1] > 0].sum())


def _skipping(runs: Hashes, later: npt.NDArray[np.bool_], lengths: npt.NDArray[np.int64], width: int) -> int:
    """Characters of repeated runs as datatrove counts them: after each it goes on behind it."""
    names, sizes, maybe = runs.tolist(), (lengths[width:] - lengths[:-width]).tolist(), later.tolist()
    seen, total, at = set[int](), 0, 0
    while at < len(names):
        if maybe[at] and names[at] in seen:
            total += sizes[at]
            at += width
        else:
            seen.add(names[at])
            at += 1
    return total


def c4_quality(text: str, *, language: str = "en") -> str | None:
    """Why C4's rules drop `text`, or None. The lines that they take out of a text that is kept are not told."""
    kept = []
    for line in text.splitlines():
        line = line.strip()
        words = line.split(None, 3)
        if len(line) > 1000 and max(map(len, line.split())) > 1000:
            continue
        if "[" in line:
            line = _CITATION.sub("", line)
        if not line.endswith((".", "?", "!", '"', "'")) or line.endswith("...") or len(words) < 3:
            continue
        small = line.lower()
        if "lorem ipsum" in small:
            return "lorem_ipsum"
        if "javascript" in small:
            continue
        if "{" in line:
            return "curly_bracket"
        if _POLICY.search(small):
            continue
        kept.append(line)
    if len(kept) < 5 and sum(sentences(line, language) for line in kept) < 5:
        return "too_few_sentences"
    return None


def fineweb_quality(text: str, *, language: str = "en") -> str | None:
    """Why FineWeb's quality rules drop `text`, or None."""
    lines = [line for line in text.split("\n") if line and not line.isspace()]
    if not lines:
        return "empty"
    if sum(line[-1] in _TERMINAL for line in lines) / len(lines) < 0.12:
        return "line_punct_ratio"
    if sum(len(line) <= 30 for line in lines) / len(lines) > 0.67:
        return "short_line_ratio"
    breaks = text.count("\n")
    if repeated(lines)[1] / (len(text) - breaks) > 0.01:
        return "char_dup_ratio"
    # a text has at least as many words as spaces between them, give or take; count only if it is close
    if breaks > 0.15 * text.count(" ") and breaks / max(1, len(tokens(text, language))) > 0.3:
        return "list_ratio"
    return None


FILTERS: dict[str, Callable[[str], str | None]] = {
    "gopher-quality": gopher_quality,
    "gopher-repetition": gopher_repetition,
    "c4-quality": c4_quality,
    "fineweb-quality": fineweb_quality,
}
