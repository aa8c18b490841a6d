"""What a person sees of a training: a line that lives, log.jsonl, and a picture at the end.

loss 3.214 ▇▅▃▂▂▁  dev 1.204 bits/byte (5-gram 1.171)  2,390 tokens/s, 81% of the machine
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch

from mothertongue.errors import ConfigError
from mothertongue.model.products import product

BARS = "▁▂▃▄▅▆▇█"


def sparkline(values: list[float], width: int = 12) -> str:
    """`values` as a row of at most `width` bars, the newest on the right.

    >>> sparkline([4.0, 3.0, 2.0, 1.0])
    '█▆▃▁'
    """
    if len(values) > width:
        values = [values[(index + 1) * len(values) // width - 1] for index in range(width)]
    low, high = min(values), max(values)
    return "".join(BARS[round((value - low) / max(high - low, 1e-9) * 7)] for value in values)


@dataclass
class Journal:
    """log.jsonl, rewritten from the saved state on resume so that no line stands twice; `lines` are reference lines,
    name -> bits per byte of the development text.
    """

    file: Path
    log: list[dict[str, Any]]
    lines: Mapping[str, float] = field(default_factory=dict)
    tensorboard: bool = False

    def __post_init__(self) -> None:
        self.file.write_text("".join(json.dumps(line) + "\n" for line in self.log), "utf-8")
        self._writer = _tensorboard(self.file.parent) if self.tensorboard else None

    def add(self, **line: Any) -> None:
        """One more line, `step` among its values."""
        self.log.append(line)
        with self.file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        if self._writer:
            for name, value in line.items():
                if isinstance(value, float):
                    self._writer.add_scalar(name, value, line["step"])

    def close(self) -> None:
        """Let TensorBoard's file be complete."""
        if self._writer:
            self._writer.close()

    def values(self, name: str) -> list[float]:
        """Everything logged under `name`."""
        return [line[name] for line in self.log if name in line]

    def note(self, *, tokens_per_second: float, share: float) -> str:
        """How it stands; `share` is that of the machine's products, 0 where they are not known."""
        losses, scores = self.values("loss"), self.values("dev_bits_per_byte")
        words = [f"loss {losses[-1]:.3f} {sparkline(losses)}"] if losses else []
        if scores:
            beside = "".join(f" ({name} {value:.3f})" for name, value in self.lines.items())
            words.append(f"dev {scores[-1]:.3f} bits/byte{beside}")
        words.append(f"{tokens_per_second:,.0f} tokens/s" + (f", {share:.0%} of the machine" if share else ""))
        return "  ".join(words)

    def tail(self) -> float:
        """Mean loss of the last tenth of the log."""
        last = self.values("loss")[-max(1, len(self.values("loss")) // 10) :]
        return round(sum(last) / max(1, len(last)), 5)

    def draw(self, file: Path) -> None:
        """The picture: loss above, bits per byte of development text with the reference lines below."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 5), layout="constrained")
        above, below = figure.subplots(2, sharex=True)
        for axes, name, label in (
            (above, "loss", "loss (nats per token)"),
            (below, "dev_bits_per_byte", "dev (bits per byte)"),
        ):
            found = [(line["step"], line[name]) for line in self.log if name in line]
            axes.plot(
                *zip(*found, strict=True), color="#1f4e79", marker="." if len(found) < 20 else ""
            ) if found else None
            axes.set_ylabel(label)
        for name, value in self.lines.items():
            below.axhline(value, color="#b5541c", linestyle="--", label=f"{name} {value:.3f}")
        if self.lines:
            below.legend(frameon=False)
        below.set_xlabel("step")
        figure.savefig(file, dpi=120)


def machine_gigaflop(device: torch.device) -> float:
    """10^9 operations a second of large float32 products on the processor, best of five; 0 on other devices."""
    if device.type != "cpu":
        return 0.0
    square, times = torch.ones(1024, 1024), []
    for _ in range(5):
        begun = time.perf_counter()
        product(square, square)
        times.append(time.perf_counter() - begun)
    return 2 * 1024**3 / min(times) / 1e9


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError('tensorboard = true needs: pip install "mothertongue[tensorboard]"') from error
    return SummaryWriter(str(folder / "tensorboard"))
