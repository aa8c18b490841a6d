"""All that changes in a training: weights, their running mean, optimizers, random numbers; and one step of them."""
# Axes: B batch, T tokens

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from mothertongue.errors import ConfigError
from mothertongue.model.distributed import distribute, mean_of_all, opened, share_as, synchronize, undo, whole
from mothertongue.run.memory import sequences_at_once
from mothertongue.run.team import rank, world
from mothertongue.train.config import LoopConfig
from mothertongue.train.freeze import group_parameters, unfreeze
from mothertongue.train.optimizer import make_optimizers
from mothertongue.train.schedule import Phase

Loss = Callable[[PreTrainedModel, Tensor], Tensor]  # (model, tokens [B, T+1]) -> mean over the tokens


class Learner:
    """A model that learns."""

    def __init__(self, model: PreTrainedModel, config: LoopConfig) -> None:
        if config.batch_size % (count := world()):
            raise ConfigError(f"batch_size = {config.batch_size} cannot be divided among {count} processes: change it.")
        self.model, self.config = model, config
        self.run = distribute(model, config.distributed)  # gives the loss
        self.groups = group_parameters(model)
        self.optimizers = make_optimizers(self.groups, config)
        # gradients that float16 would lose are scaled up; idle otherwise
        self.scaler = torch.amp.GradScaler(model.device.type, enabled=config.precision == "float16")
        self.weights: list[nn.Parameter] = [weight for group in self.groups.values() for weight in group]
        self.means = [weight.detach().clone() for weight in self.weights] if config.average else []

    def set_rates(self, phase: Phase, inner: int) -> None:
        """Who learns, and how fast, at step `inner` of `phase`."""
        unfreeze(self.groups, phase.rates)
        share = phase.shape(inner, phase.steps)
        beta1 = phase.momentum(inner, phase.steps) if phase.momentum else self.config.beta1
        for optimizer in self.optimizers:
            for group in optimizer.param_groups:
                group["lr"] = phase.rates.get(group["name"], 0.0) * share
                if "betas" in group:
                    group["betas"] = (beta1, self.config.beta2)

    def gradients(self, loss: Loss, tokens_BT: Tensor) -> tuple[float, float]:
        """Loss of a batch, and the norm of its gradient, which is clipped; nothing is learnt yet."""
        total = torch.zeros((), device=tokens_BT.device)
        parts = torch.split(tokens_BT, _at_once(self.config, tokens_BT))
        for part_BT in parts:
            synchronize(self.run, part_BT is parts[-1])
            with autocast(self.config.precision, tokens_BT.device):
                value = self.run(loss, part_BT) * (len(part_BT) / len(tokens_BT))
            self.scaler.scale(value).backward()
            total += value.detach()
        for optimizer in self._active():
            self.scaler.unscale_(optimizer)
        norm = whole(nn.utils.clip_grad_norm_(self.weights, self.config.gradient_clip or math.inf))
        # the scaler sees to its own overflows
        return mean_of_all(total)[0], 0.0 if self.scaler.is_enabled() else float(norm)

    def step(self, number: int) -> None:
        """Learn from the gradients: the `number`-th step, from 1."""
        for optimizer in self._active():
            self.scaler.step(optimizer)
        self.scaler.update()
        self.forget()
        if self.means:  # the first weights, far from the end, are forgotten at once
            share = 1 - min(self.config.average, number / (number + 9))
            torch._foreach_lerp_(self.means, [weight.detach() for weight in self.weights], share)

    def forget(self) -> None:
        """Let the gradients go."""
        self.model.zero_grad()

    def begin(self) -> None:
        """Be ready to learn."""
        if self.config.recompute:
            self.model.activation_checkpointing_enable()
        self._turn(learning=True)

    def end(self) -> None:
        """Leave the model as its readers should get it: averaged weights, no dropout, nothing frozen."""
        self._turn(learning=False)
        self._swap()
        undo(self.run)
        self.model.requires_grad_(True)
        if self.config.recompute:
            self.model.activation_checkpointing_disable()  # type: ignore[no-untyped-call]

    @contextmanager
    def best(self) -> Iterator[None]:
        """For a while the model as its readers should get it."""
        self._turn(learning=False)
        self._swap()
        try:
            with opened(self.run):
                yield
        finally:
            self._swap()
            self._turn(learning=True)

    def tensors(self) -> Iterator[tuple[str, Tensor]]:
        """Everything that a state must hold, by name; what is tied once, for safetensors refuses it twice."""
        yield from self._copied()
        for number, optimizer in enumerate(self.optimizers):
            for index, state in optimizer.state_dict()["state"].items():
                for key, value in state.items():
                    yield f"{_prefix(number)}.{index}.{key}", torch.as_tensor(value)
        yield "random", torch.get_rng_state()[None]  # a row for each process
        if torch.cuda.is_available():
            yield "random.cuda", torch.cuda.get_rng_state()[None]

    def notes(self) -> dict[str, Any]:
        """What a state must hold beside tensors."""
        groups = [[_plain(group) for group in optimizer.param_groups] for optimizer in self.optimizers]
        return {"scaler": self.scaler.state_dict(), "groups": groups}

    @torch.no_grad()
    def load(self, saved: Any, notes: dict[str, Any]) -> None:
        """Take `tensors` (an open state) and `notes` back."""
        for name, tensor in self._copied():
            tensor.copy_(share_as(tensor, saved.get_tensor(name)))
        for number, optimizer in enumerate(self.optimizers):
            state = optimizer.state_dict()
            state["state"] = {}
            weights = [weight for group in optimizer.param_groups for weight in group["params"]]
            for name in saved.keys():  # noqa: SIM118  safe_open is no mapping
                if name.startswith(f"{_prefix(number)}."):
                    _, index, key = name.split(".", 2)
                    weight, full = weights[int(index)], saved.get_tensor(name)
                    value = share_as(weight, full) if full.shape == weight.shape else full
                    state["state"].setdefault(int(index), {})[key] = value
            for group, kept in zip(state["param_groups"], notes["groups"][number], strict=True):
                group.update(kept)
            optimizer.load_state_dict(state)
        self.scaler.load_state_dict(notes["scaler"])
        if len(saved.get_tensor("random")) == world():  # else other numbers are drawn: nothing is repeated exactly
            torch.set_rng_state(saved.get_tensor("random")[rank()].clone())  # of a view it would crash
            if torch.cuda.is_available():
                torch.cuda.set_rng_state(saved.get_tensor("random.cuda")[rank()].clone())

    def _copied(self) -> Iterator[tuple[str, Tensor]]:
        """Weights and means, as a state names them."""
        yield from ((f"model.{name}", weight) for name, weight in self.model.named_parameters())
        yield from ((f"average.{index}", mean) for index, mean in enumerate(self.means))

    def _active(self) -> list[torch.optim.Optimizer]:
        """Those that have something to do: a scaler refuses the others."""
        return [o for o in self.optimizers if any(p.grad is not None for g in o.param_groups for p in g["params"])]

    def _turn(self, *, learning: bool) -> None:
        self.model.train(learning)
        for optimizer in self.optimizers:  # schedule-free ones keep other weights for learning than for use
            getattr(optimizer, "train" if learning else "eval", lambda: None)()

    @torch.no_grad()
    def _swap(self) -> None:
        """Exchange weights and means."""
        for weight, mean in zip(self.weights, self.means, strict=False):
            held = weight.clone()
            weight.copy_(mean)
            mean.copy_(held)


def _at_once(config: LoopConfig, tokens_BT: Tensor) -> int:
    """Sequences whose activations stand in memory together: those asked for, or as suffice for a CPU's speed."""
    length = tokens_BT.shape[1] - 1
    if config.micro_batch:
        return max(1, config.micro_batch * (config.sequence_length or length) // length)
    if tokens_BT.device.type != "cpu" or world() > 1:
        return len(tokens_BT)
    return sequences_at_once(length)


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Mixed precision where the device has it: `auto` is bfloat16 on GPUs that compute in it, float32 elsewhere."""
    if precision == "auto":
        precision = "bfloat16" if device.type == "cuda" and torch.cuda.is_bf16_supported() else "float32"
    return nullcontext() if precision == "float32" else torch.autocast(device.type, dtype=getattr(torch, precision))


def _prefix(number: int) -> str:
    return f"optimizer{number or ''}"


def _plain(group: dict[str, Any]) -> dict[str, Any]:
    """What the optimizer itself has noted in a parameter group."""
    return {key: value for key, value in group.items() if isinstance(value, (bool, int, float))}
