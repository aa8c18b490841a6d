"""Settings of the step that trains a tokenizer."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, setting

LEAST_UNIGRAM = 357  # 4 special tokens, 256 bytes, the marks and ASCII's letters and signs


@dataclass(frozen=True)
class TokenizerConfig(Settings):
    """[tokenizer]: a vocabulary trained on the corpus' training side."""

    vocab_size: int = setting(
        8192, "tokens in the vocabulary, special ones and 256 bytes included", least=260, most=1_000_000
    )
    kind: str = setting(
        "bytelevel",
        "bytelevel: BPE of bytes, as GPT-2 has it; unigram: pieces of whole letters with ▁ for a space",
        choices=("bytelevel", "unigram"),
    )
    split: str = setting(
        "auto",
        "where words are cut first. gpt2: as GPT-2, all that GPT2Tokenizer opens; script: marks in words, digits by "
        "threes; auto: script for unigram and for scripts with combining marks, else gpt2",
        choices=("auto", "gpt2", "script"),
    )
    max_megabytes: float = setting(64.0, "train on at most this much text, in megabytes of UTF-8", least=0.001)
    model_max_length: int = setting(1024, "longest input in tokens that the saved tokenizer announces", least=8)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.kind == "unigram" and self.vocab_size < LEAST_UNIGRAM:
            raise ConfigError(
                f"vocab_size = {self.vocab_size} cannot hold a unigram vocabulary's 4 special tokens, 256 bytes and "
                f"ASCII's letters and signs. Give at least {LEAST_UNIGRAM}."
            )
