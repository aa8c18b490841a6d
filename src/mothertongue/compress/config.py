"""Settings of the step that compresses a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.errors import ConfigError
from mothertongue.run.settings import setting
from mothertongue.train.config import LoopConfig


@dataclass(frozen=True)
class CompressConfig(LoopConfig):
    """[compress]: fewer layers. The loop and its settings are those of [train]; the phases are its own."""

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

    @property
    def teacher_share(self) -> float:
        """`distillation` where the method learns from the predecessor's prediction, else 0."""
        return self.distillation if self.method == "theseus" else 0.0

    def replacing_steps(self, steps: int) -> int:
        """How many of `steps` have replacing; they come first."""
        return round(self.replacing_share * steps) if self.method == "theseus" else 0
