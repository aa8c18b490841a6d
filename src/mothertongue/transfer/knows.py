"""The first question: does the base already know the language? Answered by a measurement, before anything is spent.

Bits per byte of some development text by the base with its own tokenizer, beside a 5-gram that has counted a few
megabytes of the corpus in the same tokens. A base that needs fewer bits than counting does knows the language: keep its
vocabulary and `trim` it. Else it has nothing to lose, and a new tokenizer reads the language in far fewer tokens.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import log
from pathlib import Path

from mothertongue.corpus.config import Source
from mothertongue.errors import MothertongueError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import Checkpoint, open_checkpoint
from mothertongue.model.score import score_documents
from mothertongue.model.stream import FIVEGRAM_TOKENS, fivegram_nats, make_stream, vocabulary_of
from mothertongue.run.artifact import Metrics
from mothertongue.tokenizer.bytelevel import end_of_text_id
from mothertongue.transfer.streams import dev_texts, source_texts, train_texts, up_to

SCORED_BYTES = 16_000  # 124 M parameters read them in half a minute, even letter by letter
COUNTED_BYTES = 2_000_000
PLANNED_BYTES, PIECE = 400_000, 2_000


@dataclass(frozen=True)
class Knowledge:
    """Bits per byte of the same text: the base's, and those of a 5-gram in the base's tokens."""

    base_bits_per_byte: float
    fivegram_bits_per_byte: float

    @property
    def knows(self) -> bool:
        """Whether the base reads the language better than counting does."""
        return self.base_bits_per_byte < self.fivegram_bits_per_byte

    @property
    def suggestion(self) -> str:
        """What follows, in a sentence."""
        needs = f"{self.base_bits_per_byte:.2f} bits per byte with its own tokenizer"
        line = f"a 5-gram {self.fivegram_bits_per_byte:.2f}"
        if self.knows:
            return f'The base knows this language ({needs}, {line}): method = "trim" keeps what it knows.'
        return f"The base does not know this language ({needs}, {line}): a new tokenizer serves it better."

    def as_metrics(self) -> Metrics:
        """For a manifest."""
        return {
            "base_bits_per_byte": round(self.base_bits_per_byte, 4),
            "base_fivegram_bits_per_byte": round(self.fivegram_bits_per_byte, 4),
            "base_knows": self.knows,
        }


def base_knows(base: Checkpoint, corpus: Path) -> Knowledge | None:
    """The answer for the development side of `corpus`; None if it has none."""
    texts = dev_texts(corpus, max_bytes=SCORED_BYTES)
    return knowledge(base, texts, train_texts(corpus, max_bytes=COUNTED_BYTES)) if texts else None


def suggest_for_plan(base: Path, sources: Sequence[str]) -> str:
    """The answer in a sentence, from the beginning of the texts themselves; "" where they or the base cannot be read.

    Of their pieces one in ten is scored and the others are counted, so the 5-gram has read the same documents: an
    answer that the base knows the language is sure, one that it does not is the transfer's to confirm.
    """
    if not any(base.glob("model*.safetensors")):
        return ""
    try:
        listed = [Source(path=path) for path in sources]
        texts = "\n".join(source_texts(listed, max_bytes=PLANNED_BYTES))
        pieces = [texts[at : at + PIECE] for at in range(0, len(texts), PIECE)]
        scored = pieces[::10]
        counted = [piece for number, piece in enumerate(pieces) if number % 10]
        return knowledge(open_checkpoint(base), scored, counted).suggestion if counted else ""
    except MothertongueError:
        return ""  # whoever runs the plan hears what is wrong


def knowledge(base: Checkpoint, texts: Sequence[str], others: Iterable[str]) -> Knowledge:
    """The answer for `texts`, of which at most 16 kB are scored; the 5-gram counts `others` (not the same ones)."""
    texts = list(up_to(texts, max_bytes=SCORED_BYTES))
    size = sum(len(text.encode()) for text in texts)
    start, tokenizer = end_of_text_id(base.tokenizer), base.tokenizer
    # each token is read once: the question needs no more exact answer
    score = score_documents(base.model, tokenizer, texts, stride=anatomy(base.model).context)
    counted = make_stream(tokenizer, up_to(others, max_bytes=COUNTED_BYTES), start_id=start)[:FIVEGRAM_TOKENS]
    nats = fivegram_nats(
        counted,
        make_stream(tokenizer, texts, start_id=start),
        start_id=start,
        vocabulary=vocabulary_of(tokenizer),
    )
    return Knowledge(score.bits_per_byte, nats / log(2) / size)
