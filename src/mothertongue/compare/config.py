"""Settings of the step `compare`."""

from __future__ import annotations

from dataclasses import dataclass

from mothertongue.compare.arms import find_arm
from mothertongue.corpus.config import Source
from mothertongue.errors import ConfigError
from mothertongue.run.settings import Settings, setting


@dataclass(frozen=True)
class CompareConfig(Settings):
    """[compare]: arms x budgets x seeds, each a training of its own; what each reaches for how much compute."""

    arms: tuple[str, ...] = setting(
        ("scratch", "mean", "align"),
        "what is compared: scratch, a transfer method, METHOD+dictionary, guillou, guillou-probed",
    )
    budgets: tuple[float, ...] = setting((0.2, 0.5, 1.0, 2.0), "lengths of training, in tokens per parameter")
    seeds: int = setting(3, "trainings of each arm and budget; one seed is one order of the text", least=1, most=100)
    split: str = setting("dev", "side of the corpus that is measured on", choices=("dev", "heldout"))
    max_megabytes: float = setting(0.2, "measure on at most this much text, whole documents; 0 = all of it", least=0)
    batch_size: int = setting(8, "sequences per optimizer step", least=1)
    sequence_length: int = setting(128, "tokens per sequence, in training and measuring", least=8)
    learning_rate: float = setting(
        5e-3, "peak learning rate where the probes begin, of the first optimizer", least=1e-6, most=1
    )
    embeddings_first: float = setting(
        0.0, "share of a transferred model's steps in which only its rows learn", least=0, most=0.9
    )
    probes: int = setting(4, "short annealed runs of each arm and budget that choose its rates; 0 = none", least=0)
    probe_share: float = setting(0.1, "length of a probe, as a share of the training", least=0.001, most=1)
    probe_steps: int = setting(200, "but at least so many steps", least=5)
    probe_kilobytes: float = setting(30.0, "development text that a probe is scored on, in kB", least=1)
    optimizers: tuple[str, ...] = setting(("muon", "adamw"), "muon, adamw: two more probes for each but the first")
    source_text: tuple[Source, ...] = setting((), "text in the base's own language, where it ships no static vectors")
    text_megabytes: float = setting(32.0, "text of each language that initial rows are made from", least=0.001)
    dictionary: str = setting("", "for wechsel and METHOD+dictionary: as in [transfer]", path=True)
    workspace: str = setting(
        "", "folder that keeps every training for other comparisons; empty: gone at the end", decides=False
    )
    max_hours: float = setting(
        0.0, "begin no training after so many hours; the same command continues; 0 = go on", least=0, decides=False
    )

    def __post_init__(self) -> None:
        super().__post_init__()
        if not (self.arms and self.budgets and self.optimizers):
            raise ConfigError("arms, budgets and optimizers must each name at least one thing.")
        for name in self.arms:
            if find_arm(name).dictionary and not self.dictionary:
                raise ConfigError(f'The arm "{name}" uses a dictionary. Name one: dictionary = "en-cs.tsv".')
        for budget in self.budgets:
            if not 0 < budget <= 1000:
                raise ConfigError(f"budgets: {budget:g} tokens per parameter is outside of 0..1000 (0 excluded).")
        for name in self.optimizers:
            if name not in ("adamw", "muon"):
                raise ConfigError(f'optimizers: there is no "{name}" here. It takes: adamw, muon.')
