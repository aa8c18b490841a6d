"""The compiled wikitext reader and the pure one give the same bytes; skipped where nothing is compiled."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest

from mothertongue.corpus.wikitext import extract, extract_text
from mothertongue.corpus.wikitext.build import FILES, PACKAGE, stage

GOLDEN = Path(__file__).parents[2] / "golden" / "wikitext"
DIGEST = """
import hashlib, sys
from pathlib import Path
from mothertongue.corpus.wikitext import extract, extract_text
assert extract.__file__.endswith(".py")
print(hashlib.sha256("".join(extract_text(Path(p).read_text("utf-8")) for p in sys.argv[1:]).encode()).hexdigest())
"""


def pages() -> list[str]:
    return sorted(str(page) for page in GOLDEN.glob("*.wiki"))


def test_the_pure_reader_stands_alone_and_gives_the_bytes_of_whatever_is_installed(tmp_path: Path) -> None:
    stage(tmp_path)
    command = [sys.executable, "-c", DIGEST, *pages()]
    pure = subprocess.run(command, cwd=tmp_path, env={"PYTHONPATH": str(tmp_path)}, capture_output=True, check=True)
    here = "".join(extract_text(Path(page).read_text("utf-8")) for page in pages())
    assert pure.stdout.decode().strip() == hashlib.sha256(here.encode()).hexdigest()


@pytest.mark.skipif(str(extract.__file__).endswith(".py"), reason="the wikitext reader is not compiled here")
def test_all_inner_files_are_compiled_together() -> None:
    for name in FILES:
        assert list(PACKAGE.glob(f"{name}.*.so")) or list(PACKAGE.glob(f"{name}.*.pyd"))


def test_the_files_to_compile_exist() -> None:
    assert all((PACKAGE / f"{name}.py").exists() for name in FILES)
