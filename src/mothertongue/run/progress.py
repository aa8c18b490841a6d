"""Progress on stderr: a live bar with rate and time left on a terminal, a line every few seconds elsewhere.

    with track("tokenizing", total=120.5, unit="MB") as bar:
        bar.advance(1.5, note="cs.novels")

Results never come this way: they are metrics, and the command line prints them on stdout.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Protocol

from mothertongue.run.team import rank

_quiet: ContextVar[bool] = ContextVar("quiet", default=rank() > 0)  # of several processes the first talks
LINE_EVERY_SECONDS = 15.0


class Bar(Protocol):
    """What a stage may tell the person who waits."""

    def advance(self, amount: float = 1.0, *, note: str = "") -> None: ...


def be_quiet(quiet: bool = True) -> None:
    """Turn progress off for this process (for `--quiet` and for tests)."""
    _quiet.set(quiet)


def say(message: str) -> None:
    """One line of talk on stderr."""
    if not _quiet.get():
        sys.stderr.write(message + "\n")
        sys.stderr.flush()


@contextmanager
def track(what: str, *, total: float | None = None, unit: str = "step", done: float = 0.0) -> Iterator[Bar]:
    """Show the progress of one piece of work; `total` None: of unknown length; `done`: where a resumed one stands."""
    if _quiet.get():
        yield _Silent()
    elif sys.stderr.isatty():
        yield from _live(what, total, unit, done)
    else:
        lines = _Lines(what, total, unit, done)
        yield lines
        lines.finish()


class _Silent:
    def advance(self, amount: float = 1.0, *, note: str = "") -> None:
        return None


class _Lines:
    """Plain lines for logs and pipes."""

    def __init__(self, what: str, total: float | None, unit: str, done: float) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.start = self.last = time.monotonic()
        self.begun, self.done, self.note = done, done, ""

    def advance(self, amount: float = 1.0, *, note: str = "") -> None:
        self.done += amount
        self.note = note or self.note
        if time.monotonic() - self.last >= LINE_EVERY_SECONDS:
            self.last = time.monotonic()
            say(self._line())

    def finish(self) -> None:
        seconds = time.monotonic() - self.start
        say(f"  {self.what}: {_number(self.done)} {self.unit} in {span(seconds)}  {self.note}".rstrip())

    def _line(self) -> str:
        rate = (self.done - self.begun) / max(time.monotonic() - self.start, 1e-9)
        of = f" of {_number(self.total)}" if self.total else ""
        left = f", {span((self.total - self.done) / rate)} left" if self.total and rate > 0 else ""
        return (
            f"  {self.what}: {_number(self.done)}{of} {self.unit}, {rate:.3g} {self.unit}/s{left}  {self.note}".rstrip()
        )


class _Live:
    def __init__(self, progress: object, task: object) -> None:
        self.progress, self.task = progress, task

    def advance(self, amount: float = 1.0, *, note: str = "") -> None:
        self.progress.update(self.task, advance=amount, **({"note": note} if note else {}))  # type: ignore[attr-defined]


def _live(what: str, total: float | None, unit: str, done: float) -> Iterator[Bar]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
    from rich.text import Text

    class Rate(ProgressColumn):
        def render(self, task: Task) -> Text:
            return Text(f"{task.finished_speed or task.speed or 0:.3g} {unit}/s")

    columns = (
        TextColumn("  {task.description}"),
        BarColumn(24),
        TextColumn("{task.completed:.6g}/{task.total}"),
        Rate(),
    )
    with Progress(
        *columns, TimeRemainingColumn(), TextColumn("{task.fields[note]}"), console=Console(stderr=True)
    ) as bars:
        yield _Live(bars, bars.add_task(what, total=total, completed=done, note=""))  # type: ignore[arg-type]


def _number(value: float | None) -> str:
    return "?" if value is None else f"{value:.0f}" if value == int(value) else f"{value:.1f}"


def span(seconds: float) -> str:
    """Seconds as people say them: 4.2 s, 3 min 05 s, 2 h 07 min."""
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if hours else f"{minutes} min {rest:02d} s" if minutes else f"{seconds:.1f} s"
