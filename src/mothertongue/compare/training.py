"""One training of a comparison, from its initial rows to its score; whatever is finished is never made again."""

from __future__ import annotations

import json
import shutil
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from transformers import PreTrainedModel

from mothertongue.compare.arms import Arm, find_arm
from mothertongue.compare.ground import Ground, fresh_like, opened_rows
from mothertongue.compare.rates import GUILLOU_PEAK, Tried, find_rates, plan_of, rates_of, tried_from, with_rates
from mothertongue.errors import ArtifactError
from mothertongue.model.checkpoint import open_checkpoint, save_checkpoint
from mothertongue.run.disk import locked, write_json
from mothertongue.run.manifest import PROGRESS
from mothertongue.train.config import TrainConfig
from mothertongue.train.loop import fit
from mothertongue.transfer.config import TransferConfig
from mothertongue.transfer.stage import give_vocabulary

RESULT = "result.json"


@dataclass(frozen=True)
class Job:
    """A training that is asked for; `budget` in tokens per parameter."""

    arm: str
    budget: float
    seed: int


@dataclass(frozen=True)
class Result:
    """What a training has cost and reached. Seconds are of the processor; TFLOP without initial rows."""

    arm: str
    budget: float
    seed: int
    bits_per_byte: float
    steps: int
    tokens: int
    training_tflop: float
    probes_tflop: float
    rows_seconds: float
    training_seconds: float  # 0 if it was interrupted: then they are not known
    learning_rate: float
    embedding_rate: float
    optimizer: str


class BusyError(ArtifactError):
    """Another process works on this training."""


def run_job(ground: Ground, job: Job) -> Result:
    """The result of `job`, made now or found. BusyError if another process is making it."""
    folder = folder_of(ground, job)
    return Result(**_once(folder, partial(_train, ground, job, folder)))


def folder_of(ground: Ground, job: Job) -> Path:
    """Where a training is made and its result is kept."""
    name = f"{job.arm}-{job.budget:g}-seed{job.seed}"
    return ground.folder(name, job=asdict(job), arm=_told(ground, find_arm(job.arm)))


def _train(ground: Ground, job: Job, folder: Path) -> dict[str, Any]:
    arm = find_arm(job.arm)
    fresh, seconds = _beginning(ground, arm, job.seed)
    chosen, *others = _rates(ground, job, arm)
    config = with_rates(train_config(ground, arm, job.seed, ground.steps(job.budget)), chosen.rates)
    begun, whole = time.process_time(), not (folder / PROGRESS).is_dir()
    model = fresh()
    name = f"{job.arm}, {job.budget:g} tokens per parameter, seed {job.seed}"
    fitted = fit(model, ground.windows(job.seed), plan_of(config), config, folder, name=name)
    used = time.process_time() - begun
    tried = (chosen, *others)
    return {
        **asdict(job),
        "bits_per_byte": ground.score(model),
        "steps": fitted.steps,
        "tokens": fitted.tokens,
        "training_tflop": fitted.tflop,
        # what a broken probe has cost is not known: all are equally long
        "probes_tflop": max(probe.tflop for probe in tried) * len(tried),
        "rows_seconds": seconds,
        "training_seconds": used if whole else 0.0,
        **asdict(chosen.rates),
    }


def train_config(ground: Ground, arm: Arm, seed: int, steps: int) -> TrainConfig:
    """Settings of a training, at the rates where the search begins."""
    config = ground.config
    guillou = arm.preset == "guillou"
    return TrainConfig(
        steps=steps,
        batch_size=config.batch_size,
        sequence_length=config.sequence_length,
        learning_rate=GUILLOU_PEAK if guillou else config.learning_rate,
        embeddings_first=config.embeddings_first if arm.method and not guillou else 0.0,
        optimizer="adamw" if guillou else config.optimizers[0],
        preset=arm.preset,
        weight_decay=arm.weight_decay,
        dev_kilobytes=0.0,
        seed=seed,
    )


def _beginning(ground: Ground, arm: Arm, seed: int) -> tuple[Callable[[], PreTrainedModel], float]:
    """A function that gives the model as it begins, and the processor seconds that its rows took."""
    if not arm.method:
        return partial(fresh_like, ground.checkpoint, ground.vocabulary, seed=seed), 0.0
    told = _told(ground, arm)
    rows = {key: told[key] for key in ("method", "calibrate", "dictionary")}
    folder = ground.folder(f"rows-{arm.method}-seed{seed}", seed=seed, **rows)

    def make() -> dict[str, Any]:
        source, begun = open_checkpoint(ground.checkpoint), time.process_time()
        give_vocabulary(transfer_config(ground, arm, seed), source, ground.vocabulary, ground.corpus)
        seconds = time.process_time() - begun
        save_checkpoint(source.model, ground.vocabulary, folder)
        return {"seconds": seconds}

    return partial(opened_rows, folder), float(_once(folder, make)["seconds"])


def transfer_config(ground: Ground, arm: Arm, seed: int) -> TransferConfig:
    """Settings of the initial rows."""
    return TransferConfig(
        method=arm.method,
        calibrate=arm.calibrate,
        source_text=ground.config.source_text,
        max_megabytes=ground.config.text_megabytes,
        dictionary=ground.config.dictionary if arm.dictionary else "",
        seed=seed,
    )


def _rates(ground: Ground, job: Job, arm: Arm) -> tuple[Tried, ...]:
    """The rates for this arm and budget, the chosen ones first; looked for with the first seed's order.

    Budgets with equally long probes share them; each of their trainings counts the whole cost.
    """
    config, whole = ground.config, ground.steps(job.budget)
    steps = min(whole, max(config.probe_steps, round(config.probe_share * whole)))
    probe = train_config(ground, arm, 0, steps)
    if not (arm.probed and config.probes):
        return (Tried(rates_of(probe), 0.0),)
    folder = ground.folder(f"rates-{job.arm}-{steps}", arm=_told(ground, arm), steps=steps)

    def make() -> dict[str, Any]:
        fresh, _ = _beginning(ground, arm, 0)
        score = partial(ground.score, dev=True)
        optimizers = config.optimizers if arm.preset != "guillou" else ()
        text = ground.windows(0)
        found = find_rates(fresh, text, probe, score, folder, tries=config.probes, optimizers=optimizers)
        return {"tried": [asdict(tried) for tried in found]}

    return tuple(map(tried_from, _once(folder, make)["tried"]))


def _told(ground: Ground, arm: Arm) -> dict[str, Any]:
    """The arm as it enters the name of a folder: with its dictionary, if it uses that."""
    return {**asdict(arm), "dictionary": ground.config.dictionary if arm.dictionary else ""}


def _once(folder: Path, make: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """What `make` gives, kept in `folder`; it is not called where the folder has it already."""
    file = folder / RESULT
    if not file.is_file():
        with ExitStack() as stack:
            try:
                stack.enter_context(locked(folder))
            except ArtifactError as error:
                raise BusyError(str(error)) from error
            if not file.is_file():
                folder.mkdir(exist_ok=True)
                write_json(file, make())
                shutil.rmtree(folder / PROGRESS, ignore_errors=True)
    return dict(json.loads(file.read_text("utf-8")))
