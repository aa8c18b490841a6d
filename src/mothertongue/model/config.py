"""Settings of the step that makes a fresh model."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, setting


@dataclass(frozen=True)
class ModelConfig(Settings):
    """[model]: a GPT-2 with random weights for a tokenizer, to be trained from scratch."""

    num_hidden_layers: int = setting(6, "blocks", least=1, most=200)
    hidden_size: int = setting(256, "width of the residual stream", least=8, most=16384)
    num_attention_heads: int = setting(8, "attention heads; must divide hidden_size", least=1, most=256)
    context: int = setting(256, "longest input in tokens", least=8, most=131072)
    tied: bool = setting(True, "head and embeddings are one matrix")
    seed: int = setting(0, "seed of the weights", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.hidden_size % self.num_attention_heads:
            raise ConfigError(
                f"hidden_size = {self.hidden_size} is not a multiple of "
                f"num_attention_heads = {self.num_attention_heads}. Change one."
            )
