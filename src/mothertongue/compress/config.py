"""Settings of the step that compresses a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any

from mothertongue.compress.methods import METHODS
from mothertongue.errors import ConfigError
from mothertongue.run.settings import setting
from mothertongue.train.config import LoopConfig

# Xu et al. 2020 as their code has it: AdamW without decay, one falling line for the learning rate, dropout on, no
# teacher. The learning rate is the task's own (theirs: 2e-5 for BERT), so it is not part of this.
PAPER: dict[str, Any] = {
    "groups": "even",
    "initial": "first",
    "scheduler": "linear",
    "draw": "batch",
    "redraw": False,
    "replacing_rate": 0.3,
    "replacing_share": 0.5,
    "local_share": 0.0,
    "unfreeze": "successor",
    "one_schedule": True,
    "distillation": 0.0,
    "hidden": 0.0,
    "long_share": 0.0,
    "schedule": "plateau",
    "warmup": 0.0,
    "decay": 1.0,
    "dropout": 0.1,
    "weight_decay": 0.0,
    "beta2": 0.999,
}
DTYPES = ("float32", "float16", "q8_0", "q4_0", "q4_0_pure")  # q..: those of GGUF files
REPLACING = ("theseus", "paper")  # methods that replace modules


@dataclass(frozen=True)
class CompressConfig(LoopConfig):
    """[compress]: fewer layers. The loop and its settings are those of [train]; the phases are its own."""

    method: str = setting(
        "theseus",
        "theseus (module replacing), paper (the same as it was published), distill, truncate (the control), bridge (no "
        "training), or one that another package adds",
    )
    layers: int = setting(
        0, "layers of the result, fewer than the predecessor's (with even groups a divisor of them); 0 = half", least=0
    )
    vocab_size: int = setting(0, "tokens that are kept at most, the ones that the text uses most; 0 = all", least=0)
    target_mb: float = setting(
        0.0, "MB that a GGUF file of the result may have; layers, vocabulary and dtype are chosen; 0 = any", least=0
    )
    speedup: float = setting(
        0.0,
        "how many times as fast the result shall write, in the same dtype; layers and vocabulary are chosen; 0 = any",
        least=0,
    )
    dtype: str = setting(
        "float32",
        "type that the weights are rounded to at the end, for an export in it; q8_0, q4_0: 8 and 4 bits (GGUF); "
        "q4_0_pure: embeddings and head as well",
        choices=DTYPES,
    )
    rounded_share: float = setting(
        0.3,
        "share of the steps, at the end, that read with weights rounded to a dtype of 8 or 4 bits, and so learn to do "
        "with them",
        least=0,
        most=1,
    )
    control: bool = setting(
        False, "first train a fresh model of the successor's size as long, and stop unless the predecessor beats it"
    )
    groups: str = setting(
        "auto",
        "which layers become one: as many for each (even); or the layers that change least join the one before them "
        "(influence: any number of layers is possible); auto tries both, without training",
        choices=("auto", "even", "influence"),
    )
    initial: str = setting(
        "bridge",
        "what a layer of the successor begins as: one layer of its group, the mean of them (merged), or one whose "
        "output is fitted to the group's (bridge)",
        choices=("ends", "every-other", "first", "influence", "merged", "bridge"),
    )
    probe_tokens: int = setting(
        4096, "tokens of the training text on which influence, bridge and the scheduler loss look", least=64
    )
    scheduler: str = setting(
        "linear",
        "theseus: how the replacing rate moves; loss: so that the loss rises in a straight line",
        choices=("linear", "constant", "cosine", "loss"),
    )
    draw: str = setting(
        "batch", "theseus: modules are drawn for a whole batch, or for each sequence", choices=("batch", "sequence")
    )
    redraw: bool = setting(True, "theseus: a draw that replaces nothing is made again")
    replacing_rate: float = setting(
        0.5, "theseus: probability that a module is replaced, at the start unless constant", least=0.01, most=1
    )
    replacing_share: float = setting(
        0.3, "theseus: share of the steps with replacing; the rest trains the successor alone", least=0, most=1
    )
    local_share: float = setting(
        0.0,
        "share of the steps, at the start, in which each layer alone learns its group's output",
        least=0,
        most=1,
    )
    unfreeze: str = setting(
        "start",
        "when embeddings, final norm and head begin to learn: at the start, with the successor alone, or never",
        choices=("start", "successor", "never"),
    )
    one_schedule: bool = setting(False, "the learning rate's shape is laid over all phases, not over the last alone")
    distillation: float = setting(
        0.9, "share of the target that is the predecessor's prediction; 0 = the text alone", least=0, most=1
    )
    hidden: float = setting(
        1.0, "weight of the distance from the predecessor's hidden states behind each group", least=0, most=100
    )
    learning_rate: float = setting(1e-3, "peak learning rate; it is not searched for here", least=0, most=1)

    def __post_init__(self) -> None:
        super().__post_init__()
        METHODS.check(self.method)
        if self.method == "paper":
            self._fill_in(PAPER)
        if not self.learning_rate:
            raise ConfigError(
                "learning_rate = 0: compress has no learning-rate finder. Give a rate, for instance 1e-3."
            )
        if (self.control or self.target_mb or self.speedup) and not self.dev_kilobytes:
            raise ConfigError(
                "target_mb, speedup and control compare on development text, and dev_kilobytes = 0 leaves none."
            )
        if self.method == "bridge" and (self.steps or self.budget_teraflop):
            raise ConfigError(
                "method = bridge does not train, so it takes neither steps nor budget_teraflop. Leave them out; to "
                "train from a bridge, set method = distill and initial = bridge."
            )
        if self.method == "bridge" and self.control:
            raise ConfigError("method = bridge does not train, so a control would get no compute. Set control = false.")
        if self.method in REPLACING and self.local_share + self.replacing_share > 1:
            raise ConfigError(
                f"local_share + replacing_share = {self.local_share + self.replacing_share:g} is more than all steps. "
                "Keep the sum at 1 or below."
            )

    def _fill_in(self, recipe: dict[str, Any]) -> None:
        """Set what a published recipe sets; ConfigError where something else was asked for."""
        defaults = {item.name: item.default for item in fields(self)}
        for key, value in recipe.items():
            given = getattr(self, key)
            if given not in (defaults[key], value):
                raise ConfigError(
                    f"method = {self.method} has {key} = {value}, not {given}. Leave it out, or set method = theseus."
                )
            object.__setattr__(self, key, value)

    @property
    def teacher_share(self) -> float:
        """`distillation` where the method learns from the predecessor's prediction, else 0."""
        return 0.0 if self.method == "truncate" else self.distillation

    @property
    def hidden_weight(self) -> float:
        """`hidden` where the method learns from the predecessor's hidden states, else 0."""
        return 0.0 if self.method == "truncate" else self.hidden

    def local_steps(self, steps: int) -> int:
        """How many of `steps`, the first ones, train each layer alone."""
        return 0 if self.method == "truncate" else round(self.local_share * steps)

    def replacing_steps(self, steps: int) -> int:
        """How many of `steps` have replacing; they come next."""
        return min(round(self.replacing_share * steps), steps - self.local_steps(steps)) * (self.method in REPLACING)
