"""The step `tokenizer`: trains on the corpus' training side, reports the fit on its development side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from mothertongue.corpus.shards import read_documents
from mothertongue.run.artifact import Metrics
from mothertongue.run.progress import Bar, say, track
from mothertongue.tokenizer.bytelevel import save_tokenizer, train_bytelevel
from mothertongue.tokenizer.config import TokenizerConfig
from mothertongue.tokenizer.inspect import longest_tokens, measure_fit

LEAST_BYTES = 500  # a shorter beginning of a document has too many headings in it


def tokenizer(config: TokenizerConfig, out: Path, *, corpus: Path) -> Metrics:
    """Train a byte-level BPE tokenizer into `out`; metrics are its size and its fit on development text."""
    with track("reading text for the tokenizer", unit="MB") as bar:
        texts = sample_texts(corpus, max_bytes=round(config.max_megabytes * 1e6), bar=bar)
        trained = train_bytelevel(texts, vocab_size=config.vocab_size)
    size = trained.get_vocab_size()
    if size < config.vocab_size:
        say(f"  the text merits only {size} of the {config.vocab_size} tokens asked for; the vocabulary has {size}")
    save_tokenizer(trained, out, context=config.model_max_length)
    fit = measure_fit(trained, (document.text for document in read_documents(corpus, "dev")))
    return {"vocab_size": size, **fit.as_metrics(), "longest_tokens": longest_tokens(trained, 12)}


def sample_texts(corpus: Path, *, max_bytes: int, bar: Bar) -> Iterator[str]:
    """Training text of at most `max_bytes`: an equal share of every part, as a corpus holds its sources one by one.

    The same corpus gives the same texts. A document longer than what is due to it gives its beginning.
    """
    share = min(1.0, max_bytes / max(1, sum(len(d.text.encode()) for d in read_documents(corpus, "train"))))
    due = 0.0
    for document in read_documents(corpus, "train"):
        size = len(document.text.encode())
        due += share * size
        if due < min(size, LEAST_BYTES):
            continue
        text = document.text if due >= size else document.text[: int(len(document.text) * due / size)]
        taken = len(text.encode())
        due -= taken
        bar.advance(taken / 1e6)
        yield text
