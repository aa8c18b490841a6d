"""The inner files compiled with Cython, in place: `python -m mothertongue.corpus.wikitext.build`.

The same Python, with the types of the .pxd files beside it, turned into C: nothing needs it, and the text that comes
out has the same bytes (tests/unit/corpus/test_wikitext_compiled.py). To go back, delete what it names.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from importlib.util import find_spec
from pathlib import Path

from mothertongue.errors import ConfigError

FILES = ("dump", "extract", "formula", "gaps", "links", "marks", "octets", "scan", "spaces", "steps", "tidy", "weights")
_COMPILE = """
import sys
from Cython.Build import cythonize
from setuptools import setup
modules = cythonize(sys.argv[1:], language_level=3, quiet=True, compiler_directives={"annotation_typing": False})
setup(name="wikitext", ext_modules=modules, script_args=["-q", "build_ext", "--inplace"])
"""
PACKAGE = Path(__file__).parent
ROOT = PACKAGE.parents[2]  # where the package mothertongue lies


def stage(folder: Path) -> None:
    """Put into `folder` as much of the package as these files import, without what is compiled already."""
    here = PACKAGE.parents[1]
    target = folder / here.name
    ignore = shutil.ignore_patterns("*.so", "*.pyd", "__pycache__", "encyclopaedia")
    shutil.copytree(PACKAGE, target / "corpus" / "wikitext", ignore=ignore)
    shutil.copytree(here / "languages", target / "languages", ignore=ignore)
    shutil.copy(here / "errors.py", target)
    for package in (target, target / "corpus"):
        (package / "__init__.py").write_text("", "utf-8")


def compile_in(folder: Path) -> list[Path]:
    """Compile what `stage` has put into `folder`; the files made. ConfigError if Cython or the C compiler fails."""
    files = [f"mothertongue/corpus/wikitext/{name}.py" for name in FILES]
    command = [sys.executable, "-c", _COMPILE, *files]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    if done.returncode:
        tail = (done.stdout + done.stderr)[-1500:]
        raise ConfigError(f"Cython could not compile the wikitext reader, which works without it as well:\n{tail}")
    return sorted(file for end in ("*.so", "*.pyd") for file in folder.rglob(end) if "build" not in file.parts)


def build() -> list[Path]:
    """Compile in place; the files made. ConfigError if there is no Cython, or it or the C compiler fails."""
    if not (find_spec("Cython") and find_spec("setuptools")):
        raise ConfigError('Compiling the wikitext reader needs Cython: pip install "mothertongue[compile]"')
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        stage(folder)
        return [Path(shutil.copy(file, ROOT / file.relative_to(folder))) for file in compile_in(folder)]


if __name__ == "__main__":
    try:
        sys.stdout.writelines(f"{file}\n" for file in build())
    except ConfigError as error:
        sys.exit(str(error))
