"""How well a vocabulary fits a language: fertility, coverage, and the tokens as text rather than as byte soup."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from typing import Any

from tokenizers import Tokenizer

from mothertongue.tokenizer.bytelevel import encode_text
from mothertongue.tokenizer.marks import token_bytes


@dataclass(frozen=True)
class Fit:
    """How a tokenizer treats a text. All shares are 0-1."""

    tokens: int
    words: int
    bytes: int
    fertility: float  # tokens per white-space separated word
    bytes_per_token: float
    whole_words: float  # share of words that are a single token
    single_bytes: float  # share of tokens that are one byte of a longer letter
    vocabulary_used: float  # share of the vocabulary that occurs at all

    def as_metrics(self) -> dict[str, Any]:
        return {key: round(value, 4) if isinstance(value, float) else value for key, value in asdict(self).items()}


def measure_fit(tokenizer: Tokenizer, texts: Iterable[str]) -> Fit:
    """Fertility and coverage of `tokenizer` on `texts`."""
    counts: Counter[int] = Counter()
    words: Counter[str] = Counter()
    size = 0
    for text in texts:
        counts.update(encode_text(tokenizer, text))
        words.update(text.split())
        size += len(text.encode())
    letters = token_bytes(tokenizer)
    tokens, total_words = counts.total(), words.total()
    broken = sum(n for i, n in counts.items() if len(letters.get(i, b"")) == 1 and letters[i][0] >= 0x80)
    whole = sum(n for word, n in words.items() if len(encode_text(tokenizer, " " + word)) == 1)
    return Fit(
        tokens=tokens,
        words=total_words,
        bytes=size,
        fertility=tokens / max(total_words, 1),
        bytes_per_token=size / max(tokens, 1),
        whole_words=whole / max(total_words, 1),
        single_bytes=broken / max(tokens, 1),
        vocabulary_used=len(counts) / tokenizer.get_vocab_size(),
    )


def longest_tokens(tokenizer: Tokenizer, count: int = 20) -> list[str]:
    """The longest tokens that are whole letters, as readable text."""
    texts = []
    for raw in token_bytes(tokenizer).values():
        try:
            texts.append(raw.decode())
        except UnicodeDecodeError:
            continue  # half a letter
    return sorted(texts, key=lambda text: (-len(text), text))[:count]
