"""The engine: one loop over phases, with exact resume, a log, and development text scored on the way.

    plan    = phases(config, steps, rate)         who learns at which rate for how long   (schedule.py)
    windows = Windows(ids, length, seed)          what is read at each step                (data.py)
    fit(model, windows, plan, config, out)        this file

Theseus training is the same loop with another loss and a `before_step` that draws which modules are replaced.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.compute import flop_per_token, optimizer_flop
from mothertongue.model.distributed import mean_of_all, plain_errors
from mothertongue.model.loss import next_token_loss
from mothertongue.model.products import fast_products, machine_gigaflop
from mothertongue.run.journal import Journal
from mothertongue.run.manifest import PROGRESS
from mothertongue.run.memory import keep_freed_memory, set_large_blocks_apart
from mothertongue.run.progress import say, track
from mothertongue.run.signals import stop_after_step
from mothertongue.run.team import rank, world
from mothertongue.train.config import LoopConfig
from mothertongue.train.data import Windows
from mothertongue.train.guard import Guard
from mothertongue.train.learner import Learner, Loss
from mothertongue.train.resume import Saver
from mothertongue.train.schedule import Flop, Phase

LOG_POINTS = 200
REWINDS = 3


@dataclass(frozen=True)
class Fitted:
    """What a training has cost and reached."""

    steps: int
    tokens: int
    tflop: float
    seconds: float
    tokens_per_second: float
    loss: float  # nats per token, mean of the last tenth of the log
    skipped: int  # batches left out as harmful


def fit(
    model: PreTrainedModel,
    windows: Windows,
    plan: Sequence[Phase],
    config: LoopConfig,
    out: Path,
    *,
    loss: Loss = next_token_loss,
    before_step: Callable[[int], None] | None = None,
    flop: Flop | None = None,
    score: Callable[[], float] | None = None,
    lines: Mapping[str, float] | None = None,
    name: str = "training",
) -> Fitted:
    """Train `model` in place through all phases of `plan`, from the newest state in `out`/progress if there is one.

    `flop` gives operations per token of a phase; `score` gives bits per byte of development text, `lines` what others
    need for it. Writes log.jsonl and training.png into `out`, and the states into `out`/progress, the last one at the
    end. The result is the same however often the process was killed in between. Raises CheckpointError if the weights
    break again and again, KeyboardInterrupt after Ctrl-C.
    """
    set_large_blocks_apart()
    flop = flop or phase_flop(config, model, windows.length)
    costs = {phase.name: flop(phase) * config.batch_size * windows.length / 1e12 for phase in plan}
    with plain_errors(), closing(Saver(out / PROGRESS, Learner(model, config), config.keep_states)) as saver:
        journal = Journal(out, lines or {}, config.tensorboard)
        training = _Training(saver, journal, windows, plan, config, loss, before_step, costs, score, name)
        after = 0
        for _ in range(REWINDS):
            try:
                return training.run(after)
            except _BrokenError as broken:
                after = broken.args[0] + 1
                if not saver.states():
                    break
                say(f"  no finite loss up to batch {after - 1}; back to the last state, and on with the text behind it")
    raise CheckpointError(
        f"The loss is no number at batch {after - 1}, and no saved state leads past it: the training breaks the model. "
        "Lower learning_rate (or set it to 0 to have one found), and give another --out, or move the unfinished folder "
        "away."
    )


def phase_flop(config: LoopConfig, model: PreTrainedModel, length: int) -> Flop:
    """Operations per token of a phase that trains `model` and nothing else."""
    turns = optimizer_flop(config.optimizer, model, config.batch_size * length)
    return lambda phase: flop_per_token(model, phase.rates, phase.length or length) + turns(phase.rates)


class _BrokenError(Exception):
    """The weights give no numbers any more, at the batch whose number is said."""


@dataclass
class _Position:
    """Where a training stands: what a state says beside its tensors."""

    step: int = 0
    skipped: int = 0
    tflop: float = 0.0
    seconds: float = 0.0
    log: list[dict[str, Any]] = field(default_factory=list)
    guard: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class _Training:
    saver: Saver
    journal: Journal
    windows: Windows
    plan: Sequence[Phase]
    config: LoopConfig
    loss: Loss
    before_step: Callable[[int], None] | None
    costs: Mapping[str, float]  # 10^12 operations in a step of each phase
    score: Callable[[], float] | None
    name: str

    def run(self, after: int) -> Fitted:
        """From the newest state to the end, passing over batches before number `after` that the state has not seen."""
        learner, total = self.saver.learner, sum(phase.steps for phase in self.plan)
        tokens = self.config.batch_size * self.windows.length
        torch.manual_seed(self.config.seed + 7919 * rank())
        extra = self.saver.load()
        at = _Position(**{key: extra[key] for key in _Position.__dataclass_fields__ if key in extra})
        at.skipped = max(at.skipped, after - at.step)
        guard = Guard(**{"limit": self.config.spike, **at.guard})
        self.journal.begin(at.log)
        learner.begin()
        peak, saved = world() * machine_gigaflop(learner.model.device), time.monotonic()
        with (
            fast_products(learner.model),
            stop_after_step() as stopping,
            track(self.name, total=total, done=at.step) as bar,
        ):
            while at.step < total:
                begun = time.monotonic()
                learnt = self._step(at, guard)
                keep_freed_memory()  # from the first step on: now the optimizer has its moments
                at.seconds += time.monotonic() - begun
                share = 1e3 * at.tflop / at.seconds / peak if peak else 0.0
                note = self.journal.note(tokens_per_second=at.step * tokens / at.seconds, share=share)
                bar.advance(float(learnt), note=note)
                late, asked = mean_of_all(time.monotonic() - saved > 60 * self.config.save_minutes, stopping())
                if learnt and (at.step == total or late or asked):
                    self.saver.save(at.step, asdict(at) | {"guard": asdict(guard)})
                    saved = time.monotonic()
                    if asked:
                        raise KeyboardInterrupt
        learner.end()
        self.journal.finish()
        self.saver.wait()
        mean_of_all(0.0)  # nobody writes into the folder any more
        rate = at.step * tokens / at.seconds
        return Fitted(at.step, at.step * tokens, at.tflop, at.seconds, rate, self.journal.tail(), at.skipped)

    def _step(self, at: _Position, guard: Guard) -> bool:
        """One batch; whether anything was learnt from it."""
        phase, inner = _locate(self.plan, at.step)
        if inner == 0:
            guard.forget()
        if self.before_step:
            self.before_step(at.step)
        learner, batch = self.saver.learner, at.step + at.skipped
        learner.set_rates(phase, inner)
        tokens_BT = self.windows.batch(batch, self.config.batch_size, phase.length)[rank() :: world()]
        value, norm = learner.gradients(self.loss, tokens_BT.to(learner.model.device))
        verdict = guard.judge(value, norm)
        if verdict != "good":
            learner.forget()
        if verdict == "broken":
            raise _BrokenError(batch)
        if verdict == "skip":
            at.skipped += 1
            self.journal.add(step=at.step, skipped_batch=batch, unusual_loss=str(value))
            return False
        at.step += 1
        learner.step(at.step)
        at.tflop += self.costs[phase.name]
        self._note(at, phase.name, value)
        return True

    def _note(self, at: _Position, phase: str, loss: float) -> None:
        """The log's lines after a step, and the score of development text where it is due."""
        total, count = sum(phase.steps for phase in self.plan), self.config.dev_scores
        if at.step % max(1, total // LOG_POINTS) == 0 or at.step == total:
            self.journal.add(step=at.step, phase=phase, loss=round(loss, 5), tflop=round(at.tflop, 6))
        if self.score and at.step in {round(total * (index + 1) / count) for index in range(count)}:
            with self.saver.learner.best():
                self.journal.add(step=at.step, dev_bits_per_byte=round(self.score(), 5))


def _locate(plan: Sequence[Phase], step: int) -> tuple[Phase, int]:
    """The phase of a step, and its number in it."""
    for phase in plan:
        if step < phase.steps:
            return phase, step
        step -= phase.steps
    raise IndexError(step)
