"""The step `tokenizer`: trains on the corpus' training side, reports the fit on its development side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tokenizers import Tokenizer

from mothertongue.corpus.shards import read_documents
from mothertongue.errors import ArtifactError
from mothertongue.run.artifact import Metrics
from mothertongue.run.progress import say, track
from mothertongue.tokenizer.bytelevel import save_tokenizer, train_bytelevel
from mothertongue.tokenizer.config import TokenizerConfig
from mothertongue.tokenizer.inspect import longest_tokens, measure_fit
from mothertongue.tokenizer.sample import sample_texts
from mothertongue.tokenizer.splitting import suitable_split
from mothertongue.tokenizer.unigram import train_unigram

_TRAINERS = {"bytelevel": train_bytelevel, "unigram": train_unigram}
_BYTES_TO_CHOOSE_BY = 1_000_000


def tokenizer(config: TokenizerConfig, out: Path, *, corpus: Path) -> Metrics:
    """Train a tokenizer into `out`; metrics are its size, its cuts and its fit on development text, if there is any.

    Raises ArtifactError if the corpus has no training text.
    """
    split = choose_split(config, corpus)
    trained = train_tokenizer(config, corpus, split=split)
    size = trained.get_vocab_size()
    if size < config.vocab_size:
        say(f"  the text merits only {size} of the {config.vocab_size} tokens asked for; the vocabulary has {size}")
    save_tokenizer(trained, out, context=config.model_max_length)
    fit = measure_fit(trained, (document.text for document in read_documents(corpus, "dev")))
    figures = fit.as_metrics() if fit.tokens else {}
    return {"vocab_size": size, "split": split, **figures, "longest_tokens": longest_tokens(trained, 12)}


def choose_split(config: TokenizerConfig, corpus: Path) -> str:
    """The cuts that the settings name, or those that suit the text."""
    if config.split != "auto":
        return config.split
    if config.kind == "unigram":
        return "script"
    return suitable_split(sample_texts(corpus, "train", max_bytes=_BYTES_TO_CHOOSE_BY))


def train_tokenizer(config: TokenizerConfig, corpus: Path, *, split: str) -> Tokenizer:
    """A tokenizer as `config` says, of the training side of `corpus`."""
    texts = _read(corpus, max_bytes=round(config.max_megabytes * 1e6))
    return _TRAINERS[config.kind](texts, vocab_size=config.vocab_size, split=split)


def _read(corpus: Path, *, max_bytes: int) -> Iterator[str]:
    size = 0
    with track("reading text for the tokenizer", unit="MB") as bar:
        for text in sample_texts(corpus, "train", max_bytes=max_bytes):
            size += len(text.encode())
            bar.advance(len(text.encode()) / 1e6)
            yield text
    if not size:
        raise ArtifactError(f"{corpus} has no training text. Make a corpus of more text: `mothertongue corpus`.")
