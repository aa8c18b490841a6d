"""What a person sees of a training: a line that lives, log.jsonl, and a picture at the end.

loss 3.214 ▇▅▃▂▂▁  dev 1.204 bits/byte (5-gram 1.171)  2,390 tokens/s, 81% of the machine
"""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mothertongue.errors import ConfigError
from mothertongue.run.team import rank

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
    """log.jsonl in `folder`.

    `lines` are reference lines, name -> bits per byte of the development text. Of several processes the first writes.
    """

    folder: Path
    lines: Mapping[str, float] = field(default_factory=dict)
    tensorboard: bool = False

    def __post_init__(self) -> None:
        self._file = Path(os.devnull) if rank() else self.folder / "log.jsonl"
        self._writer = _tensorboard(self.folder) if self.tensorboard and not rank() else None
        self.log: list[dict[str, Any]] = []

    def begin(self, log: list[dict[str, Any]]) -> None:
        """Write `log` anew, a saved state's, so that no line stands twice; `add` makes it longer."""
        self.log = log
        self._file.write_text("".join(json.dumps(line) + "\n" for line in log), "utf-8")

    def add(self, **line: Any) -> None:
        """One more line, `step` among its values."""
        self.log.append(line)
        with self._file.open("a", encoding="utf-8") as stream:
            stream.write(json.dumps(line) + "\n")
        if self._writer:
            for name, value in line.items():
                if isinstance(value, float):
                    self._writer.add_scalar(name, value, line["step"])

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

    def finish(self) -> None:
        """Complete TensorBoard's file, and draw training.png."""
        if self._writer:
            self._writer.close()
        if not rank():
            self._draw(self.folder / "training.png")

    def _draw(self, file: Path) -> None:
        """Loss above, bits per byte of development text with the reference lines below."""
        from matplotlib.figure import Figure

        figure = Figure(figsize=(6, 5), layout="constrained")
        above, below = figure.subplots(2, sharex=True)
        for axes, name, label in (
            (above, "loss", "loss (nats per token)"),
            (below, "dev_bits_per_byte", "dev (bits per byte)"),
        ):
            axes.set_ylabel(label)
            found = [(line["step"], line[name]) for line in self.log if name in line]
            if found:
                axes.plot(*zip(*found, strict=True), color="#1f4e79", marker="." if len(found) < 20 else "")
        for name, value in self.lines.items():
            below.axhline(value, color="#b5541c", linestyle="--", label=f"{name} {value:.3f}")
        if self.lines:
            below.legend(frameon=False)
        below.set_xlabel("step")
        figure.savefig(file, dpi=120)


def _tensorboard(folder: Path) -> Any:
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise ConfigError('tensorboard = true needs: pip install "mothertongue[tensorboard]"') from error
    return SummaryWriter(str(folder / "tensorboard"))
