"""What a transfer works with: the source's rows, what both vocabularies share, static vectors for those who ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import cache
from pathlib import Path

from tokenizers import Tokenizer
from torch import Tensor

from mothertongue.errors import ArtifactError, ConfigError
from mothertongue.model.checkpoint import Checkpoint, open_checkpoint
from mothertongue.model.stream import vocabulary_of
from mothertongue.run.files import expand
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.dictionary import translate
from mothertongue.transfer.methods import Material, Translations, VectorPair
from mothertongue.transfer.overlap import Key, shared_tokens, token_keys
from mothertongue.transfer.pieces import piece_finder
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

    def counted(dimensions: int = config.dimensions, window: int = config.window) -> StaticVectors:
        size = vocabulary_of(target)
        return count_vectors(streams(), vocab_size=size, dimensions=dimensions, window=window, seed=config.seed)

    def vectors() -> VectorPair:
        known = source_vectors(config, source)
        return VectorPair(known, counted(known.vectors.shape[1], known.window))

    @cache
    def translations() -> Translations:
        file = Path(expand(config.dictionary))
        return translate(file, source_keys, target_keys, language=config.dictionary_language)

    return Material(
        source_rows=vocabulary_rows(source.model, vocabulary_of(source.tokenizer)),
        target_size=vocabulary_of(target),
        source_keys=source_keys,
        target_keys=target_keys,
        matches=shared_tokens(source_keys, target_keys),
        vectors=vectors,
        neighbours=config.neighbours,
        temperature=config.temperature,
        seed=config.seed,
        target_vectors=counted,
        pieces=piece_finder(source.tokenizer, source_keys),
        donor_rows=lambda: donor_rows(config, target_keys, vocabulary_of(target)),
        translations=translations if config.dictionary else None,
    )


def donor_rows(config: TransferConfig, target_keys: Mapping[int, Key], size: int) -> Tensor:
    """Rows [size, E] of the model `donor` for the target's tokens; zero for those that it does not have."""
    if not config.donor:
        raise ConfigError(
            f'method = "{config.method}" needs a model that has the target vocabulary already. Name its folder '
            '(donor = "small-czech", or --donor), or use method = "align", which needs none.'
        )
    opened = open_checkpoint(Path(expand(config.donor)))
    theirs = token_keys(opened.tokenizer)
    matches = shared_tokens(theirs, target_keys)
    rows_SE = vocabulary_rows(opened.model, vocabulary_of(opened.tokenizer))
    rows_VE = rows_SE.new_zeros(size, rows_SE.shape[1])
    rows_VE[list(matches)] = rows_SE[list(matches.values())]
    return rows_VE


def source_vectors(config: TransferConfig, source: Checkpoint) -> StaticVectors:
    """Static vectors of the source vocabulary: counted in `source_text` if that is given, else shipped by the model."""
    size = vocabulary_of(source.tokenizer)
    if config.source_text:
        texts = source_texts(config.source_text, max_bytes=config.max_megabytes * 1e6)
        streams = token_streams(source.tokenizer, texts, what="reading the model's own language")
        counted = count_vectors(
            streams, vocab_size=size, dimensions=config.dimensions, window=config.window, seed=config.seed
        )
        if not counted.vectors.any():
            raise ConfigError(
                f"source_text ({', '.join(source.path for source in config.source_text)}) is too short to tell which "
                "tokens keep company. Name some megabytes of text in the model's own language."
            )
        return counted
    shipped = read_static_vectors(source.path, vocab_size=size)
    if shipped is None:
        raise ConfigError(
            f'method = "{config.method}" must know which company tokens keep in the model\'s own language, but '
            f"{source.path} ships no {STATIC_VECTORS_FILE}. Name some megabytes of text of that language "
            '(source_text = ["english/*.txt"], or --source-text), or use method = "mean".'
        )
    return shipped
