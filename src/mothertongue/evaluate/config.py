"""Settings of the step `evaluate`."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.errors import ConfigError
from mothertongue.evaluate.tasks import TASKS
from mothertongue.run.settings import Settings, setting


@dataclass(frozen=True)
class EvaluateConfig(Settings):
    """[evaluate]: measure a checkpoint on the side of a corpus that nothing was trained on."""

    split: str = setting("heldout", "side of the corpus to measure on", choices=("heldout", "dev"))
    tasks: tuple[str, ...] = setting(
        ("bits_per_byte", "next_word", "baselines"), "what to measure: those, speed, or one that another package adds"
    )
    max_megabytes: float = setting(0.0, "measure on at most this much text, whole documents; 0 = all of it", least=0)
    context: int = setting(0, "tokens that the model sees at once; 0 = as many as it can", least=0)
    stride: int = setting(0, "tokens that its window moves by; 0 = half the context", least=0)
    batch_size: int = setting(8, "full windows computed at a time (memory and speed only)", least=1)
    next_word_positions: int = setting(500, "places in the text where the next word is asked for", least=1)
    seed: int = setting(0, "seed of the choice of documents and places", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.tasks:
            raise ConfigError('EvaluateConfig.tasks is empty: name at least one, for instance "bits_per_byte".')
        for task in self.tasks:
            TASKS.check(task)
        if self.context and self.stride > self.context:
            raise ConfigError(f"stride = {self.stride} would skip text: it must not exceed context = {self.context}.")
