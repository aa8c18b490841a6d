"""Which files of the wikitext reader are compiled; `python -m mothertongue.corpus.wikitext.build` compiles the room's.

They are the same Python, with the types of the .pxd files beside it: nothing needs it, and the text that comes out has
the same bytes (tests/unit/corpus/test_wikitext_compiled.py).
"""

from __future__ import annotations

from pathlib import Path

from mothertongue.corpus import build as room
from mothertongue.corpus.build import build as build
from mothertongue.corpus.build import stage as stage

FILES = ("dump", "extract", "formula", "gaps", "links", "marks", "octets", "scan", "spaces", "steps", "tidy", "weights")
PACKAGE = Path(__file__).parent


def compile_in(folder: Path) -> list[Path]:
    """Compile these files of what `stage` has put into `folder`; the files made."""
    return room.compile_in(folder, [f"wikitext/{name}" for name in FILES])


if __name__ == "__main__":
    room.main()
