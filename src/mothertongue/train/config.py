"""Settings of the step that trains a checkpoint."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, setting


@dataclass(frozen=True)
class LoopConfig(Settings):
    """What every training has, whatever its phases. Length is `steps`, else `budget_teraflop`, else `epochs`."""

    steps: int = setting(0, "optimizer steps; 0 derives them from budget_teraflop or epochs", least=0)
    budget_teraflop: float = setting(
        0.0, "compute to spend, in 10^12 floating-point operations; 0 = not limited so", least=0
    )
    epochs: float = setting(1.0, "passes over the training tokens, when neither of the above is given", least=0.001)
    batch_size: int = setting(16, "sequences per optimizer step, of all processes together", least=1)
    micro_batch: int = setting(0, "sequences at a time (of each process); 0 = 768 tokens on a CPU, else all", least=0)
    sequence_length: int = setting(0, "tokens per sequence; 0 = the model's context", least=0)
    long_share: float = setting(0.1, "share of the steps, the last, that read the whole context", least=0, most=0.9)
    learning_rate: float = setting(1e-3, "peak learning rate; 0 = find one", least=0, most=1)
    optimizer: str = setting(
        "adamw", "muon: for the blocks' matrices, AdamW for the rest", choices=("adamw", "muon", "schedule-free")
    )
    schedule: str = setting("plateau", "shape of the learning rate", choices=("plateau", "one-cycle", "cosine"))
    warmup: float = setting(0.05, "share of the steps in which the rate rises", least=0, most=1)
    decay: float = setting(0.4, "share of the steps in which a plateau falls to zero", least=0, most=1)
    embedding_rate: float = setting(1.0, "learning rate of the embeddings, as a multiple", least=0.01, most=100)
    weight_decay: float = setting(0.1, "AdamW's decoupled weight decay, on matrices only", least=0, most=10)
    beta1: float = setting(0.9, "AdamW's first momentum", least=0, most=0.9999)
    beta2: float = setting(0.95, "AdamW's second momentum", least=0, most=0.99999)
    gradient_clip: float = setting(1.0, "largest norm of the gradient; 0 = no clipping", least=0)
    average: float = setting(
        0.0, "decay of the running mean of the weights that is kept; 0 = the last", least=0, most=0.99999
    )
    spike: float = setting(8.0, "deviations above the recent loss from which a batch is left out; 0 = never", least=0)
    dropout: float = setting(0.0, "dropout probability in training", least=0, most=0.9)
    recompute: bool = setting(False, "compute activations a second time instead of keeping them: less memory, slower")
    distributed: str = setting(
        "ddp",
        "several processes (torchrun): each holds the whole model, or with fsdp a share of it",
        choices=("ddp", "fsdp"),
        decides=False,
    )
    precision: str = setting("auto", "arithmetic of the products", choices=("auto", "float32", "bfloat16", "float16"))
    dev_kilobytes: float = setting(100.0, "development text scored on the way, in kB; 0 = none", least=0)
    dev_scores: int = setting(6, "how often it is scored", least=1, most=1000)
    save_minutes: float = setting(3.0, "minutes between saved states", least=0, decides=False)
    keep_states: int = setting(2, "how many states are kept", least=1, decides=False)
    tensorboard: bool = setting(False, "also write the log for TensorBoard", decides=False)
    seed: int = setting(0, "seed of order, dropout and probes", least=0)

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.steps and self.budget_teraflop:
            raise ConfigError(
                "steps and budget_teraflop are both given, and each sets the training's length. Set one of them to 0."
            )
        if self.warmup + self.decay > 1 and self.schedule == "plateau":
            raise ConfigError(
                f"warmup + decay = {self.warmup + self.decay:g} is more than the whole training. "
                "Keep the sum at 1 or below."
            )


# what the preset guillou decides itself; its learning_rate is left to `compare`, which scales the preset's rates by it
OWN = ("schedule", "warmup", "decay", "embedding_rate", "beta1",
       "embeddings_first", "unfreezing", "discriminative", "long_share")  # fmt: skip


@dataclass(frozen=True)
class TrainConfig(LoopConfig):
    """[train]: continue training a checkpoint on a corpus. Length is `steps`, else `budget_teraflop`, else `epochs`."""

    preset: str = setting("modern", "whole recipe of phases and rates", choices=("modern", "guillou"))
    label_smoothing: float = setting(0.0, "share of the target spread evenly over the vocabulary", least=0, most=0.9)
    mask_documents: bool = setting(False, "let no token see text of the document before its own")
    embeddings_first: float = setting(
        0.0, "share of the steps in which only embeddings, norm and head learn", least=0, most=0.9
    )
    unfreezing: float = setting(
        0.0, "share of the steps after that in which the blocks join, the top third first", least=0, most=0.9
    )
    discriminative: float = setting(
        1.0, "how many times faster each third of the blocks learns than the one below it", least=1, most=100
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        for key in OWN if self.preset == "guillou" else ():
            if (given := getattr(self, key)) != getattr(TrainConfig, key):
                raise ConfigError(
                    f'preset = "guillou" has its own schedule, so {key} = {given!r} would do nothing. '
                    'Leave it out, or set preset = "modern".'
                )
        if self.embeddings_first + self.unfreezing > 0.9:
            raise ConfigError(
                f"embeddings_first + unfreezing = {self.embeddings_first + self.unfreezing:g} leaves too little for "
                "the training of everything. Keep the sum at 0.9 or below."
            )
