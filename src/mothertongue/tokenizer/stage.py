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
from mothertongue.tokenizer.sample import sample_texts


def tokenizer(config: TokenizerConfig, out: Path, *, corpus: Path) -> Metrics:
    """Train a byte-level BPE tokenizer into `out`; metrics are its size and its fit on development text."""
    with track("reading text for the tokenizer", unit="MB") as bar:
        texts = sample_texts(corpus, "train", max_bytes=round(config.max_megabytes * 1e6))
        trained = train_bytelevel(_counted(texts, bar), vocab_size=config.vocab_size)
    size = trained.get_vocab_size()
    if size < config.vocab_size:
        say(f"  the text merits only {size} of the {config.vocab_size} tokens asked for; the vocabulary has {size}")
    save_tokenizer(trained, out, context=config.model_max_length)
    fit = measure_fit(trained, (document.text for document in read_documents(corpus, "dev")))
    return {"vocab_size": size, **fit.as_metrics(), "longest_tokens": longest_tokens(trained, 12)}


def _counted(texts: Iterator[str], bar: Bar) -> Iterator[str]:
    for text in texts:
        bar.advance(len(text.encode()) / 1e6)
        yield text
