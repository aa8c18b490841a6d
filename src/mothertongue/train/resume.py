"""Never lose work: one file holds all that a training needs to continue bit for bit.

A copy in memory is taken at once; beside the training it is written as a safetensors file under another name, synced,
and renamed: killed at any moment, the folder holds a whole state or the one before it. No pickle is involved.

Of several processes each writes a file: its random numbers and its shards, the first also what all have alike. A state
is whole when all its files are there, so nobody waits for another; joined, they are what one process would write.
"""

from __future__ import annotations

import json
import os
import re
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor
from torch.distributed.tensor import DTensor

from mothertongue.errors import CheckpointError
from mothertongue.model.distributed import mean_of_all, of_first
from mothertongue.run.progress import say
from mothertongue.run.team import rank, world
from mothertongue.train.learner import Learner

NAME = re.compile(r"step-(\d+)(?:-\d+-of-(\d+))?\.safetensors")


@dataclass
class Saver:
    """The states of one training in `folder`, the newest `keep` of them."""

    folder: Path
    learner: Learner
    keep: int = 2
    _writer: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(1, "state"))
    _written: Future[None] | None = None

    def save(self, step: int, extra: dict[str, Any]) -> None:
        """Begin to save everything after `step` finished steps."""
        self.wait()
        self.folder.mkdir(exist_ok=True)
        tensors: dict[str, Tensor] = {}
        for name, tensor in self.learner.tensors():
            own = tensor.to_local() if isinstance(tensor, DTensor) else tensor
            if rank() == 0 or own is not tensor or name.startswith("random"):
                tensors[name] = own.detach().to("cpu", copy=True).contiguous()
        metadata = {"extra": json.dumps({**extra, **self.learner.notes(), "step": step})}
        self._written = self._writer.submit(self._write, step, tensors, metadata)

    def wait(self) -> None:
        """Until what was begun is on the disk. A full disk is talked about, not raised: the next state may fit."""
        written, self._written = self._written, None
        try:
            if written:
                written.result()
        except (OSError, SafetensorError) as error:  # both are words for a full disk
            say(f"  the state could not be saved ({error}); the one before it stands. Make room: training goes on")

    def close(self) -> None:
        """Wait, and let the writer go."""
        self.wait()
        self._writer.shutdown()

    def load(self) -> dict[str, Any]:
        """Give the learner the newest whole state; its `extra` with `step`, empty if there is none.

        Raises CheckpointError if all states are damaged.
        """
        states = self.states()
        for files in reversed(states):
            try:
                saved = _Pieces(files)
                extra: dict[str, Any] = json.loads(saved.files[0].metadata()["extra"])
                self.learner.load(saved, extra)
            except (SafetensorError, OSError) as error:
                say(f"  {files[0]} is damaged ({error}); going back to the state before it")
                extra = {}
            if mean_of_all(bool(extra))[0] == 1:
                return extra
        if states:
            raise CheckpointError(
                f"All saved states in {self.folder} are damaged. Move the unfinished folder away to begin anew."
            )
        return {}

    def states(self) -> list[list[Path]]:
        """The files of each state, oldest first, as the first process finds them when all have written theirs."""
        self.wait()
        mean_of_all(0.0)
        return of_first(self._whole())

    def _whole(self) -> list[list[Path]]:
        found = {
            (int(name[1]), int(name[2] or 1)) for file in self.folder.glob("*") if (name := NAME.fullmatch(file.name))
        }
        states = [[self._file(step, number, of) for number in range(of)] for step, of in sorted(found)]
        return [files for files in states if all(file.is_file() for file in files)]

    def _file(self, step: int, number: int, of: int) -> Path:
        return self.folder / f"step-{step:08d}{f'-{number}-of-{of}' if of > 1 else ''}.safetensors"

    def _write(self, step: int, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
        partial = self.folder / f".writing{rank() or ''}"
        try:
            save_file(tensors, partial, metadata=metadata)
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
            partial.replace(self._file(step, rank(), world()))
        finally:
            partial.unlink(missing_ok=True)  # a full disk must not stay full of a useless half
        for oldest in self._whole()[-self.keep :][:1]:
            for old in self.folder.glob("step-*"):
                if old.name < oldest[0].name:
                    old.unlink(missing_ok=True)


class _Pieces:
    """The files of a state as one: shards joined, a row of random numbers for each process."""

    def __init__(self, files: list[Path]) -> None:
        self.files: list[Any] = [safe_open(file, framework="pt") for file in files]
        self.names = [set(file.keys()) for file in self.files]

    def keys(self) -> set[str]:
        return set().union(*self.names)

    def get_tensor(self, name: str) -> Tensor:
        pieces = [file.get_tensor(name) for file, names in zip(self.files, self.names, strict=True) if name in names]
        return pieces[0] if len(pieces) == 1 else torch.cat(pieces)
