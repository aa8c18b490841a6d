"""The task `baselines`: what uniform, unigram, 5-gram and xz need for the same bytes.

Uniform, unigram and 5-gram speak the model's tokens, are trained on the corpus' training side like the model, and read
the same documents: `<|endoftext|>` starts each and is not scored. xz knows no training text. A model above the 5-gram
has learnt less than counting does.
"""

from __future__ import annotations

import lzma
import math
from pathlib import Path

import numpy as np

from mothertongue.corpus.shards import read_documents
from mothertongue.evaluate.tasks import Outcome, Subject
from mothertongue.model.stream import (
    Stream,
    fivegram_nats,
    make_stream,
    sample_documents,
    tokenize_corpus,
    vocabulary_of,
)
from mothertongue.run.progress import track
from mothertongue.tokenizer.bytelevel import end_of_text_id, start_of_text_id

MAX_TRAINING_TOKENS = 16_000_000  # 2.5 GB of memory and 15 seconds for the 5-gram
PRIMING_BYTES = 4_000_000
XZ_FILTER = lzma.PRESET_EXTREME | 9


def baselines(subject: Subject) -> Outcome:
    """Bits per byte of every baseline, as rows from the best informed to the least."""
    tokenizer = subject.checkpoint.tokenizer
    end_id = end_of_text_id(tokenizer)
    size = sum(len(text.encode("utf-8")) for text in subject.texts)
    heldout = make_stream(tokenizer, subject.texts, start_id=end_id)
    whole = tokenize_corpus(subject.corpus, tokenizer, subject.workspace / "training.bin")
    sample = sample_documents(
        whole,
        end_id=end_id,
        start_id=start_of_text_id(tokenizer),
        max_tokens=MAX_TRAINING_TOKENS,
        seed=subject.config.seed,
    )
    with track("baselines", total=4, unit="step") as bar:
        nats = {"5-gram": fivegram_nats(sample.stream, heldout, start_id=end_id, vocabulary=vocabulary_of(tokenizer))}
        bar.advance(note="5-gram")
        nats["unigram"] = unigram_nats(sample.stream, heldout, start_id=end_id, vocabulary=vocabulary_of(tokenizer))
        bar.advance(note="unigram")
        text = "\n".join(subject.texts).encode("utf-8")
        plain = xz_bytes(text)
        bar.advance(note="xz")
        prefix = training_text(subject.corpus, PRIMING_BYTES)
        primed = xz_bytes(prefix + text) - xz_bytes(prefix)
        bar.advance(note="xz after training text")
    nats["uniform"] = int((heldout != end_id).sum()) * math.log(vocabulary_of(tokenizer))
    bits = {name: cost / math.log(2) / size for name, cost in nats.items()}
    bits |= {"xz": 8 * plain / size, "xz primed": 8 * primed / size}
    return _outcome(bits, tokens=len(sample.stream), share=sample.share, prefix=len(prefix))


def _outcome(bits: dict[str, float], *, tokens: int, share: float, prefix: int) -> Outcome:
    trained = f"trained on {tokens / 1e6:.3g} M tokens"
    what = {
        "5-gram": f"interpolated modified Kneser-Ney, {trained}",
        "unigram": f"token frequencies, {trained}",
        "xz": "xz -9e on the held-out text alone",
        "uniform": "every token alike",
    }
    rows = [{"name": name, "bits_per_byte": bits[name], "what": text} for name, text in what.items()]
    figures = {
        "fivegram_bits_per_byte": bits["5-gram"],
        "unigram_bits_per_byte": bits["unigram"],
        "xz_bits_per_byte": bits["xz"],
        "xz_primed_bits_per_byte": bits["xz primed"],
        "uniform_bits_per_byte": bits["uniform"],
        "fivegram_tokens": tokens,
    }
    notes = [f"xz that has just read {prefix / 1e6:.2g} MB of training text: {bits['xz primed']:.3f} bits per byte."]
    if share < 1:
        notes.append(f"5-gram and unigram saw {share:.0%} of the training side (whole documents by lot).")
    return Outcome(figures, rows, notes)


def unigram_nats(training: Stream, heldout: Stream, *, start_id: int, vocabulary: int) -> float:
    """Nats of the held-out documents' tokens by their frequency in training, plus one (Laplace)."""
    counts_V = np.bincount(training[1:], minlength=vocabulary) + 1
    return float(-np.log(counts_V[heldout[heldout != start_id]] / counts_V.sum()).sum())


def xz_bytes(text: bytes) -> int:
    """Size of `text` as an .xz file, made with the strongest preset."""
    return len(lzma.compress(text, preset=XZ_FILTER))


def training_text(corpus: Path, max_bytes: int) -> bytes:
    """The first `max_bytes` of the training side."""
    parts: list[bytes] = []
    missing = max_bytes
    for document in read_documents(corpus, "train"):
        parts.append((document.text + "\n").encode("utf-8")[:missing])
        missing -= len(parts[-1])
        if missing <= 0:
            break
    return b"".join(parts)
