"""Settings of the step that compresses a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.run.settings import setting
from mothertongue.train.config import TrainConfig


@dataclass(frozen=True)
class CompressConfig(TrainConfig):
    """[compress]: fewer layers. Length, rates and the rest are those of [train]: it is the same loop."""

    method: str = setting("theseus", "module replacing, or layers cut off and fine-tuned", choices=("theseus", "truncate"))
    layers: int = setting(0, "layers of the result, a divisor of the predecessor's; 0 = half", least=0)
    initial: str = setting("ends", "which layers the successor begins as", choices=("ends", "every-other", "first"))
    scheduler: str = setting("linear", "how the replacing rate moves", choices=("linear", "constant"))
    replacing_rate: float = setting(0.5, "probability that a module is replaced, at the start if linear", least=0.01, most=1)
    replacing_share: float = setting(0.3, "share of the steps with replacing; the rest fine-tunes the successor alone", least=0, most=1)
    distillation: float = setting(0.5, "share of the target that the predecessor's prediction has; 0 = the text alone", least=0, most=1)
    learning_rate: float = setting(1e-3, "peak learning rate", least=0, most=1)
