"""The plainest engine that there is: PyTorch, a cache of keys and values, one text at a time."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from transformers import DynamicCache

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import anatomy
from mothertongue.model.checkpoint import Checkpoint, end_of_text_id
from mothertongue.use.engine import Floats


class ReferenceEngine:
    """What completion needs of an Engine, computed with `checkpoint.model`."""

    def __init__(self, checkpoint: Checkpoint) -> None:
        self.model, self.tokenizer = checkpoint.model, checkpoint.tokenizer
        self.end_id = end_of_text_id(self.tokenizer)
        self.vocab_size, self.context = anatomy(self.model).embeddings.num_embeddings, anatomy(self.model).context

    def session(self) -> ReferenceSession:
        """An empty session."""
        return ReferenceSession(self.model)


class ReferenceSession:
    """One growing text whose tokens are read once."""

    def __init__(self, model: Any) -> None:
        self._model, self._ids, self._cache = model, list[int](), DynamicCache(config=model.config)

    @property
    def ids(self) -> list[int]:
        """The tokens read so far."""
        return self._ids

    def extend(self, ids: Sequence[int]) -> Floats:
        """Read `ids` after what was read; log-probabilities [V] of the token after the last."""
        ids_BT = torch.tensor([list(ids)], device=self._model.device)
        with torch.inference_mode():
            logits_V = self._model(
                input_ids=ids_BT, past_key_values=self._cache, use_cache=True, logits_to_keep=1
            ).logits[0, -1]
            if not logits_V.isfinite().all():
                raise CheckpointError("The model gives logits that are no numbers: its weights are damaged.")
            self._ids = [*self._ids, *ids]
            return np.asarray(logits_V.float().log_softmax(-1).cpu().numpy())

    def crop(self, length: int) -> None:
        """Forget all but the first `length` tokens."""
        if length:
            self._cache.crop(length - len(self._ids))
        else:
            self._cache = DynamicCache(config=self._model.config)
        self._ids = self._ids[:length]

    def close(self) -> None:
        """Give the memory back."""
        self.crop(0)
