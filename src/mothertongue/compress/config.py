"""Settings of the step that compresses a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.errors import ConfigError
from mothertongue.run.settings import setting
from mothertongue.train.config import TrainConfig


@dataclass(frozen=True)
class CompressConfig(TrainConfig):
    """[compress]: fewer layers. Length, rates and the rest are those of [train]: it is the same loop."""

    method: str = setting(
        "theseus", "module replacing, or layers cut off and trained on the text alone", choices=("theseus", "truncate")
    )
    layers: int = setting(0, "layers of the result, a divisor of the predecessor's; 0 = half", least=0)
    initial: str = setting(
        "ends", "which layers the successor begins as, for both methods", choices=("ends", "every-other", "first")
    )
    scheduler: str = setting("linear", "theseus: how the replacing rate moves", choices=("linear", "constant"))
    replacing_rate: float = setting(
        0.5, "theseus: probability that a module is replaced, at the start if linear", least=0.01, most=1
    )
    replacing_share: float = setting(
        0.3, "theseus: share of the steps with replacing; the rest trains the successor alone", least=0, most=1
    )
    distillation: float = setting(
        0.5, "theseus: share of the target that is the predecessor's prediction; 0 = the text alone", least=0, most=1
    )
    learning_rate: float = setting(1e-3, "peak learning rate; it is not searched for here", least=0, most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        if not self.learning_rate:
            raise ConfigError(
                "learning_rate = 0: compress has no learning-rate finder. Give a rate, for instance 1e-3."
            )
        for name, neutral in (("preset", "modern"), ("embeddings_first", 0.0)):
            if getattr(self, name) != neutral:
                raise ConfigError(
                    f"{name} = {getattr(self, name)!r}: compress has phases of its own, replacing and successor. "
                    f"Leave {name} out; replacing_share sets their lengths."
                )

    @property
    def teacher_share(self) -> float:
        """`distillation` where the method learns from the predecessor's prediction, else 0."""
        return self.distillation if self.method == "theseus" else 0.0

    def replacing_steps(self, steps: int) -> int:
        """How many of `steps` have replacing; they come first."""
        return round(self.replacing_share * steps) if self.method == "theseus" else 0
