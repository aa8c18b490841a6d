"""Every benchmark writes one JSON object: figures, rows, machine, commit, command, seconds."""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import mothertongue

ROOT = Path(__file__).parents[1]
SOURCE = Path(mothertongue.__file__).resolve().parents[1]  # it may run from a copy
RESULTS = ROOT / "benchmarks" / "results"
Row = dict[str, Any]


def write_results(
    name: str,
    figures: Mapping[str, float],
    rows: Sequence[Mapping[str, Any]],
    *,
    seconds: float,
    notes: Sequence[str] = (),
    beside: bool = False,
) -> Path:
    """Write benchmarks/results/`name`.json and give its path.

    With `beside`, what an earlier run has measured of other questions, sizes and languages stays, and so do notes
    on other subjects (what is before their colon); every row then says of which commit it is.
    """
    RESULTS.mkdir(exist_ok=True)
    file = RESULTS / f"{name}.json"
    git = ["git", "rev-parse", "--short", "HEAD"]
    commit = subprocess.run(git, cwd=ROOT, capture_output=True, text=True, check=False).stdout.strip()
    if beside:
        rows = [{**row, "commit": commit} for row in rows]
    if beside and file.is_file():
        before = json.loads(file.read_text("utf-8"))
        again, subjects = {_subject(row) for row in rows}, {note.partition(":")[0] for note in notes}
        kept = [{"commit": before["commit"], **row} for row in before["rows"] if _subject(row) not in again]
        rows, figures = [*kept, *rows], {**before["figures"], **figures}
        notes = [*(note for note in before["notes"] if note.partition(":")[0] not in subjects), *notes]
    result = {
        "figures": dict(sorted(figures.items())),
        "rows": list(rows),
        "notes": list(notes),
        "machine": {
            "processor": _processor(),
            "cores": os.cpu_count(),
            "system": platform.system(),
            "python": platform.python_version(),
        },
        "commit": commit,
        "command": " ".join(
            ["python", *(os.path.relpath(part, ROOT) if part.startswith("/") else part for part in sys.argv)]
        ),
        "seconds": round(seconds, 1),
    }
    file.write_text(json.dumps(result, ensure_ascii=False, indent=1) + "\n", "utf-8")
    return file


def _subject(row: Mapping[str, Any]) -> tuple[Any, ...]:
    return tuple(row.get(name) for name in ("question", "size", "dropout", "language"))


def read_figures(name: str) -> dict[str, float]:
    """The figures of another benchmark, or none if it has not run."""
    figures: dict[str, float] = _read(name).get("figures", {})
    return figures


def read_rows(name: str) -> list[Row]:
    """The rows of a benchmark, or none if it has not run."""
    rows: list[Row] = _read(name).get("rows", [])
    return rows


def _read(name: str) -> Row:
    file = RESULTS / f"{name}.json"
    return json.loads(file.read_text("utf-8")) if file.is_file() else {}


def table(heads: Sequence[str], lines: Iterable[Sequence[object]]) -> str:
    """Markdown; numbers stand to the right."""
    shown = [[f"{cell:.3g}" if isinstance(cell, float) else str(cell) for cell in line] for line in lines]
    marks = ["---", *("---:" for _ in heads[1:])]
    return "".join(f"| {' | '.join(line)} |\n" for line in (heads, marks, *shown)).replace("| --- |", "|---|")


def keep(file: Path, target: Path) -> None:
    """Copy a text file of a run, with the folders of this machine named by what they are."""
    text = file.read_text("utf-8").replace(str(SOURCE), "./src").replace(str(ROOT), ".")
    if data := os.environ.get("MOTHERTONGUE_DATA"):
        text = text.replace(str(Path(data).resolve()), "${MOTHERTONGUE_DATA}")
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_text(text, "utf-8")


def _processor() -> str:
    for line in Path("/proc/cpuinfo").read_text("utf-8").splitlines() if Path("/proc/cpuinfo").is_file() else []:
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.processor()
