"""Several processes as one training, by torch's DDP and FSDP2: `torchrun --nproc-per-node 2 -m mothertongue train`.

Each takes its rows of every batch; with `ddp` it holds the whole model, with `fsdp` a share of every tensor. What is
decided on the way (a harmful batch, a state that is due, Ctrl-C) is decided by figures that all have summed up. With
one process nothing here does anything.
"""
# Axes: B batch, T tokens

from __future__ import annotations

import atexit
import gc
import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from functools import cache
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule, fully_shard
from torch.distributed.tensor import DTensor, distribute_tensor
from torch.nn.parallel import DistributedDataParallel
from transformers import PreTrainedModel

from mothertongue.errors import CheckpointError
from mothertongue.model.anatomy import anatomy
from mothertongue.run.team import rank, world

PATIENCE = timedelta(hours=6)  # that the others wait for the first, who tokenizes; for a sum they wait as torch does
ENDED = (
    "Another process of this training has ended, for its own reason. The same command continues from the last state."
)
Value = TypeVar("Value")
LOST = re.compile("gloo|NCCL|peer|process group", re.IGNORECASE)  # how backends say that a process has ended


class Whole(nn.Module):
    """A model and its loss as one module: DDP and FSDP see only what passes through a `forward`."""

    def __init__(self, model: PreTrainedModel) -> None:
        super().__init__()
        self.model = model

    def forward(self, loss: Callable[[PreTrainedModel, Tensor], Tensor], tokens_BT: Tensor) -> Tensor:
        return loss(self.model, tokens_BT)


def join() -> torch.device:
    """Meet the other processes, if there are any; the device that is this one's."""
    cuda = torch.cuda.is_available()
    if cuda:
        torch.cuda.set_device(int(os.environ.get("LOCAL_RANK", "0")) % torch.cuda.device_count() if world() > 1 else 0)
    if world() > 1:
        if not dist.is_initialized():
            dist.init_process_group("cpu:gloo,cuda:nccl" if cuda else "gloo")
            atexit.register(leave)
        _patient()
    if cuda:
        return torch.device("cuda", torch.cuda.current_device())
    return torch.device("mps" if torch.backends.mps.is_available() and world() == 1 else "cpu")


def leave() -> None:
    """End the groups and their threads while Python still runs: later, a thread that frees a tensor would abort it."""
    _patient.cache_clear()
    dist.destroy_process_group()
    gc.collect()  # modules of DDP and FSDP refer to themselves, and so hold theirs


@cache
def _patient() -> dist.ProcessGroup:
    """All of them once more, to wait longer; made by all at the same time."""
    group: dist.ProcessGroup = dist.new_group(timeout=PATIENCE, backend="gloo")
    return group


def distribute(model: PreTrainedModel, way: str) -> nn.Module:
    """`model` (in place) as a module that gives a loss and, backward, gradients that are all processes' mean.

    `way`: each process holds the whole model (ddp) or a share of it (fsdp).
    """
    model.requires_grad_(True)
    if world() == 1:
        return Whole(model)
    join()
    module = Whole(model)
    if way == "ddp":
        # some weights are frozen or replaced for a while; and so the buckets stay, and with them the order of each sum
        module.idle = nn.Parameter(torch.zeros((), device=model.device))  # else DDP warns where all are used
        return DistributedDataParallel(module, find_unused_parameters=True)
    mesh = init_device_mesh(model.device.type, (world(),))
    # before `leave`: caches of torch keep the mesh, which (in some versions) keeps the group
    atexit.register(getattr(mesh, "_pg_registry", {}).clear)
    for block in anatomy(model).blocks:
        fully_shard(block, mesh=mesh)
    fully_shard(module, mesh=mesh)
    return module


def undo(run: nn.Module) -> None:
    """Make the model in `run` whole and plain again on every process."""
    if not isinstance(run, FSDPModule):
        return
    full = {id(weight): nn.Parameter(whole(weight.detach())) for weight in run.parameters()}  # tied ones once
    for module in run.modules():
        for name, weight in module.named_parameters(recurse=False, remove_duplicate=False):
            setattr(module, name, full[id(weight)])
        if isinstance(module, FSDPModule):
            state: Any = fully_shard.state(module)  # type: ignore[attr-defined]  # torch has no public way back
            state._pre_forward_hook_handle.remove()
            state._post_forward_hook_handle.remove()
            module.__class__ = type(module).__mro__[2]


@contextmanager
def opened(run: nn.Module) -> Iterator[None]:
    """For a while all processes can use the model in `run` without its loss, each at the same time."""
    if isinstance(run, FSDPModule):
        run.unshard()  # embeddings and head; blocks see to themselves
    yield
    if isinstance(run, FSDPModule):
        run.reshard()


def synchronize(run: nn.Module, now: bool) -> None:
    """Whether the next backward adds up the gradients of all processes, or only collects."""
    run.require_backward_grad_sync = now  # type: ignore[assignment]  # what DDP's no_sync() does
    if isinstance(run, FSDPModule):
        run.set_requires_gradient_sync(now)


def mean_of_all(*values: float | Tensor) -> list[float]:
    """The mean over all processes of each of `values`; also the point where they wait for each other."""
    numbers = [float(value) for value in values]
    if world() == 1:
        return numbers
    sums = torch.tensor(numbers, dtype=torch.float64, device="cuda" if "nccl" in dist.get_backend() else "cpu")
    dist.all_reduce(sums)
    return [number / world() for number in sums.tolist()]


def of_first(value: Value) -> Value:
    """The first process's `value`, on all."""
    box = [value]
    if world() > 1:
        dist.broadcast_object_list(box)
    return box[0]


@contextmanager
def in_turn() -> Iterator[None]:
    """The first process goes ahead, the others follow when it is done, and find what it has written."""
    if rank():
        dist.barrier(_patient())
    yield
    if world() > 1 and not rank():
        dist.barrier(_patient())


def whole(tensor: Tensor) -> Tensor:
    """All of a tensor of which this process may hold a share."""
    return tensor.full_tensor() if isinstance(tensor, DTensor) else tensor


def share_as(tensor: Tensor, full: Tensor) -> Tensor:
    """The share of `full` that this process holds if it is divided as `tensor` is."""
    if not isinstance(tensor, DTensor):
        return full
    return distribute_tensor(full.to(tensor.device), tensor.device_mesh, tensor.placements, src_data_rank=None).clone()


@contextmanager
def plain_errors() -> Iterator[None]:
    """Say in a sentence that another process has ended."""
    try:
        yield
    except RuntimeError as error:
        if world() == 1 or not LOST.search(str(error)):
            raise
        raise CheckpointError(ENDED) from error
