"""The task `bits_per_byte`: how many bits the model needs for each UTF-8 byte of the held-out documents.

The measure itself stands in model/score.py, because training draws its curve with it; docs/why/bits-per-byte.md says
what it counts.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from tokenizers import Tokenizer

from mothertongue.errors import CheckpointError
from mothertongue.evaluate.tasks import Outcome, Subject
from mothertongue.model.score import Score, context_of, score_each
from mothertongue.run.progress import track
from mothertongue.tokenizer.bytelevel import decode_ids, encode_text


@dataclass(frozen=True, slots=True)
class TokenizedText:
    """What a tokenizer makes of some texts."""

    tokens: int
    notes: list[str]


def bits_per_byte(subject: Subject) -> Outcome:
    """Bits per byte with its standard error, what it is made of, and perplexities for those who ask."""
    config, (model, tokenizer) = subject.config, (subject.checkpoint.model, subject.checkpoint.tokenizer)
    context = context_of(model, config.context)
    stride = config.stride or max(1, context // 2)
    text = read_as_tokens(tokenizer, subject.texts)
    with track("bits per byte", total=text.tokens, unit="token") as bar:
        scores = score_each(
            model,
            tokenizer,
            subject.texts,
            context=context,
            stride=stride,
            batch_size=config.batch_size,
            on_scored=bar.advance,
        )
    score = sum(scores, start=Score())
    if not math.isfinite(score.nats):
        raise CheckpointError(
            f"{subject.checkpoint.path} gives probabilities that are no numbers ({score.nats} nats): its weights are "
            "damaged or its training diverged. Use an earlier checkpoint, or train with a lower learning rate."
        )
    figures = {
        "bits_per_byte": score.bits_per_byte,
        "bits_per_byte_error": standard_error(scores),
        "perplexity_per_token": score.perplexity_per_token,
        "perplexity_per_word": score.perplexity_per_word,
        "nats": score.nats,
        "bytes": score.bytes,
        "tokens": score.tokens,
        "words": score.words,
        "documents": score.documents,
        "context": context,
        "stride": stride,
    }
    row = {"name": "model", "bits_per_byte": score.bits_per_byte, "what": f"context {context} tokens, stride {stride}"}
    return Outcome(figures, [row], text.notes)


def standard_error(scores: Sequence[Score]) -> float:
    """Standard error of bits per byte over documents (of a ratio of sums); 0 if there is only one document.

    How much the figure would move on other documents of the same kind. Two models measured on the same documents differ
    much more surely than this.
    """
    total, count = sum(scores, start=Score()), len(scores)
    if count < 2 or not total.bytes:
        return 0.0
    rate = total.nats / total.bytes
    squares = sum((score.nats - rate * score.bytes) ** 2 for score in scores)
    return math.sqrt(squares * count / (count - 1)) / total.bytes / math.log(2)


def read_as_tokens(tokenizer: Tokenizer, texts: Sequence[str]) -> TokenizedText:
    """How many tokens `texts` have, with a note if decoding them gives other texts.

    A tokenizer that drops or replaces letters makes text cheap by making it poorer; then bits per byte are too low.
    """
    tokens = changed = 0
    for text in texts:
        ids = encode_text(tokenizer, text)
        tokens += len(ids)
        # vocabularies of the SentencePiece kind add a space in front
        changed += decode_ids(tokenizer, ids).strip() != text.strip()
    note = (
        f"The tokenizer loses something of {changed} of {len(texts)} documents (unknown characters, normalisation): "
        "their bits per byte are too low to be compared."
    )
    return TokenizedText(tokens, [note] if changed else [])
