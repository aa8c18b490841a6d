"""The reference engine: torch and transformers, any device, every decoder that `model/anatomy.py` knows.

Texts are read into a cache of keys and values that is cropped, extended and shared: candidates behind one prefix and
continuations of one prompt read it once. The model may have linear layers in 8 bits (`int8.py`).
"""

# Axes: B rows, T tokens, N scored tokens, D hidden, V vocabulary

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, cast

import numpy as np
import torch
from tokenizers import Tokenizer
from torch import Tensor
from transformers import DynamicCache, GenerationConfig, PreTrainedModel

from mothertongue.model.anatomy import anatomy
from mothertongue.tokenizer.bytelevel import end_of_text_id
from mothertongue.use.config import GenerateConfig
from mothertongue.use.engine import Engine, Floats, check_numbers, check_texts, log_softmax

CACHED_TOKENS = 8192  # of all copies of a prefix's cache together: about 300 MB at the size of GPT-2 small
HEAD_ROWS = 128


class TorchEngine(Engine):
    """Computes with a model that is open, where it is. The folder's own habits of generation are dropped."""

    def __init__(self, model: PreTrainedModel, tokenizer: Tokenizer) -> None:
        model.generation_config = GenerationConfig()  # type: ignore[no-untyped-call]
        self.model, self.tokenizer = model, tokenizer
        self.end_id = end_of_text_id(tokenizer)
        parts = anatomy(model)
        self.vocab_size, self.context = parts.embeddings.num_embeddings, parts.context

    def honours(self, options: GenerateConfig) -> bool:
        """All options, always."""
        return True

    def next_tokens(self, ids: Sequence[int]) -> Floats:
        """Log-probabilities [V] of the token after `ids` (at least one)."""
        return log_softmax(self._answer([ids], DynamicCache())[0])

    def score(self, prefix: Sequence[int], candidates: Sequence[Sequence[int]]) -> list[Floats]:
        """Log-probabilities of each candidate's tokens after `prefix` (at least one token), which is read once."""
        longest = max((len(one) for one in candidates), default=0)
        self._check([one for one in candidates if one], behind=len(prefix) - 1)
        cache = DynamicCache()
        first_V = torch.from_numpy(log_softmax(self._answer([prefix], cache)[0]))
        scores = [first_V[list(one[:1])].tolist() for one in candidates]
        # those of like length together: what is read beyond a candidate's end is lost work
        order = sorted((i for i, one in enumerate(candidates) if len(one) > 1), key=lambda i: len(candidates[i]))
        at_once = max(1, CACHED_TOKENS // (len(prefix) + longest))
        for start in range(0, len(order), at_once):
            part = order[start : start + at_once]
            for i, rest in zip(part, self._score_rest([candidates[i] for i in part], cache), strict=True):
                scores[i] += rest
        answers = [np.asarray(one, dtype=np.float32) for one in scores]
        check_numbers(np.concatenate([np.zeros(1, np.float32), *answers]))
        return answers

    def _score_rest(self, candidates: Sequence[Sequence[int]], cache: DynamicCache) -> Iterator[list[float]]:
        """Log-probabilities of the tokens after the first of each candidate."""
        lengths = [len(one) - 1 for one in candidates]
        ids_BT = torch.tensor([[*one[:-1], *[0] * (max(lengths) - len(one) + 1)] for one in candidates])
        real_BT = torch.arange(max(lengths)) < torch.tensor(lengths)[:, None]
        targets_N = torch.tensor([token for one in candidates for token in one[1:]])
        device = self.model.device
        with torch.inference_mode():
            hidden_BTD = self.model.base_model(
                input_ids=ids_BT.to(device), past_key_values=_copies(cache, len(candidates)), use_cache=True
            ).last_hidden_state
            found_N = self._score_hidden(hidden_BTD[real_BT.to(device)], targets_N.to(device))
        for part in torch.split(found_N, lengths):
            yield part.tolist()

    def _score_hidden(self, hidden_ND: Tensor, targets_N: Tensor) -> Tensor:
        """Log-probabilities of `targets_N`; few rows at a time, so that their logits stay in memory that is at hand."""
        head = self.model.get_output_embeddings()  # type: ignore[no-untyped-call]
        found = []
        for part_ND, part_N in zip(torch.split(hidden_ND, HEAD_ROWS), torch.split(targets_N, HEAD_ROWS), strict=True):
            logits_NV = head(part_ND).float()
            found.append(logits_NV.gather(-1, part_N[:, None])[:, 0] - logits_NV.logsumexp(dim=-1))
        return torch.cat(found).cpu()

    def session(self) -> TorchSession:
        """An empty session."""
        return TorchSession(self)

    def rows(self, prompts: Sequence[Sequence[int]], *, room: int | None = None) -> TorchRows:
        """Rows that begin with `prompts`, all of one length; where they are all the same, they are read once."""
        return TorchRows(self, prompts)

    def _check(self, texts: Sequence[Sequence[int]], *, behind: int) -> None:
        check_texts(texts, behind=behind, context=self.context, vocab_size=self.vocab_size)

    def _answer(self, ids: Sequence[Sequence[int]], cache: DynamicCache) -> Floats:
        """Raw logits [B, V] after `ids` behind what `cache` holds; the cache grows by them."""
        self._check(ids, behind=cache.get_seq_length())
        with torch.inference_mode():
            logits: Floats = self._forward(torch.tensor([list(one) for one in ids]), cache, keep=1)[:, -1].cpu().numpy()
        check_numbers(logits)
        return logits

    def _forward(self, ids_BT: Tensor, cache: DynamicCache, *, keep: int) -> Tensor:
        output = self.model(
            input_ids=ids_BT.to(self.model.device), past_key_values=cache, use_cache=True, logits_to_keep=keep
        )
        return cast(Tensor, output.logits).float()


class TorchSession:
    """One growing text; see `engine.Session`."""

    def __init__(self, engine: TorchEngine) -> None:
        self._engine, self._cache = engine, DynamicCache()
        self._ids: list[int] = []

    @property
    def ids(self) -> list[int]:
        """The tokens read so far."""
        return list(self._ids)

    def extend(self, ids: Sequence[int]) -> Floats:
        """Read `ids` (at least one) after what was read; log-probabilities [V] of the token after the last."""
        try:
            answer = log_softmax(self._engine._answer([ids], self._cache)[0])
        except BaseException:  # Ctrl-C too: some layers may have read them
            self.close()
            raise
        self._ids += ids
        return answer

    def crop(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if surplus := max(0, len(self._ids) - max(length, 0)):
            self._cache.crop(-surplus)
            del self._ids[-surplus:]

    def close(self) -> None:
        """Give the memory back."""
        self._cache, self._ids = DynamicCache(), []


class TorchRows:
    """Texts that grow side by side; see `engine.Rows`."""

    def __init__(self, engine: TorchEngine, prompts: Sequence[Sequence[int]]) -> None:
        self._engine, self._cache = engine, DynamicCache()
        same = all(prompt == prompts[0] for prompt in prompts)
        logits = engine._answer(prompts[:1] if same else prompts, self._cache)
        if same and len(prompts) > 1:
            self._cache = _copies(self._cache, len(prompts))
            logits = logits.repeat(len(prompts), axis=0)
        self._logits = logits

    @property
    def logits(self) -> Floats:
        """The model's raw answer [B, V] after the last token of each row."""
        return self._logits

    def step(self, tokens: Sequence[int]) -> None:
        """Read one more token in each row."""
        self._logits = self._engine._answer([[token] for token in tokens], self._cache)

    def keep(self, rows: Sequence[int]) -> None:
        """Go on with these rows only, in this order."""
        self._cache.batch_select_indices(torch.tensor(rows, device=self._engine.model.device))
        self._logits = self._logits[list(rows)]

    def close(self) -> None:
        """Give the memory back."""
        self._cache = DynamicCache()


def _copies(cache: DynamicCache, count: int) -> DynamicCache:
    """A cache of `count` rows that all hold the one row of `cache`; memory is taken when it grows."""
    if not cache.get_seq_length():
        return DynamicCache()
    layers: list[Any] = cache.layers
    return DynamicCache([tuple(part.expand(count, -1, -1, -1) for part in (one.keys, one.values)) for one in layers])
