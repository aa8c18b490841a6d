"""Settings of the step that trains a tokenizer."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.run.settings import Settings, setting


@dataclass(frozen=True)
class TokenizerConfig(Settings):
    """[tokenizer]: a byte-level BPE vocabulary trained on the corpus' training side."""

    vocab_size: int = setting(
        8192, "tokens in the vocabulary, special ones and 256 bytes included", least=260, most=1_000_000
    )
    max_megabytes: float = setting(64.0, "train on at most this much text, in megabytes of UTF-8", least=0.001)
    model_max_length: int = setting(1024, "longest input in tokens that the saved tokenizer announces", least=8)
