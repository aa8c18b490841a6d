"""How many bits a model needs for each UTF-8 byte of whole documents: the measure that ignores the tokenizer.

Each document starts from `<|endoftext|>` and never sees another one; the token itself is not scored. A document longer
than the context is read through windows that move by `stride` tokens: every token is scored exactly once, with at least
`context - stride` tokens before it where the document has them (`stride=1` gives every token the full context, slowly).

    score = score_documents(model, tokenizer, ["Dobrý den.", "Ahoj, světe!"])
    print(score.bits_per_byte)

Bytes are those of the text as given, so two models with different vocabularies can be compared; perplexities cannot.
"""

# Axes: B windows, T tokens, D hidden, V vocabulary, N scored positions of a batch

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, cast

import torch
from tokenizers import Tokenizer
from torch import Tensor, nn
from torch.nn import functional

from mothertongue.errors import ConfigError
from mothertongue.model.anatomy import FAMILIES
from mothertongue.model.products import fast_products
from mothertongue.tokenizer.bytelevel import encode_text, start_of_text_id

LOGITS_AT_ONCE = 1 << 24  # floats (64 MB): a vocabulary of 50,257 is scored 333 positions at a time
TOKENS_AT_ONCE = 1 << 14  # but a full window at least: hidden states of 8 windows of 32,768 tokens are too much
POOL_BATCHES = 32  # windows of this many batches are sorted by length together, so that little is padded


@dataclass(frozen=True, slots=True)
class Score:
    """What some documents cost a model: `nats` in all, and the counts to divide them by. Scores add up."""

    nats: float = 0.0
    bytes: int = 0
    tokens: int = 0
    words: int = 0
    documents: int = 0

    @property
    def bits_per_byte(self) -> float:
        """Bits per UTF-8 byte of the text; nan if there was no text."""
        return self.nats / math.log(2) / self.bytes if self.bytes else math.nan

    @property
    def perplexity_per_token(self) -> float:
        """exp(nats per token of this model's tokenizer): not comparable between tokenizers."""
        return _exp(self.nats / self.tokens) if self.tokens else math.nan

    @property
    def perplexity_per_word(self) -> float:
        """exp(nats per word between white space), spaces and punctuation included."""
        return _exp(self.nats / self.words) if self.words else math.nan

    def __add__(self, other: Score) -> Score:
        return Score(
            nats=self.nats + other.nats,
            bytes=self.bytes + other.bytes,
            tokens=self.tokens + other.tokens,
            words=self.words + other.words,
            documents=self.documents + other.documents,
        )


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of one document: inputs `ids[:-1]`, targets `ids[1:]`, of which the first `skip` are already scored."""

    document: int
    ids: Sequence[int]
    skip: int


def score_documents(
    model: nn.Module,
    tokenizer: Tokenizer,
    texts: Iterable[str],
    *,
    context: int = 0,
    stride: int = 0,
    batch_size: int = 8,
) -> Score:
    """The cost of all `texts` together; see `score_each` for the options."""
    scores = score_each(model, tokenizer, texts, context=context, stride=stride, batch_size=batch_size)
    return sum(scores, start=Score())


def score_each(
    model: nn.Module,
    tokenizer: Tokenizer,
    texts: Iterable[str],
    *,
    context: int = 0,
    stride: int = 0,
    batch_size: int = 8,
    on_scored: Callable[[int], None] | None = None,
) -> list[Score]:
    """The cost of each text, in order. Texts are read lazily, so a caller may count its progress in them.

    `context` tokens at most are seen at once (0 = as many as the model has), windows move by `stride` (0 = half the
    context), and about `batch_size` full windows (of a long context fewer: 16,384 tokens) are computed together, which
    changes memory and time but no number.
    `on_scored` hears how many tokens each batch has scored.
    """
    counts: list[Score] = []

    def encoded() -> Iterator[list[int]]:
        for text in texts:
            ids = encode_text(tokenizer, text)
            counts.append(Score(0.0, len(text.encode("utf-8")), len(ids), len(text.split()), 1))
            yield ids

    nats = document_nats(
        model,
        encoded(),
        start_id=start_of_text_id(tokenizer),
        context=context,
        stride=stride,
        batch_size=batch_size,
        on_scored=on_scored,
    )
    return [count + Score(nats=cost) for count, cost in zip(counts, nats, strict=True)]


def document_nats(
    model: nn.Module,
    documents: Iterable[Sequence[int]],
    *,
    start_id: int,
    context: int = 0,
    stride: int = 0,
    batch_size: int = 8,
    on_scored: Callable[[int], None] | None = None,
) -> list[float]:
    """Nats of each document's token ids, read after `start_id`. The model needs only `model(input_ids_BT).logits`."""
    context = context_of(model, context)
    stride = stride or max(1, context // 2)
    if not 1 <= stride <= context:
        raise ConfigError(f"A stride of {stride} tokens would skip text: it must be 1..{context}, the context.")
    if batch_size < 1:
        raise ConfigError(f"batch_size = {batch_size}: at least one window is needed at a time.")
    totals: list[float] = []

    def windows() -> Iterator[Window]:
        for number, ids in enumerate(documents):
            totals.append(0.0)
            yield from cut_windows(number, [start_id, *ids], context=context, stride=stride)

    with evaluating(model):
        for batch in _batches(windows(), size=batch_size, context=context):
            for window, cost in zip(batch, _batch_nats(model, batch, pad_id=start_id), strict=True):
                totals[window.document] += cost
            if on_scored:
                on_scored(sum(len(window.ids) - 1 - window.skip for window in batch))
    return totals


def cut_windows(document: int, ids: Sequence[int], *, context: int, stride: int) -> Iterator[Window]:
    """Windows of at most `context` inputs that together have each of `ids[1:]` as an unskipped target exactly once."""
    scored = 0
    for start in range(0, len(ids) - 1, stride):
        piece = ids[start : start + context + 1]
        yield Window(document=document, ids=piece, skip=scored - start)
        scored = start + len(piece) - 1
        if scored == len(ids) - 1:
            return


def context_of(model: nn.Module, wanted: int = 0) -> int:
    """The context to use: `wanted` tokens, or all that the model has. ConfigError if the model has fewer."""
    most = int(getattr(getattr(model, "config", None), "max_position_embeddings", 0) or 0)
    if wanted < 0 or (most and wanted > most):
        raise ConfigError(f"context = {wanted}: this model can see 1..{most} tokens (0 = all of them).")
    if not (wanted or most):
        raise ConfigError("This model does not say how long its context is. Give context=... in tokens.")
    return wanted or most


@dataclass(frozen=True, slots=True)
class Features:
    """What a model made of its input before the head, and the head."""

    hidden: Tensor  # BTD
    logits_of: Callable[[Tensor], Tensor]  # any selection of `hidden`, (..., D) -> (..., V)


def read_features(model: nn.Module, input_ids_BT: Tensor) -> Features:
    """A forward pass that leaves the head for later, so that it is computed only where it is needed, and in parts.

    The known families are a body and a linear head; any other module is asked for all of its logits.
    """
    if getattr(getattr(model, "config", None), "model_type", "") in FAMILIES:
        known = cast(Any, model)
        hidden_BTD = known.base_model(input_ids_BT, use_cache=False).last_hidden_state
        return Features(hidden_BTD, known.get_output_embeddings())
    return Features(cast(Tensor, model(input_ids_BT).logits), lambda logits: logits)


def _batches(windows: Iterator[Window], *, size: int, context: int) -> Iterator[list[Window]]:
    """Windows of like length together, as many as fit into `size` full windows, padding included."""
    full = max(1, min(size, TOKENS_AT_ONCE // context))
    while pool := list(itertools.islice(windows, min(size, TOKENS_AT_ONCE) * POOL_BATCHES)):
        pool.sort(key=lambda window: len(window.ids), reverse=True)
        while pool:
            fits = max(full, full * context // len(pool[0].ids))
            yield pool[:fits]
            del pool[:fits]


def _batch_nats(model: nn.Module, batch: Sequence[Window], *, pad_id: int) -> list[float]:
    device = device_of(model)
    longest = max(len(window.ids) for window in batch)
    # padding stands on the right, where a causal model cannot see it: no attention mask is needed
    ids = torch.tensor([[*window.ids, *[pad_id] * (longest - len(window.ids))] for window in batch], device=device)
    rows, columns = [], []
    for row, window in enumerate(batch):
        columns.append(torch.arange(window.skip, len(window.ids) - 1, device=device))
        rows.append(torch.full_like(columns[-1], row))
    row_N, column_N = torch.cat(rows), torch.cat(columns)
    features = read_features(model, ids[:, :-1])
    hidden_ND, target_N = features.hidden[row_N, column_N], ids[row_N, column_N + 1]
    nats_B = torch.zeros(len(batch), dtype=torch.float64, device=device)
    vocab_size = int(getattr(getattr(model, "config", None), "vocab_size", 0) or 1 << 16)
    step = max(1, LOGITS_AT_ONCE // vocab_size)
    for part in (slice(start, start + step) for start in range(0, len(target_N), step)):
        logits = features.logits_of(hidden_ND[part]).float()
        losses = functional.cross_entropy(logits, target_N[part], reduction="none")
        nats_B.index_add_(0, row_N[part], losses.double())
    return [float(cost) for cost in nats_B]


def device_of(model: nn.Module) -> torch.device:
    """Where the weights of `model` are."""
    return next((parameter.device for parameter in model.parameters()), torch.device("cpu"))


@contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Dropout off, no gradients; afterwards every module is in the mode it was in (frozen parts may stay in eval)."""
    modes = [(module, module.training) for module in model.modules()]
    try:
        model.eval()
        with torch.no_grad(), fast_products(model):
            yield
    finally:
        for module, mode in modes:
            module.training = mode


def _exp(value: float) -> float:
    return math.exp(value) if value < 700 else math.inf
