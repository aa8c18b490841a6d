"""Which of two near languages a text is in: accuracy by pair and length, and time, beside lingua.

Texts: messages of LibreOffice's translations (Debian's packages libreoffice-l10n-*, MPL 2 and LGPL 3), the same source
for every language, fetched by apt-get and kept in the cache; where there is no apt-get, of Django's (BSD), by pip. A
message is a short text; shuffled messages joined to 40 and to 400 words are a paragraph and a document. py3langid was
trained on Debian's translations among others, so its figures may flatter it; books and laws of the shared sets stand
beside them. As in the corpus stage the choice is between the wanted language, its confusables and English.
"""

from __future__ import annotations

import gettext
import io
import json
import random
import re
import shutil
import subprocess
import sys
import zipfile
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path

from corpus_bench import Bench
from corpus_filters import texts_of
from mothertongue.languages import open_language
from peers_home import CACHE

PAIRS = (("cs", "sk"), ("bg", "mk"), ("bg", "sr"), ("bg", "ru"), ("cs", "en"), ("bg", "en"))
LENGTHS = {"short": 5, "paragraph": 40, "document": 400}  # words
OTHERS = ("cs", "sk", "bg", "mk", "sr", "ru")
CYRILLIC = ("bg", "mk", "sr", "ru")
SHARED = {"cs": "cs.fiction_mkp", "bg": "bg.wikipedia_exams_paragraphs", "en": "en.books_pd"}
_NOISE = re.compile(r"[<>%$_~&{}#\\|]|\d{3}|http")


def identifier(bench: Bench) -> dict[str, float]:
    """Accuracy of both, by pair and length."""
    messages, figures, times = _messages(), dict[str, float](), list[float]()
    for length, count in LENGTHS.items():
        texts = {code: _texts(found, count, bench.asked.texts) for code, found in messages.items()}
        texts |= {f"{code} shared": _pieces(code, count, bench.asked.texts) for code in SHARED}
        for one, other in PAIRS:
            wanted = open_language(one)
            languages = " ".join(dict.fromkeys([one, *wanted.confusables, "en"]))
            kinds = [one, other, *(f"{code} shared" for code in (one, other) if code in SHARED)]
            place = bench.place(f"identify-{one}-{other}-{length}.jsonl")
            rows = [(kind, text) for kind in kinds for text in texts[kind]]
            place.write_text("".join(json.dumps({"text": text}) + "\n" for _, text in rows), "utf-8")
            for who, job in (("ours", partial(bench.ours, "identify")), ("lingua", partial(bench.peer, "lingua"))):
                made = place.with_suffix(f".{who}.json")
                numbers = job(place, made, languages)
                answers = json.loads(made.read_text("utf-8"))
                right = {kind: _right(kind, rows, answers) for kind in kinds}
                both = (right[one] + right[other]) / 2
                bench.row(
                    "identifier", who=who, pair=f"{one}/{other}", length=length, texts=len(rows), accuracy=both,
                    by_text={kind: round(share, 4) for kind, share in right.items()}, languages=languages,
                    microseconds_per_text=numbers["microseconds_per_text"],
                )  # fmt: skip
                prefix = "identifier" if who == "ours" else f"{who}_identifier"
                figures[f"{prefix}_{one}_{other}_{length}"] = round(both, 4)
                if who == "ours" and length == "paragraph":
                    times.append(numbers["microseconds_per_text"])
    return {**figures, "identifier_microseconds_per_paragraph": round(sum(times) / len(times), 1)}


def _right(kind: str, rows: Sequence[tuple[str, str]], answers: Sequence[str | None]) -> float:
    own = [answer == kind[:2] for (one, _), answer in zip(rows, answers, strict=True) if one == kind]
    return sum(own) / max(1, len(own))


def _texts(messages: Sequence[str], length: int, number: int) -> list[str]:
    """Messages of about five words, or several joined to `length` words."""
    if length == LENGTHS["short"]:
        return [one for one in messages if 4 <= len(one.split()) <= 6][:number]
    result, waiting = list[str](), list[str]()
    for message in messages:
        waiting += message.split()
        if len(waiting) >= length:
            result.append(" ".join(waiting[:length]))
            waiting.clear()
    return result[:number]


def _pieces(code: str, length: int, number: int) -> list[str]:
    """Runs of words out of one of the shared sets, by a seed."""
    draw, result = random.Random(length), list[str]()
    texts = [text for text in texts_of(SHARED[code]) if len(text) > 20 * length]
    for _ in range(number):
        own = draw.choice(texts)[:40_000].split()
        begin = draw.randrange(len(own) - length)
        result.append(" ".join(own[begin : begin + length]))
    return result


def _messages() -> dict[str, list[str]]:
    """Language -> messages of four words or more, shuffled, each once; those of English are what was translated."""
    found: dict[str, list[str]] = {}
    english = set[str]()
    for code, catalogue in _catalogues():
        for source, message in catalogue.items():
            if isinstance(source, str) and isinstance(message, str) and source != message and _is_text(message, code):
                found.setdefault(code, []).append(message)
                if _is_text(source := source.rpartition("\x04")[2], "en"):
                    english.add(source)
    found["en"] = list(english)
    result = {code: sorted(set(messages)) for code, messages in found.items()}
    for code, messages in result.items():
        random.Random(code).shuffle(messages)
    return result


def _is_text(message: str, code: str) -> bool:
    letters = [one for one in message if one.isalpha()]
    cyrillic = sum("\u0400" <= one <= "\u04ff" for one in letters)
    script = cyrillic > 0.8 * len(letters) if code in CYRILLIC else cyrillic == 0
    return len(message.split()) >= 4 and len(letters) > 0.7 * len(message) and script and not _NOISE.search(message)


def _catalogues() -> Iterator[tuple[str, dict[object, object]]]:
    folder = CACHE / "translations"
    if not (folder / "complete").exists():
        _fetch(folder)
        (folder / "complete").touch()
    for code in OTHERS:
        for file in sorted((folder / code).rglob("*.mo")):
            yield code, _catalogue(file.read_bytes())


def _catalogue(data: bytes) -> dict[object, object]:
    return dict(vars(gettext.GNUTranslations(io.BytesIO(data)))["_catalog"])


def _fetch(folder: Path) -> None:
    """LibreOffice's translations by apt-get, which checks them; else Django's by pip."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    if shutil.which("apt-get") and shutil.which("dpkg-deb"):
        packages = [f"libreoffice-l10n-{code}" for code in OTHERS]
        subprocess.run(["apt-get", "download", "-qq", *packages], cwd=folder, check=True, capture_output=True)
        for code in OTHERS:
            (package,) = folder.glob(f"libreoffice-l10n-{code}_*.deb")
            subprocess.run(["dpkg-deb", "-x", package, folder / code], check=True)
        return
    pip = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder), "django"]
    subprocess.run(pip, check=True)
    with zipfile.ZipFile(next(folder.glob("*.whl"))) as wheel:
        for code in OTHERS:
            own = [name for name in wheel.namelist() if f"/locale/{code}/" in name and name.endswith(".mo")]
            (folder / code).mkdir()
            for number, name in enumerate(own):
                (folder / code / f"{number}.mo").write_bytes(wheel.read(name))
