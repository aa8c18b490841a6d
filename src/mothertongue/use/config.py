"""Every option of generation with its meaning and range: one table for Python, command line and server."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypedDict

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, parse_settings, setting

DEFAULT_NEW_TOKENS = 50


@dataclass(frozen=True)
class GenerateConfig(Settings):
    """How a text is continued. The names and the meaning are those of transformers' `generate`."""

    max_new_tokens: int | None = setting(
        None, "new tokens at most; none given: 50, or half of a context below 100", least=1
    )
    max_length: int | None = setting(None, "tokens of prompt and continuation together at most", least=1)
    do_sample: bool = setting(True, "draw each token by its probability; false takes the likeliest")
    temperature: float = setting(1.0, "divides the logits: below 1 tamer, above 1 wilder; above 0", least=0, most=100)
    top_k: int = setting(50, "draw among the k likeliest tokens only; 0 = all", least=0)
    top_p: float = setting(
        1.0, "draw among the likeliest tokens of this total probability (0-1]; 1 = all", least=0, most=1
    )
    min_p: float = setting(
        0.0, "draw only tokens at least this share (0-1) as likely as the likeliest; 0 = all", least=0, most=1
    )
    typical_p: float = setting(
        1.0,
        "draw the tokens of the most expected information, of this total probability (0-1]; 1 = all",
        least=0,
        most=1,
    )
    repetition_penalty: float = setting(
        1.0, "above 1: tokens that were there before are less likely; below 1: more likely", least=0.01, most=100
    )
    no_repeat_ngram_size: int = setting(0, "never write the same n tokens twice; 0 = no such rule", least=0)
    num_return_sequences: int = setting(1, "how many continuations of the same prompt", least=1, most=1000)
    seed: int | None = setting(
        None, "the same seed gives the same text; none given: a new text each time", least=0, most=2**63 - 1
    )
    stop: tuple[str, ...] = setting((), "end the text before the first of these strings")

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.temperature == 0:
            raise ConfigError("temperature = 0 would divide by nothing. For the likeliest text give do_sample = false.")
        if self.top_p == 0:
            raise ConfigError("top_p = 0 leaves no token to draw. For the likeliest text give do_sample = false.")
        if self.typical_p == 0:
            raise ConfigError("typical_p = 0 leaves no token to draw. For the likeliest text give do_sample = false.")
        if self.max_new_tokens is not None and self.max_length is not None:
            raise ConfigError(
                f"max_new_tokens = {self.max_new_tokens} and max_length = {self.max_length} are both given. "
                "Give one: max_length counts the prompt, max_new_tokens does not."
            )
        if not self.do_sample and self.num_return_sequences > 1:
            raise ConfigError(
                f"num_return_sequences = {self.num_return_sequences} likeliest texts would all be the same. "
                "Give do_sample = true."
            )
        if not all(self.stop):
            raise ConfigError('stop = "" would end every text at once. Give strings of at least one character.')


class GenerateOptions(TypedDict, total=False):
    """The keyword arguments of `Writer.generate` and `Writer.stream`: the fields of GenerateConfig, all optional."""

    max_new_tokens: int | None
    max_length: int | None
    do_sample: bool
    temperature: float
    top_k: int
    top_p: float
    min_p: float
    typical_p: float
    repetition_penalty: float
    no_repeat_ngram_size: int
    num_return_sequences: int
    seed: int | None
    stop: str | Sequence[str]


def parse_options(options: GenerateOptions | dict[str, Any]) -> GenerateConfig:
    """The options as a checked GenerateConfig; ConfigError names the wrong one and the cure."""
    return parse_settings(GenerateConfig, options, where="generate")
