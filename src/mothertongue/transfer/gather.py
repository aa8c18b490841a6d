"""What a transfer works with: the source's rows, what both vocabularies share, static vectors for those who ask."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer

from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.model.checkpoint import Checkpoint
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.methods import Material, VectorPair
from mothertongue.transfer.overlap import id_count, shared_tokens, token_keys
from mothertongue.transfer.rows import vocabulary_rows
from mothertongue.transfer.static import STATIC_VECTORS_FILE, StaticVectors, count_vectors, read_static_vectors
from mothertongue.transfer.streams import Stream, source_texts, token_streams, train_texts

Streams = Callable[[], Sequence[Stream]]


def corpus_streams(config: TransferConfig, tokenizer: Tokenizer, corpus: Path) -> Streams:
    """A function that gives the corpus' training side as token ids; it is read on the first call."""

    @cache
    def read() -> Sequence[Stream]:
        texts = train_texts(corpus, max_bytes=config.max_megabytes * 1e6)
        streams = list(token_streams(tokenizer, texts, what="reading the corpus"))
        if not streams:
            raise ArtifactError(f"{corpus} has no training text. Make the corpus again with more text.")
        return streams

    return read


def gather(config: TransferConfig, source: Checkpoint, target: Tokenizer, streams: Streams) -> Material:
    """The material for a method; nothing is read for static vectors until the method asks for them."""
    source_keys, target_keys = token_keys(source.tokenizer), token_keys(target)

    def vectors() -> VectorPair:
        known = source_vectors(config, source)
        counted = count_vectors(
            streams(),
            vocab_size=id_count(target),
            dimensions=known.vectors.shape[1],
            window=known.window,
            seed=config.seed,
        )
        return VectorPair(known, counted)

    return Material(
        source_rows=vocabulary_rows(source.model, id_count(source.tokenizer)),
        target_size=id_count(target),
        source_keys=source_keys,
        target_keys=target_keys,
        matches=shared_tokens(source_keys, target_keys),
        vectors=vectors,
        neighbours=config.neighbours,
        temperature=config.temperature,
        seed=config.seed,
    )


def source_vectors(config: TransferConfig, source: Checkpoint) -> StaticVectors:
    """Static vectors of the source vocabulary: counted in `source_text` if that is given, else shipped by the model."""
    size = id_count(source.tokenizer)
    if config.source_text:
        texts = source_texts(config.source_text, max_bytes=config.max_megabytes * 1e6)
        streams = token_streams(source.tokenizer, texts, what="reading the model's own language")
        return count_vectors(
            streams, vocab_size=size, dimensions=config.dimensions, window=config.window, seed=config.seed
        )
    shipped = read_static_vectors(source.path, vocab_size=size)
    if shipped is None:
        raise ConfigError(
            f'method = "{config.method}" must know which company tokens keep in the model\'s own language, but '
            f"{source.path} ships no {STATIC_VECTORS_FILE}. Name some megabytes of text of that language "
            '(source_text = ["english/*.txt"], or --source-text), or use method = "mean".'
        )
    return shipped
