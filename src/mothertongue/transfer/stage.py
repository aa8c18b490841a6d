"""The step `transfer`: opens the source model, makes rows for the target vocabulary, calibrates, measures and saves."""

from __future__ import annotations

import math
import time
from dataclasses import asdict
from pathlib import Path

from tokenizers import Tokenizer
from torch import Tensor
from transformers import PreTrainedModel

from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.run.artifact import Metrics
from mothertongue.run.progress import say
from mothertongue.tokenizer.bytelevel import encode_text, open_tokenizer
from mothertongue.transfer.calibrate import calibrate, unigram
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.gather import corpus_streams, gather
from mothertongue.transfer.methods import METHODS, Material, Translations
from mothertongue.transfer.rows import set_vocabulary
from mothertongue.transfer.streams import dev_texts, sample_windows, token_counts

DEV_BYTES = 50_000
CALIBRATION_WINDOWS, CALIBRATION_TOKENS = 16, 256


def transfer(config: TransferConfig, out: Path, *, checkpoint: Path, tokenizer: Path, corpus: Path) -> Metrics:
    """Write into `out` the model of `checkpoint` with the vocabulary of `tokenizer`, ready to be trained."""
    begun = time.perf_counter()
    method = METHODS.load(config.method)
    source, target = open_checkpoint(checkpoint), open_tokenizer(tokenizer)
    model = source.model
    streams = corpus_streams(config, target, corpus)
    material = gather(config, source, target, streams)
    set_vocabulary(model, method(material), target)
    counts_V = token_counts(streams(), material.target_size)
    metrics = describe(config, material, counts_V)
    if config.calibrate:
        length = min(CALIBRATION_TOKENS, anatomy(model).context)
        windows_BT = sample_windows(streams(), count=CALIBRATION_WINDOWS, length=length)
        metrics["calibration"] = asdict(calibrate(model, windows_BT, unigram(counts_V)))
    metrics |= starting_scores(model, target, dev_texts(corpus, max_bytes=DEV_BYTES), unigram(counts_V))
    say(summary(metrics))
    save_checkpoint(model, target, out)
    return metrics | {"seconds": round(time.perf_counter() - begun, 3)}


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
