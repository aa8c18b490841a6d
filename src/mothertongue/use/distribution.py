"""The probabilities of the next token after a prompt and any continuations of it; the prompt itself is read once."""

# Axes: N paths, T tokens, V vocabulary

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from transformers import DynamicCache, PreTrainedModel

from mothertongue.errors import CheckpointError

CACHED_TOKENS = 8192  # of all copies of the prompt's cache together: about 300 MB at the size of GPT-2 small


@dataclass(frozen=True, slots=True)
class NextToken:
    """A token that may come next. Its text may be half of a letter, then shown as U+FFFD."""

    id: int
    text: str
    probability: float


class Distribution:
    """Answers for one prompt. `banned` tokens have probability 0."""

    def __init__(self, model: PreTrainedModel, prompt: list[int], *, banned: Sequence[int] = ()) -> None:
        self._model, self._banned, self._length = model, list(banned), len(prompt)
        self._cache = DynamicCache(config=model.config)
        self._first_NV = self._read([tuple(prompt)], self._cache)

    def __call__(self, paths: Sequence[tuple[int, ...]]) -> NDArray[np.float64]:
        """Probabilities (N, V) after the prompt and each of `paths`, which are all of one length."""
        if not paths[0]:
            return np.repeat(self._first_NV, len(paths), axis=0)
        at_once = max(1, CACHED_TOKENS // self._length)
        parts = [paths[start : start + at_once] for start in range(0, len(paths), at_once)]
        return np.concatenate([self._read(part, self._copies(len(part))) for part in parts])

    def _copies(self, count: int) -> DynamicCache:
        copies = copy.deepcopy(self._cache)
        copies.batch_repeat_interleave(count)
        return copies

    def _read(self, paths: Sequence[tuple[int, ...]], cache: DynamicCache) -> NDArray[np.float64]:
        ids_NT = torch.tensor(paths, device=self._model.device)
        with torch.inference_mode():
            logits_NV: Tensor = (
                self._model(input_ids=ids_NT, past_key_values=cache, use_cache=True).logits[:, -1].double()
            )
            if not logits_NV.isfinite().all():
                raise CheckpointError(
                    "The model gives logits that are no numbers (NaN or infinite): its weights are damaged. "
                    "Open an earlier checkpoint."
                )
            logits_NV[:, self._banned] = -torch.inf
            return logits_NV.softmax(dim=-1).cpu().numpy()
