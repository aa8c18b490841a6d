"""The inner files of the corpus room compiled with Cython, in place: `python -m mothertongue.corpus.build`.

The same Python, with the types of the .pxd files beside it, turned into C: nothing needs it, and what comes out has the
same bytes (tests/unit/corpus/test_wikitext_compiled.py, test_bayes.py, test_view.py). To go back, delete what it names.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from mothertongue.errors import ConfigError

FILES = ("tally", "walk")
WIKITEXT = (
    "dump",
    "extract",
    "formula",
    "gaps",
    "links",
    "marks",
    "octets",
    "scan",
    "spaces",
    "steps",
    "tidy",
    "weights",
)
_COMPILE = """
import sys
from Cython.Build import cythonize
from setuptools import setup
modules = cythonize(sys.argv[1:], language_level=3, quiet=True, compiler_directives={"annotation_typing": False})
setup(name="corpus", ext_modules=modules, script_args=["-q", "build_ext", "--inplace"])
"""
ROOM = Path(__file__).parent
ROOT = ROOM.parents[1]  # where the package mothertongue lies


def stage(folder: Path) -> None:
    """Put into `folder` as much of the package as these files import, without what is compiled already."""
    target = folder / ROOM.parent.name
    ignore = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "encyclopaedia")
    shutil.copytree(ROOM / "wikitext", target / "corpus" / "wikitext", ignore=ignore)
    shutil.copytree(ROOM.parent / "languages", target / "languages", ignore=ignore)
    shutil.copy(ROOM.parent / "errors.py", target)
    for name in FILES:
        for end in ("py", "pxd"):
            shutil.copy(ROOM / f"{name}.{end}", target / "corpus")
    for package in (target, target / "corpus"):
        (package / "__init__.py").write_text("", "utf-8")


def compile_in(folder: Path, files: Sequence[str]) -> list[Path]:
    """Compile `files` (like wikitext/scan) of what `stage` has put into `folder`; the files made. ConfigError if Cython
    or the C compiler fails.
    """
    command = [sys.executable, "-c", _COMPILE, *(f"mothertongue/corpus/{name}.py" for name in files)]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = (done.stdout + done.stderr)[-1500:]
        raise ConfigError(f"Cython could not compile the corpus room, which works without it as well:\n{tail}")
    return sorted(file for end in ("*.so", "*.pyd") for file in folder.rglob(end) if "build" not in file.parts)


def build() -> list[Path]:
    """Compile in place; the files made. ConfigError if there is no Cython, or it or the C compiler fails."""
    if not (find_spec("Cython") and find_spec("setuptools")):
        raise ConfigError('Compiling the corpus room needs Cython: pip install "mothertongue[compile]"')
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        stage(folder)
        made = compile_in(folder, [*FILES, *(f"wikitext/{name}" for name in WIKITEXT)])
        return [_put(file, ROOT / file.relative_to(folder)) for file in made]


def _put(file: Path, place: Path) -> Path:
    """Copy; an earlier one goes first, since this very process may run it, and is killed if its bytes change."""
    place.unlink(missing_ok=True)
    return Path(shutil.copy(file, place))


def main() -> None:
    """Compile, and name the files made."""
    try:
        sys.stdout.writelines(f"{file}\n" for file in build())
    except ConfigError as error:
        sys.exit(str(error))


if __name__ == "__main__":
    main()
