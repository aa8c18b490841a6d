"""Text of four languages for the vocabularies' benchmark: to train on, and works that training never sees."""

from __future__ import annotations

import hashlib
import html
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from mothertongue.corpus.clean import clean
from peers_home import CACHE
from train_text import works

TRAIN_BYTES, DEV_BYTES = 2_000_000, 200_000
DEV_CHARACTERS = 8_000  # of each work
SETS = {
    "cs": ("cs.fiction_mkp", "cs.docs_debian", "cs.novels_eltec_corrected"),
    "bg": ("bg.wikipedia_exams_paragraphs", "bg.docs_tech", "bg.law_parliament"),
}
PACKAGES = {"el": "libreoffice-help-el", "km": "libreoffice-help-km"}
_HIDDEN = re.compile(r"(?s)<(script|style|head|nav|footer|aside)\b.*?</\1>")
_TAG = re.compile(r"<[^>]+>")


@dataclass(frozen=True)
class Text:
    """Documents of one language."""

    train: list[str]
    dev: list[str]


def texts_of(language: str, data: Path) -> Text:
    """About 2 MB to train on and 0.2 MB of other works (a work is a book, a page of help)."""
    found = dict(_own(language, data) if language in SETS else _packaged(language))
    order = sorted(found, key=lambda name: hashlib.sha256(name.encode()).digest())
    count = max(8, len(order) // 8)
    dev = [document[:DEV_CHARACTERS] for name in order[:count] for document in found[name][:2]]
    train = sorted((one for name in order[count:] for one in found[name]), key=lambda one: hash_of(one))
    return Text(_up_to(train, TRAIN_BYTES), _up_to(dev, DEV_BYTES))


def hash_of(text: str) -> bytes:
    """An order that has nothing to do with where a text came from."""
    return hashlib.sha256(text.encode("utf-8", "replace")).digest()


def _up_to(texts: list[str], most: int) -> list[str]:
    kept = []
    for text in texts:
        raw = text.encode()[: max(0, most)]
        most -= len(raw)
        if raw:
            kept.append(raw.decode("utf-8", "ignore"))
    return kept


def _own(language: str, data: Path) -> Iterator[tuple[str, list[str]]]:
    for name in SETS[language]:
        for work, documents in works(data / "text" / f"{name}.jsonl.xz").items():
            yield f"{name} {work}", documents


def _packaged(language: str) -> Iterator[tuple[str, list[str]]]:
    folder, seen = CACHE / "languages" / PACKAGES[language], set[str]()
    if not (folder / "complete").exists():
        _fetch(PACKAGES[language], folder)
    for file in sorted(folder.rglob("*.html")):
        new = [line for line in _lines(file) if _is_native(line) and line not in seen]
        seen.update(new)
        if new:
            yield str(file.relative_to(folder)), ["\n".join(new)]


def _fetch(package: str, folder: Path) -> None:
    """A package of Debian by apt-get, which checks it."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    subprocess.run(["apt-get", "download", "-qq", package], cwd=folder, check=True, capture_output=True)
    (file,) = folder.glob("*.deb")
    subprocess.run(["dpkg-deb", "-x", file, folder / "files"], check=True)
    (folder / "complete").touch()


def _lines(file: Path) -> list[str]:
    text = _HIDDEN.sub("", file.read_text("utf-8", "ignore"))
    text = re.sub(r"</(p|h\d|td|li|div)>", "\n", text)
    return [clean(line) for line in html.unescape(_TAG.sub("", text)).split("\n")]


def _is_native(line: str) -> bool:
    """Whether most letters are not Latin: untranslated lines are not the language."""
    letters = [char for char in line if char.isalpha()]
    return sum(ord(char) > 0x2FF for char in letters) > 0.6 * max(1, len(letters))
