"""The texts and the base of benchmarks/transfer.py: three languages of two scripts that are not English, and English.

Czech and Bulgarian are the shared data's; Greek is the help of LibreOffice, fetched from Debian with apt-get, as are
FreeDict's English dictionaries. The base is trained here on the shared English text, since the curve wants models of
one million parameters and the one that ships has five.
"""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import tomlkit

from mothertongue.corpus.shards import read_documents
from mothertongue.run.build import run_recipe
from mothertongue.run.disk import is_locked, locked
from mothertongue.run.recipe import parse_recipe
from mothertongue.tokenizer.bytelevel import encode_text, open_tokenizer
from mothertongue.transfer.static import STATIC_VECTORS_FILE, count_vectors, save_static_vectors

SHARED = "${MOTHERTONGUE_DATA}/text"
HELP, HELP_TEXT = "libreoffice-help-el", "usr/share/libreoffice/help/el/text"
SIDES = {"heldout_share": 0.04, "dev_share": 0.03, "min_characters": 200}
SHAPE = {"num_hidden_layers": 4, "hidden_size": 128, "num_attention_heads": 4, "context": 128}


@dataclass(frozen=True)
class Text:
    """Where the text of a language comes from: sources of the shared data (or of Debian's help), a few for --quick."""

    name: str
    language: str
    sources: tuple[tuple[str, str], ...]  # path, licence
    quick: tuple[tuple[str, str], ...]
    dictionary: str  # of FreeDict
    capped: tuple[str, ...] = ()  # at most a third of the text


CZECH = ("fiction_mkp", "public domain"), ("novels_eltec_corrected", "CC BY 4.0"), ("docs_debian", "MPL 2, GFDL, GPL")
BULGARIAN = (
    ("wikipedia_exams_paragraphs", "CC BY-SA 4.0"),
    ("docs_tech", "CC BY-SA 4.0"),
    ("bible_nt", "freely licensed"),
    ("law_parliament", "official texts, no copyright"),
)
ENGLISH = ("books_pd", "public domain"), ("wikitext2_valid_test", "CC BY-SA 4.0"), ("docs_edgeai", "MIT")


def shared(language: str, names: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    return tuple((f"{SHARED}/{language}.{name}.jsonl.xz", licence) for name, licence in names)


TEXTS: Mapping[str, Text] = {
    "cs": Text("Czech", "cs", shared("cs", CZECH), shared("cs", (("docs_djangogirls", "CC BY-SA 4.0"),)), "eng-ces"),
    "bg": Text(
        "Bulgarian",
        "bg",
        shared("bg", BULGARIAN),
        shared("bg", (("bible_nt", "freely licensed"),)),
        "eng-bul",
        ("law_parliament",),
    ),
    "el": Text("Greek", "any", ((HELP_TEXT, "MPL 2.0"),), ((f"{HELP_TEXT}/swriter/00", "MPL 2.0"),), "eng-ell"),
}


def fetch(package: str, into: Path) -> Path:
    """The files of a Debian package below `into`, fetched once and not installed.

    RuntimeError with apt-get's own words if it cannot be had.
    """
    folder = into / package
    if folder.is_dir():
        return folder
    into.mkdir(parents=True, exist_ok=True)
    for command in (["apt-get", "download", package], ["dpkg-deb", "-x", f"{package}_*.deb", f"{package}.partial"]):
        words = [str(next(into.glob(word))) if "*" in word else word for word in command]
        done = subprocess.run(words, cwd=into, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"{' '.join(command[:3])}: {done.stderr.strip()[-300:]} (try: apt-get update)")
    return (into / f"{package}.partial").rename(folder)


def dictionary(code: str, into: Path) -> str:
    """The index of FreeDict's English dictionary for a language."""
    package = fetch(f"dict-freedict-{TEXTS[code].dictionary}", into)
    return str(package / "usr" / "share" / "dictd" / f"freedict-{TEXTS[code].dictionary}.index")


@cache
def make_text(code: str, runs: Path, *, quick: bool) -> dict[str, Path]:
    """Corpus and tokenizer of a language, as inputs of a comparison."""
    text = TEXTS[code]
    sources = text.quick if quick else text.sources
    fetched = fetch(HELP, runs / "fetched") if any(path.startswith(HELP_TEXT) for path, _ in sources) else runs
    named = [(str(fetched / path) if path.startswith(HELP_TEXT) else path, licence) for path, licence in sources]
    recipe = {
        "corpus": {"language": text.language, **SIDES, "sources": listed(named, text.capped)},
        "tokenizer": {"vocab_size": 512 if quick else 2048},
    }
    folder = runs / code
    run_alone(recipe, folder)
    return {"corpus": folder / "corpus", "tokenizer": folder / "tokenizer"}


def listed(sources: Iterable[tuple[str, str]], capped: Iterable[str] = ()) -> list[dict[str, Any]]:
    """Sources as a recipe names them."""
    return [
        {"path": path, "licence": licence}
        | ({"max_share": 0.33} if any(f".{name}." in path for name in capped) else {})
        for path, licence in sources
    ]


def run_alone(recipe: Mapping[str, Any], folder: Path) -> None:
    """Run a recipe below `folder`; wait while another process does."""
    with alone(folder):
        run_recipe(parse_recipe(tomlkit.dumps(recipe), where=folder.name), folder)


@contextmanager
def alone(folder: Path) -> Iterator[None]:
    """Wait for the lock of `folder`, and hold it."""
    while is_locked(folder):
        time.sleep(5)
    with locked(folder):
        yield


@cache
def make_base(runs: Path, *, quick: bool) -> Path:
    """The English base, with static vectors beside its weights as the shipped one has them."""
    sources = shared("en", ENGLISH[2:] if quick else ENGLISH)
    shape = {**SHAPE, "num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 2} if quick else SHAPE
    recipe = {
        "corpus": {
            "language": "en",
            "heldout_share": 0.01,
            "min_characters": 200,
            "sources": listed(sources),
        },
        "tokenizer": {"vocab_size": 512 if quick else 4096},
        "model": shape,
        # 30 tokens per parameter: an hour of one core
        "train": {"steps": 200 if quick else 40_000, "batch_size": 8, "learning_rate": 2e-3},
    }
    run_alone(recipe, runs / "english")
    base = runs / "base"
    with alone(base):
        if (base / STATIC_VECTORS_FILE).is_file():
            return base
        shutil.rmtree(base, ignore_errors=True)
        shutil.copytree(runs / "english" / "train", base, ignore=shutil.ignore_patterns("manifest.json", "*.png"))
        tokenizer = open_tokenizer(base)
        streams = (encode_text(tokenizer, item.text) for item in read_documents(runs / "english" / "corpus", "train"))
        save_static_vectors(count_vectors(streams, vocab_size=tokenizer.get_vocab_size()), base)
    return base
