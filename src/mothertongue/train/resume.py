"""Never lose work: one file holds all that a training needs to continue bit for bit.

A copy in memory is taken at once; beside the training it is written as a safetensors file under another name, synced,
and renamed: killed at any moment, the folder holds a whole state or the one before it. No pickle is involved.
"""

from __future__ import annotations

import json
import os
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from safetensors import SafetensorError, safe_open
from safetensors.torch import save_file
from torch import Tensor

from mothertongue.errors import CheckpointError
from mothertongue.run.progress import say
from mothertongue.train.learner import Learner


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
        tensors = {name: tensor.detach().to("cpu", copy=True).contiguous() for name, tensor in self.learner.tensors()}
        metadata = {"extra": json.dumps({**extra, **self.learner.notes(), "step": step})}
        self._written = self._writer.submit(self._write, step, tensors, metadata)

    def wait(self) -> None:
        """Until what was begun is on the disk. A full disk is talked about, not raised: the next state may fit."""
        if self._written is None:
            return
        written, self._written = self._written, None
        try:
            written.result()
        except OSError as error:
            say(f"  the state could not be saved ({error}); the one before it stands. Make room: training goes on")

    def close(self) -> None:
        """Wait, and let the writer go."""
        self.wait()
        self._writer.shutdown()

    def load(self) -> dict[str, Any]:
        """Give the learner the newest whole state; its `extra` with `step`, empty if there is none.

        Raises CheckpointError if all states are damaged.
        """
        self.wait()
        files = self.files()
        for file in reversed(files):
            try:
                with safe_open(file, framework="pt") as saved:
                    extra: dict[str, Any] = json.loads(saved.metadata()["extra"])
                    self.learner.load(saved, extra)
                    return extra
            except SafetensorError as error:
                say(f"  {file} is damaged ({error}); going back to the state before it")
        if files:
            raise CheckpointError(
                f"All saved states in {self.folder} are damaged. Move the unfinished folder away to begin the "
                "training anew."
            )
        return {}

    def files(self) -> list[Path]:
        """The states, oldest first."""
        return sorted(self.folder.glob("step-*.safetensors"))

    def _write(self, step: int, tensors: dict[str, Tensor], metadata: dict[str, str]) -> None:
        partial = self.folder / ".writing"
        try:
            save_file(tensors, partial, metadata=metadata)
            with partial.open("rb+") as stream:
                os.fsync(stream.fileno())
            partial.replace(self.folder / f"step-{step:08d}.safetensors")
        except BaseException as error:
            partial.unlink(missing_ok=True)  # a full disk must not stay full of a useless half
            if isinstance(error, SafetensorError):  # safetensors' word for a full disk
                raise OSError(str(error)) from error
            raise
        for old in self.files()[: -self.keep]:
            old.unlink()
