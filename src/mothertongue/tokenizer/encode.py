"""Many texts to token ids: by gigatoken where it is installed and surely gives the same ids, else by tokenizers.

gigatoken (extra `fast`) is about ten times faster on one core: it remembers the ids of every word it has met. It is
only asked for what was held against tokenizers in tests, byte-level BPE as GPT-2 has it, and even then the first texts
are encoded by both; a single difference, and tokenizers does it all.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, pre_tokenizers

from mothertongue.tokenizer.bytelevel import is_like_gpt2

_COMPARED_TEXTS, _COMPARED_CHARACTERS = 16, 2000
_RENEWED_CHARACTERS = 1 << 28  # its memory of words has no bound of its own: after so much text it begins anew
_PLAIN = {"dropout": None, "ignore_merges": False, "byte_fallback": False, "continuing_subword_prefix": "",
          "end_of_word_suffix": ""}  # fmt: skip


class Encoder:
    """`encode_text` of many texts. Special tokens in a text are ordinary letters."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        self._definition = _definition(tokenizer)
        self._fast: Any = None
        self._encoded = 0

    def __call__(self, texts: Sequence[str]) -> list[npt.NDArray[np.uint32]]:
        """The ids of each text."""
        fast = self._open(sum(map(len, texts)), texts)
        return self._exact(texts) if fast is None else [fast.encode(text) for text in texts]

    def _exact(self, texts: Sequence[str]) -> list[npt.NDArray[np.uint32]]:
        self._tokenizer.encode_special_tokens = True
        encodings = self._tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)
        return [np.array(found.ids, dtype=np.uint32) for found in encodings]

    def _open(self, characters: int, texts: Sequence[str]) -> Any:
        """gigatoken's tokenizer, or None if it cannot be used or differs on the beginnings of `texts`."""
        if self._definition is None:
            return None
        self._encoded += characters
        if self._fast is None or self._encoded > _RENEWED_CHARACTERS:
            from gigatoken import Tokenizer as FastTokenizer

            self._fast, self._encoded = FastTokenizer.from_json(self._definition), characters
            samples = [text[:_COMPARED_CHARACTERS] for text in texts[:_COMPARED_TEXTS]]
            if not all(map(np.array_equal, map(self._fast.encode, samples), self._exact(samples))):
                self._definition = self._fast = None
        return self._fast


def _definition(tokenizer: Tokenizer) -> str | None:
    """The tokenizer without its special tokens as JSON; None if gigatoken is not there or not known to agree."""
    if not _is_installed():
        return None
    parts = json.loads(tokenizer.to_str())
    model = parts["model"]
    plain = all((model.get(key) or value) == value for key, value in _PLAIN.items())
    if not (plain and is_like_gpt2(parts)) or not all(token["special"] for token in parts["added_tokens"]):
        return None
    if not set(pre_tokenizers.ByteLevel.alphabet()) <= model["vocab"].keys():  # as SmolLM2's, which lacks a few
        return None
    return json.dumps(parts | {"added_tokens": [], "post_processor": None, "truncation": None, "padding": None})


def _is_installed() -> bool:
    try:
        import gigatoken
    except ImportError:
        return False
    return hasattr(gigatoken, "Tokenizer")
