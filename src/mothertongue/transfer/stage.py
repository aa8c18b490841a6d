"""The step `transfer`: opens the source model, makes rows for the target vocabulary, calibrates, measures and saves."""

from __future__ import annotations

import math
import time
from dataclasses import asdict, dataclass
from pathlib import Path

from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import Checkpoint, open_checkpoint, save_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.model.stream import vocabulary_of
from mothertongue.run.artifact import Metrics
from mothertongue.run.progress import say
from mothertongue.tokenizer.bytelevel import encode_text, open_tokenizer
from mothertongue.transfer.calibrate import Calibration, calibrate, unigram
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.gather import corpus_streams, gather
from mothertongue.transfer.knows import base_knows
from mothertongue.transfer.methods import METHODS, Material, Translations
from mothertongue.transfer.rows import set_vocabulary
from mothertongue.transfer.streams import dev_texts, sample_windows, token_counts
from mothertongue.transfer.trim import trim_model

DEV_BYTES = 50_000
CALIBRATION_WINDOWS, CALIBRATION_TOKENS = 16, 256


def transfer(
    config: TransferConfig, out: Path, *, checkpoint: Path, corpus: Path, tokenizer: Path | None = None
) -> Metrics:
    """Write into `out` the model of `checkpoint` with the vocabulary of `tokenizer`, ready to be trained.

    Only `trim` needs no tokenizer: without one, or with the model's own, it makes a smaller one of that.
    """
    begun = time.perf_counter()
    METHODS.load(config.method)  # what is not there is said before anything is read
    if not tokenizer and config.method != "trim":
        raise ConfigError(
            f'method = "{config.method}" makes rows for a new vocabulary and needs a tokenizer. '
            'Give --tokenizer FOLDER, or use method = "trim" to keep the model\'s own.'
        )
    source = open_checkpoint(checkpoint)
    known = base_knows(source, corpus)
    if known:
        say(f"  {known.suggestion}")
    target, model = open_tokenizer(tokenizer) if tokenizer else source.tokenizer, source.model
    if not tokenizer or (config.method == "trim" and target.get_vocab() == source.tokenizer.get_vocab()):
        return trim_own(config, source, out, corpus) | (known.as_metrics() if known else {})
    given = give_vocabulary(config, source, target, corpus)
    metrics = describe(config, given.material, given.counts) | (known.as_metrics() if known else {})
    if given.calibration:
        metrics["calibration"] = asdict(given.calibration)
    metrics |= starting_scores(model, target, dev_texts(corpus, max_bytes=DEV_BYTES), unigram(given.counts))
    say(summary(metrics))
    save_checkpoint(model, target, out)
    return metrics | {"seconds": round(time.perf_counter() - begun, 3)}


@dataclass(frozen=True)
class Given:
    """What a new vocabulary was made from, how often its tokens occur, and how calibrating them went."""

    material: Material
    counts: Tensor  # V
    calibration: Calibration | None


def give_vocabulary(config: TransferConfig, source: Checkpoint, target: Tokenizer, corpus: Path) -> Given:
    """Give the model of `source`, in place, the vocabulary `target` with rows as `config` says."""
    streams = corpus_streams(config, target, corpus)
    material = gather(config, source, target, streams)
    set_vocabulary(source.model, METHODS.load(config.method)(material), target)
    counts_V = token_counts(streams(), material.target_size)
    if not config.calibrate or config.method == "trim":
        return Given(material, counts_V, None)
    length = min(CALIBRATION_TOKENS, anatomy(source.model).context)
    windows_BT = sample_windows(streams(), count=CALIBRATION_WINDOWS, length=length)
    return Given(material, counts_V, calibrate(source.model, windows_BT, unigram(counts_V)))


def trim_own(config: TransferConfig, source: Checkpoint, out: Path, corpus: Path) -> Metrics:
    """Write into `out` the model with those of its own tokens that the corpus uses; the scores of both."""
    counts_V = token_counts(corpus_streams(config, source.tokenizer, corpus)(), vocabulary_of(source.tokenizer))
    used = (counts_V >= config.least_count).nonzero().flatten().tolist()
    tokenizer, sizes = trim_model(source.model, source.tokenizer, used)
    mass = float(counts_V[used].sum() / counts_V.sum())
    metrics = {"method": "trim", **sizes, "kept_token_mass": round(mass, 6)}
    shares = unigram(token_counts(corpus_streams(config, tokenizer, corpus)(), vocabulary_of(tokenizer)))
    metrics |= starting_scores(source.model, tokenizer, dev_texts(corpus, max_bytes=DEV_BYTES), shares)
    say(
        f"  trim: {sizes['source_vocab_size']:,} -> {sizes['target_vocab_size']:,} tokens, "
        f"{sizes['parameters_before'] / 1e6:.3g} -> {sizes['parameters'] / 1e6:.3g} M parameters"
    )
    save_checkpoint(source.model, tokenizer, out)
    return metrics


def describe(config: TransferConfig, material: Material, counts_V: Tensor) -> Metrics:
    """What was transferred, and how much of the corpus is written in tokens that both vocabularies have."""
    shared = counts_V[list(material.matches)].sum() if material.matches else counts_V.new_zeros(())
    return {
        "method": config.method,
        "source_vocab_size": len(material.source_rows),
        "target_vocab_size": material.target_size,
        "shared_tokens": len(material.matches),
        "shared_token_mass": round(float(shared / counts_V.sum()), 4),
        "tokens_counted": int(counts_V.sum()),
    } | (_dictionary(material.translations()) if material.translations else {})


def _dictionary(found: Translations) -> Metrics:
    return {
        "dictionary_entries": found.entries,
        "dictionary_pairs": len(found.pairs),
        "dictionary_skipped": found.skipped,
    }


def starting_scores(model: PreTrainedModel, tokenizer: Tokenizer, texts: list[str], unigram_V: Tensor) -> Metrics:
    """Bits per byte of development text before any training, beside those of token frequencies alone."""
    size = sum(len(text.encode()) for text in texts)
    if not size:
        return {"starting_bits_per_byte": None, "unigram_bits_per_byte": None}
    # a stride of the whole context reads every token once: a start needs no more exact figure
    score = score_documents(model, tokenizer, texts, stride=anatomy(model).context)
    bits = -sum(float(unigram_V[encode_text(tokenizer, text)].log2().sum()) for text in texts)
    return {
        "starting_bits_per_byte": round(score.bits_per_byte, 4),
        "unigram_bits_per_byte": round(bits / size, 4),
        "dev_bytes": size,
    }


def summary(metrics: Metrics) -> str:
    """One line for the person who waits."""
    start, line = (metrics[key] or math.nan for key in ("starting_bits_per_byte", "unigram_bits_per_byte"))
    return (
        f"  {metrics['shared_tokens']} of {metrics['target_vocab_size']} tokens are shared "
        f"({metrics['shared_token_mass']:.0%} of the text); the start needs {start:.3f} bits per byte, "
        f"token frequencies alone {line:.3f}"
    )
