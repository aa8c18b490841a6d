"""How long do the two commands take on a clean clone: `make demo` and `make test`, after the packages are in?

python benchmarks/clean_clone.py
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

from results_file import ROOT, write_results


def timed(clone: Path, *command: str) -> float:
    """Seconds of a command in the clone; an error ends the benchmark."""
    started = time.monotonic()
    subprocess.run(command, cwd=clone, check=True)
    return round(time.monotonic() - started, 1)


def main() -> None:
    started = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        clone = Path(folder) / "mothertongue"
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(clone)], check=True)
        figures = {"install_seconds": timed(clone, "make", ".venv/installed")}
        figures["demo_seconds"] = timed(clone, "make", "demo")
        figures["test_seconds"] = timed(clone, "make", "test")
    print(write_results("clean_clone", figures, [], seconds=time.monotonic() - started))
    print(figures)


if __name__ == "__main__":
    main()
