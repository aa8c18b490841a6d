"""Expected sentences of real pages as salted hashes, so that recall can be measured without the sentences' text.

    python benchmarks/corpus_sentences.py hand.txt       makes corpus_sentences.json from a file kept elsewhere

The file names a page in a line "# Title"; each further line is a sentence, or a part of one, as a reader of the page
sees it. A sentence is found in a text if its words, in small letters and without signs, stand there in this order.
"""

from __future__ import annotations

import hashlib
import json
import re
import sys
import unicodedata
from collections.abc import Container, Mapping
from pathlib import Path

FILE = Path(__file__).with_suffix(".json")
SALT = b"mothertongue-corpus"
_WORD = re.compile(r"[^\W_]+")
_GROUPS = re.compile(r"(?<=\d)[,\u00a0\u202f ](?=\d{3}\b)")


def words(text: str) -> list[str]:
    """The words of a text, with numbers in one form.

    >>> words("At 1,300 miles (2,100 km)")
    ['at', '1300', 'miles', '2100', 'km']
    """
    return _WORD.findall(_GROUPS.sub("", unicodedata.normalize("NFC", text)).casefold())


def digest(sentence: list[str]) -> str:
    """What stands for a sentence."""
    return hashlib.blake2b(" ".join(sentence).encode("utf-8"), digest_size=10, salt=SALT[:16]).hexdigest()


def expected() -> dict[str, list[tuple[int, str]]]:
    """Title -> (number of words, digest) of each sentence."""
    pages = json.loads(FILE.read_text("utf-8"))
    return {title: [(int(length), str(found)) for length, found in rows] for title, rows in pages.items()}


def recall(texts: Mapping[str, str], titles: Container[str]) -> float:
    """The share of the expected sentences of the pages `titles` that stand in these texts, title -> text."""
    found = total = 0
    for title, rows in expected().items():
        if title not in titles:
            continue
        own = words(texts.get(title, ""))
        for length, wanted in rows:
            total += 1
            found += any(digest(own[at : at + length]) == wanted for at in range(len(own) - length + 1))
    return found / max(1, total)


def main() -> None:
    pages: dict[str, list[tuple[int, str]]] = {}
    title = ""
    for line in Path(sys.argv[1]).read_text("utf-8").splitlines():
        if line.startswith("# "):
            title = line[2:].strip()
        elif line.strip():
            own = words(line)
            pages.setdefault(title, []).append((len(own), digest(own)))
    FILE.write_text(json.dumps(pages, ensure_ascii=False, indent=1) + "\n", "utf-8")
    print(f"{sum(map(len, pages.values()))} sentences of {len(pages)} pages")


if __name__ == "__main__":
    main()
